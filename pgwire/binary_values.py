"""Parameter values in binary format: the receive side of `pgwire.values`, and what both sides share.

PostgreSQL source: each type's receive function, `numeric_recv`, `array_recv`.
"""

import math
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias
from uuid import UUID

from pgwire import json_text
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import Oid, format_type, type_by_oid

ParameterValue: TypeAlias = (
    "bool | int | float | Decimal | str | bytes | date | time | datetime | UUID | list[ParameterValue] | None"
)

_EPOCH = datetime(2000, 1, 1)  # PostgreSQL's timestamps without zone count from here
_EPOCH_ORDINAL = _EPOCH.toordinal()
_DAY_US = 86_400_000_000
_INTEGER_FORMATS: Mapping[int, str] = MappingProxyType({
    Oid.INT2: "!h", Oid.INT4: "!i", Oid.INT8: "!q", Oid.OID: "!I", Oid.XID: "!I",
})  # fmt: skip
MAX_DIMENSIONS = 6


def utf8_text(value: bytes) -> str:
    """Decode a text parameter; 22021 where it is not UTF-8 or holds a NUL."""
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        bad = " ".join(f"0x{byte:02x}" for byte in value[error.start : error.end])
        raise StatementError(
            f'invalid byte sequence for encoding "UTF8": {bad}',
            sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE,
        ) from error
    if "\0" in text:
        raise StatementError(
            'invalid byte sequence for encoding "UTF8": 0x00', sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE
        )
    return text


def plain_decimal(number: Decimal) -> Decimal:
    """Bound the digits (DuckDB has 38) and take the exponent away, which DuckDB's binding would misread."""
    if number and number.adjusted() >= 38:
        raise StatementError("value overflows numeric format", sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent > 0:
        return number.quantize(Decimal(1))
    return number


def no_special_numeric() -> StatementError:
    """Make the error for NaN and Infinity, which DuckDB's DECIMAL lacks."""
    return StatementError(
        "numeric values NaN and Infinity are not supported", sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE
    )


def _binary_error() -> StatementError:
    return StatementError(
        "incorrect binary data format in bind parameter", sqlstate=SqlState.INVALID_BINARY_REPRESENTATION
    )


def _unpack(layout: str, value: bytes) -> tuple[int, ...]:
    try:
        return struct.unpack(layout, value)
    except struct.error as error:
        raise _binary_error() from error


def receive_scalar(oid: int, value: bytes) -> ParameterValue:
    """Decode one value that is no array."""
    layout = _INTEGER_FORMATS.get(oid)
    if layout is not None:
        return _unpack(layout, value)[0]
    reader = _BINARY_READERS.get(oid)
    if reader is not None:
        return reader(value)
    pg_type = type_by_oid(oid)
    if oid and (pg_type is None or pg_type.category not in {"S", "X"}):
        raise FeatureNotSupported(f"no binary input function available for type {format_type(oid)}")
    return utf8_text(value)


def _receive_bool(value: bytes) -> bool:
    return bool(_unpack("!B", value)[0])


def _receive_float4(value: bytes) -> float:
    return _unpack("!f", value)[0]


def _receive_float8(value: bytes) -> float:
    return _unpack("!d", value)[0]


def _receive_numeric(value: bytes) -> Decimal:
    if len(value) < 8:
        raise _binary_error()
    count, weight, sign, scale = _unpack("!HhHH", value[:8])
    if sign in {0xC000, 0xD000, 0xF000}:
        raise no_special_numeric()
    if sign not in {0, 0x4000} or len(value) != 8 + 2 * count:
        raise _binary_error()
    groups = _unpack(f"!{count}H", value[8:])
    if any(group > 9999 for group in groups):
        raise _binary_error()
    if count and weight > 9:
        raise StatementError("value overflows numeric format", sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE)
    digits = int("".join(f"{group:04d}" for group in groups) or "0")
    number = Decimal(-digits if sign else digits).scaleb(4 * (weight - count + 1))
    # The display scale counts zeros that base 10,000 groups do not hold, and cuts the ones they add.
    return plain_decimal(Decimal(f"{number:.{min(scale, 38)}f}"))


def _receive_date(value: bytes) -> date | str:
    days = _unpack("!i", value)[0]
    if days in {2**31 - 1, -(2**31)}:
        return "infinity" if days > 0 else "-infinity"
    ordinal = days + _EPOCH_ORDINAL
    if 1 <= ordinal <= date.max.toordinal():
        return date.fromordinal(ordinal)
    return _far_date(ordinal)


def _far_date(ordinal: int) -> str:
    """Write a date outside Python's years the way DuckDB reads it.

    The calendar repeats every 146,097 days.
    """
    cycles = (ordinal - 1) // 146_097
    near = date.fromordinal(ordinal - cycles * 146_097)
    year = near.year + cycles * 400
    suffix = " (BC)" if year < 1 else ""
    return f"{1 - year if year < 1 else year:04d}-{near.month:02d}-{near.day:02d}{suffix}"


def _clock(micros: int) -> str:
    seconds, fraction = divmod(micros, 1_000_000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:06d}"


def _receive_time(value: bytes) -> time | str:
    micros = _unpack("!q", value)[0]
    if not 0 <= micros <= _DAY_US:
        raise StatementError("time out of range", sqlstate=SqlState.DATETIME_FIELD_OVERFLOW)
    return "24:00:00" if micros == _DAY_US else (_EPOCH + timedelta(microseconds=micros)).time()


def _receive_timetz(value: bytes) -> str:
    """A string always: DuckDB's binding loses the seconds of an offset."""
    micros, west_s = _unpack("!qi", value)
    if not 0 <= micros <= _DAY_US or abs(west_s) >= 16 * 3600:
        raise StatementError("time out of range", sqlstate=SqlState.DATETIME_FIELD_OVERFLOW)
    hours, rest = divmod(abs(west_s), 3600)
    return f"{_clock(micros)}{'-' if west_s > 0 else '+'}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


def _receive_timestamp(value: bytes) -> datetime | str:
    micros = _unpack("!q", value)[0]
    if micros in {2**63 - 1, -(2**63)}:
        return "infinity" if micros > 0 else "-infinity"
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        days, rest = divmod(micros, _DAY_US)
        day, mark, era = _far_date(days + _EPOCH_ORDINAL).partition(" (BC)")
        return f"{day} {_clock(rest)}{mark}{era}" if not mark else f"{day}{mark} {_clock(rest)}"


def _receive_timestamptz(value: bytes) -> datetime | str:
    moment = _receive_timestamp(value)
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=UTC)
    return moment if moment.endswith("infinity") else moment + "+00"


def _receive_interval(value: bytes) -> str:
    micros, days, months = _unpack("!qii", value)
    return f"{months} months {days} days {micros} microseconds"


def _receive_uuid(value: bytes) -> UUID:
    if len(value) != 16:
        raise _binary_error()
    return UUID(bytes=value)


def _receive_jsonb(value: bytes) -> str:
    if value[:1] != b"\x01":
        raise StatementError(
            f"unsupported jsonb version number {value[0] if value else 0}",
            sqlstate=SqlState.INVALID_BINARY_REPRESENTATION,
        )
    return json_text.canonical(utf8_text(value[1:]))


def _receive_bit(value: bytes) -> str:
    if len(value) < 4:
        raise _binary_error()
    count = _unpack("!i", value[:4])[0]
    if count < 0 or len(value) != 4 + (count + 7) // 8:
        raise _binary_error()
    return "".join(f"{byte:08b}" for byte in value[4:])[:count]


_BINARY_READERS: Mapping[int, Callable[[bytes], ParameterValue]] = MappingProxyType(
    {
        Oid.BOOL: _receive_bool,
        Oid.FLOAT4: _receive_float4,
        Oid.FLOAT8: _receive_float8,
        Oid.NUMERIC: _receive_numeric,
        Oid.BYTEA: bytes,
        Oid.DATE: _receive_date,
        Oid.TIME: _receive_time,
        Oid.TIMETZ: _receive_timetz,
        Oid.TIMESTAMP: _receive_timestamp,
        Oid.TIMESTAMPTZ: _receive_timestamptz,
        Oid.INTERVAL: _receive_interval,
        Oid.UUID: _receive_uuid,
        Oid.JSON: utf8_text,
        Oid.JSONB: _receive_jsonb,
        Oid.BIT: _receive_bit,
        Oid.VARBIT: _receive_bit,
        Oid.CHAR: utf8_text,
    }
)


def receive_array(element_oid: int, value: bytes) -> ParameterValue:
    """PostgreSQL source, arrayfuncs.c `array_recv`."""
    if len(value) < 12:
        raise _binary_error()
    depth, flags, sent_oid = _unpack("!iiI", value[:12])
    if not 0 <= depth <= MAX_DIMENSIONS or flags not in {0, 1} or len(value) < 12 + 8 * depth:
        raise _binary_error()
    if sent_oid != element_oid:
        raise StatementError("wrong element type", sqlstate=SqlState.DATATYPE_MISMATCH)
    sizes = _unpack(f"!{2 * depth}i", value[12 : 12 + 8 * depth])[::2]
    if any(size < 0 for size in sizes) or math.prod(sizes) > len(value) // 4:
        raise _binary_error()
    items, at = [], 12 + 8 * depth
    for _ in range(math.prod(sizes) if depth else 0):
        length = _unpack("!i", value[at : at + 4])[0]
        at += 4
        if length < -1 or at + max(length, 0) > len(value):
            raise _binary_error()
        items.append(None if length == -1 else receive_scalar(element_oid, value[at : at + length]))
        at += max(length, 0)
    if at != len(value):
        raise _binary_error()
    for size in reversed(sizes[1:]):
        items = [items[start : start + size] for start in range(0, len(items), size)] if size else []
    return items
