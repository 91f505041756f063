"""Tokens of a text, past two faults of sqlglot's look-out for dollar quotes.

With `$1` in it, a text that ends in `''` is refused; so is one with `$1,$2`, which looks like the tag `1,`.
"""

import re
from bisect import bisect_left
from itertools import pairwise

import sqlglot
from sqlglot.tokenizer_core import Token

from pgproxy.sql.utility.scan import TokenKind, scan

_AFTER_A_STRING = "\n"
"""Looking for the end of a dollar quote, sqlglot 30.30 takes the last quote of the text for an escape, unless
something follows it."""

_STRINGS_AND_NAMES = re.compile(
    r"""(?: [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "((?:[^"]|"")*)" | ([^\W\d][\w$]*) ) (?:\s*(\())?""",
    re.DOTALL | re.VERBOSE,
)
"""A string, a quoted name or a word, as `render` writes them, and whether a parenthesis opens behind it."""


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
    tokens: list[Token] = dialect.tokenize(spaced + _AFTER_A_STRING)
    return [_moved(token, shifts) for token in tokens] if shifts else tokens


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

    What `engine_tokens` would say, a third of its time.
    """
    found = _STRINGS_AND_NAMES.findall(sql)
    return frozenset(
        (name or quoted.replace('""', '"')).lower()
        for quoted, name, is_call in found
        if is_call and (quoted or name)
    )


def engine_tokens(sql: str) -> list[Token]:
    """Tokenise what was rendered for DuckDB."""
    return list(sqlglot.tokenize(sql + _AFTER_A_STRING, read="duckdb"))
