"""COPY text and csv, character by character: PostgreSQL's own rules, for what the fast path does not cover.

It also finds the line and the column at fault. PostgreSQL source, copyfromparse.c `CopyReadLineText`,
`CopyReadAttributesText`, `CopyReadAttributesCSV`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pgwire.copy.options import CopyFormat, CopyOptions
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_TEXT_TOKEN = re.compile(rb"\\.|[\r\n]", re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.|\Z))", re.DOTALL)
_NAMED: Mapping[bytes, bytes] = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
END_OF_DATA = b"\\."


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end. number: as PostgreSQL counts; in csv, that of its last physical line."""

    data: bytes
    number: int


class LineSplitter:
    """Cuts data into lines. eol: how the first line ended; every other must end so too.

    has_ended: the end-of-data mark was met. number: lines so far.
    """

    def __init__(self, options: CopyOptions, eol: bytes, number: int = 0) -> None:
        self._options = options
        self._eol = eol
        self.number = number
        self.has_ended = False

    def lines(self, block: bytes) -> Iterator[Line]:
        """Give the lines of a block that ends where a line ends, or where the data does.

        Raises:
            StatementError: 22P04; `number` is then that of the line at fault.
        """
        is_csv = self._options.format is CopyFormat.CSV
        return self._csv_lines(block) if is_csv else self._text_lines(block)

    def _text_lines(self, block: bytes) -> Iterator[Line]:
        start = at = 0
        self.number += 1
        while (token := _TEXT_TOKEN.search(block, at)) is not None:
            at = token.end()
            if token[0] == END_OF_DATA:
                self._check_mark(block, at)
                self.has_ended = True
                if token.start() > start:
                    yield Line(block[start : token.start()], self.number)
                return
            if token[0][:1] == b"\\":
                continue
            at = self._end_of_line(block, token.start(), what="literal")
            yield Line(block[start : token.start()], self.number)
            self.number += 1
            start = at
        if start < len(block):
            yield Line(block[start:], self.number)
        else:
            self.number -= 1

    def _csv_lines(self, block: bytes) -> Iterator[Line]:
        quote, escape = self._options.quote.encode(), self._options.escape.encode()
        token = re.compile(b"[\r\n" + re.escape(quote + (b"" if escape == quote else escape)) + b"]")
        start = at = 0
        in_quote = is_escaped = False
        # PostgreSQL counts by the kind of line end, which it does not know yet in the first line.
        later = b"\n" if self._eol == b"\n" else b"\r"
        counted = later if self.number else b"\r"
        self.number += 1
        while (found := token.search(block, at)) is not None:
            mark, previous, at = found[0], at, found.end()
            is_escaped = is_escaped and found.start() == previous
            if mark == escape != quote:
                is_escaped = in_quote and not is_escaped
                continue
            if mark == quote:
                in_quote ^= not is_escaped
                is_escaped = False
                continue
            is_escaped = False
            if in_quote:
                self.number += mark == counted
                continue
            at = self._end_of_line(block, found.start(), what="unquoted")
            line = block[start : found.start()]
            start = at
            if line == END_OF_DATA:
                self.has_ended = True
                return
            yield Line(line, self.number)
            self.number += 1
            counted = later
        if start < len(block) and block[start:] != END_OF_DATA:
            yield Line(block[start:], self.number)
        else:
            self.has_ended = self.has_ended or start < len(block)
            self.number -= 1

    def _end_of_line(self, block: bytes, at: int, *, what: str) -> int:
        if block.startswith(self._eol, at):
            return at + len(self._eol)
        is_return = block[at] == ord("\r")
        name, letter = ("carriage return", "r") if is_return else ("newline", "n")
        hint = f'Use "\\{letter}" to represent {name}.'
        if what == "unquoted":
            hint = f"Use quoted CSV field to represent {name}."
        raise StatementError(
            f"{what} {name} found in data", sqlstate=SqlState.BAD_COPY_FILE_FORMAT, hint=hint
        )

    def _check_mark(self, block: bytes, at: int) -> None:
        if at == len(block) or block.startswith(self._eol, at):
            return
        is_end = block[at : at + 1] in {b"\r", b"\n"}
        problem = "does not match previous newline style" if is_end else "corrupt"
        raise StatementError(f"end-of-copy marker {problem}", sqlstate=SqlState.BAD_COPY_FILE_FORMAT)


def split_text(line: bytes, options: CopyOptions) -> list[bytes | None]:
    """Split a line of text format; None is NULL."""
    delimiter, null = options.delimiter.encode(), options.null.encode()
    if b"\\" not in line:
        return [None if field == null else field for field in line.split(delimiter)]
    raw, start = [], 0
    for token in re.finditer(rb"\\.|" + re.escape(delimiter), line, re.DOTALL):
        if token[0] == delimiter:
            raw.append(line[start : token.start()])
            start = token.end()
    raw.append(line[start:])
    return [None if field == null else unescape(field) for field in raw]


def unescape(field: bytes) -> bytes:
    """Read text format's backslash sequences."""
    return _ESCAPE.sub(_unescaped, field) if b"\\" in field else field


def _unescaped(found: "re.Match[bytes]") -> bytes:
    octal, hexadecimal, other = found.groups()
    if octal is not None:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal is not None:
        return bytes([int(hexadecimal, 16)])
    return _NAMED.get(other, other)


def split_csv(line: bytes, options: CopyOptions) -> list[bytes | None]:
    """Split a line of csv; None is NULL. Quotes may begin and end anywhere in a field.

    Raises:
        StatementError: 22P04, a quoted field does not end.
    """
    delimiter, quote = options.delimiter.encode(), options.quote.encode()
    escape, null = options.escape.encode(), options.null.encode()
    fields: list[bytes | None] = []
    if quote not in line:
        return [None if field == null else field for field in line.split(delimiter)]
    field, saw_quote, in_quote, at = bytearray(), False, False, 0
    while at < len(line):
        byte = line[at : at + 1]
        at += 1
        if not in_quote:
            if byte == delimiter:
                fields.append(None if not saw_quote and field == null else bytes(field))
                field, saw_quote = bytearray(), False
            elif byte == quote:
                saw_quote = in_quote = True
            else:
                field += byte
        elif byte == escape and line[at : at + 1] in {escape, quote} and at < len(line):
            field += line[at : at + 1]
            at += 1
        elif byte == quote:
            in_quote = False
        else:
            field += byte
    if in_quote:
        raise StatementError("unterminated CSV quoted field", sqlstate=SqlState.BAD_COPY_FILE_FORMAT)
    fields.append(None if not saw_quote and field == null else bytes(field))
    return fields
