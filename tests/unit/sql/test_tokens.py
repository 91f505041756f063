"""Tokens of a client's text: parameters side by side, and where each token stands."""

import pytest
from sqlglot.dialects.postgres import Postgres

from pgproxy.sql.tokens import tokens_of


@pytest.mark.parametrize(
    "text",
    [
        "SELECT $1,$2",
        "SELECT 1 WHERE 1 IN ($1,$2,$3) AND x = $4::text",
        "SELECT $1::int,$2,$tag$a$1,$2$tag$, '$1,$2', \"$1,$2\", ''",
        "SELECT $1,'' -- $1,$2",
    ],
)
def test_each_token_is_what_stands_at_its_place(text: str) -> None:
    tokens = tokens_of(text, Postgres())
    assert "".join(text[token.start : token.end + 1] for token in tokens) == text.partition(" --")[0].replace(
        " ", ""
    )
    assert [token.text for token in tokens].count("$") == text.partition(" --")[0].partition("$tag$")[
        0
    ].count("$")
