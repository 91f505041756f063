"""A remote engine against a real node behind a proxy that cuts and stalls, and nodes that are killed."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pytest

from execnode.statement import CatalogGeneration, EngineStatement
from pgproxy.engines.base import ResultStream, StagingSession
from pgproxy.engines.channel import STREAM_WINDOW_BYTES
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.remote import RemoteEngine
from pgproxy.engines.remote_session import RemoteSession
from pgproxy.engines.remote_sources import DirectChunks
from pgproxy.engines.remote_stream import RemoteStream
from pgwire.errors import FeatureNotSupported, GatewayError, StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import result_column
from tests.faults.exec_nodes import (
    ALL_ROWS,
    ENDLESS_ROWS,
    LONG_SUM,
    NODE_LOST_AFTER_S,
    ROWS,
    TOKEN,
    Node,
    exec_node,
    first_columns,
    free_port,
    make_catalogs,
    remote_engine,
    shared_node,
)
from tests.faults.fault_proxy import FaultProxy, fault_proxy

both_modes = pytest.mark.parametrize("cursor_mode", [False, True], ids=["direct", "cursor"])
PROMPTLY_S = 5.0
RESULT_TTL_S = 0.2
CLEANUP_INTERVAL_S = 0.05


@pytest.fixture(scope="module")
def catalogs(tmp_path_factory: pytest.TempPathFactory) -> CatalogGeneration:
    return make_catalogs(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A node that no test harms. Its results live so short that what is in use must not count as idle."""
    times = {
        "QUERY_RESULT_TTL": f"{RESULT_TTL_S * 1000:.0f}ms",
        "QUERY_CLEANUP_INTERVAL": f"{CLEANUP_INTERVAL_S * 1000:.0f}ms",
    }
    with shared_node(tmp_path_factory.mktemp("node"), **times) as port:
        yield port


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A node for one test alone."""
    async with exec_node(tmp_path) as running:
        yield running


@pytest.fixture
async def proxy(port: int) -> AsyncIterator[FaultProxy]:
    async with fault_proxy("127.0.0.1", port) as running:
        yield running


class Reach(Protocol):
    """Makes an engine for the node at `port`."""

    def __call__(self, port: int, *, cursor_mode: bool = False, token: str = TOKEN) -> RemoteEngine: ...


@pytest.fixture
async def reach(catalogs: CatalogGeneration) -> AsyncIterator[Reach]:
    """What it makes is closed after the test, a failed one too: else a later test is blamed for it."""
    engines: list[RemoteEngine] = []

    def make(port: int, *, cursor_mode: bool = False, token: str = TOKEN) -> RemoteEngine:
        engines.append(remote_engine(port, catalogs, cursor_mode=cursor_mode, token=token))
        return engines[-1]

    yield make
    for engine in engines:
        await engine.close()


async def read_into(values: list[int], stream: ResultStream) -> list[int]:
    while (chunk := await stream.read()) is not None:
        values += first_columns(chunk)
    return values


async def read_all(stream: ResultStream) -> list[int]:
    return await read_into([], stream)


def slow(weight: int) -> EngineStatement:
    """A statement with one row, which takes long: some milliseconds by weight."""
    sql = f"SELECT sum((a.i * b.i) % 7) AS s FROM data.main.big a, range({weight}) b(i)"
    return EngineStatement(sql, result_columns=(result_column("s", "HUGEINT"),))


async def outlast(engine: RemoteEngine, seconds: float) -> None:
    """Run ever longer statements, until one that was answered took longer than this on any machine."""
    weight, took = 300, 0.0
    while took <= seconds:
        began = time.monotonic()
        async with engine.execute(slow(weight)) as stream:
            assert len(await read_all(stream)) == 1
        took = time.monotonic() - began
        weight *= 2


async def until_running(engine: RemoteEngine, count: int) -> None:
    """Wait until the node runs so many statements; each question paces the next."""
    async with asyncio.timeout(PROMPTLY_S):
        while (await engine.probe()).load != count:
            pass


async def test_a_node_keeps_the_plan_of_what_comes_again_over_a_file_that_nobody_writes(
    port: int, reach: Reach
) -> None:
    engine = reach(port)

    async def ask(sql: str, *, keeps_plan: bool, reads: str = "data") -> list[int]:
        statement = EngineStatement(
            sql,
            result_columns=(result_column("n", "BIGINT"),),
            keeps_plan=keeps_plan,
            reads=frozenset({reads} - {""}),
        )
        async with engine.execute(statement) as stream:
            return await read_all(stream)

    kept, other = (f"SELECT count(*) AS {name} FROM data.main.big" for name in ("comes", "differs"))
    for sql, keeps_plan, reads in ((kept, True, "data"), (other, False, "data"), (other, True, "unknown")):
        assert [await ask(sql, keeps_plan=keeps_plan, reads=reads) for _ in range(4)] == [[ROWS]] * 4
    made = "SELECT count(*) AS n FROM duckdb_prepared_statements() WHERE contains(statement, '{}')"
    found = [await ask(made.format(name), keeps_plan=True, reads="") for name in ("comes", "differs")]
    assert found == [[1], [0]]


@both_modes
async def test_every_row_arrives_once_and_in_order(port: int, reach: Reach, cursor_mode: bool) -> None:
    engine = reach(port, cursor_mode=cursor_mode)
    async with engine.execute(ALL_ROWS) as stream:
        assert [(c.name, c.engine_type) for c in stream.columns] == [("i", "BIGINT"), ("pad", "VARCHAR")]
        assert await read_all(stream) == list(range(ROWS))
    async with asyncio.timeout(PROMPTLY_S):  # a busy node may close its query a moment later
        while (await engine.probe()).load:
            pass  # each question waits for its answer


@both_modes
async def test_a_statements_error_keeps_its_sqlstate(port: int, reach: Reach, cursor_mode: bool) -> None:
    engine = reach(port, cursor_mode=cursor_mode)
    wrong = EngineStatement("SELECT CAST(pad AS INTEGER) FROM (SELECT 'x' || i AS pad FROM data.main.big)")
    with pytest.raises(StatementError) as caught:
        async with engine.execute(wrong) as stream:
            await read_all(stream)
    assert caught.value.sqlstate.value == "22P02"


@both_modes
async def test_a_node_killed_in_mid_stream_is_one_prompt_error_after_right_rows(
    node: Node, reach: Reach, cursor_mode: bool
) -> None:
    engine = reach(node.port, cursor_mode=cursor_mode)
    values: list[int] = []

    async def read_and_kill() -> None:
        async with engine.execute(ALL_ROWS) as stream:
            chunk = await stream.read()
            assert chunk is not None
            values.extend(first_columns(chunk))
            await node.kill()
            async with asyncio.timeout(PROMPTLY_S):
                await read_into(values, stream)

    with pytest.raises(EngineUnavailable) as caught:
        await read_and_kill()
    assert caught.value.reason is FallbackReason.NODE_LOST
    assert values == list(range(len(values)))
    assert len(values) < ROWS


async def test_a_cut_connection_is_one_error_in_direct_mode(proxy: FaultProxy, reach: Reach) -> None:
    engine = reach(proxy.port)
    proxy.cut_after(3 << 20)
    with pytest.raises(EngineUnavailable) as caught:
        async with engine.execute(ALL_ROWS) as stream:
            await read_all(stream)
    assert caught.value.reason is FallbackReason.NODE_LOST
    await until_running(engine, 0)  # over a new connection: the node has stopped what was cut


async def test_a_result_survives_many_cuts_in_cursor_mode_without_losing_or_doubling_a_row(
    proxy: FaultProxy, reach: Reach
) -> None:
    engine = reach(proxy.port, cursor_mode=True)
    values: list[int] = []
    proxy.cut_after(2 << 20)
    async with engine.execute(ALL_ROWS) as stream:
        while (chunk := await stream.read()) is not None:
            values += first_columns(chunk)
            if not proxy.will_cut:
                proxy.cut_after(9 << 20)
    assert values == list(range(ROWS))
    assert proxy.cuts >= 4


@both_modes
async def test_a_connection_that_goes_silent_is_given_up(
    proxy: FaultProxy, reach: Reach, cursor_mode: bool
) -> None:
    engine = reach(proxy.port, cursor_mode=cursor_mode)

    async def read_and_stall() -> None:
        async with engine.execute(ENDLESS_ROWS) as stream:
            await stream.read()
            proxy.stall()
            async with asyncio.timeout(30):
                await read_into([], stream)

    with pytest.raises(EngineUnavailable) as caught:
        await read_and_stall()
    assert caught.value.reason is FallbackReason.NODE_LOST


@both_modes
async def test_a_frozen_node_is_given_up_and_a_slow_query_is_not(
    node: Node, reach: Reach, cursor_mode: bool
) -> None:
    """The query takes longer than a ping may: it is the node that must answer, not the query."""
    engine = reach(node.port, cursor_mode=cursor_mode)
    await outlast(engine, NODE_LOST_AFTER_S)

    async def read_and_freeze() -> None:
        async with engine.execute(ENDLESS_ROWS) as stream:
            await stream.read()
            node.stop_running()
            async with asyncio.timeout(PROMPTLY_S):
                await read_into([], stream)

    with pytest.raises(EngineUnavailable) as caught:
        await read_and_freeze()
    assert caught.value.reason is FallbackReason.NODE_LOST


async def test_a_cursor_that_is_waited_for_outlives_its_time_to_live(port: int, reach: Reach) -> None:
    engine = reach(port, cursor_mode=True)
    await outlast(engine, RESULT_TTL_S + 2 * CLEANUP_INTERVAL_S)


@both_modes
async def test_a_cancelled_statement_has_stopped_on_the_node_within_a_second(
    port: int, reach: Reach, cursor_mode: bool
) -> None:
    engine = reach(port, cursor_mode=cursor_mode)

    async def run() -> None:
        async with engine.execute(LONG_SUM) as stream:
            await stream.read()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run())
        await until_running(engine, 1)
        began = time.monotonic()
        task.cancel()
        await asyncio.wait({task})
        assert time.monotonic() - began < 1.0
        assert (await engine.probe()).load == 0


@both_modes
async def test_leaving_an_unfinished_result_leaves_the_node_idle(
    port: int, reach: Reach, cursor_mode: bool
) -> None:
    engine = reach(port, cursor_mode=cursor_mode)
    await until_running(engine, 0)  # what an earlier test gave up
    async with engine.execute(ENDLESS_ROWS) as stream:
        await stream.read()
    assert (await engine.probe()).load == 0


@both_modes
async def test_a_reader_that_stops_holds_one_window_and_disturbs_nobody(
    proxy: FaultProxy, reach: Reach, cursor_mode: bool
) -> None:
    engine = reach(proxy.port, cursor_mode=cursor_mode)
    async with engine.execute(ENDLESS_ROWS) as slow:
        await slow.read()
        before = proxy.bytes_from_upstream
        received = 0
        async with engine.execute(ALL_ROWS) as other:
            values: list[int] = []
            while (chunk := await other.read()) is not None:
                received += len(chunk.rows)
                values += first_columns(chunk)
        assert values == list(range(ROWS))
        for _ in range(100):
            await engine.probe()
        waiting = proxy.bytes_from_upstream - before - received
        assert waiting < STREAM_WINDOW_BYTES + (2 << 20)
    assert proxy.connections == 1


async def test_a_statement_that_the_node_ends_amid_a_message_is_told_its_reason(
    reach: Reach, proxy: FaultProxy
) -> None:
    """As QUERY_TIMEOUT does where the client reads slowly; the rest of the message never comes."""
    engine = reach(proxy.port)
    async with engine.execute(ENDLESS_ROWS) as stream:
        await stream.read()
        while proxy.bytes_from_upstream < STREAM_WINDOW_BYTES:  # noqa: ASYNC110  # the proxy sends no event
            await asyncio.sleep(0.01)
        assert isinstance(stream, RemoteStream)
        assert isinstance(stream._source, DirectChunks)
        await engine._node.cancel_query(stream._source._query_id)
        with pytest.raises(GatewayError) as caught:
            await read_all(stream)
    assert caught.value.sqlstate is SqlState.QUERY_CANCELED
    async with engine.execute(slow(1)) as again:
        assert len(await read_all(again)) == 1, "the connection is as good as before"


async def test_a_session_whose_opener_is_cancelled_does_not_stay_on_the_node(
    reach: Reach, port: int, proxy: FaultProxy
) -> None:
    watcher, engine = reach(port), reach(proxy.port)
    await engine.describe(ALL_ROWS)  # the catalogs are attached
    before = (await watcher.probe()).open_sessions
    proxy.hold_replies()
    opening = asyncio.create_task(engine.open_session())
    while (await watcher.probe()).open_sessions == before:  # noqa: ASYNC110  # a node sends no event
        await asyncio.sleep(0.01)
    opening.cancel()
    await asyncio.sleep(0)
    proxy.resume()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert (await watcher.probe()).open_sessions == before


async def test_a_node_that_was_restarted_is_told_its_catalogs_again(tmp_path: Path, reach: Reach) -> None:
    own_port = free_port()
    engine = reach(own_port)
    for _ in range(2):
        async with exec_node(tmp_path, own_port) as node:
            async with engine.execute(ALL_ROWS) as stream:
                assert await read_all(stream) == list(range(ROWS))
            await node.kill()


async def test_a_node_that_is_told_to_stop_first_gives_out_what_its_cursors_hold(
    node: Node, reach: Reach
) -> None:
    engine = reach(node.port, cursor_mode=True)
    async with engine.execute(ALL_ROWS) as stream:
        values: list[int] = []
        chunk = await stream.read()
        assert chunk is not None
        values += first_columns(chunk)
        node.process.terminate()
        assert await read_into(values, stream) == list(range(ROWS))
    async with asyncio.timeout(10):
        assert await node.process.wait() == 0


async def test_a_node_that_is_not_there_is_a_connect_failure(reach: Reach) -> None:
    engine = reach(free_port())
    with pytest.raises(EngineUnavailable) as caught:
        async with engine.execute(ALL_ROWS):
            pass
    assert caught.value.reason is FallbackReason.CONNECT


async def test_a_wrong_token_is_a_connect_failure(port: int, reach: Reach) -> None:
    engine = reach(port, token="wrong")
    with pytest.raises(EngineUnavailable) as caught:
        async with engine.execute(ALL_ROWS):
            pass
    assert caught.value.reason is FallbackReason.CONNECT


async def test_a_pinned_session_keeps_its_temporary_table_and_ends_with_its_close(
    port: int, reach: Reach
) -> None:
    engine = reach(port)
    session = await engine.open_session()
    await session.execute_utility("CREATE TEMP TABLE mine AS SELECT 7 AS x")
    mine = EngineStatement("SELECT x FROM mine")
    assert [c.name for c in await engine.describe(mine, session)] == ["x"]
    async with engine.execute(mine, session) as stream:
        assert await read_all(stream) == [7]
    await session.close()
    with pytest.raises(EngineUnavailable):
        await engine.describe(mine, session)


async def test_rows_are_staged_on_a_node_and_a_killed_one_is_a_clean_error(node: Node, reach: Reach) -> None:
    engine = reach(node.port)
    session = await engine.open_session()
    assert isinstance(session, StagingSession)
    rows = pa.record_batch({"n": pa.array(range(1000)), "it": pa.array(["x'\"", None] * 500)})
    await session.create_staging('rows "of" mine', rows.schema)
    for _ in range(3):
        await session.append_staging('rows "of" mine', rows)
    total = EngineStatement('SELECT sum(n)::BIGINT + count(it) AS s FROM temp.main."rows ""of"" mine"')
    async with engine.execute(total, session) as stream:
        assert await read_all(stream) == [3 * (sum(range(1000)) + 500)]
    with pytest.raises(GatewayError, match="refused"):
        await session.append_staging('rows "of" mine', pa.record_batch({"n": pa.array(["x"])}))
    await node.kill()
    with pytest.raises(EngineUnavailable) as caught:
        await session.append_staging('rows "of" mine', rows)
    assert caught.value.reason in {FallbackReason.NODE_LOST, FallbackReason.CONNECT}


async def test_a_node_of_an_older_contract_takes_no_rows_and_says_why(port: int, reach: Reach) -> None:
    session = await reach(port).open_session()
    assert isinstance(session, RemoteSession)
    session.node.catalogs.contract_version = 3
    with pytest.raises(FeatureNotSupported, match="too old"):
        await session.create_staging("rows", pa.schema({"n": pa.int64()}))
    await session.close()
