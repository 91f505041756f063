"""The engine as its two users see it: statements, cancellation, sessions, generations."""

import asyncio
import os
import struct
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from execnode.engine import DuckEngine, EngineLimits, StatementStream
from execnode.engine.stream import READ_AHEAD_BYTES
from execnode.statement import CatalogDefinition, CatalogGeneration, EngineStatement, Parameter, RowEncoding
from pgwire.errors import FailedTransaction, GatewayError, OutOfMemory, StatementError
from pgwire.types import OutputSettings, result_column

from .conftest import definition, rows_of, write

ENDLESS_SQL = "SELECT sum(hash(i)) FROM range(100000000000) r(i)"
ENDLESS = EngineStatement(ENDLESS_SQL, result_columns=(result_column("sum", "HUGEINT"),))


def data_row(*values: str | None) -> bytes:
    cells = b"".join(
        struct.pack("!i", -1) if v is None else struct.pack("!i", len(v)) + v.encode() for v in values
    )
    return b"D" + struct.pack("!ih", 6 + len(cells), len(values)) + cells


async def _count_rows(stream: StatementStream) -> int:
    count = 0
    while (chunk := await stream.read()) is not None:
        count += chunk.row_count
    return count


async def test_rows_come_as_data_rows(engine: DuckEngine) -> None:
    expected = data_row("0", "n0") + data_row("1", "n1") + data_row("2", None)
    sql = "SELECT id, CASE WHEN id < 2 THEN name END FROM shop.orders ORDER BY id"
    assert await rows_of(engine, sql) == expected


async def test_columns_are_known_on_entering_and_empty_results_have_them(engine: DuckEngine) -> None:
    async with engine.execute(EngineStatement("SELECT id, name FROM shop.orders WHERE false")) as stream:
        assert [(c.name, c.engine_type) for c in stream.columns] == [("id", "INTEGER"), ("name", "VARCHAR")]
        assert await stream.read() is None


async def test_parameters_are_bound(engine: DuckEngine) -> None:
    statement = EngineStatement(
        "SELECT CAST($1 AS INTEGER) + 1, CAST($2 AS VARCHAR)",
        parameters=(Parameter(23, 0, b"41"), Parameter(25, 0, None)),
    )
    async with engine.execute(statement) as stream:
        chunk = await stream.read()
    assert chunk is not None
    assert bytes(chunk.rows) == data_row("42", None)


async def test_rows_are_coerced_to_the_declared_columns(engine: DuckEngine) -> None:
    columns = (result_column("d", "DATE"),)
    sql = "SELECT d + CAST($1 AS INTEGER) FROM (SELECT DATE '2024-01-01' AS d)"
    statement = EngineStatement(sql, (Parameter(23, 0, None),), columns)
    async with engine.execute(statement) as stream:
        chunk = await stream.read()
        assert stream.columns == columns
    assert chunk is not None
    assert bytes(chunk.rows) == data_row(None)


async def test_the_time_zone_is_that_of_the_statement_and_of_no_other(engine: DuckEngine) -> None:
    sql = "SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00'::VARCHAR"
    tokyo = EngineStatement(sql, output=OutputSettings(time_zone="Asia/Tokyo"))
    async with engine.execute(tokyo) as stream:
        chunk = await stream.read()
    assert chunk is not None
    assert b"09:00:00" in bytes(chunk.rows)
    assert b"00:00:00+00" in await rows_of(engine, sql)


async def test_a_write_gives_its_count(engine: DuckEngine) -> None:
    assert await write(engine, "INSERT INTO shop.orders SELECT i, 'x' FROM range(5) r(i)") == 5
    assert await write(engine, "CREATE SCHEMA shop.extra") == 0


async def test_two_statements_in_one_text_are_refused(engine: DuckEngine) -> None:
    with pytest.raises(StatementError):
        await rows_of(engine, "SELECT 1; DROP TABLE shop.orders")
    assert await rows_of(engine, "SELECT count(*) FROM shop.orders") == data_row("3")


async def test_an_error_in_the_middle_comes_after_the_rows_before_it(engine: DuckEngine) -> None:
    sql = "SELECT CASE WHEN i = 3000000 THEN 'x' ELSE '1' END::INTEGER FROM range(3100000) r(i)"
    async with engine.execute(EngineStatement(sql)) as stream:
        assert await stream.read() is not None
        with pytest.raises(StatementError):
            await _count_rows(stream)


async def test_cancelling_the_reader_stops_the_engine(engine: DuckEngine) -> None:
    started = asyncio.Event()

    async def run() -> None:
        async with engine.execute(ENDLESS) as stream:
            started.set()
            await stream.read()

    task = asyncio.ensure_future(run())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(2):
            await task
    assert await rows_of(engine, "SELECT 1") == data_row("1")


async def test_cancelling_while_the_statement_starts_stops_the_engine(engine: DuckEngine) -> None:
    task = asyncio.ensure_future(rows_of(engine, ENDLESS_SQL))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(2):
            await task


async def test_leaving_early_stops_the_engine(engine: DuckEngine) -> None:
    async with asyncio.timeout(2):
        async with engine.execute(EngineStatement("SELECT * FROM range(100000000000)")) as stream:
            assert await stream.read() is not None


async def test_a_paused_reader_holds_back_the_engine(engine: DuckEngine) -> None:
    async with engine.execute(EngineStatement("SELECT i, i FROM range(1000000000) r(i)")) as stream:
        first = await stream.read()
        assert first is not None
        while stream._job is not None:
            await stream._progress.changed.sleep()
        assert sum(len(chunk.rows) for chunk in stream._progress.chunks) >= READ_AHEAD_BYTES
        assert stream._progress.made_bytes < 2 * READ_AHEAD_BYTES


async def test_a_fast_reader_leaves_the_only_thread_to_others(tmp_path: Path, database: Path) -> None:
    engine = DuckEngine(EngineLimits(tmp_path, 512 << 20, 2), max_threads=1)
    await engine.attach(CatalogGeneration(1, (definition(database),)))
    try:
        seldom = "SELECT i FROM range(100000000000) r(i) WHERE hash(i) % 100 = 0"  # slower than its reader
        async with engine.execute(EngineStatement(seldom)) as stream:
            reading = asyncio.create_task(_count_rows(stream))
            for number in range(3):
                assert await rows_of(engine, f"SELECT {number}") == data_row(str(number))
            assert not reading.done()
            reading.cancel()
    finally:
        await engine.close()


async def test_row_offsets_name_the_beginning_of_each_row(engine: DuckEngine) -> None:
    sql = "SELECT repeat('x', (i % 7)::INTEGER) FROM range(100000) r(i)"
    async with engine.execute(EngineStatement(sql, with_row_offsets=True)) as stream:
        while (chunk := await stream.read()) is not None:
            offsets = struct.unpack(f"<{chunk.row_count + 1}i", chunk.row_offsets)
            assert offsets[-1] == len(chunk.rows)
            assert all(bytes(chunk.rows[o : o + 1]) == b"D" for o in offsets[:-1])


async def test_describe_binds_without_executing(engine: DuckEngine) -> None:
    columns = await engine.describe(EngineStatement("SELECT id AS a, name || 'x' AS b FROM shop.orders"))
    assert [(c.name, c.engine_type) for c in columns] == [("a", "INTEGER"), ("b", "VARCHAR")]


async def test_describing_a_write_gives_types_and_writes_nothing(engine: DuckEngine) -> None:
    sql = "INSERT INTO shop.orders VALUES (9, 'z') RETURNING id, name || 'x'"
    declared = (result_column("id", "INTEGER"), result_column("label", "VARCHAR"))
    assert [c.engine_type for c in await engine.describe(EngineStatement(sql))] == ["INTEGER", "VARCHAR"]
    described = await engine.describe(EngineStatement(sql, result_columns=declared))
    assert [c.name for c in described] == ["id", "label"]
    assert await rows_of(engine, "SELECT count(*) FROM shop.orders") == data_row("3")


async def test_describe_of_what_does_not_bind_is_an_error(engine: DuckEngine) -> None:
    with pytest.raises(StatementError):
        await engine.describe(EngineStatement("SELECT nothing FROM shop.orders"))


async def test_a_session_keeps_its_transaction_and_temporary_tables(engine: DuckEngine) -> None:
    session = await engine.open_session()
    await session.execute_utility("BEGIN")
    await write(engine, "CREATE TEMP TABLE mine AS SELECT 1 AS a", session)
    await write(engine, "DELETE FROM shop.orders", session)
    assert await rows_of(engine, "SELECT * FROM mine", session) == data_row("1")
    assert await rows_of(engine, "SELECT count(*) FROM shop.orders") == data_row("3")
    await session.close()
    assert await rows_of(engine, "SELECT count(*) FROM shop.orders") == data_row("3")
    with pytest.raises(StatementError):
        await rows_of(engine, "SELECT * FROM mine")


async def test_an_open_portal_survives_other_statements_of_its_session(engine: DuckEngine) -> None:
    session = await engine.open_session()
    await session.execute_utility("BEGIN")
    async with engine.execute(EngineStatement("SELECT i FROM range(500000) r(i)"), session) as portal:
        first = await portal.read()
        assert first is not None
        assert await rows_of(engine, "SELECT 7", session) == data_row("7")
        count = first.row_count
        while (chunk := await portal.read()) is not None:
            count += chunk.row_count
        assert count == 500000
    await session.close()


async def test_a_portal_closed_early_does_not_end_the_transaction(engine: DuckEngine) -> None:
    session = await engine.open_session()
    await session.execute_utility("BEGIN")
    await write(engine, "CREATE TEMP TABLE mine AS SELECT 1 AS a", session)
    async with engine.execute(EngineStatement("SELECT i FROM range(50000000) r(i)"), session) as portal:
        assert await portal.read() is not None
    assert await rows_of(engine, "SELECT * FROM mine", session) == data_row("1")
    await session.close()


async def test_after_an_error_a_transaction_takes_only_its_end(engine: DuckEngine) -> None:
    session = await engine.open_session()
    await session.execute_utility("BEGIN")
    with pytest.raises(StatementError):
        await rows_of(engine, "SELECT 'a'::INTEGER", session)
    with pytest.raises(FailedTransaction):
        await rows_of(engine, "SELECT 1", session)
    await session.execute_utility("ROLLBACK")
    assert await rows_of(engine, "SELECT 1", session) == data_row("1")
    await session.close()


async def test_a_closed_session_is_refused(engine: DuckEngine) -> None:
    session = await engine.open_session()
    await session.close()
    await session.close()
    with pytest.raises(GatewayError):
        await session.execute_utility("BEGIN")


async def test_the_same_catalogs_under_a_newer_number_keep_everything(
    engine: DuckEngine, database: Path
) -> None:
    session = await engine.open_session()
    await write(engine, "CREATE TEMP TABLE mine AS SELECT 1 AS a", session)
    await engine.attach(CatalogGeneration(2, (definition(database),)))
    assert engine.generation == 2
    assert await rows_of(engine, "SELECT * FROM mine", session) == data_row("1")
    await session.close()


async def test_a_file_open_to_write_changes_hands_once_its_statements_have_ended(
    engine: DuckEngine, database: Path
) -> None:
    statement = EngineStatement("SELECT * FROM range(1000000)")
    async with asyncio.TaskGroup() as tasks, engine.execute(statement) as stream:
        attach = tasks.create_task(
            engine.attach(CatalogGeneration(2, (definition(database, "renamed", is_read_only=True),)))
        )
        await asyncio.sleep(0)
        assert await stream.read() is not None
        assert not attach.done()
    assert await rows_of(engine, "SELECT count(*) FROM renamed.orders") == data_row("3")


async def test_a_generation_that_cannot_be_attached_leaves_the_older_one(
    engine: DuckEngine, database: Path
) -> None:
    missing = CatalogDefinition("gone", "duckdb", "/nowhere/x.duckdb", True)
    unknown = CatalogDefinition("lake", "iceberg", "x", True)
    for catalogs in ((missing,), (unknown,), (definition(database), missing)):
        with pytest.raises(GatewayError):
            await engine.attach(CatalogGeneration(2, catalogs))
        assert engine.generation == 1
        assert await rows_of(engine, "SELECT count(*) FROM shop.orders") == data_row("3")


async def test_an_older_generation_with_other_catalogs_is_refused(engine: DuckEngine) -> None:
    with pytest.raises(GatewayError):
        await engine.attach(CatalogGeneration(0, ()))


async def test_what_is_prepared_before_the_lock_can_be_used_and_refreshed(tmp_path: Path) -> None:
    def prepare(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("ATTACH ':memory:' AS scratch")
        connection.execute("CREATE TABLE scratch.facts AS SELECT 1 AS a")

    engine = DuckEngine(EngineLimits(tmp_path), prepare_instance=prepare)
    await engine.attach(CatalogGeneration(1, ()))
    await engine.run(lambda connection: connection.execute("INSERT INTO scratch.facts VALUES (2)").fetchall())
    assert await rows_of(engine, "SELECT sum(a) FROM scratch.facts") == data_row("3")
    await engine.close()


async def test_an_engine_without_catalogs_or_closed_refuses(tmp_path: Path) -> None:
    engine = DuckEngine(EngineLimits(tmp_path))
    await engine.check()
    with pytest.raises(GatewayError):
        await rows_of(engine, "SELECT 1")
    await engine.close()
    with pytest.raises(GatewayError):
        await engine.open_session()
    assert os.listdir(tmp_path) == []


async def test_an_offline_extension_is_loaded(tmp_path: Path) -> None:
    engine = DuckEngine(EngineLimits(tmp_path), extensions=("tpch",))
    await engine.attach(CatalogGeneration(1, ()))
    assert await rows_of(engine, "SELECT count(*) FROM tpch_queries()") == data_row("22")
    await engine.close()


@pytest.mark.parametrize(
    ("encoding", "options", "expected"),
    [
        (RowEncoding.COPY_TEXT, {}, b"1\tn1\n"),
        (RowEncoding.COPY_CSV, {"header": "true", "force_quote": '["name"]'}, b'1,"n1"\n'),
    ],
)
async def test_copy_encodings_give_copy_data(
    engine: DuckEngine, encoding: RowEncoding, options: dict[str, str], expected: bytes
) -> None:
    sql = "SELECT id, name FROM shop.orders WHERE id = 1"
    async with engine.execute(EngineStatement(sql, encoding=encoding, copy_options=options)) as stream:
        chunk = await stream.read()
        assert await stream.read() is None
    assert chunk is not None
    assert bytes(chunk.rows).endswith(expected)
    assert (b"id,name" in bytes(chunk.rows)) is ("header" in options)


async def test_binary_copy_without_rows_still_has_header_and_trailer(engine: DuckEngine) -> None:
    statement = EngineStatement("SELECT id FROM shop.orders WHERE false", encoding=RowEncoding.COPY_BINARY)
    async with engine.execute(statement) as stream:
        chunk = await stream.read()
        assert await stream.read() is None
    assert chunk is not None
    assert chunk.row_count == 0
    assert b"PGCOPY" in bytes(chunk.rows)
    assert bytes(chunk.rows).endswith(b"\xff\xff")


async def test_a_tracked_statement_tells_how_far_it_is(engine: DuckEngine) -> None:
    await write(engine, "CREATE TABLE shop.main.big AS SELECT i FROM range(3000000) r(i)")
    sql = "SELECT count(DISTINCT length(sha256(md5(i::VARCHAR)))) FROM shop.main.big"
    statement = EngineStatement(
        sql, result_columns=(result_column("count_star()", "BIGINT"),), tracks_progress=True
    )
    seen: list[float] = []
    async with engine.execute(statement) as stream:
        while len(seen) < 3:
            progress = await stream.read_progress()
            if progress is not None and (not seen or progress > seen[-1]):
                seen.append(progress)
            await asyncio.sleep(0.01)
    assert all(0 <= progress <= 1 for progress in seen)


_MORE_THAN_THERE_IS = "SELECT list(i) FROM range(3000000) r(i)"


def _fill(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave the instance so little memory that hardly a statement has any: some comes back a little later."""
    connection.execute("CREATE TABLE memory.main.big AS SELECT md5(i::VARCHAR) FROM range(200000) r(i)")
    with suppress(duckdb.OutOfMemoryException):
        for limit in range(8 << 20, 0, -4096):
            connection.execute(f"SET memory_limit = '{limit}B'")


async def test_an_engine_whose_memory_is_full_is_well_and_tells_its_cap(tmp_path: Path) -> None:
    limits = EngineLimits(tmp_path, memory_limit_bytes=64 << 20, threads=1, max_temp_bytes=0)
    engine = DuckEngine(limits, prepare_instance=_fill)
    await engine.attach(CatalogGeneration(1, ()))
    try:
        assert await engine.memory_used_bytes() == 64 << 20
        with pytest.raises(OutOfMemory):
            await engine.run(lambda connection: connection.execute(_MORE_THAN_THERE_IS).fetchall())
        await engine.check()
    finally:
        await engine.close()
