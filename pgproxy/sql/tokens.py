"""Tokens of a text, past a fault of sqlglot: with `$1` in it, a text that ends in `''` is refused."""

import sqlglot
from sqlglot.tokenizer_core import Token

_AFTER_A_STRING = "\n"
"""Looking for the end of a dollar quote, sqlglot 30.30 takes the last quote of the text for an escape, unless
something follows it."""


def tokens_of(text: str, dialect: sqlglot.Dialect) -> list[Token]:
    """Tokenise a client's text.

    Raises:
        sqlglot.errors.TokenError: a quote or comment does not end.
    """
    return list(dialect.tokenize(text + _AFTER_A_STRING))


def engine_tokens(sql: str) -> list[Token]:
    """Tokenise what was rendered for DuckDB."""
    return list(sqlglot.tokenize(sql + _AFTER_A_STRING, read="duckdb"))
