"""Tokens of a client's text: parameters side by side, and where each token stands."""

from itertools import pairwise

import pytest
from sqlglot.dialects.postgres import Postgres
from sqlglot.tokenizer_core import TokenType

from pgproxy.sql.tokens import called_names, engine_tokens, tokens_of
from tests.policy.honest_queries import ANALYST_QUERIES
from tests.policy.test_honest_queries import QUERIES


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


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT SUM(a), \"b\"(1), 'c(', e'd\\'(', 'it''s e(' FROM f (1)", {"sum", "b", "f"}),
        ('SELECT "system"."main"."||"(a, b), "x""y"(1), "z" FROM "t(" WHERE q', {"||", 'x"y'}),
        ("SELECT e'\\\\', g(1), E'''h(', CAST(x AS DECIMAL(15, 2))", {"g", "cast", "decimal"}),
        ("SELECT 'a\\' || i(1), a$b(2), \"J\" (3)", {"i", "a$b", "j"}),
    ],
)
def test_names_before_a_parenthesis_are_found_outside_of_strings(sql: str, names: set[str]) -> None:
    assert called_names(sql) == names


@pytest.mark.parametrize("sql", [*ANALYST_QUERIES, *QUERIES])
def test_called_names_are_those_that_the_tokenizer_sees(sql: str) -> None:
    seen = {
        token.text.lower()
        for token, following in pairwise(engine_tokens(sql))
        if following.token_type is TokenType.L_PAREN and token.token_type is not TokenType.STRING
    }
    # GROUPING SETS is one token and no call.
    assert called_names(sql) - {"sets"} == {name for name in seen if name.isidentifier()}
