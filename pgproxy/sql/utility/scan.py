"""PostgreSQL's lexical rules: text to tokens with exact offsets.

It follows the server's scanner, not a general SQL tokenizer, because statement boundaries decide what runs:
a `;` inside a literal, a dollar quote or a nested comment ends nothing. standard_conforming_strings is on.
PostgreSQL docs, "Lexical Structure".
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from pgproxy.sql.utility.escapes import decode_escape_string, decode_unicode_escapes
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

MAX_IDENTIFIER_BYTES = 63


class TokenKind(Enum):
    """What a token is."""

    WORD = auto()
    QUOTED_NAME = auto()
    STRING = auto()
    BIT_STRING = auto()
    INTEGER = auto()
    FLOAT = auto()
    PARAMETER = auto()
    OPERATOR = auto()
    SYMBOL = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token. start, end: in characters. value: folded word, unescaped name or string, else the text."""

    kind: TokenKind
    value: str
    start: int
    end: int


# A flag in front of a string: escape, bit, hex, Unicode. `U&` also stands before a quoted name.
_STRING_START = re.compile(r"(?P<flag>[eEbBxX]|[uU]&)?'")
_NAME_START = re.compile(r"(?P<flag>[uU]&)?\"")
_BLANK = re.compile(r"[ \t\n\r\f]+")
_LINE_COMMENT = re.compile(r"--[^\n\r]*")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_WORD = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*")
_DOLLAR_TAG = re.compile(r"\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$")
_PARAMETER = re.compile(r"\$[0-9]+")
# `1..10` is an integer and `..`: a point followed by a point belongs to neither.
_NUMBER = re.compile(r"(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_OPERATOR = re.compile(r"[~!@#^&|`?+\-*/%<>=]+")
_DOUBLE_SYMBOL = re.compile(r"::|\.\.|:=")
_CONTINUATION = re.compile(r"(?:[ \t\f]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f]|--[^\n\r]*[\n\r])*'")
# Possessive: a literal of megabytes costs no backtracking memory.
_ESCAPED_BODY = re.compile(r"[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+", re.DOTALL)
_PLAIN_BODY = re.compile(r"[^']*+(?:''[^']*+)*+")
_NAME_BODY = re.compile(r'[^"]*+(?:""[^"]*+)*+')
_SELF = frozenset(",()[].;:+-*/%^<>=")
_PLAIN = re.compile(
    r"""
    [ \t\n\r\f]*+
    (?P<statement>
        (?![uU]&['"]) (?P<word> [A-Za-z_][A-Za-z0-9_]*+ (?![$\u0080-\U0010ffff]) )?+
        (?:
            (?![uU]&['"]) [A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*+
          | (?:[0-9]++(?:\.[0-9]++)?+|\.[0-9]++) (?:[eE][+-]?+[0-9]++)?+ (?![A-Za-z0-9_.\u0080-\U0010ffff])
          | '[^'\\]*+(?:''[^'\\]*+)*+'
          | "[^"]++"(?!")
          | -(?!-) | /(?!\*)
          | [^A-Za-z0-9_\u0080-\U0010ffff'"$;\\/.-] | \.(?![0-9.])
        )*+
    )
    (?:;[ \t\n\r\f]*+)?+ \Z
    """,
    re.VERBOSE,
)
"""One statement without comments, backslashes and dollar signs of its own: `scan` refuses nothing in it."""


def scan(text: str) -> tuple[Token, ...]:
    """Give every token of `text`, comments and blanks left out.

    Raises:
        StatementError: 42601 for what the scanner refuses (an open literal or comment, junk after a number),
            22025 and 42601 for bad escapes; with the position.
    """
    scanner = _Scanner(text)
    tokens = []
    while (token := scanner.next_token()) is not None:
        tokens.append(token)
    return tuple(tokens)


class PlainStatement(NamedTuple):
    """The one statement of a text. first_word: lower case, empty where it begins otherwise; start: where."""

    text: str
    start: int
    first_word: str


def plain_statement(text: str) -> PlainStatement | None:
    """Give the one statement of a text that `scan` surely takes. None: ask `scan`, in ten times the time."""
    found = _PLAIN.match(text)
    if found is None:
        return None
    statement = found["statement"].rstrip(" \t\n\r\f")
    return PlainStatement(statement, found.start("statement"), (found["word"] or "").lower())


def scan_prefix(text: str) -> Iterator[Token]:
    """Give the tokens of `text` up to its end, or to where the scanner refuses it."""
    scanner = _Scanner(text)
    with suppress(StatementError):
        while (token := scanner.next_token()) is not None:
            yield token


def truncate_identifier(name: str) -> str:
    """Cut a name to 63 bytes of UTF-8, on a character boundary, as the server does with a notice."""
    encoded = name.encode("utf-8", "surrogatepass")
    if len(encoded) <= MAX_IDENTIFIER_BYTES:
        return name
    return encoded[:MAX_IDENTIFIER_BYTES].decode("utf-8", "ignore")


def fold_identifier(word: str) -> str:
    """Fold an unquoted word: ASCII letters only, as in a UTF-8 database; then cut it."""
    if word.isascii():
        return word.lower()[:MAX_IDENTIFIER_BYTES]
    folded = "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in word)
    return truncate_identifier(folded)


class _Scanner:
    """A position in a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def next_token(self) -> Token | None:
        self._skip_blanks()
        if self._at >= len(self._text):
            return None
        if match := _STRING_START.match(self._text, self._at):
            return self._string(match)
        if match := _NAME_START.match(self._text, self._at):
            return self._quoted_name(match)
        if match := _WORD.match(self._text, self._at):
            return self._token(TokenKind.WORD, fold_identifier(match.group()), match.end())
        if self._text[self._at] == "$":
            return self._dollar()
        if match := _NUMBER.match(self._text, self._at):
            return self._number(match)
        return self._operator_or_symbol()

    def _token(self, kind: TokenKind, value: str, end: int) -> Token:
        token = Token(kind, value, self._at, end)
        self._at = end
        return token

    def _fail(self, message: str, sqlstate: SqlState = SqlState.SYNTAX_ERROR) -> StatementError:
        return StatementError(message, sqlstate=sqlstate, position=self._at + 1)

    def _skip_blanks(self) -> None:
        while True:
            if match := _BLANK.match(self._text, self._at) or _LINE_COMMENT.match(self._text, self._at):
                self._at = match.end()
            elif self._text.startswith("/*", self._at):
                self._skip_comment()
            else:
                return

    def _skip_comment(self) -> None:
        depth = 0
        for edge in _COMMENT_EDGE.finditer(self._text, self._at):
            depth += 1 if edge.group() == "/*" else -1
            if depth == 0:
                self._at = edge.end()
                return
        raise self._fail("unterminated /* comment")

    def _string(self, start: re.Match[str]) -> Token:
        flag = (start["flag"] or "").lower()
        body, end = self._string_body(start.end(), _ESCAPED_BODY if flag == "e" else _PLAIN_BODY)
        if flag in {"b", "x"}:
            return self._token(TokenKind.BIT_STRING, body, end)
        value = decode_escape_string(body, self._at + 1) if flag == "e" else body.replace("''", "'")
        if flag == "u&":
            escape, end = self._unicode_escape_character(end)
            value = decode_unicode_escapes(value, escape, self._at + 1)
        return self._token(TokenKind.STRING, value, end)

    def _string_body(self, start: int, pattern: re.Pattern[str]) -> tuple[str, int]:
        """Read to the closing quote, through continuations on later lines."""
        parts = []
        while True:
            match = pattern.match(self._text, start)
            end = match.end() if match else start
            if end >= len(self._text) or self._text[end] != "'":
                raise self._fail("unterminated quoted string")
            parts.append(self._text[start:end])
            continued = _CONTINUATION.match(self._text, end + 1)
            if continued is None:
                return "".join(parts), end + 1
            start = continued.end()

    def _unicode_escape_character(self, end: int) -> tuple[str, int]:
        """Look past a U& literal for UESCAPE 'c'; give the escape character and where the literal ends."""
        ahead = _Scanner(self._text)
        ahead._at = end
        ahead._skip_blanks()
        word = _WORD.match(self._text, ahead._at)
        if word is None or fold_identifier(word.group()) != "uescape":
            return "\\", end
        ahead._at = word.end()
        ahead._skip_blanks()
        if not self._text.startswith("'", ahead._at):
            raise ahead._fail("UESCAPE must be followed by a simple string literal")
        escape, end = ahead._string_body(ahead._at + 1, _PLAIN_BODY)
        if len(escape) != 1 or escape in "+'\" \t\n\r\f" or escape in "0123456789abcdefABCDEF":
            raise ahead._fail("invalid Unicode escape character")
        return escape, end

    def _quoted_name(self, start: re.Match[str]) -> Token:
        match = _NAME_BODY.match(self._text, start.end())
        end = match.end() if match else start.end()
        if end >= len(self._text):
            raise self._fail("unterminated quoted identifier")
        name = self._text[start.end() : end].replace('""', '"')
        if not name:
            raise self._fail("zero-length delimited identifier")
        end += 1
        if start["flag"]:
            escape, end = self._unicode_escape_character(end)
            name = decode_unicode_escapes(name, escape, self._at + 1)
        return self._token(TokenKind.QUOTED_NAME, name, end)

    def _dollar(self) -> Token:
        if match := _DOLLAR_TAG.match(self._text, self._at):
            close = self._text.find(match.group(), match.end())
            if close < 0:
                raise self._fail("unterminated dollar-quoted string")
            return self._token(TokenKind.STRING, self._text[match.end() : close], close + len(match.group()))
        if match := _PARAMETER.match(self._text, self._at):
            if _WORD.match(self._text, match.end()):
                raise self._fail("trailing junk after parameter")
            return self._token(TokenKind.PARAMETER, match.group(), match.end())
        return self._token(TokenKind.SYMBOL, "$", self._at + 1)

    def _number(self, match: re.Match[str]) -> Token:
        if _WORD.match(self._text, match.end()):
            raise self._fail("trailing junk after numeric literal")
        digits = match.group()
        is_integer = digits.isdigit() and len(digits.lstrip("0")) <= 10 and int(digits) < 2**31
        return self._token(TokenKind.INTEGER if is_integer else TokenKind.FLOAT, digits, match.end())

    def _operator_or_symbol(self) -> Token:
        if match := _DOUBLE_SYMBOL.match(self._text, self._at):
            return self._token(TokenKind.SYMBOL, match.group(), match.end())
        if match := _OPERATOR.match(self._text, self._at):
            operator = _trim_operator(match.group())
            kind = TokenKind.SYMBOL if operator in _SELF else TokenKind.OPERATOR
            return self._token(kind, operator, self._at + len(operator))
        return self._token(TokenKind.SYMBOL, self._text[self._at], self._at + 1)


def _trim_operator(run: str) -> str:
    """Cut a run of operator characters where the server does: at a comment, and at trailing signs."""
    for comment in ("/*", "--"):
        run = run.partition(comment)[0] if comment in run else run
    if len(run) > 1 and run[-1] in "+-" and not set(run) & set("~!@#^&|`?%"):
        run = run.rstrip("+-") or run[0]
    return run
