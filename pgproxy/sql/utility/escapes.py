"""What `E'…'` and `U&'…'` mean. PostgreSQL docs, "String Constants with C-Style Escapes" and after."""

import re

from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_ESCAPE = re.compile(
    r"''|\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))", re.DOTALL
)
_SIMPLE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def decode_escape_string(body: str, position: int) -> str:
    """Decode the inside of `E'…'`. position: of the literal, for errors.

    Raises:
        StatementError: 22025 for a bad escape, 22021 where the bytes are not UTF-8.
    """
    # Octal and hex escapes give bytes, which together must be UTF-8; so all is done in bytes.
    decoded = bytearray()
    at = 0
    pending_high = 0
    for match in _ESCAPE.finditer(body):
        decoded += body[at : match.start()].encode("utf-8", "surrogatepass")
        if pending_high and match.start() > at:
            raise _bad_surrogate(position)
        at = match.end()
        short, long, hexadecimal, octal, single = match.groups()
        if short or long:
            pending_high, character = _join_surrogates(int(short or long, 16), pending_high, position)
            decoded += character.encode("utf-8")
            continue
        if pending_high:
            raise _bad_surrogate(position)
        if hexadecimal:
            decoded.append(int(hexadecimal, 16))
        elif octal:
            decoded.append(int(octal, 8) & 0xFF)
        else:
            decoded += _simple_escape(single, position).encode("utf-8", "surrogatepass")
    if pending_high:
        raise _bad_surrogate(position)
    decoded += body[at:].encode("utf-8", "surrogatepass")
    return _decode_utf8(bytes(decoded), position)


def _simple_escape(single: str | None, position: int) -> str:
    if single is None:
        return "'"
    if single in "uU":
        raise StatementError(
            "invalid Unicode escape",
            sqlstate=SqlState.INVALID_ESCAPE_SEQUENCE,
            hint="Unicode escapes must be \\uXXXX or \\UXXXXXXXX.",
            position=position,
        )
    return _SIMPLE.get(single, single)


def _decode_utf8(data: bytes, position: int) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StatementError(
            'invalid byte sequence for encoding "UTF8"',
            sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE,
            position=position,
        ) from error
    if "\0" in text:
        raise StatementError(
            'invalid byte sequence for encoding "UTF8"',
            sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE,
            position=position,
        )
    return text


def _bad_surrogate(position: int) -> StatementError:
    return StatementError("invalid Unicode surrogate pair", position=position)


def _join_surrogates(code: int, pending_high: int, position: int) -> tuple[int, str]:
    """Take one code point; give (the high surrogate that now waits, the character that is complete)."""
    if pending_high:
        if not 0xDC00 <= code <= 0xDFFF:
            raise _bad_surrogate(position)
        return 0, chr(0x10000 + ((pending_high & 0x3FF) << 10) + (code & 0x3FF))
    if 0xD800 <= code <= 0xDBFF:
        return code, ""
    if 0xDC00 <= code <= 0xDFFF:
        raise _bad_surrogate(position)
    if code == 0 or code > 0x10FFFF:
        raise StatementError("invalid Unicode escape value", position=position)
    return 0, chr(code)


def decode_unicode_escapes(body: str, escape: str, position: int) -> str:
    r"""Decode the inside of `U&'…'`: `\XXXX`, `\+XXXXXX` and a doubled escape character.

    Raises:
        StatementError: 42601 for a bad escape.
    """
    mark = re.escape(escape)
    pattern = re.compile(rf"{mark}(?:([0-9A-Fa-f]{{4}})|\+([0-9A-Fa-f]{{6}})|({mark})|)")
    decoded = []
    at = 0
    pending_high = 0
    for match in pattern.finditer(body):
        plain = body[at : match.start()]
        short, long, doubled = match.groups()
        if pending_high and (plain or doubled):
            raise _bad_surrogate(position)
        at = match.end()
        decoded.append(plain)
        if doubled:
            decoded.append(escape)
        elif short or long:
            pending_high, character = _join_surrogates(int(short or long, 16), pending_high, position)
            decoded.append(character)
        else:
            raise StatementError(
                "invalid Unicode escape",
                hint="Unicode escapes must be \\XXXX or \\+XXXXXX.",
                position=position,
            )
    if pending_high:
        raise _bad_surrogate(position)
    return "".join(decoded) + body[at:]
