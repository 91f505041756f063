"""The exec node as a real process: start, refusal, streaming, cancel, memory cap, loss, drain."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest
from grpclib.client import Channel
from grpclib.config import Configuration
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from execnode.contract import CONTRACT_VERSION
from execnode.rpc.execnode import v1
from execnode.status import StatusDetailsCodec

ENDLESS = "SELECT sum(hash(i)) FROM range(100000000000) r(i)"
EXECNODE = Path(sys.executable).parent / "execnode"


def environment(**settings: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    addresses = {"LISTEN_ADDR": "127.0.0.1:0", "GRPC_LISTEN_ADDR": "127.0.0.1:0"}
    return kept | addresses | settings


@dataclass
class Node:
    """One running node."""

    process: "subprocess.Popen[str]"
    grpc_port: int
    http_port: int

    def health(self) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/health", timeout=5) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def rss_bytes(self) -> int:
        return psutil.Process(self.process.pid).memory_info().rss


def start(**settings: str) -> Node:
    process = subprocess.Popen(
        [EXECNODE, "serve"], env=environment(**settings), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "ready" in line
    grpc_port, http_port = map(int, re.findall(r"port (\d+)", line))
    return Node(process, grpc_port, http_port)


def end(node: Node) -> None:
    node.process.kill()
    node.process.wait()
    if node.process.stdout is not None:
        node.process.stdout.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    spool = tmp_path_factory.mktemp("spool")
    node = start(AGENT_TOKEN="old,new", MAX_MEMORY_GB="0.25", SPOOL_DIR=str(spool))
    yield node
    end(node)


@pytest.fixture
def own() -> Iterator[Node]:
    node = start(AGENT_TOKEN="new")
    yield node
    end(node)


class Client:
    """A stub whose stream window is small, as a paused gateway's."""

    def __init__(self, node: Node, token: str = "new") -> None:
        self.channel = Channel(
            "127.0.0.1",
            node.grpc_port,
            status_details_codec=StatusDetailsCodec(),
            config=Configuration(http2_stream_window_size=1 << 20),
        )
        self.stub = v1.ExecNodeStub(self.channel, metadata={"authorization": f"Bearer {token}"})

    async def attach(self, path: Path) -> None:
        catalog = v1.Catalog(name="a", kind="duckdb", location=str(path), is_read_only=True)
        await self.stub.attach_catalogs(v1.AttachCatalogsRequest(generation=1, catalogs=[catalog]))

    def execute(self, query_id: str, sql: str) -> AsyncIterator[v1.ResultChunk]:
        return self.stub.execute(
            v1.ExecuteRequest(query_id=query_id, statement=statement(sql), catalog_generation=1)
        )

    async def count(self, query_id: str, sql: str) -> int:
        return sum([chunk.row_count async for chunk in self.execute(query_id, sql)])


def statement(sql: str) -> v1.Statement:
    declared = (
        [v1.Column(name="sum", type_oid=1700, typmod=-1, engine_type="HUGEINT")] if sql == ENDLESS else []
    )
    output = v1.OutputSettings(time_zone="UTC", interval_style="postgres", bytea_output="hex")
    return v1.Statement(sql=sql, result_columns=declared, returns_rows=True, output=output)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "a.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    return path


Connect = Callable[..., Client]
"""Takes what Client takes."""


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """What it makes is closed after the test, a failed one too: else a later test is blamed for it."""
    clients: list[Client] = []

    def make(node: Node, token: str = "new") -> Client:
        clients.append(Client(node, token))
        return clients[-1]

    yield make
    for client in clients:
        client.channel.close()


@pytest.fixture
async def client(connect: Connect, shared: Node, database: Path) -> Client:
    made = connect(shared)
    await made.attach(database)
    return made


async def wait_until_idle(node: Node) -> None:
    async with asyncio.timeout(2):
        while (await asyncio.to_thread(node.health))[1]["active_queries"]:
            pass  # the answer over HTTP is the wait


def test_without_a_token_the_node_refuses_to_start() -> None:
    done = subprocess.run([EXECNODE, "serve"], env=environment(), capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert "AGENT_TOKEN" in done.stderr
    assert done.stdout == ""


def test_a_setting_that_does_not_parse_stops_the_start_by_name() -> None:
    settings = environment(AGENT_TOKEN="t", QUERY_RESULT_TTL="soon")
    done = subprocess.run([EXECNODE, "serve"], env=settings, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert "QUERY_RESULT_TTL" in done.stderr


def test_a_folder_or_an_address_that_cannot_be_used_stops_the_start_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for name, value in (("SPOOL_DIR", "/dev/null/spool"), ("LISTEN_ADDR", address)):
            settings = environment(AGENT_TOKEN="t", **{name: value})
            done = subprocess.run(
                [EXECNODE, "serve"], env=settings, capture_output=True, text=True, timeout=20
            )
            assert done.returncode == 2
            assert done.stderr.splitlines()[-1].startswith(f"execnode: {name}: cannot ")
            assert "Traceback" not in done.stderr


@pytest.mark.parametrize("token", ["wrong", "", "new,old", "ne"])
async def test_a_wrong_token_is_refused(connect: Connect, shared: Node, token: str) -> None:
    client = connect(shared, token)
    with pytest.raises(GRPCError) as caught:
        await client.stub.health(v1.HealthRequest())
    assert caught.value.status is Status.UNAUTHENTICATED


async def test_both_tokens_are_taken_during_rotation(connect: Connect, shared: Node) -> None:
    for token in ("old", "new"):
        client = connect(shared, token)
        assert (await client.stub.health(v1.HealthRequest())).contract_version == CONTRACT_VERSION


async def test_a_statement_for_catalogs_that_are_not_attached_is_told_so(connect: Connect, own: Node) -> None:
    client = connect(own)
    with pytest.raises(GRPCError) as caught:
        await client.count("q", "SELECT 1")
    assert caught.value.status is Status.FAILED_PRECONDITION
    assert caught.value.details is None


async def test_an_error_has_its_sqlstate_and_its_text_apart(client: Client) -> None:
    with pytest.raises(GRPCError) as caught:
        await client.count("q", "SELECT 'topsecret'::INTEGER")
    detail = caught.value.details
    assert (detail.sqlstate, detail.engine_class) == ("22P02", "ConversionException")
    assert "topsecret" in detail.message
    assert "topsecret" not in (caught.value.message or "") + detail.client_message


async def test_five_million_rows_to_a_slow_reader_use_bounded_memory(client: Client, shared: Node) -> None:
    before = shared.rss_bytes()
    highest, rows, has_paused = before, 0, False
    async for chunk in client.execute("slow", "SELECT i, i, i FROM range(5000000) r(i)"):
        rows += chunk.row_count
        if not has_paused and rows > 100000:
            has_paused = True
            await asyncio.sleep(0.5)
        highest = max(highest, shared.rss_bytes())
    assert rows == 5000000
    assert highest - before < 150 << 20


async def test_cancelling_a_long_query_is_confirmed_within_a_second(client: Client, shared: Node) -> None:
    chunks = client.execute("long", ENDLESS)
    assert [c.name for c in (await anext(chunks)).columns]
    assert (await asyncio.to_thread(shared.health))[1]["active_queries"] == 1
    began_s = time.monotonic()
    reply = await client.stub.cancel_query(v1.CancelQueryRequest(query_id="long"))
    assert reply.was_running
    assert time.monotonic() - began_s < 1
    assert (await asyncio.to_thread(shared.health))[1]["active_queries"] == 0
    with pytest.raises(GRPCError) as caught:
        await anext(chunks)
    assert caught.value.details.sqlstate == "57014"


async def test_a_client_that_disappears_cancels_its_query(
    connect: Connect, client: Client, shared: Node, database: Path
) -> None:
    other = connect(shared)
    await other.attach(database)
    chunks = other.execute("lost", ENDLESS)
    await anext(chunks)
    other.channel.close()
    await wait_until_idle(shared)
    with pytest.raises((StreamTerminatedError, GRPCError)):
        await anext(chunks)


async def test_a_client_that_stops_reading_and_disappears_cancels_its_query(
    connect: Connect, shared: Node, database: Path
) -> None:
    other = connect(shared)
    await other.attach(database)
    chunks = other.execute("stuck", "SELECT * FROM range(100000000000)")
    await anext(chunks)
    await asyncio.sleep(0.3)
    other.channel.close()
    await wait_until_idle(shared)
    await chunks.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_the_memory_cap_is_duckdbs(client: Client, shared: Node) -> None:
    with pytest.raises(GRPCError) as caught:
        await client.count("big", "SELECT list(i) FROM range(500000000) r(i)")
    assert caught.value.status is Status.RESOURCE_EXHAUSTED
    assert caught.value.details.sqlstate == "53200"
    assert shared.rss_bytes() < 700 << 20
    assert await client.count("after", "SELECT 1") == 1


async def test_a_spooled_result_survives_a_cut_connection(
    connect: Connect, client: Client, shared: Node
) -> None:
    sql = "SELECT i, repeat('x', 20) FROM range(2000000) r(i)"
    await client.stub.submit_query(
        v1.SubmitQueryRequest(query_id="spool", statement=statement(sql), catalog_generation=1)
    )
    rows = sequence = 0
    is_last = False
    while not is_last:
        reader = connect(shared)
        request = v1.FetchResultsRequest(query_id="spool", from_sequence=sequence)
        taken = 0
        async for chunk in reader.stub.fetch_results(request):
            assert chunk.sequence == sequence
            rows, sequence, taken, is_last = rows + chunk.row_count, sequence + 1, taken + 1, chunk.is_last
            if taken == 20:
                break
        reader.channel.close()
    assert rows == 2000000
    await client.stub.delete_query(v1.DeleteQueryRequest(query_id="spool"))
    assert (await client.stub.health(v1.HealthRequest())).spool_bytes == 0


async def test_a_killed_node_is_seen_by_its_client(connect: Connect, own: Node, database: Path) -> None:
    client = connect(own)
    await client.attach(database)
    chunks = client.execute("q", ENDLESS)
    await anext(chunks)
    own.process.send_signal(signal.SIGKILL)
    async with asyncio.timeout(2):
        with pytest.raises((StreamTerminatedError, GRPCError, OSError)):
            await anext(chunks)


async def test_sigterm_lets_a_running_statement_end_and_exits_with_zero(
    connect: Connect, own: Node, database: Path
) -> None:
    client = connect(own)
    await client.attach(database)
    chunks = client.execute("q", "SELECT i, i FROM range(2000000) r(i)")
    rows = (await anext(chunks)).row_count
    own.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(5):
        while (await asyncio.to_thread(own.health))[0] != 503:
            pass  # the answer over HTTP is the wait
    with pytest.raises(GRPCError) as caught:
        await client.count("late", "SELECT 1")
    assert caught.value.status is Status.UNAVAILABLE
    async for chunk in chunks:
        rows += chunk.row_count
    assert rows == 2000000
    assert await asyncio.to_thread(own.process.wait, 5) == 0


def test_metrics_are_prometheus_text(shared: Node) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{shared.http_port}/metrics", timeout=5) as reply:
        text = reply.read().decode()
    assert "execnode_active_queries 0.0" in text


async def sqlstate_of(chunks: AsyncIterator[v1.ResultChunk]) -> str:
    with pytest.raises(GRPCError) as caught:
        async for _ in chunks:
            pass
    assert caught.value.details is not None, caught.value
    return str(caught.value.details.sqlstate)


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Node]:
    """A node with every limit set."""
    node = start(
        AGENT_TOKEN="new",
        MAX_MEMORY_GB="0.5",
        MAX_CONCURRENT_QUERIES="1",
        MAX_QUEUED_QUERIES="0",
        QUERY_TIMEOUT="3s",
        MAX_RESULT_ROWS="10000",
        MAX_RESULT_BYTES=str(16 << 20),
        QUERY_RESULT_TTL="2s",
        QUERY_CLEANUP_INTERVAL="50ms",
        SPOOL_DIR=str(tmp_path / "spools"),
        SPOOL_MAX_BYTES=str(1 << 20),
    )
    yield node
    end(node)


async def test_limits_of_the_environment_hold(connect: Connect, limited: Node, database: Path) -> None:
    client = connect(limited)
    await client.attach(database)
    health = await client.stub.health(v1.HealthRequest())
    assert (health.max_concurrent_queries, health.memory_limit_bytes) == (1, 1 << 29)
    assert (health.spool_limit_bytes, health.query_result_ttl_s) == (1 << 20, 2)

    endless = client.execute("endless", ENDLESS)
    await anext(endless)
    with pytest.raises(GRPCError) as shed:
        await client.count("second", "SELECT 1")
    assert shed.value.status is Status.RESOURCE_EXHAUSTED
    assert await sqlstate_of(endless) == "57014"
    assert await sqlstate_of(client.execute("rows", "SELECT * FROM range(10001)")) == "54000"
    wide = "SELECT repeat('x', 12000) FROM range({})"
    assert await sqlstate_of(client.execute("bytes", wide.format(1500))) == "54000"

    await client.stub.submit_query(
        v1.SubmitQueryRequest(
            query_id="kept", statement=statement(wide.format(1000)), catalog_generation=1, retain=True
        )
    )
    request = v1.FetchResultsRequest(query_id="kept", from_sequence=0)
    assert await sqlstate_of(client.stub.fetch_results(request)) == "53100"
    async with asyncio.timeout(10):  # nobody calls the node but for its health: a timer cleans up
        while not (found := (await asyncio.to_thread(limited.health))[1])["cleaned_jobs"]:
            pass
    assert found["stored_jobs"] == 0


async def test_cursors_can_be_switched_off_and_sigterm_waits_no_longer_than_its_grace(
    connect: Connect, database: Path
) -> None:
    node = start(AGENT_TOKEN="new", FEATURE_CURSOR_MODE="off", SHUTDOWN_GRACE="100ms")
    try:
        client = connect(node)
        await client.attach(database)
        assert not (await client.stub.health(v1.HealthRequest())).cursor_mode
        with pytest.raises(GRPCError) as caught:
            await client.stub.submit_query(
                v1.SubmitQueryRequest(query_id="q", statement=statement("SELECT 1"), catalog_generation=1)
            )
        assert caught.value.status is Status.UNIMPLEMENTED
        endless = client.execute("endless", ENDLESS)
        await anext(endless)
        node.process.send_signal(signal.SIGTERM)
        with pytest.raises((StreamTerminatedError, GRPCError, OSError)):
            await anext(endless)
        assert await asyncio.to_thread(node.process.wait, 15) == 0
    finally:
        end(node)


def test_grpc_can_be_switched_off_and_health_stays() -> None:
    node = start(AGENT_TOKEN="new", FEATURE_INTERNAL_GRPC="off")
    try:
        assert node.grpc_port == 0
        assert node.health()[0] == 200
    finally:
        end(node)
