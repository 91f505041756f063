"""Dates and times in any of PostgreSQL's spellings → the numbers that Arrow and DuckDB hold, one at a time.

Years before 1 and after 9999, eras, infinity, 24:00, seconds of 60 and offsets with seconds are read too.
PostgreSQL docs, "Date/Time Input"; PostgreSQL source, timestamp.c, datetime.c `DetermineTimeZoneOffset`.
"""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from pgwire.copy.targets import MomentForms
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import format_type

DAY_US = 86_400_000_000
INFINITE_DATE = 2**31 - 1
INFINITE_TIMESTAMP = 2**63 - 1
_BLANKS = " \t\n\r\v\f"
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_CYCLE_DAYS = 146_097
_MOMENT = re.compile(
    r"(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+(?:\.\d*)?)(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?\Z", re.ASCII
)


def read_date(oid: int, text: str, forms: MomentForms) -> int:
    """Give days since 1970.

    Raises:
        StatementError: 22007, 22008.
    """
    word, is_before_christ = _without_era(text)
    infinite = _infinite(word, INFINITE_DATE)
    if infinite is not None:
        return infinite
    found = forms.date(word)
    if found is None or (found[1] and forms.time(found[1]) is None):
        raise _syntax_error(oid, text)
    year, month, day = (int(part) for part in found[0].split("-"))
    return _days(year, month, day, is_before_christ=is_before_christ, text=text)


def read_time(oid: int, text: str, forms: MomentForms) -> int:
    """Give microseconds since midnight.

    Raises:
        StatementError: 22007, 22008.
    """
    found = forms.time(text.strip(_BLANKS))
    if found is None:
        raise StatementError(
            f'invalid input syntax for type time: "{text}"', sqlstate=SqlState.INVALID_DATETIME_FORMAT
        )
    hour, minute, second = found[0].split(":")
    return _clock(int(hour), int(minute), second, text)


def read_timestamp(oid: int, text: str, forms: MomentForms, zone: str | None) -> int:
    """Give microseconds since 1970, UTC where `zone`, the session's, is given.

    Raises:
        StatementError: 22007, 22008.
    """
    word, is_before_christ = _without_era(text)
    infinite = _infinite(word, INFINITE_TIMESTAMP)
    if infinite is not None:
        return infinite
    spelled = forms.timestamp(word, zone is not None)
    found = _MOMENT.match(spelled) if spelled is not None else None
    if found is None:
        raise _syntax_error(oid, text)
    day = _days(int(found[1]), int(found[2]), int(found[3]), is_before_christ=is_before_christ, text=text)
    micros = day * DAY_US + _clock(int(found[4]), int(found[5]), found[6], text)
    if zone is None:
        return micros
    if found[7] is None:
        return micros - _session_offset_us(micros, zone)
    offset = int(found[8]) * 3600 + int(found[9] or 0) * 60 + int(found[10] or 0)
    return micros + (offset if found[7] == "-" else -offset) * 1_000_000


def _without_era(text: str) -> tuple[str, bool]:
    word = text.strip(_BLANKS)
    return (word[:-3].rstrip(), True) if word.upper().endswith(" BC") else (word, False)


def _infinite(word: str, largest: int) -> int | None:
    return {"infinity": largest, "-infinity": -largest, "epoch": 0}.get(word.lower())


def _days(year: int, month: int, day: int, *, is_before_christ: bool, text: str) -> int:
    if year == 0 or not 1 <= month <= 12:
        raise _range_error(text)
    astronomical = 1 - year if is_before_christ else year
    cycles, near = divmod(astronomical - 1, 400)
    if not 1 <= day <= monthrange(near + 1, month)[1]:
        raise _range_error(text)
    return date(near + 1, month, day).toordinal() + cycles * _CYCLE_DAYS - _EPOCH_ORDINAL


def _clock(hour: int, minute: int, second: str, text: str) -> int:
    micros = int((Decimal(second) * 1_000_000).to_integral_value(ROUND_HALF_EVEN))
    total = (hour * 60 + minute) * 60_000_000 + micros
    if minute > 59 or micros > 60_000_000 or total > DAY_US:
        raise _range_error(text)
    return total


def _session_offset_us(micros: int, zone: str) -> int:
    """Find the offset of a local time.

    In a gap PostgreSQL takes the time before the change, in an overlap the time after: the lesser offset.
    """
    try:
        local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError:
        local = datetime(1 if micros < 0 else 9999, 6, 1, tzinfo=UTC)
    info = ZoneInfo(zone)
    offsets = [local.replace(tzinfo=info, fold=fold).utcoffset() or timedelta() for fold in (0, 1)]
    return min(offsets) // timedelta(microseconds=1)


def _syntax_error(oid: int, text: str) -> StatementError:
    return StatementError(
        f'invalid input syntax for type {format_type(oid)}: "{text}"',
        sqlstate=SqlState.INVALID_DATETIME_FORMAT,
    )


def _range_error(text: str) -> StatementError:
    return StatementError(
        f'date/time field value out of range: "{text}"', sqlstate=SqlState.DATETIME_FIELD_OVERFLOW
    )
