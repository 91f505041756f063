"""The same statements on PostgreSQL 15 and, through the dialect, on DuckDB: names, texts, type OIDs."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest

from tests.wire.differential.compare import (
    FIXTURE,
    CatalogTypes,
    differences,
    engine_connection,
    is_ordered,
    on_engine,
    on_postgres,
    statements,
)

_KNOWN = {
    line
    for line in (Path(__file__).parent / "known_differences.sql").read_text().splitlines()
    if line and not line.startswith("--")
}


@pytest.fixture(scope="module")
def reference(postgres: psycopg.Connection) -> psycopg.Connection:
    """PostgreSQL with the fixture's tables."""
    postgres.execute("drop table if exists people, events")
    postgres.execute(FIXTURE)
    return postgres


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the same tables."""
    with engine_connection() as connection:
        yield connection


@pytest.mark.parametrize(("theme", "text"), [pair for pair in statements() if pair[1] not in _KNOWN])
def test_a_client_sees_what_postgresql_would_show(reference, engine, theme, text):
    ours = on_engine(engine, CatalogTypes(engine), text)
    assert differences(on_postgres(reference, text), ours, ordered=is_ordered(text)) == [], theme


@pytest.mark.parametrize("text", sorted(_KNOWN))
def test_a_known_difference_is_still_one(reference, engine, text):
    ours = on_engine(engine, CatalogTypes(engine), text)
    assert differences(on_postgres(reference, text), ours, ordered=is_ordered(text)), "take it off the list"


def test_every_known_difference_is_in_the_corpus():
    assert {text for _, text in statements()} >= _KNOWN
