"""Submitted queries: states, windows, cancel, time to live."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from execnode.admission import AdmissionGate
from execnode.engine import DuckEngine, EngineLimits
from execnode.limits import ResultLimits
from execnode.queries import (
    TRANSITIONS,
    QueryRegistry,
    QueryState,
    SpooledQuery,
    Submission,
)
from execnode.spool import ChunkSpool, SpoolBudget, SpoolLimits
from execnode.statement import CatalogGeneration, EngineStatement
from pgwire.errors import GatewayError
from pgwire.types import result_column

ENDLESS = EngineStatement(
    "SELECT sum(hash(i)) FROM range(100000000000) r(i)", result_columns=(result_column("sum", "HUGEINT"),)
)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[DuckEngine]:
    made = DuckEngine(EngineLimits(tmp_path, 512 << 20, 2), max_threads=4)
    await made.attach(CatalogGeneration(1, ()))
    yield made
    await made.close()


def registry(
    engine: DuckEngine, folder: Path, max_running: int = 2, budget: int = 1 << 30, max_rows: int = 0
) -> QueryRegistry:
    """A registry whose clock stands at 0."""
    limits = SpoolLimits(folder, budget=SpoolBudget(budget))
    results = ResultLimits(max_rows=max_rows)
    return QueryRegistry(engine, AdmissionGate(max_running, 4), limits, results, clock=lambda: 0.0)


def spool_files(folder: Path) -> list[Path]:
    return list(folder.glob("*.spool"))


async def read_all(queries: QueryRegistry, query: SpooledQuery) -> int:
    rows = sequence = 0
    while (chunk := await queries.next_chunk(query, sequence)) is not None:
        rows, sequence = rows + chunk.row_count, sequence + 1
    return rows


@pytest.mark.parametrize("state", QueryState)
@pytest.mark.parametrize("target", QueryState)
async def test_a_query_moves_only_as_the_table_says(
    tmp_path: Path, state: QueryState, target: QueryState
) -> None:
    query = SpooledQuery("q", ChunkSpool("q", SpoolLimits(tmp_path)), is_retained=False, now_s=0)
    query.state = state
    moved = query.move(target)
    assert moved is (target in TRANSITIONS[state])
    assert query.state is (target if moved else state)


async def test_a_query_is_read_to_its_end(engine: DuckEngine, tmp_path: Path) -> None:
    async with registry(engine, tmp_path) as queries:
        query = queries.submit("q", Submission(EngineStatement("SELECT * FROM range(20000)"), False), 0)
        assert await read_all(queries, query) == 20000
        assert query.state is QueryState.SUCCEEDED
        assert [c.engine_type for c in query.columns or ()] == ["BIGINT"]


async def test_the_same_id_is_the_same_query(engine: DuckEngine, tmp_path: Path) -> None:
    async with registry(engine, tmp_path) as queries:
        submission = Submission(EngineStatement("SELECT 1"), True)
        assert queries.submit("q", submission, 0) is queries.submit("q", submission, 0)


async def test_a_query_that_nobody_read_is_not_started_again_once_it_is_forgotten(
    engine: DuckEngine, tmp_path: Path
) -> None:
    async with registry(engine, tmp_path) as queries:
        submission = Submission(EngineStatement("SELECT 1"), False)
        unheard = queries.submit("unheard", submission, 0)
        read = queries.submit("read", submission, 0)
        for query in (unheard, read):
            await read_all(queries, query)
        with queries.reading(read):
            pass
        assert await queries.delete_expired(10, ttl_s=5) == 2
        with pytest.raises(GatewayError) as caught:
            queries.submit("unheard", submission, 10)
        assert caught.value.sqlstate.value == "42704"
        assert queries.submit("read", submission, 10) is not read, "its submitter knows that it was taken"


async def test_a_failed_query_says_why(engine: DuckEngine, tmp_path: Path) -> None:
    async with registry(engine, tmp_path) as queries:
        query = queries.submit("q", Submission(EngineStatement("SELECT * FROM nowhere"), False), 0)
        with pytest.raises(GatewayError) as caught:
            await read_all(queries, query)
        assert caught.value.sqlstate.value == "42P01"
        assert query.state is QueryState.FAILED


async def test_cancel_stops_and_sticks(engine: DuckEngine, tmp_path: Path) -> None:
    async with registry(engine, tmp_path) as queries:
        query = queries.submit("q", Submission(ENDLESS, False), 0)
        assert await queries.next_chunk(query, 0) is not None
        async with asyncio.timeout(2):
            assert await queries.cancel("q")
        assert not await queries.cancel("q")
        assert query.state is QueryState.CANCELED
        with pytest.raises(GatewayError) as caught:
            await queries.next_chunk(query, 1)
        assert caught.value.sqlstate.value == "57014"


async def test_cancel_before_the_start_works(engine: DuckEngine, tmp_path: Path) -> None:
    async with registry(engine, tmp_path, max_running=1) as queries:
        first = queries.submit("first", Submission(ENDLESS, False), 0)
        await queries.next_chunk(first, 0)
        second = queries.submit("second", Submission(ENDLESS, False), 0)
        assert second.state is QueryState.QUEUED
        assert await queries.cancel("second")
        assert second.state is QueryState.CANCELED


async def test_acknowledged_chunks_of_a_cursor_are_gone_and_retained_ones_stay(
    engine: DuckEngine, tmp_path: Path
) -> None:
    async with registry(engine, tmp_path) as queries:
        for name, is_retained in (("cursor", False), ("kept", True)):
            statement = EngineStatement("SELECT * FROM range(100000)")
            query = queries.submit(name, Submission(statement, is_retained), 0)
            await read_all(queries, query)
            await queries.acknowledge(query, 2)
            assert query.spool.first_sequence == (0 if is_retained else 2)
        with pytest.raises(GatewayError):
            await queries.acknowledge(query, 10_000)


async def test_a_timed_out_query_fails_with_57014(engine: DuckEngine, tmp_path: Path) -> None:
    async with registry(engine, tmp_path) as queries:
        query = queries.submit("q", Submission(ENDLESS, False, timeout_s=0.05), 0)
        with pytest.raises(GatewayError, match="statement timeout"):
            await read_all(queries, query)


async def test_queries_are_forgotten_after_their_time_to_live(engine: DuckEngine, tmp_path: Path) -> None:
    now = [100.0]
    async with QueryRegistry(
        engine, AdmissionGate(4, 4), SpoolLimits(tmp_path), clock=lambda: now[0]
    ) as queries:
        ended = queries.submit("ended", Submission(EngineStatement("SELECT 1"), True), now_s=0)
        await read_all(queries, ended)
        await asyncio.wait({ended.task} if ended.task is not None else ())
        queries.submit("running", Submission(ENDLESS, True), now_s=0)
        queries.submit("abandoned", Submission(ENDLESS, False), now_s=100)
        assert await queries.delete_expired(now_s=700, ttl_s=600) == 0, "counted from the submission"
        assert await queries.delete_expired(now_s=701, ttl_s=600) == 2
        assert queries.get("ended") is None
        assert queries.get("abandoned") is None
        assert queries.get("running") is not None, "what runs has not begun to age"
        assert (queries.completed, queries.cleaned, queries.stored) == (2, 2, 1)


async def test_a_cursor_that_a_call_waits_for_is_never_expired(engine: DuckEngine, tmp_path: Path) -> None:
    now_s = 0.0
    async with QueryRegistry(
        engine, AdmissionGate(2, 4), SpoolLimits(tmp_path), clock=lambda: now_s
    ) as queries:
        query = queries.submit("slow", Submission(ENDLESS, False), 0)
        with queries.reading(query):
            now_s = 10_000.0
            assert await queries.delete_expired(now_s, ttl_s=600) == 0
            assert not query.has_ended
        assert await queries.delete_expired(10_600, ttl_s=600) == 0, "counted from the end of the fetch"
        assert await queries.delete_expired(10_601, ttl_s=600) == 1


async def test_no_spool_file_outlives_its_query(engine: DuckEngine, tmp_path: Path) -> None:
    limits = SpoolLimits(tmp_path / "spool", memory_bytes=1024)
    limits.directory.mkdir()
    big = EngineStatement("SELECT i, repeat('x', 100) FROM range(50000) r(i)")
    failing = EngineStatement("SELECT i, 1 / (i - 40000)::INTEGER, error('x') FROM range(1) r(i)")
    async with QueryRegistry(engine, AdmissionGate(4, 4), limits) as queries:
        for name, statement in (("deleted", big), ("expired", big), ("left", big), ("failed", failing)):
            query = queries.submit(name, Submission(statement, True), now_s=0)
            await asyncio.wait({query.task} if query.task is not None else ())
        assert queries.count(QueryState.SUCCEEDED) == 3
        assert list(limits.directory.iterdir())
        await queries.delete("deleted")
        await queries.delete("failed")
        expired = queries.get("expired")
        assert expired is not None
        expired.last_used_s = -1000.0
        assert await queries.delete_expired(now_s=0, ttl_s=600) == 1
        left = queries.get("left")
        assert left is not None
        assert left.spool.disk_bytes
    assert list(limits.directory.iterdir()) == []


async def test_a_canceled_or_failed_result_leaves_no_file(engine: DuckEngine, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    endless = EngineStatement("SELECT i, repeat('x', 500) FROM range(100000000000) r(i)")
    failing = EngineStatement(
        "SELECT CASE WHEN i = 200000 THEN error('x') ELSE repeat('x', 500) END FROM range(300000) r(i)"
    )
    async with registry(engine, folder) as queries:
        running = queries.submit("running", Submission(endless, True), 0)
        while not list(folder.iterdir()):
            await running.wait_change()
        await queries.cancel("running")
        assert list(folder.iterdir()) == []
        failed = queries.submit("failed", Submission(failing, True), 0)
        assert failed.task is not None
        await failed.task
        assert failed.state is QueryState.FAILED
        assert list(folder.iterdir()) == []


async def test_a_cursor_stalls_at_a_full_disk_and_goes_on_when_its_reader_acknowledges(
    engine: DuckEngine, tmp_path: Path
) -> None:
    statement = EngineStatement("SELECT i, repeat('x', 500) FROM range(100000) r(i)")
    async with registry(engine, tmp_path, budget=0) as queries:
        query = queries.submit("q", Submission(statement, False), 0)
        rows = sequence = windows = 0
        while not (query.has_ended and sequence >= query.spool.next_sequence):
            await queries.acknowledge(query, sequence)
            windows += 1
            while (chunk := await queries.next_chunk(query, sequence)) is not None:
                rows, sequence = rows + chunk.row_count, sequence + 1
        assert rows == 100_000
        assert windows > 2
        assert query.state is QueryState.SUCCEEDED


async def test_a_retained_result_beyond_the_budget_fails_with_53100(
    engine: DuckEngine, tmp_path: Path
) -> None:
    statement = EngineStatement("SELECT i, repeat('x', 500) FROM range(100000) r(i)")
    async with registry(engine, tmp_path, budget=1 << 20) as queries:
        query = queries.submit("q", Submission(statement, True), 0)
        assert query.task is not None
        await query.task
        assert query.error is not None
        assert query.error.sqlstate.value == "53100"
        assert spool_files(tmp_path) == []


async def test_a_result_with_too_many_rows_fails_with_54000(engine: DuckEngine, tmp_path: Path) -> None:
    async with registry(engine, tmp_path, max_rows=10) as queries:
        small = queries.submit("small", Submission(EngineStatement("SELECT * FROM range(10)"), False), 0)
        assert await read_all(queries, small) == 10
        large = queries.submit("large", Submission(EngineStatement("SELECT * FROM range(11)"), False), 0)
        with pytest.raises(GatewayError) as caught:
            await read_all(queries, large)
        assert caught.value.sqlstate.value == "54000"


async def test_a_query_that_was_given_up_before_it_came_is_not_started(
    engine: DuckEngine, tmp_path: Path
) -> None:
    """Its submission was still on its way, on another connection."""
    async with registry(engine, tmp_path) as queries:
        assert not await queries.cancel("q")
        await queries.delete("q")
        with pytest.raises(GatewayError) as refused:
            queries.submit("q", Submission(ENDLESS, is_retained=False), now_s=0.0)
    assert refused.value.sqlstate.value == "42704"


async def test_a_reader_that_comes_while_its_query_expires_is_not_told_that_somebody_cancelled_it(
    engine: DuckEngine, tmp_path: Path
) -> None:
    async with registry(engine, tmp_path) as queries:
        query = queries.submit("q", Submission(ENDLESS, is_retained=False), now_s=0.0)
        assert await queries.delete_expired(10, ttl_s=5) == 1
        with pytest.raises(GatewayError) as told:
            await queries.acknowledge(query, 0)
    assert told.value.sqlstate.value == "42704"
