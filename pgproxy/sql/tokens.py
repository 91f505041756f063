"""Tokens of a text, past two faults of sqlglot's look-out for dollar quotes.

With `$1` in it, a text that ends in `''` is refused; so is one with `$1,$2`, which looks like the tag `1,`.
"""

import re
from bisect import bisect_left
from itertools import pairwise
from threading import local

import sqlglot
from sqlglot.tokenizer_core import Token

from pgproxy.sql.utility.scan import TokenKind, scan

_AFTER_A_STRING = "\n"
"""Looking for the end of a dollar quote, sqlglot 30.30 takes the last quote of the text for an escape, unless
something follows it."""

_STRINGS_AND_CALLS = re.compile(
    r"""
    (?<![\w$]) [eE]'(?:[^'\\]|\\.|'')*+'
    | '[^']*+(?:''[^']*+)*+'
    | "([^"]*+(?:""[^"]*+)*+)" (?:\s*+(\())?+
    | (?<![\w$]) ([^\W\d][\w$]*+) \s*+ \(
    """,
    re.DOTALL | re.VERBOSE,
)
"""A string or a quoted name, as `render` writes them, and whether a parenthesis opens behind the name; or a
word with such a one."""


def tokens_of(text: str, dialect: sqlglot.Dialect) -> list[Token]:
    """Tokenise a client's text.

    Raises:
        sqlglot.errors.TokenError: a quote or comment does not end.
    """
    places = _crowded_parameters(text) if "$" in text else []
    spaced = text
    for place in reversed(places):
        spaced = f"{spaced[:place]} {spaced[place:]}"
    shifts = [place + index for index, place in enumerate(places)]
    tokens = _tokenize(spaced + _AFTER_A_STRING, dialect)
    return [_moved(token, shifts) for token in tokens] if shifts else tokens


class _Tokenizers(local):
    """Those of one thread, by dialect: to make one takes as long as a short text takes it."""

    def __init__(self) -> None:
        self.held: dict[str, sqlglot.Tokenizer] = {}

    def of(self, dialect: sqlglot.Dialect) -> sqlglot.Tokenizer:
        name = type(dialect).__name__
        found = self.held.get(name)
        if found is None:
            found = self.held[name] = dialect.tokenizer()
        return found


_TOKENIZERS = _Tokenizers()
_KEPT_TEXT_CHARS = 100_000
"""A tokenizer holds its last text and tokens: of longer ones none is kept."""


def _tokenize(text: str, dialect: sqlglot.Dialect) -> list[Token]:
    is_short = len(text) <= _KEPT_TEXT_CHARS
    tokens: list[Token] = (_TOKENIZERS.of(dialect) if is_short else dialect.tokenizer()).tokenize(text)
    return tokens


def _crowded_parameters(text: str) -> list[int]:
    """Where a parameter ends and something other than a space follows."""
    tokens = list(scan(text))
    return [
        one.end
        for one, following in pairwise(tokens)
        if one.kind is TokenKind.PARAMETER and one.end == following.start
    ]


def _moved(token: Token, shifts: list[int]) -> Token:
    """The token where it stands in the client's text. shifts: the places of the spaces put in."""
    before = bisect_left(shifts, token.start)
    if not before:
        return token
    start, end = token.start - before, token.end - bisect_left(shifts, token.end)
    return Token(token.token_type, token.text, token.line, token.col - before, start, end, token.comments)


def called_names(sql: str) -> frozenset[str]:
    """Each name, in lower case, that stands before a parenthesis in rendered text, outside of strings.

    What `engine_tokens` would say, a sixth of its time.
    """
    found = _STRINGS_AND_CALLS.findall(sql)
    return frozenset(
        (word or quoted.replace('""', '"')).lower()
        for quoted, is_call, word in found
        if word or (quoted and is_call)
    )


def engine_tokens(sql: str) -> list[Token]:
    """Tokenise what was rendered for DuckDB."""
    return list(sqlglot.tokenize(sql + _AFTER_A_STRING, read="duckdb"))
