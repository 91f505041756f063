"""Connections that serve one statement after another: what may be left on one is never met by the next."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from execnode.engine import DuckEngine, EngineLimits
from execnode.statement import CatalogGeneration, EngineStatement
from pgwire.errors import GatewayError
from pgwire.types import OutputSettings


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[DuckEngine]:
    engine = DuckEngine(EngineLimits(tmp_path))
    await engine.attach(CatalogGeneration(1, ()))
    yield engine
    await engine.close()


async def run(engine: DuckEngine, sql: str, *, returns_rows: bool = True, time_zone: str = "UTC") -> bytes:
    """The rows of one statement as they go to a client."""
    statement = EngineStatement(sql, returns_rows=returns_rows, output=OutputSettings(time_zone=time_zone))
    rows = b""
    async with engine.execute(statement) as stream:
        while (chunk := await stream.read()) is not None:
            rows += bytes(chunk.rows)
    return rows


def connections(engine: DuckEngine) -> int:
    """How many wait for another statement."""
    instance = engine._instance
    assert instance is not None
    return len(instance._spare)


async def test_a_read_leaves_its_connection_to_the_next(engine: DuckEngine) -> None:
    await run(engine, "SELECT 1")
    await run(engine, "SELECT 2")
    assert connections(engine) == 1
    await asyncio.gather(*(run(engine, f"SELECT {n}") for n in range(4)))
    assert 1 <= connections(engine) <= 4


async def test_what_is_no_read_leaves_nothing_to_others(engine: DuckEngine) -> None:
    await run(engine, "SELECT 1")
    await run(engine, "SET VARIABLE left_behind = 4711", returns_rows=False)
    await run(engine, "CREATE TEMP TABLE left_behind AS SELECT 4711 AS n", returns_rows=False)
    assert connections(engine) == 0
    assert b"4711" not in await run(engine, "SELECT getvariable('left_behind')")
    with pytest.raises(GatewayError):
        await run(engine, "SELECT n FROM left_behind")


async def test_random_numbers_are_drawn_on_connections_that_nobody_shares(engine: DuckEngine) -> None:
    await run(engine, "SELECT 1")
    await run(engine, "SELECT setseed(0.5)")
    first = await run(engine, "SELECT random(), uuid()")
    await run(engine, "SELECT setseed(0.5)")
    assert await run(engine, "SELECT random(), uuid()") != first
    assert connections(engine) == 1


async def test_a_failed_or_abandoned_read_gives_its_connection_away(engine: DuckEngine) -> None:
    with pytest.raises(GatewayError):
        await run(engine, "SELECT error('no')")
    assert connections(engine) == 0
    async with engine.execute(EngineStatement("SELECT * FROM range(100000000)")) as stream:
        assert await stream.read() is not None
    assert connections(engine) == 0


async def test_each_statement_has_its_own_time_zone(engine: DuckEngine) -> None:
    moment = "SELECT TIMESTAMPTZ '2024-01-01 12:00:00+00'::VARCHAR"
    assert b"12:00:00" in await run(engine, moment)
    assert b"21:00:00" in await run(engine, moment, time_zone="Asia/Tokyo")
    assert b"12:00:00" in await run(engine, moment)
    assert connections(engine) == 1
