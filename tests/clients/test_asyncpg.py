"""asyncpg: binary protocol throughout, named statements, cursors with row limits, cancellation by timeout."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.clients.conftest import Oracle
from tests.gateway import RunningGateway


@pytest.fixture
async def connection(gateway: RunningGateway) -> AsyncIterator[asyncpg.Connection]:
    """One connection as the analyst."""
    opened = await asyncpg.connect(
        host="127.0.0.1", port=gateway.port, user="analyst", password="analyst-secret", database="test"
    )
    try:
        yield opened
    finally:
        await opened.close()


async def test_rows_equal_duckdb_on_the_permitted_data(
    connection: asyncpg.Connection, oracle: Oracle
) -> None:
    columns = "id, name, email, region, joined, active, seen"
    found = await connection.fetch(f"SELECT {columns} FROM sales.customers WHERE id > $1 ORDER BY id", 200)
    assert [tuple(row) for row in found] == oracle.rows(
        f"SELECT {columns} FROM customers WHERE id > ? ORDER BY id", 200
    )


async def test_numeric_timestamp_and_float_parameters_are_typed(
    connection: asyncpg.Connection, oracle: Oracle
) -> None:
    found = await connection.fetch(
        "SELECT id, amount, placed, ratio FROM sales.orders WHERE amount < $1 AND ratio > $2 ORDER BY id",
        20,
        3.5,
    )
    assert [tuple(row) for row in found] == oracle.rows(
        "SELECT id, amount, placed, ratio FROM orders WHERE amount < 20 AND ratio > 3.5 ORDER BY id"
    )


async def test_a_cursor_reads_by_row_limit(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        cursor = await connection.cursor("SELECT n FROM numbers ORDER BY n")
        assert [row[0] for row in await cursor.fetch(7)] == list(range(7))
        assert [row[0] for row in await cursor.fetch(9000)] == list(range(7, 9007))
        await cursor.forward(10)
        assert (await cursor.fetchrow())[0] == 9017


async def test_two_cursors_interleave(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        first = await connection.cursor("SELECT n FROM numbers ORDER BY n")
        second = await connection.cursor("SELECT n FROM numbers ORDER BY n DESC")
        assert [r[0] for r in await first.fetch(2)] == [0, 1]
        assert [r[0] for r in await second.fetch(2)] == [99_999, 99_998]
        assert [r[0] for r in await first.fetch(2)] == [2, 3]


async def test_a_timeout_cancels_the_statement_and_the_connection_lives(
    connection: asyncpg.Connection,
) -> None:
    with pytest.raises(asyncio.TimeoutError):
        await connection.fetch("SELECT count(*) FROM numbers a, numbers b WHERE a.n + b.n < 0", timeout=0.5)
    assert await connection.fetchval("SELECT 1") == 1


async def test_wrong_password_is_28P01(gateway: RunningGateway) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host="127.0.0.1", port=gateway.port, user="analyst", password="x", database="test"
        )


async def test_a_prepared_statement_describes_without_running(connection: asyncpg.Connection) -> None:
    statement = await connection.prepare("SELECT id, email FROM sales.customers WHERE id = $1")
    assert [a.name for a in statement.get_attributes()] == ["id", "email"]
    assert [p.name for p in statement.get_parameters()] == ["int4"]


async def test_set_config_changes_the_session_and_returns_the_new_value(
    connection: asyncpg.Connection,
) -> None:
    sql = (
        "SELECT current_setting('application_name') AS was, set_config('application_name', $1, false) AS new"
    )
    assert tuple(await connection.fetchrow(sql, "first")) == ("", "first")
    assert tuple(await connection.fetchrow(sql, "second")) == ("first", "second")
    async with connection.transaction():
        await connection.fetchrow("SELECT set_config('application_name', 'local', true)")
        assert await connection.fetchval("SHOW application_name") == "local"
    assert await connection.fetchval("SHOW application_name") == "second"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetchval("SELECT set_config('pgproxy.attr.region', 'EU', false)")
