"""Connections that keep plans answer as fresh ones do, whatever has changed meanwhile."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from execnode.engine import DuckEngine, EngineLimits
from execnode.engine.kept_plans import MAX_PLANS, MAX_SEEN, MAX_TEXT_CHARS, KeptPlans
from execnode.statement import CatalogGeneration, EngineStatement
from pgwire.errors import GatewayError
from pgwire.types import OutputSettings

from .conftest import definition, write

READS = frozenset({"shop"})
_PREPARED = "SELECT count(*) FROM duckdb_prepared_statements() WHERE statement LIKE '%shop.orders%'"


def kept(sql: str, zone: str = "UTC") -> EngineStatement:
    reads = READS if "shop." in sql else frozenset[str]()
    return EngineStatement(sql, output=OutputSettings(time_zone=zone), keeps_plan=True, reads=reads)


async def answer(engine: DuckEngine, statement: EngineStatement) -> bytes:
    rows = b""
    async with engine.execute(statement) as stream:
        while (chunk := await stream.read()) is not None:
            rows += bytes(chunk.rows)
    return rows


async def test_a_kept_plan_answers_as_a_fresh_one_after_each_change(engine: DuckEngine) -> None:
    question = kept("SELECT * FROM shop.orders ORDER BY ALL LIMIT 3")
    for change in (
        "SELECT 1",
        "UPDATE shop.orders SET name = 'changed' WHERE id = 0",
        "ALTER TABLE shop.orders ADD COLUMN more INTEGER DEFAULT 7",
        "CREATE OR REPLACE TABLE shop.orders AS SELECT 1 AS only",
    ):
        await write(engine, change)
        fresh = await answer(engine, replace(question, keeps_plan=False))
        assert [await answer(engine, question) for _ in range(3)] == [fresh] * 3


async def test_rows_beyond_what_a_plan_was_made_for_are_found(engine: DuckEngine) -> None:
    beyond = kept("SELECT count(*) FROM shop.orders WHERE id > 100")
    before = [await answer(engine, beyond) for _ in range(3)]
    await write(engine, "INSERT INTO shop.orders SELECT 1000 + i, 'more' FROM range(3) r(i)")
    assert (
        await answer(engine, beyond) == await answer(engine, replace(beyond, keeps_plan=False)) != before[0]
    )


@pytest.mark.parametrize("is_read_only", [True, False])
async def test_plans_over_tables_are_kept_where_no_row_can_change(
    tmp_path: Path, database: Path, is_read_only: bool
) -> None:
    """One connection is kept here, so that it tells of the statements before."""
    engine = DuckEngine(EngineLimits(tmp_path, 512 << 20, 2), max_threads=1)
    await engine.attach(CatalogGeneration(1, (definition(database, is_read_only=is_read_only),)))
    grouped = kept("SELECT name, sum(id), max(id) FROM shop.orders GROUP BY name ORDER BY name")
    try:
        fresh = await answer(engine, replace(grouped, keeps_plan=False))
        assert [await answer(engine, grouped) for _ in range(4)] == [fresh] * 4
        made = await answer(engine, EngineStatement(_PREPARED, keeps_plan=True))
        assert made.endswith(b"1" if is_read_only else b"0")
    finally:
        await engine.close()


async def test_constants_of_a_plan_are_of_the_time_zone_of_now(engine: DuckEngine) -> None:
    sql = "SELECT TIMESTAMPTZ '2024-01-01 00:00:00'"
    for zone in ("UTC", "Asia/Tokyo") * 3:
        fresh = await answer(engine, replace(kept(sql, zone), keeps_plan=False))
        assert await answer(engine, kept(sql, zone)) == fresh


async def test_an_error_is_told_as_without_a_plan(engine: DuckEngine) -> None:
    for sql in ("SELECT nothing FROM shop.orders", "SELECT 1; SELECT 2", "SELECT 1 // (id - id) FROM shop.x"):
        told = []
        for statement in (*[kept(sql)] * 3, replace(kept(sql), keeps_plan=False)):
            with pytest.raises(GatewayError) as caught:
                await answer(engine, statement)
            told.append((caught.value.sqlstate, str(caught.value)))
        assert told == told[:1] * 4


async def test_a_stream_that_is_left_early_gives_its_connection_away(engine: DuckEngine) -> None:
    endless = kept("SELECT i FROM range(100000000000) r(i)")
    for _ in range(3):
        async with engine.execute(endless) as stream:
            assert await stream.read() is not None
    assert await answer(engine, kept("SELECT 1")) == await answer(engine, EngineStatement("SELECT 1"))


async def test_a_file_is_opened_anew_though_connections_to_it_were_kept(
    engine: DuckEngine, database: Path
) -> None:
    count = kept("SELECT count(*) FROM shop.orders")
    before = [await answer(engine, count) for _ in range(3)][-1]
    await engine.attach(
        CatalogGeneration(2, (definition(database), definition(database.parent / "more", "x")))
    )
    assert await answer(engine, count) == before


def test_the_oldest_plan_goes_and_long_texts_have_none() -> None:
    with duckdb.connect() as connection:
        plans = KeptPlans()
        asked = [f"SELECT {n}" for n in range(MAX_PLANS + 2)]
        assert [plans.named(connection, sql, "UTC") for sql in asked] == [None] * len(asked)
        names = [plans.named(connection, sql, "UTC") for sql in asked]
        assert None not in names
        assert plans.named(connection, f"SELECT {MAX_PLANS + 1}", "UTC") == names[-1]
        assert plans.named(connection, "SELECT 0", "UTC") not in names
        assert plans.named(connection, f"SELECT '{'x' * MAX_TEXT_CHARS}'", "UTC") is None
        held = connection.execute("SELECT count(*) FROM duckdb_prepared_statements()").fetchone()
        assert held == (MAX_PLANS,)


def test_what_is_asked_once_only_is_not_kept_and_is_forgotten() -> None:
    with duckdb.connect() as connection:
        plans = KeptPlans()
        assert plans.named(connection, "SELECT 'first'", "UTC") is None
        for n in range(MAX_SEEN):
            assert plans.named(connection, f"SELECT {n}", "UTC") is None
        assert plans.named(connection, "SELECT 'first'", "UTC") is None
        assert connection.execute("SELECT count(*) FROM duckdb_prepared_statements()").fetchone() == (0,)


async def test_a_kept_clock_goes_on(engine: DuckEngine) -> None:
    moments = [await answer(engine, kept("SELECT epoch_us(now())")) for _ in range(4)]
    assert sorted(set(moments)) == moments  # as many digits each


async def test_a_clock_in_a_condition_on_a_table_that_cannot_change_goes_on(
    tmp_path: Path, database: Path
) -> None:
    engine = DuckEngine(EngineLimits(tmp_path, 512 << 20, 2), max_threads=1)
    await engine.attach(CatalogGeneration(1, (definition(database, is_read_only=True),)))
    try:
        ((soon,),) = await engine.run(lambda c: c.execute("SELECT now() + to_milliseconds(200)").fetchall())
        question = kept(f"SELECT count(*) FROM shop.orders WHERE id >= 0 AND TIMESTAMPTZ '{soon}' <= now()")
        answers = {await answer(engine, question) for _ in range(3)}
        while len(answers) < 2:  # for ever, if the plan kept the time at which it was made
            answers.add(await answer(engine, question))
    finally:
        await engine.close()
