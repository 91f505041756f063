"""Real exec nodes as processes of their own, and the data that they serve."""

import asyncio
import os
import signal
import struct
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from demo.ports import free_port
from demo.programs import running
from execnode.statement import CatalogDefinition, CatalogGeneration, EngineStatement, RowChunk
from pgproxy.engines.channel import ChannelTimes
from pgproxy.engines.remote import RemoteEngine, RemoteOptions
from pgproxy.engines.remote_node import CallTimes

TOKEN = "token-of-the-fault-tests"
NODE_LOST_AFTER_S = 1.0
"""So long a node may answer no ping of `remote_engine`."""

ROWS = 200_000
ALL_ROWS = EngineStatement("SELECT i, repeat('x', 200) AS pad FROM data.main.big ORDER BY i")
ENDLESS_ROWS = EngineStatement("SELECT i, repeat('x', 200) AS pad FROM data.main.big, range(10000)")
LONG_SUM = EngineStatement("SELECT sum((a.i * b.i) % 7) AS s FROM data.main.big a, data.main.big b")


@dataclass
class Node:
    """One exec node process."""

    process: asyncio.subprocess.Process
    port: int

    def stop_running(self) -> None:
        """Freeze it: it answers nothing, and what is sent to it waits."""
        self.process.send_signal(signal.SIGSTOP)

    async def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        await self.process.wait()


@contextmanager
def shared_node(folder: Path, **environment: str) -> Iterator[int]:
    """Run a node for many tests, none of which harms it; gives its port."""
    port = free_port()
    with running(["execnode", "serve"], _environment(port, environment | {"SPOOL_DIR": str(folder)})):
        yield port


@asynccontextmanager
async def exec_node(folder: Path, port: int | None = None, **environment: str) -> AsyncIterator[Node]:
    """Run a node until the context is left. It is ready when this is entered."""
    grpc_port = port or free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "execnode",
        "serve",
        cwd=folder,
        env=_environment(grpc_port, environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            while b"ready" not in (line := await process.stdout.readline()):
                assert line, "the node ended before it was ready"
        yield Node(process, grpc_port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _environment(grpc_port: int, settings: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "AGENT_TOKEN": TOKEN,
        "LISTEN_ADDR": f"127.0.0.1:{free_port()}",
        "GRPC_LISTEN_ADDR": f"127.0.0.1:{grpc_port}",
        **settings,
    }


def make_catalogs(folder: Path) -> CatalogGeneration:
    """Write a DuckDB file and describe it as the one catalog `data`, read-only."""
    path = folder / "data.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE big AS SELECT i FROM range({ROWS}) t(i)")
    return CatalogGeneration(1, (CatalogDefinition("data", "duckdb", str(path), is_read_only=True),))


def remote_engine(
    port: int, catalogs: CatalogGeneration, *, cursor_mode: bool = False, token: str = TOKEN
) -> RemoteEngine:
    """Reach the node at `port`, with short deadlines."""
    options = RemoteOptions(
        use_cursor_mode=lambda: cursor_mode,
        channel_times=ChannelTimes(
            ping_interval_s=NODE_LOST_AFTER_S / 2, ping_timeout_s=NODE_LOST_AFTER_S / 2
        ),
        call_times=CallTimes(resume_s=1.0),
    )
    engine = RemoteEngine("a", f"grpc://127.0.0.1:{port}", token, options)
    engine.expect_catalogs(catalogs)
    return engine


def first_columns(chunk: RowChunk) -> list[int]:
    """The first column, an integer as text, of every DataRow of a chunk."""
    rows, at, values = bytes(chunk.rows), 0, []
    while at < len(rows):
        _, length, _, value_length = struct.unpack_from("!cihi", rows, at)
        values.append(int(rows[at + 11 : at + 11 + value_length]))
        at += 1 + length
    assert len(values) == chunk.row_count
    return values
