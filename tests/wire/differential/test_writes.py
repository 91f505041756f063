"""The same changes of tables on PostgreSQL 15 and through the gateway, in order: what each answers."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.gateway import ADMIN, create_database, start_gateway
from tests.wire.differential.compare import (
    Outcome,
    differences,
    is_ordered,
    listed_in_order,
    on_gateway,
    on_postgres,
)

TABLES = ("parts", "made", "goods", "copied", "like_it")
DIFFERENT = frozenset(listed_in_order("write_differences.sql"))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    folder = tmp_path_factory.mktemp("writes")
    create_database(folder / "test.duckdb")
    with start_gateway(folder) as running, psycopg.connect(running.dsn(ADMIN), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def answers(postgres: psycopg.Connection, gateway: psycopg.Connection) -> dict[str, tuple[Outcome, Outcome]]:
    """What both say to each statement, in order: a later one stands on the earlier ones."""
    for table in TABLES:
        postgres.execute(f"drop table if exists {table} cascade")
    return {
        text: (on_postgres(postgres, text), on_gateway(gateway, text))
        for text in listed_in_order("writes.sql")
    }


@pytest.mark.parametrize("text", [text for text in listed_in_order("writes.sql") if text not in DIFFERENT])
def test_a_change_answers_as_postgresql_does(answers, text):
    theirs, ours = answers[text]
    assert differences(theirs, ours, ordered=is_ordered(text)) == []


@pytest.mark.parametrize("text", sorted(DIFFERENT))
def test_a_change_that_differs_still_does(answers, text):
    theirs, ours = answers[text]
    assert differences(theirs, ours, ordered=is_ordered(text)), "take it off the list"
