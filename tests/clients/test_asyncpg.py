"""asyncpg: binary protocol throughout, named statements, cursors with row limits, cancellation by timeout."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from tests.clients import values
from tests.clients.conftest import Oracle
from tests.clients.servers import Pair, Server
from tests.gateway import RunningGateway

pytestmark = pytest.mark.client("asyncpg")


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


@pytest.mark.feature("rows")
async def test_rows_equal_duckdb_on_the_permitted_data(
    connection: asyncpg.Connection, oracle: Oracle
) -> None:
    columns = "id, name, email, region, joined, active, seen"
    found = await connection.fetch(f"SELECT {columns} FROM sales.customers WHERE id > $1 ORDER BY id", 200)
    assert [tuple(row) for row in found] == oracle.rows(
        f"SELECT {columns} FROM customers WHERE id > ? ORDER BY id", 200
    )


@pytest.mark.feature("parameters")
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


@pytest.mark.feature("cursors")
async def test_a_cursor_reads_by_row_limit(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        cursor = await connection.cursor("SELECT n FROM numbers ORDER BY n")
        assert [row[0] for row in await cursor.fetch(7)] == list(range(7))
        assert [row[0] for row in await cursor.fetch(9000)] == list(range(7, 9007))
        await cursor.forward(10)
        assert (await cursor.fetchrow())[0] == 9017


@pytest.mark.feature("cursors")
async def test_two_cursors_interleave(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        first = await connection.cursor("SELECT n FROM numbers ORDER BY n")
        second = await connection.cursor("SELECT n FROM numbers ORDER BY n DESC")
        assert [r[0] for r in await first.fetch(2)] == [0, 1]
        assert [r[0] for r in await second.fetch(2)] == [99_999, 99_998]
        assert [r[0] for r in await first.fetch(2)] == [2, 3]


@pytest.mark.feature("cancel")
async def test_a_timeout_cancels_the_statement_and_the_connection_lives(
    connection: asyncpg.Connection,
) -> None:
    with pytest.raises(asyncio.TimeoutError):
        await connection.fetch("SELECT count(*) FROM numbers a, numbers b WHERE a.n + b.n < 0", timeout=0.5)
    assert await connection.fetchval("SELECT 1") == 1


@pytest.mark.feature("login")
async def test_wrong_password_is_28P01(gateway: RunningGateway) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host="127.0.0.1", port=gateway.port, user="analyst", password="x", database="test"
        )


@pytest.mark.feature("prepared")
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


async def same(pair: Pair, run: Callable[[asyncpg.Connection], Awaitable[Any]]) -> Any:
    """Run on both servers, assert that both gave the same, and give it."""
    found = []
    for server in (pair.reference, pair.gateway):
        connection = await asyncpg.connect(**server.keywords)
        try:
            found.append(await run(connection))
        finally:
            await connection.close()
    assert found[1] == found[0]
    return found[0]


@pytest.mark.feature("rows")
async def test_binary_values_of_every_type_equal_postgresql(pair: Pair) -> None:
    async def run(connection: asyncpg.Connection) -> Any:
        statement = await connection.prepare(f"SELECT {', '.join(values.SAME)}")
        row = await statement.fetchrow()
        columns = [(a.name, a.type.oid, a.type.name, a.type.kind) for a in statement.get_attributes()]
        return [f"{type(value).__name__} {value!r}" for value in row or ()], columns

    await same(pair, run)


@pytest.mark.feature("parameters")
async def test_parameters_of_arrays_choose_rows_and_come_back(pair: Pair) -> None:
    async def run(connection: asyncpg.Connection) -> Any:
        sql = "SELECT id, name FROM sales.customers WHERE id = ANY($1) AND name = ANY($2::text[]) ORDER BY id"
        chosen = [tuple(row) for row in await connection.fetch(sql, [3, 6, 9], ["name6", "name9"])]
        echoed = await connection.fetchrow(
            "SELECT $1::integer[], $2::float8[], $3::bytea, $4::numeric", [1], [], b"x", 2
        )
        return chosen, tuple(echoed or ())

    assert (await same(pair, run))[0] == [(6, "name6"), (9, "name9")]


@pytest.mark.feature("transactions")
async def test_nested_transactions_of_reads_recover(pair: Pair) -> None:
    async def run(connection: asyncpg.Connection) -> Any:
        found: list[Any] = []
        async with connection.transaction(readonly=True):
            try:
                async with connection.transaction():
                    await connection.fetch("SELECT nope FROM sales.orders")
            except asyncpg.PostgresError as error:
                found.append(error.sqlstate)
            found.append(await connection.fetchval("SELECT count(*) FROM sales.orders"))
        return found

    assert await same(pair, run) == ["42703", 2000]


@pytest.mark.feature("transactions")
async def test_many_rows_are_written_and_rolled_back(admin_pair: Pair) -> None:
    async def run(connection: asyncpg.Connection) -> Any:
        await connection.execute("CREATE TABLE public.many (id integer, note text, at timestamptz)")
        try:
            rows = [(i, f"n{i}", None) for i in range(50)]
            await connection.executemany("INSERT INTO many (id, note, at) VALUES ($1, $2, $3)", rows)
            block = connection.transaction()
            await block.start()
            status = await connection.execute("DELETE FROM many WHERE id >= $1", 10)
            await block.rollback()
            return status, tuple(await connection.fetchrow("SELECT count(*), max(note) FROM many") or ())
        finally:
            await connection.execute("DROP TABLE many")

    assert await same(admin_pair, run) == ("DELETE 40", (50, "n9"))


@pytest.mark.feature("prepared")
async def test_a_pool_resets_what_a_client_left(pair: Pair) -> None:
    async def run(server: Server) -> list[Any]:
        async with asyncpg.create_pool(**server.keywords, min_size=1, max_size=1) as pool:
            async with pool.acquire() as connection:
                await connection.execute("SET TIME ZONE 'Asia/Kolkata'; SET application_name = 'mine'")
                first = await connection.fetchval("SELECT count(*) FROM numbers WHERE n > $1", 99_990)
            async with pool.acquire() as connection:
                zone = await connection.fetchval("SHOW timezone")
                name = await connection.fetchval("SELECT current_setting('application_name')")
                second = await connection.fetchval("SELECT count(*) FROM numbers WHERE n > $1", 99_980)
                return [first, zone, name, second]

    expected, found = await run(pair.reference), await run(pair.gateway)
    assert found[0] == expected[0] == 9
    assert found[2:] == expected[2:] == ["", 19]
    assert found[1] != "Asia/Kolkata"


@pytest.mark.feature("errors")
async def test_errors_have_their_classes(pair: Pair) -> None:
    async def run(connection: asyncpg.Connection) -> Any:
        found = []
        for sql in (
            "SELECT * FROM absent",
            "SELEC 1",
            "SELECT 1 / 0",
            "SELECT nope FROM numbers",
            "DELETE FROM numbers",
        ):
            try:
                await connection.fetch(sql)
            except asyncpg.PostgresError as error:
                found.append((type(error).__name__, error.sqlstate, getattr(error, "position", None)))
        return found

    assert len(await same(pair, run)) == 5


@pytest.mark.feature("prepared")
async def test_a_statement_whose_columns_changed_is_prepared_again(admin_pair: Pair) -> None:
    """asyncpg knows the error by the server's function: outside of a block it prepares again by itself."""

    async def run(connection: asyncpg.Connection) -> Any:
        await connection.execute("CREATE TABLE public.growing (a integer)")
        try:
            await connection.execute("INSERT INTO growing VALUES (1)")
            found: list[Any] = [tuple(await connection.fetchrow("SELECT * FROM growing"))]
            await connection.execute("ALTER TABLE growing ADD COLUMN b text")
            found.append(tuple(await connection.fetchrow("SELECT * FROM growing")))
            await connection.execute("ALTER TABLE growing DROP COLUMN b")
            try:
                async with connection.transaction():
                    await connection.fetchrow("SELECT * FROM growing")
            except asyncpg.PostgresError as error:
                found.append((type(error).__name__, error.sqlstate))
            return found
        finally:
            await connection.execute("DROP TABLE growing")

    found = await same(admin_pair, run)
    assert found == [(1,), (1, None), ("InvalidCachedStatementError", "0A000")]
