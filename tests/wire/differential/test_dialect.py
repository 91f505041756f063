"""The same statements on PostgreSQL 15 and through the gateway: names, texts, type OIDs, SQLSTATEs."""

from collections.abc import Iterator

import duckdb
import psycopg
import pytest

from tests.gateway import ADMIN, create_database, start_gateway
from tests.wire.differential.compare import (
    FIXTURE,
    differences,
    error_of,
    in_binary,
    is_ordered,
    listed,
    on_gateway,
    on_postgres,
    statements,
    with_parameters,
)

_REFUSED = listed("refused.sql")
_KNOWN = listed("known_differences.sql")


@pytest.fixture(scope="module")
def reference(postgres: psycopg.Connection) -> psycopg.Connection:
    """PostgreSQL with the fixture's tables."""
    postgres.execute("drop table if exists people, events")
    postgres.execute(FIXTURE)
    return postgres


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    """The gateway with the same tables, as its administrator."""
    folder = tmp_path_factory.mktemp("differential")
    create_database(folder / "test.duckdb")
    with duckdb.connect(str(folder / "test.duckdb")) as engine:
        engine.execute(FIXTURE)
    with start_gateway(folder) as running, psycopg.connect(running.dsn(ADMIN), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    ("theme", "text"), [pair for pair in statements() if pair[1] not in _KNOWN | _REFUSED]
)
def test_a_client_sees_what_postgresql_would_show(reference, gateway, theme, text):
    ours = on_gateway(gateway, text)
    assert differences(on_postgres(reference, text), ours, ordered=is_ordered(text)) == [], theme


@pytest.mark.parametrize(
    "text", [text for theme, text in statements() if theme == "rows" and text not in _KNOWN | _REFUSED]
)
def test_a_row_is_the_same_in_binary(reference, gateway, text):
    ours = in_binary(gateway, text)
    assert differences(in_binary(reference, text), ours, ordered=is_ordered(text)) == []


@pytest.mark.parametrize("text", sorted(_REFUSED))
def test_what_the_engine_cannot_keep_is_refused(reference, gateway, text):
    assert on_postgres(reference, text).error != "0A000", "take it off the list"
    assert on_gateway(gateway, text).error == "0A000", "take it off the list"


@pytest.mark.parametrize("text", sorted(_KNOWN))
def test_a_known_difference_is_still_one(reference, gateway, text):
    ours = on_gateway(gateway, text)
    assert differences(on_postgres(reference, text), ours, ordered=is_ordered(text)), "take it off the list"


@pytest.mark.parametrize("text", sorted(listed("errors.sql") - listed("error_differences.sql")))
def test_an_error_has_postgresqls_code_and_caret(reference, gateway, text):
    theirs = error_of(reference, text)
    assert theirs[0]
    assert error_of(gateway, text) == theirs


@pytest.mark.parametrize("text", sorted(listed("error_differences.sql")))
def test_an_error_that_differs_still_does(reference, gateway, text):
    assert error_of(gateway, text) != error_of(reference, text), "take it off the list"


@pytest.mark.parametrize(
    ("text", "values", "declared"),
    [
        ("select $1::numeric, $1 * 2, $1::text, concat($1), sum($1)", ["1.50"], []),
        ("select $1 + salary from people order by id", ["1.5000"], [1700]),
        ("select $1::numeric, floor($1), round($1, 1), coalesce($1, 0)", [None], []),
        ("select $1::numeric, coalesce($1, 0)", ["0.000"], []),
        ("select name from people where name like $1 escape $2", ["A!%%", "!"], []),
        ("select $1 is unknown, $1 is not unknown", ["t"], []),
        ("select $1 is null", ["a"], []),
        ("select $1 is null", ["a"], [25]),
        ("select count($1)", ["1"], []),
        ("select $1", ['{"bb":1, "a":[1,2]}'], [3802]),
        ("select $1::jsonb, $1 -> 'a'", ['{"bb":1, "a":[1,2]}'], []),
        ("select $1::float8 * 1e308::float8", ["100"], []),
    ],
)
def test_a_parameter_is_what_postgresql_makes_of_it(reference, gateway, text, values, declared):
    ours = with_parameters(gateway, text, values, declared)
    assert ours == with_parameters(reference, text, values, declared)


def test_every_listed_statement_is_in_the_corpus_once():
    assert {text for _, text in statements()} >= _KNOWN | _REFUSED
    assert not _KNOWN & _REFUSED
