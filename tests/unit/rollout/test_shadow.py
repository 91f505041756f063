"""Shadowing between two real engines: equal data matches, a stale copy does not, and traffic comes first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import duckdb
import pytest

from execnode.engine import DuckEngine, EngineLimits
from execnode.statement import CatalogDefinition, CatalogGeneration, EngineStatement, Parameter, RowChunk
from pgproxy.control.fleet import Endpoint
from pgproxy.engines.base import EngineSession, ResultStream
from pgproxy.engines.embedded import EmbeddedEngine
from pgproxy.engines.probe import ProbeReport
from pgproxy.rollout.shadow import Shadow, ShadowOutcome, ShadowResult
from pgproxy.routing.registry import EndpointRegistry, ProbeTimes
from pgwire.types import ResultColumn
from tests.unit.routing.engines import ScriptedStream


class NodeLikeEngine(EmbeddedEngine):
    """The embedded engine where the registry expects one over gRPC."""

    load = 0

    def expect_catalogs(self, generation: CatalogGeneration) -> None: ...

    async def probe(self) -> ProbeReport:
        return ProbeReport(is_draining=False, load=self.load, catalog_generation=1)


COLUMNS = (ResultColumn("n", 20, -1, "BIGINT"), ResultColumn("f", 701, -1, "DOUBLE"))
READ = EngineStatement(
    "SELECT n, n / 7 AS f FROM data.main.t WHERE n > CAST($1 AS BIGINT) ORDER BY n",
    (Parameter(20, 0, b"10"),),
    COLUMNS,
)


async def engine_on(kind: type[EmbeddedEngine], folder: Path, name: str, rows: int) -> EmbeddedEngine:
    path = folder / name / "data.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT i AS n FROM range({rows}) r(i)")
    engine = kind(DuckEngine(EngineLimits(temp_directory=path.parent)))
    definition = CatalogDefinition("data", "duckdb", str(path), is_read_only=True)
    await engine.attach_catalogs(CatalogGeneration(1, (definition,)))
    return engine


@asynccontextmanager
async def shadow(
    folder: Path, *, node_rows: int = 100, node_load: int = 0, kind: type[EmbeddedEngine] = NodeLikeEngine
) -> AsyncIterator[tuple[Shadow, "asyncio.Queue[ShadowResult]"]]:
    local = await engine_on(EmbeddedEngine, folder, "local", 100)
    node = await engine_on(kind, folder, "node", node_rows)
    node.load = node_load  # type: ignore[attr-defined]
    results = asyncio.Queue[ShadowResult]()
    async with EndpointRegistry(lambda _: node, ProbeTimes(interval_s=60)) as registry:  # type: ignore[arg-type,return-value]
        registry.apply([Endpoint("node", "grpc://node:1", "t")], [])
        await registry.first_probes(10)
        yield Shadow(local, registry, results.put_nowait), results
    await local.close()


async def result_of(found: Shadow, results: "asyncio.Queue[ShadowResult]") -> ShadowResult:
    running = asyncio.create_task(found.run())
    try:
        async with asyncio.timeout(30):
            return await results.get()
    finally:
        running.cancel()


async def test_equal_data_matches(tmp_path: Path) -> None:
    async with shadow(tmp_path) as (found, results):
        found.offer(READ, "node", "abc")
        result = await result_of(found, results)
    assert (result.outcome, result.fingerprint, result.difference) == (ShadowOutcome.MATCH, "abc", "")
    assert result.local_ms > 0
    assert result.remote_ms > 0


async def test_a_stale_copy_is_a_mismatch(tmp_path: Path) -> None:
    async with shadow(tmp_path, node_rows=99) as (found, results):
        found.offer(READ, "node", "abc")
        result = await result_of(found, results)
    assert (result.outcome, result.difference) == (ShadowOutcome.MISMATCH, "row count")


@pytest.mark.parametrize("endpoint", ["node", "elsewhere"])
async def test_a_busy_or_unknown_endpoint_is_spared(tmp_path: Path, endpoint: str) -> None:
    async with shadow(tmp_path, node_load=4 if endpoint == "node" else 0) as (found, results):
        found.offer(READ, endpoint, "abc")
        assert results.get_nowait().outcome is ShadowOutcome.DROPPED


async def test_a_full_queue_drops_at_once(tmp_path: Path) -> None:
    async with shadow(tmp_path) as (found, results):
        for _ in range(17):
            found.offer(READ, "node", "abc")
        assert results.get_nowait().outcome is ShadowOutcome.DROPPED
        assert results.empty()


async def test_a_statement_that_fails_there_is_told_as_such(tmp_path: Path) -> None:
    async with shadow(tmp_path) as (found, results):
        found.offer(EngineStatement("SELECT n, n FROM data.main.gone", (), COLUMNS), "node", "abc")
        assert (await result_of(found, results)).outcome is ShadowOutcome.FAILED


class BrokenEngine(NodeLikeEngine):
    """A node whose answers are none."""

    @asynccontextmanager
    async def execute(
        self, statement: EngineStatement, session: EngineSession | None = None
    ) -> AsyncIterator[ResultStream]:
        yield ScriptedStream([RowChunk(b"D\x00\x00", 1)], COLUMNS)  # type: ignore[misc]


async def test_an_answer_that_cannot_be_read_is_a_failure_and_the_next_is_compared(tmp_path: Path) -> None:
    async with shadow(tmp_path, kind=BrokenEngine) as (found, results):
        found.offer(READ, "node", "abc")
        found.offer(READ, "node", "def")
        running = asyncio.create_task(found.run())
        outcomes = [(result := await results.get()).outcome for _ in range(2)]
        running.cancel()
    assert outcomes == [ShadowOutcome.FAILED, ShadowOutcome.FAILED]
    assert result.fingerprint == "def"
