"""Pairs: what PostgreSQL accepts, and the one way in which the planner reads it."""

import pytest

from pgproxy.sql.dialect.grammar import parse_source
from pgproxy.sql.spellings import plain_spelling


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("SELECT bpchar(a), b FROM t", 'SELECT CAST(a AS BPCHAR) AS "bpchar", b FROM t'),
        ("SELECT 1 FROM t WHERE pg_catalog.int8(a) = 1", "SELECT 1 FROM t WHERE CAST(a AS BIGINT) = 1"),
        (
            "SELECT s[1] FROM current_schemas(true) AS s",
            "SELECT s[1] FROM (SELECT CURRENT_SCHEMAS(TRUE) AS s) AS s",
        ),
        (
            "SELECT s[1] FROM string_to_array('a,b', ',') AS s",
            "SELECT s[1] FROM (SELECT STRING_TO_ARRAY('a,b', ',') AS s) AS s",
        ),
        ("SELECT * FROM abs(-1) AS y(z)", "SELECT * FROM (SELECT ABS(-1) AS z) AS y"),
        ("SELECT * FROM read_csv('f')", "SELECT * FROM READ_CSV('f')"),
        (
            "SELECT name FROM pg_show_all_settings()",
            "SELECT name FROM pg_catalog.pg_settings AS pg_show_all_settings",
        ),
        (
            "SELECT set_config('a', 'b', false) FROM pg_show_all_settings() WHERE name = 'a'",
            "SELECT SET_CONFIG('a', 'b', FALSE)",
        ),
        (
            "SELECT set_config('a', 'b', false) FROM pg_settings WHERE name = 'unheard'",
            "SELECT NULL AS set_config WHERE FALSE",
        ),
        (
            "SELECT set_config(name, 'b', false) FROM pg_settings WHERE name = 'a'",
            "SELECT SET_CONFIG('a', 'b', FALSE)",
        ),
        (
            "SELECT set_config('a', 'b', false) FROM other.pg_settings WHERE name = 'a'",
            "SELECT SET_CONFIG('a', 'b', FALSE) FROM other.pg_settings WHERE name = 'a'",
        ),
        ("SELECT pg_catalog.generate_series(1, 2)", "SELECT GENERATE_SERIES(1, 2)"),
        ('SELECT 1 AS select, 2 AS "From", 3 AS order', 'SELECT 1 AS select, 2 AS "From", 3 AS order'),
    ],
)  # fmt: skip
def test_a_spelling_becomes_the_plain_one(said: str, plain: str) -> None:
    assert plain_spelling(parse_source(said), {"a"}).sql(dialect="postgres") == plain
