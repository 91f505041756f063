"""Parameter values: text and binary → what DuckDB's `execute` takes.

Each `$n` stands inside a CAST to `engine_type_of(oid)`, so where no Python value can hold the parameter
(interval months, infinity, years after 9999, 24:00) a string is given that the CAST reads. PostgreSQL
source: each type's input and receive functions.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from pgwire import json_text
from pgwire.binary_values import (
    MAX_DIMENSIONS,
    ParameterValue,
    no_special_numeric,
    plain_decimal,
    receive_array,
    receive_scalar,
    utf8_text,
)
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import Oid, format_type, type_by_oid

Moment = TypeVar("Moment", date, datetime, datetime | str)

_INTEGER_BITS: Mapping[int, tuple[int, int]] = MappingProxyType(
    {
        Oid.INT2: (-(2**15), 2**15 - 1),
        Oid.INT4: (-(2**31), 2**31 - 1),
        Oid.INT8: (-(2**63), 2**63 - 1),
        Oid.OID: (0, 2**32 - 1),
        Oid.XID: (0, 2**32 - 1),
    }
)
_MAX_INTEGER_DIGITS = 19
_INTEGER = re.compile(r"[+-]?\d+\Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\Z", re.ASCII | re.IGNORECASE)
_BLANKS = " \t\n\r\v\f"
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
            return receive_array(pg_type.element_oid, value)
        return _ArrayReader(utf8_text(value), pg_type.element_oid).read()
    return receive_scalar(type_oid, value) if format_code else _text_scalar(type_oid, utf8_text(value))


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
    digits = word.lstrip("+-").lstrip("0") or "0"
    if len(digits) > _MAX_INTEGER_DIGITS:  # int() itself refuses more than 4,300, zeros counted
        raise _range_error(oid, text)
    number = -int(digits) if word.startswith("-") else int(digits)
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
        raise no_special_numeric()
    if not _NUMBER.match(word):
        raise _syntax_error(oid, text)
    try:
        return plain_decimal(Decimal(word))
    except InvalidOperation as error:
        raise _syntax_error(oid, text) from error


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


def _read_jsonb(_oid: int, text: str) -> str:
    return json_text.canonical(text)


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
        Oid.JSONB: _read_jsonb,
    }
)


class _ArrayReader:
    """Reads `{1,NULL,"a b",{…}}`. PostgreSQL docs, "Array Input and Output Syntax"."""

    def __init__(self, text: str, element_oid: int) -> None:
        self.utf8_text = text
        self._oid = element_oid
        self._at = 0

    def read(self) -> ParameterValue:
        self._skip_bounds()
        value = self._list(1)
        self._skip_blanks()
        if self._at != len(self.utf8_text):
            raise self._malformed()
        return value

    def _skip_bounds(self) -> None:
        found = re.match(r"\s*(\[[+-]?\d+(:[+-]?\d+)?\])+\s*=", self.utf8_text)
        self._at = found.end() if found else 0

    def _skip_blanks(self) -> None:
        while self._at < len(self.utf8_text) and self.utf8_text[self._at] in _BLANKS:
            self._at += 1

    def _peek(self) -> str:
        self._skip_blanks()
        if self._at >= len(self.utf8_text):
            raise self._malformed()
        return self.utf8_text[self._at]

    def _list(self, depth: int) -> "list[ParameterValue]":
        if self._peek() != "{" or depth > MAX_DIMENSIONS:
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
            found = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL).match(self.utf8_text, self._at)
        else:
            found = re.compile(r'((?:[^"\\{},]|\\.)+)', re.DOTALL).match(self.utf8_text, self._at)
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
            f'malformed array literal: "{self.utf8_text}"', sqlstate=SqlState.INVALID_TEXT_REPRESENTATION
        )
