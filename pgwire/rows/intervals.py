"""Intervals as text, in the four styles of `IntervalStyle`.

PostgreSQL source: datetime.c `EncodeInterval`.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pgwire.rows.arrow import pa, pc
from pgwire.rows.calendar import fraction_text
from pgwire.rows.cells import ArrowArray, Mask

Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class IntervalParts:
    """Signed parts, all with their own sign; hours are not limited to 24."""

    years: Ints
    months: Ints
    days: Ints
    hours: Ints
    minutes: Ints
    seconds: Ints
    micros: Ints


def split_interval(months: Ints, days: Ints, micros: Ints) -> IntervalParts:
    """Split as `interval2itm` does: division that truncates toward zero."""
    years = np.trunc(months / 12).astype(np.int64)
    sign = np.sign(micros)
    size = np.abs(micros)
    seconds = size // 1_000_000
    return IntervalParts(
        years, months - years * 12, days, sign * (seconds // 3600), sign * (seconds // 60 % 60),
        sign * (seconds % 60), sign * (size % 1_000_000),
    )  # fmt: skip


def interval_text(months: Ints, days: Ints, micros: Ints, style: str) -> ArrowArray:
    """Give the text of each interval. style: postgres, postgres_verbose, sql_standard, iso_8601."""
    parts = split_interval(months, days, micros)
    writers = {"postgres_verbose": _verbose, "sql_standard": _sql_standard, "iso_8601": _iso}
    return writers.get(style, _postgres)(parts)


def _text(numbers: Ints) -> ArrowArray:
    return pc.cast(pa.array(numbers), pa.string())


def _where(condition: Mask, then: ArrowArray | str, otherwise: ArrowArray | str = "") -> ArrowArray:
    return pc.if_else(pa.array(condition), then, otherwise)


def _glue(*parts: ArrowArray | str) -> ArrowArray:
    return pc.binary_join_element_wise(*parts, "")


def _two(numbers: Ints) -> ArrowArray:
    return pc.utf8_lpad(_text(np.abs(numbers)), 2, "0")


def _clock(parts: IntervalParts, hours: ArrowArray) -> ArrowArray:
    fraction = fraction_text(np.abs(parts.micros)).view(pa.string())
    return _glue(hours, ":", _two(parts.minutes), ":", _two(parts.seconds), fraction)


def _time_sign(parts: IntervalParts) -> tuple[Mask, Mask]:
    total = parts.hours * 3600 + parts.minutes * 60 + parts.seconds
    return (total < 0) | (parts.micros < 0), (total != 0) | (parts.micros != 0)


def _postgres(parts: IntervalParts) -> ArrowArray:
    """`1 year 2 mons -3 days +04:05:06.7`: a part after a negative one shows its plus."""
    count = len(parts.years)
    text: ArrowArray | str = ""
    was_negative, is_empty = np.zeros(count, bool), np.ones(count, bool)
    for number, unit in ((parts.years, "year"), (parts.months, "mon"), (parts.days, "day")):
        shown = number != 0
        space = _where(shown & ~is_empty, " ")
        plus = _where(shown & was_negative & (number > 0), "+")
        words = _where(number == 1, f" {unit}", f" {unit}s")
        text = _glue(text, space, plus, _where(shown, _glue(_text(number), words)))
        is_empty &= ~shown
        was_negative = np.where(shown, number < 0, was_negative)
    is_minus, has_time = _time_sign(parts)
    sign = _where(is_minus, "-", _where(was_negative, "+"))
    clock = _glue(_where(~is_empty, " "), sign, _clock(parts, _two(parts.hours)))
    return _glue(text, _where(has_time | is_empty, clock))


def _verbose(parts: IntervalParts) -> ArrowArray:
    """`@ 1 year 2 mons 3 days 4 hours 5 mins 6.7 secs`, with `ago` after a first negative part."""
    count = len(parts.years)
    is_ago, is_empty = np.zeros(count, bool), np.ones(count, bool)
    text: ArrowArray | str = "@"
    units = ((parts.years, "year"), (parts.months, "mon"), (parts.days, "day"), (parts.hours, "hour"))
    for number, unit in (*units, (parts.minutes, "min")):
        shown = number != 0
        is_ago = np.where(is_empty, number < 0, is_ago)
        signed = np.where(is_ago, -number, number)
        words = _where(signed == 1, f" {unit}", f" {unit}s")
        text = _glue(text, _where(shown, _glue(" ", _text(signed), words)))
        is_empty &= ~shown
    is_minus = (parts.seconds < 0) | (parts.micros < 0)
    shown = (parts.seconds != 0) | (parts.micros != 0)
    sign = _where(is_minus & ~is_empty & ~is_ago | ~is_minus & is_ago & shown, "-")
    is_ago = np.where(is_empty & shown, is_minus, is_ago)
    fraction = fraction_text(np.abs(parts.micros)).view(pa.string())
    is_one = (np.abs(parts.seconds) == 1) & (parts.micros == 0)
    number_text = _glue(" ", sign, _text(np.abs(parts.seconds)), fraction, _where(is_one, " sec", " secs"))
    text = _glue(text, _where(shown, number_text))
    is_empty &= ~shown
    return _glue(text, _where(is_empty, " 0"), _where(is_ago, " ago"))


def _sql_standard(parts: IntervalParts) -> ArrowArray:
    """`1-2`, `3 4:05:06`, or `+1-2 -3 +4:05:06` where signs or both kinds of parts mix."""
    is_minus_time, has_time = _time_sign(parts)
    year_month = (parts.years != 0) | (parts.months != 0)
    has_day = parts.days != 0
    minus = (parts.years < 0) | (parts.months < 0) | (parts.days < 0) | is_minus_time
    plus = (parts.years > 0) | (parts.months > 0) | (parts.days > 0) | (has_time & ~is_minus_time)
    is_plain = ~(minus & plus) & ~(year_month & (has_day | has_time))
    lead = _where(is_plain & minus, "-")
    absolute = _glue(_text(np.abs(parts.years)), "-", _text(np.abs(parts.months)))
    clock = _clock(parts, _text(np.abs(parts.hours)))
    plain = _where(year_month, absolute, _where(has_day, _glue(_text(np.abs(parts.days)), " ", clock), clock))
    mixed = _glue(
        _where((parts.years < 0) | (parts.months < 0), "-", "+"), absolute, " ",
        _where(parts.days < 0, "-", "+"), _text(np.abs(parts.days)), " ",
        _where(is_minus_time, "-", "+"), clock,
    )  # fmt: skip
    is_zero = ~(year_month | has_day | has_time)
    return _where(is_zero, "0", _where(is_plain, _glue(lead, plain), mixed))


def _iso(parts: IntervalParts) -> ArrowArray:
    """`P1Y2M3DT4H5M6.7S`, `PT0S`."""
    text: ArrowArray | str = "P"
    for number, unit in ((parts.years, "Y"), (parts.months, "M"), (parts.days, "D")):
        text = _glue(text, _where(number != 0, _glue(_text(number), unit)))
    is_minus, has_time = _time_sign(parts)
    text = _glue(text, _where(has_time, "T"))
    for number, unit in ((parts.hours, "H"), (parts.minutes, "M")):
        text = _glue(text, _where(number != 0, _glue(_text(number), unit)))
    fraction = fraction_text(np.abs(parts.micros)).view(pa.string())
    seconds = _glue(_where(is_minus, "-"), _text(np.abs(parts.seconds)), fraction, "S")
    text = _glue(text, _where((parts.seconds != 0) | (parts.micros != 0), seconds))
    is_zero = (parts.years == 0) & (parts.months == 0) & (parts.days == 0) & ~has_time
    return _where(is_zero, "PT0S", text)
