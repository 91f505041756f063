"""Parameter values: text and binary → what DuckDB's `execute` takes.

Each `$n` stands inside a CAST to `engine_type_of(oid)`, so where no Python value can hold the parameter
(interval months, infinity, years after 9999, 24:00) a string is given that the CAST reads. PostgreSQL
source: each type's input and receive functions.
"""

import math
import re
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TypeAlias, TypeVar
from uuid import UUID

from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import Oid, format_type, type_by_oid

ParameterValue: TypeAlias = (
    "bool | int | float | Decimal | str | bytes | date | time | datetime | UUID | list[ParameterValue] | None"
)

Moment = TypeVar("Moment", date, datetime, datetime | str)

_EPOCH = datetime(2000, 1, 1)  # PostgreSQL's timestamps without zone count from here
_EPOCH_ORDINAL = _EPOCH.toordinal()
_DAY_US = 86_400_000_000
_INTEGER_BITS: Mapping[int, tuple[int, int]] = MappingProxyType(
    {
        Oid.INT2: (-(2**15), 2**15 - 1),
        Oid.INT4: (-(2**31), 2**31 - 1),
        Oid.INT8: (-(2**63), 2**63 - 1),
        Oid.OID: (0, 2**32 - 1),
        Oid.XID: (0, 2**32 - 1),
    }
)
_INTEGER_FORMATS: Mapping[int, str] = MappingProxyType({
    Oid.INT2: "!h", Oid.INT4: "!i", Oid.INT8: "!q", Oid.OID: "!I", Oid.XID: "!I",
})  # fmt: skip
_INTEGER = re.compile(r"[+-]?\d+\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\Z", re.ASCII | re.IGNORECASE)
_BLANKS = " \t\n\r\v\f"
_MAX_DIMENSIONS = 6
_FLOAT_WORDS = frozenset({"nan", "inf", "infinity", "+inf", "+infinity", "-inf", "-infinity"})


def decode_parameter(type_oid: int, format_code: int, value: bytes | None) -> ParameterValue:
    """Decode one parameter of Bind. format_code: 0 text, 1 binary; value: None is NULL.

    Raises:
        StatementError: 22P02, 22P03, 22003, 22007, 22008 or 22021, as PostgreSQL raises them.
        FeatureNotSupported: a binary format that is not known here.
    """
    if value is None:
        return None
    if format_code not in {0, 1}:
        raise StatementError(
            f"unsupported format code: {format_code}", sqlstate=SqlState.INVALID_PARAMETER_VALUE
        )
    pg_type = type_by_oid(type_oid)
    if pg_type is not None and pg_type.element_oid and pg_type.name.startswith("_"):
        if format_code:
            return _binary_array(pg_type.element_oid, value)
        return _ArrayReader(_text(value), pg_type.element_oid).read()
    return _binary_scalar(type_oid, value) if format_code else _text_scalar(type_oid, _text(value))


def _text(value: bytes) -> str:
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


def _syntax_error(
    oid: int, text: str, sqlstate: SqlState = SqlState.INVALID_TEXT_REPRESENTATION
) -> StatementError:
    return StatementError(f'invalid input syntax for type {format_type(oid)}: "{text}"', sqlstate=sqlstate)


def _range_error(oid: int, text: str) -> StatementError:
    return StatementError(
        f'value "{text}" is out of range for type {format_type(oid)}',
        sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE,
    )


def _text_scalar(oid: int, text: str) -> ParameterValue:
    reader = _TEXT_READERS.get(oid)
    return text if reader is None else reader(oid, text)


def _read_bool(oid: int, text: str) -> bool:
    """Any unique prefix of true, false, yes, no, on, off, or 1, 0.

    PostgreSQL source, bool.c `parse_bool_with_len`.
    """
    word = text.strip(_BLANKS).lower()
    if word in {"1", "on"} or (word and ("true".startswith(word) or "yes".startswith(word))):
        return True
    if word in {"0", "of", "off"} or (word and ("false".startswith(word) or "no".startswith(word))):
        return False
    raise _syntax_error(oid, text)


def _read_integer(oid: int, text: str) -> int:
    word = text.strip(_BLANKS)
    if not _INTEGER.match(word):
        raise _syntax_error(oid, text)
    number = int(word)
    lowest, highest = _INTEGER_BITS[oid]
    if oid in {Oid.OID, Oid.XID} and -(2**31) <= number < 0:
        number += 2**32  # PostgreSQL reads OIDs with strtoul
    if not lowest <= number <= highest:
        raise _range_error(oid, text)
    return number


def _read_float(oid: int, text: str) -> float:
    word = text.strip(_BLANKS).lower()
    if word not in _FLOAT_WORDS and not _NUMBER.match(word):
        raise _syntax_error(oid, text)
    number = float(word)
    is_overflow = math.isinf(number) and word not in _FLOAT_WORDS
    if oid == Oid.FLOAT4 and not is_overflow and math.isfinite(number):
        is_overflow = abs(number) >= 3.4028235677973366e38
    if is_overflow or (number == 0 and re.search(r"[1-9]", word.partition("e")[0])):
        raise StatementError(
            f'"{text.strip(_BLANKS)}" is out of range for type {format_type(oid)}',
            sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE,
        )
    return number


def _read_numeric(oid: int, text: str) -> Decimal:
    word = text.strip(_BLANKS)
    if word.lower() in _FLOAT_WORDS:
        raise _no_special_numeric()
    if not _NUMBER.match(word):
        raise _syntax_error(oid, text)
    try:
        return _plain_decimal(Decimal(word))
    except InvalidOperation as error:
        raise _syntax_error(oid, text) from error


def _plain_decimal(number: Decimal) -> Decimal:
    """Bound the digits (DuckDB has 38) and take the exponent away, which DuckDB's binding would misread."""
    if number and number.adjusted() >= 38:
        raise StatementError("value overflows numeric format", sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent > 0:
        return number.quantize(Decimal(1))
    return number


def _no_special_numeric() -> StatementError:
    return StatementError(
        "numeric values NaN and Infinity are not supported", sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE
    )


def _read_bytea(oid: int, text: str) -> bytes:
    if text.startswith("\\x"):
        try:
            return bytes.fromhex(text[2:])
        except ValueError as error:
            raise StatementError(
                "invalid hexadecimal data", sqlstate=SqlState.INVALID_PARAMETER_VALUE
            ) from error
    if re.search(rb"\\(?!\\|[0-3][0-7][0-7])", text.encode().replace(b"\\\\", b"")):
        raise _syntax_error(oid, text)
    return re.sub(
        rb"\\(\\|[0-3][0-7][0-7])",
        lambda found: b"\\" if found[1] == b"\\" else bytes([int(found[1], 8)]),
        text.encode(),
    )


def _read_uuid(oid: int, text: str) -> UUID:
    word = text.strip(_BLANKS).removeprefix("{").removesuffix("}").replace("-", "")
    if not re.fullmatch(r"[0-9a-fA-F]{32}", word):
        raise _syntax_error(oid, text)
    return UUID(word)


def _read_date(oid: int, text: str) -> date | str:
    return _read_moment(oid, text, date.fromisoformat)


def _read_timestamp(oid: int, text: str) -> datetime | str:
    def parse(word: str) -> datetime:
        moment = datetime.fromisoformat(word)
        return moment.replace(tzinfo=None)  # PostgreSQL ignores a zone here

    return _read_moment(oid, text, parse)


def _read_timestamptz(oid: int, text: str) -> datetime | str:
    def parse(word: str) -> datetime | str:
        moment = datetime.fromisoformat(word)
        # Without an offset it is local time of the session, which the engine knows.
        return moment if moment.tzinfo is not None else word

    return _read_moment(oid, text, parse)


def _read_moment(oid: int, text: str, parse: Callable[[str], Moment]) -> Moment | str:
    word = text.strip(_BLANKS)
    if word.lower() in {"infinity", "-infinity", "epoch"}:
        return word.lower()
    if not any(character.isdigit() for character in word):
        raise _syntax_error(oid, text, SqlState.INVALID_DATETIME_FORMAT)
    if word.upper().endswith(" BC"):
        day, blank, rest = word[:-3].partition(" ")
        return f"{day} (BC){blank}{rest}"  # where DuckDB expects the era
    try:
        return parse(word)
    except ValueError:
        _check_calendar_day(word, text)
        return word  # other forms are the engine's to read or to refuse


def _check_calendar_day(word: str, text: str) -> None:
    found = re.match(r"(\d{4})-(\d{2})-(\d{2})(?!\d)", word, re.ASCII)
    if found is None:
        return
    try:
        date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError as error:
        raise StatementError(
            f'date/time field value out of range: "{text}"', sqlstate=SqlState.DATETIME_FIELD_OVERFLOW
        ) from error


_TEXT_READERS: Mapping[int, Callable[[int, str], ParameterValue]] = MappingProxyType(
    {
        Oid.BOOL: _read_bool,
        Oid.INT2: _read_integer,
        Oid.INT4: _read_integer,
        Oid.INT8: _read_integer,
        Oid.OID: _read_integer,
        Oid.XID: _read_integer,
        Oid.FLOAT4: _read_float,
        Oid.FLOAT8: _read_float,
        Oid.NUMERIC: _read_numeric,
        Oid.BYTEA: _read_bytea,
        Oid.UUID: _read_uuid,
        Oid.DATE: _read_date,
        Oid.TIMESTAMP: _read_timestamp,
        Oid.TIMESTAMPTZ: _read_timestamptz,
    }
)


class _ArrayReader:
    """Reads `{1,NULL,"a b",{…}}`. PostgreSQL docs, "Array Input and Output Syntax"."""

    def __init__(self, text: str, element_oid: int) -> None:
        self._text = text
        self._oid = element_oid
        self._at = 0

    def read(self) -> ParameterValue:
        self._skip_bounds()
        value = self._list(1)
        self._skip_blanks()
        if self._at != len(self._text):
            raise self._malformed()
        return value

    def _skip_bounds(self) -> None:
        found = re.match(r"\s*(\[[+-]?\d+(:[+-]?\d+)?\])+\s*=", self._text)
        self._at = found.end() if found else 0

    def _skip_blanks(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in _BLANKS:
            self._at += 1

    def _peek(self) -> str:
        self._skip_blanks()
        if self._at >= len(self._text):
            raise self._malformed()
        return self._text[self._at]

    def _list(self, depth: int) -> "list[ParameterValue]":
        if self._peek() != "{" or depth > _MAX_DIMENSIONS:
            raise self._malformed()
        self._at += 1
        items: list[ParameterValue] = []
        if self._peek() == "}":
            self._at += 1
            return items
        while True:
            items.append(self._list(depth + 1) if self._peek() == "{" else self._element())
            mark = self._peek()
            self._at += 1
            if mark == "}":
                return items
            if mark != ",":
                raise self._malformed()

    def _element(self) -> ParameterValue:
        if self._peek() == '"':
            found = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL).match(self._text, self._at)
        else:
            found = re.compile(r'((?:[^"\\{},]|\\.)+)', re.DOTALL).match(self._text, self._at)
        if found is None:
            raise self._malformed()
        self._at = found.end()
        is_quoted = found[0].startswith('"')
        raw = found[1] if is_quoted else found[1].rstrip(_BLANKS)
        if not is_quoted and raw.upper() == "NULL":
            return None
        return _text_scalar(self._oid, re.sub(r"\\(.)", r"\1", raw, flags=re.DOTALL))

    def _malformed(self) -> StatementError:
        return StatementError(
            f'malformed array literal: "{self._text}"', sqlstate=SqlState.INVALID_TEXT_REPRESENTATION
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


def _binary_scalar(oid: int, value: bytes) -> ParameterValue:
    layout = _INTEGER_FORMATS.get(oid)
    if layout is not None:
        return _unpack(layout, value)[0]
    reader = _BINARY_READERS.get(oid)
    if reader is not None:
        return reader(value)
    pg_type = type_by_oid(oid)
    if oid and (pg_type is None or pg_type.category not in {"S", "X"}):
        raise FeatureNotSupported(f"no binary input function available for type {format_type(oid)}")
    return _text(value)


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
        raise _no_special_numeric()
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
    return _plain_decimal(Decimal(f"{number:.{min(scale, 38)}f}"))


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
    return _text(value[1:])


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
        Oid.JSON: _text,
        Oid.JSONB: _receive_jsonb,
        Oid.BIT: _receive_bit,
        Oid.VARBIT: _receive_bit,
        Oid.CHAR: _text,
    }
)


def _binary_array(element_oid: int, value: bytes) -> ParameterValue:
    """PostgreSQL source, arrayfuncs.c `array_recv`."""
    if len(value) < 12:
        raise _binary_error()
    depth, flags, sent_oid = _unpack("!iiI", value[:12])
    if not 0 <= depth <= _MAX_DIMENSIONS or flags not in {0, 1} or len(value) < 12 + 8 * depth:
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
        items.append(None if length == -1 else _binary_scalar(element_oid, value[at : at + length]))
        at += max(length, 0)
    if at != len(value):
        raise _binary_error()
    for size in reversed(sizes[1:]):
        items = [items[start : start + size] for start in range(0, len(items), size)] if size else []
    return items
