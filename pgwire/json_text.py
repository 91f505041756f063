"""jsonb's canonical text: sorted keys, the last of equal ones, numbers as numeric.

PostgreSQL docs, "JSON Types"; source, jsonb.c `jsonb_from_cstring`, jsonb_util.c
`lengthCompareJsonbStringValue`.
"""

import json
import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation

from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

Pairs = list[tuple[str, object]]

_MAX_DIGITS = 131_072
"""Before the decimal point. PostgreSQL docs, "Numeric Types"."""
_MAX_SCALE = 16_383
_MAX_WRITTEN_OUT = 2**20
"""Digits that a document's exponents together may stand for: `1e131071` is 8 bytes, written out 131,072."""
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class _Object:
    """An object as written, equal keys included."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs


class _NumberReader:
    """Reads a document's numbers, whose exponents are bounded one by one and together."""

    def __init__(self) -> None:
        self._written_out = 0

    def __call__(self, text: str) -> Decimal:
        try:
            number = Decimal(text)
        except InvalidOperation as error:  # an exponent that Decimal itself does not take
            raise _overflow() from error
        scale = -int(number.as_tuple().exponent)
        if scale > _MAX_SCALE or (number and number.adjusted() >= _MAX_DIGITS):
            raise _overflow()
        self._written_out += max(scale, -scale if number else 0)
        if self._written_out > _MAX_WRITTEN_OUT + len(text):
            raise StatementError(
                "total size of jsonb numbers exceeds the maximum", sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED
            )
        return number


def canonical(text: str) -> str:
    """Give a document as jsonb holds it, without blanks between its parts.

    Raises:
        StatementError: 22P02, it is no JSON; 22P05, it holds a NUL; 22003, 54000 or 54001, it is more than
            PostgreSQL or this gateway takes.
    """
    try:
        written = _written(_parsed(text))
        written.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise _invalid() from error
    except RecursionError as error:
        raise _too_deep() from error
    if "\\u0000" in written and _ESCAPED_NUL.search(written):
        raise StatementError(
            "unsupported Unicode escape sequence",
            sqlstate=SqlState.UNTRANSLATABLE_CHARACTER,
            detail="\\u0000 cannot be converted to text.",
        )
    return written


def checked(text: str) -> str:
    """Give a document of type json back as it is.

    Raises:
        StatementError: 22P02, it is no JSON; 54001, it is nested too deep.
    """
    _loaded(text, str)
    return text


def without_nulls(text: str, *, is_binary: bool) -> str:
    """Give a document without the members that are null.

    is_binary: as jsonb, else as json, whose members stay where they are.

    Raises:
        StatementError: as `canonical` raises.
    """
    try:
        stripped = _stripped(_parsed(text))
        return _written(stripped) if is_binary else _as_it_stands(stripped)
    except RecursionError as error:
        raise _too_deep() from error


def key_order(key: str) -> tuple[int, bytes]:
    """What jsonb sorts its keys by."""
    data = key.encode()
    return len(data), data


def _stripped(value: object) -> object:
    if isinstance(value, _Object):
        return _Object([(key, _stripped(item)) for key, item in value.pairs if item is not None])
    return [_stripped(item) for item in value] if isinstance(value, list) else value


def _as_it_stands(value: object) -> str:
    if isinstance(value, _Object):
        return "{" + ",".join(f"{_string(key)}:{_as_it_stands(item)}" for key, item in value.pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_as_it_stands(item) for item in value) + "]"
    return _written(value)


def _parsed(text: str) -> object:
    return _loaded(text, _NumberReader())


def _loaded(text: str, number: Callable[[str], object]) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_Object, parse_int=number, parse_float=number, parse_constant=_refused
        )
    except ValueError as error:
        raise _invalid() from error
    except RecursionError as error:
        raise _too_deep() from error


def _refused(name: str) -> object:
    raise ValueError(name)


def _overflow() -> StatementError:
    return StatementError("value overflows numeric format", sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE)


def _invalid() -> StatementError:
    return StatementError("invalid input syntax for type json", sqlstate=SqlState.INVALID_TEXT_REPRESENTATION)


def _too_deep() -> StatementError:
    return StatementError("stack depth limit exceeded", sqlstate=SqlState.STATEMENT_TOO_COMPLEX)


def _written(value: object) -> str:
    if isinstance(value, _Object):
        pairs = dict(value.pairs)
        return "{" + ",".join(f"{_string(key)}:{_written(pairs[key])}" for key in _sorted(pairs)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return format(value if value else value.copy_abs(), "f")
    return _string(value)


def _sorted(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=key_order)


def _string(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
