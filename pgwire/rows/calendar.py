"""Dates and times of day as text. PostgreSQL source: datetime.c `EncodeDateOnly`, `EncodeDateTime`.

Days count from 1970-01-01, times from midnight in microseconds. DuckDB stores infinity as the type's greatest
value and -infinity as its negative.
"""

from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgwire.rows.arrow import pa, pc
from pgwire.rows.cells import (
    ArrowArray,
    Cells,
    Field,
    Fixed,
    Mask,
    Piece,
    Varying,
    binary_array,
    fixed_cells,
    join,
    joined_cells,
    varying_cells,
)
from pgwire.rows.digits import clock_digits, decimal_digits, padded_digits

Ints: TypeAlias = npt.NDArray[np.int64]

DAY_US = 86_400_000_000
INFINITE_DATE = 2**31 - 1
INFINITE_TIMESTAMP = 2**63 - 1
_FIRST_PLAIN_DAY = -719_162  # 0001-01-01
_LAST_PLAIN_DAY = 2_932_896  # 9999-12-31
_TABLE_FIRST, _TABLE_LAST = -25_567, 47_846  # 1900-01-01 to 2100-12-30: 730 kB that stay in cache where used


def date_text(days: npt.NDArray[np.int32], valid: Mask | None) -> Cells:
    """`2024-02-29`, `0044-03-15 BC`, `infinity`."""
    if _are_plain(days, valid):
        return fixed_cells(_plain_date(_safe(days, valid)), valid)
    text = _irregular(days, np.zeros(len(days), bool), np.abs(days.astype(np.int64)) == INFINITE_DATE, ())
    return _masked(text, valid)


def time_text(micros: Ints, valid: Mask | None) -> Cells:
    """`04:05:06.7`, `24:00:00`."""
    return joined_cells(_time_pieces(micros), valid)


def timestamp_text(micros: Ints, valid: Mask | None, offset: tuple[Piece, ...] = ()) -> Cells:
    """`2024-02-29 04:05:06.7`, followed by `offset`, then ` BC`. micros: local time."""
    days = micros // DAY_US
    time_of_day = micros - days * DAY_US
    if _are_plain(days, valid):
        days = _safe(days, valid)
        pieces = (Fixed((*_plain_date(days), b" ")), *_time_pieces(time_of_day), *offset)
        return joined_cells(pieces, valid)
    infinite = (micros >= INFINITE_TIMESTAMP) | (micros <= -INFINITE_TIMESTAMP)
    tail = (Fixed((b" ",)), *_time_pieces(time_of_day), *offset)
    return _masked(_irregular(days, micros < 0, infinite, tail), valid)


def _masked(text: ArrowArray, valid: Mask | None) -> Cells:
    return varying_cells(
        text if valid is None else pc.if_else(pa.array(valid), text, pa.scalar(None, text.type))
    )


def _are_plain(days: npt.NDArray[Any], valid: Mask | None) -> bool:
    if valid is not None:
        days = days[valid]
    return len(days) == 0 or bool(days.min() >= _FIRST_PLAIN_DAY and days.max() <= _LAST_PLAIN_DAY)


def _safe(days: npt.NDArray[Any], valid: Mask | None) -> npt.NDArray[Any]:
    return days if valid is None else np.where(valid, days, days.dtype.type(0))


def _plain_date(days: npt.NDArray[Any]) -> list[Field | bytes]:
    """Ten bytes for days from 0001-01-01 to 9999-12-31."""
    if len(days) and days.min() >= _TABLE_FIRST and days.max() < _TABLE_LAST:
        months, day_of_month = _date_table()
        index = days - _TABLE_FIRST
        return [months[index], day_of_month[index]]
    return _computed_date(days.astype(np.int64))


@cache
def _date_table() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint16]]:
    fields = _computed_date(np.arange(_TABLE_FIRST, _TABLE_LAST, dtype=np.int64))
    cells = fixed_cells(fields, None)
    text = np.frombuffer(join(cells.pieces, _TABLE_LAST - _TABLE_FIRST).buffers()[2], np.uint8).reshape(
        -1, 10
    )
    months = np.ascontiguousarray(text[:, :8]).view(np.uint64).reshape(-1)
    return months, np.ascontiguousarray(text[:, 8:]).view(np.uint16).reshape(-1)


def _computed_date(days: Ints) -> list[Field | bytes]:
    year, month, day = civil_from_days(days)
    two = decimal_digits(2)
    return [*padded_digits(year, 4), b"-", two[month], b"-", two[day]]


def civil_from_days(days: Ints) -> tuple[Ints, Ints, Ints]:
    """Give astronomical year, month and day of days since 1970, proleptic Gregorian."""
    shifted = days + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted_month + 2) // 5 + 1
    month = np.where(shifted_month < 10, shifted_month + 3, shifted_month - 9)
    return year_of_era + era * 400 + (month <= 2), month, day


def _irregular(
    days: npt.NDArray[Any], is_negative: Mask, infinite: Mask, tail: tuple[Piece, ...]
) -> ArrowArray:
    """Any date, in Arrow strings: years before 1 and after 9999, and infinity."""
    year, month, day = civil_from_days(np.where(infinite, 0, days.astype(np.int64)))
    is_bc = year < 1
    years = pc.utf8_lpad(pc.cast(pa.array(np.where(is_bc, 1 - year, year)), pa.string()), 4, "0")
    two = decimal_digits(2)
    era = pc.if_else(pa.array(is_bc), b" BC", b"")
    pieces = (Varying(years), Fixed((b"-", two[month], b"-", two[day])), *tail, Varying(era))
    text = join(pieces, len(days))
    if not infinite.any():
        return text
    sign_bit = is_negative if tail else days < 0
    words = pc.if_else(pa.array(sign_bit), b"-infinity", b"infinity")
    return pc.if_else(pa.array(infinite), words, text)


def _time_pieces(micros: Ints) -> tuple[Piece, ...]:
    seconds = micros // 1_000_000
    fraction = micros - seconds * 1_000_000
    clock = Fixed((clock_digits()[seconds],))
    if not fraction.any():
        return (clock,)
    return clock, Varying(fraction_text(fraction))


def fraction_text(micros: npt.NDArray[Any]) -> ArrowArray:
    """`.5`, `.000001`: a fraction of a second without trailing zeros, nothing for 0."""
    matrix = np.empty((len(micros), 7), np.uint8)
    matrix[:, 0] = ord(".")
    high, low = micros // 1000, micros % 1000
    three = decimal_digits(2)
    matrix[:, 1:3] = three[high // 10].view(np.uint8).reshape(-1, 2)
    matrix[:, 3] = high % 10 + ord("0")
    matrix[:, 4:6] = three[low // 10].view(np.uint8).reshape(-1, 2)
    matrix[:, 6] = low % 10 + ord("0")
    used = np.where(low == 0, _significant()[high], 3 + _significant()[low])
    width = np.where(micros == 0, 0, used + 1)
    offsets = np.zeros(len(micros) + 1, np.int32)
    np.cumsum(width, out=offsets[1:])
    return binary_array(offsets, matrix[np.arange(7) < width[:, None]])


@cache
def _significant() -> npt.NDArray[np.int64]:
    """Digits of 000 to 999 that are left when trailing zeros go."""
    numbers = np.arange(1000)
    return np.where(numbers == 0, 0, np.where(numbers % 100 == 0, 1, np.where(numbers % 10 == 0, 2, 3)))
