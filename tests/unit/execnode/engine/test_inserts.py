"""No row is lost that the engine has counted: INSERT … SELECT after one of no rows, in one transaction."""

from collections.abc import AsyncIterator

import duckdb
import pytest

from execnode.engine import DuckEngine, DuckSession

from .conftest import write

MANY = 200_000
"""More than a row group of DuckDB's, 122,880 rows."""
EMPTY = "INSERT INTO temp.main.target SELECT * FROM temp.main.nothing"
BIG = "INSERT INTO temp.main.target SELECT * FROM temp.main.much"


async def count(session: DuckSession) -> int:
    query = "SELECT count(*) FROM temp.main.target"
    (found,) = await session.run(lambda connection: connection.execute(query).fetchall())
    return int(found[0])


@pytest.fixture
async def session(engine: DuckEngine) -> AsyncIterator[DuckSession]:
    """One with a table of no rows, and one of many."""
    opened = await engine.open_session()
    await opened.execute_utility("CREATE TEMP TABLE nothing (n BIGINT)")
    await opened.execute_utility(f"CREATE TEMP TABLE much AS SELECT i AS n FROM range({MANY}) r(i)")
    yield opened
    await opened.close()


@pytest.mark.parametrize("columns", ["n BIGINT", "n BIGINT PRIMARY KEY"])
async def test_rows_after_an_insert_of_none_are_kept(
    engine: DuckEngine, session: DuckSession, columns: str
) -> None:
    await session.execute_utility(f"CREATE TEMP TABLE target ({columns})")
    await session.execute_utility("BEGIN")
    assert await write(engine, EMPTY, session) == 0
    assert await write(engine, BIG, session) == MANY
    assert await count(session) == MANY
    await session.execute_utility("COMMIT")
    assert await count(session) == MANY


async def test_rows_after_a_table_made_of_none_are_kept(engine: DuckEngine, session: DuckSession) -> None:
    await session.execute_utility("BEGIN")
    made = "CREATE TEMP TABLE target AS SELECT * FROM temp.main.nothing"
    assert await write(engine, made, session) == 0
    assert await write(engine, BIG, session) == MANY
    assert await write(engine, BIG, session) == MANY
    assert await count(session) == 2 * MANY


async def test_the_next_transaction_inserts_as_usual(engine: DuckEngine, session: DuckSession) -> None:
    await session.execute_utility("CREATE TEMP TABLE target (n BIGINT)")
    await session.execute_utility("BEGIN")
    await write(engine, EMPTY, session)
    assert session.cursor.has_inserted_nothing
    await session.execute_utility("ROLLBACK")
    assert not session.cursor.has_inserted_nothing
    await write(engine, EMPTY, session)
    assert not session.cursor.has_inserted_nothing  # each statement is its own transaction


def test_the_engine_still_needs_it() -> None:
    """Fails as soon as DuckDB keeps the rows by itself: then `execnode/engine/inserts.py` can go."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(f"CREATE TABLE much AS SELECT i AS n FROM range({MANY}) r(i)")
        connection.execute("CREATE TABLE nothing (n BIGINT); CREATE TABLE target (n BIGINT); BEGIN")
        connection.execute("INSERT INTO target FROM nothing")
        assert connection.execute("INSERT INTO target FROM much").fetchall() == [(MANY,)]
        assert connection.execute("SELECT count(*) FROM target").fetchall() == [(0,)]
