"""What listens at an endpoint's address is no node, or breaks at once: one clean failure with its reason."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from execnode.statement import EngineStatement
from pgproxy.engines.channel import ChannelTimes
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.remote import RemoteEngine, RemoteOptions

SELECT_1 = EngineStatement("SELECT 1")
EMPTY_SETTINGS = bytes.fromhex("000000 04 00 00000000")
GOAWAY = bytes.fromhex("000008 07 00 00000000 00000000 00000000")
_DATA, _END_STREAM = 0, 1

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with an RST."""
    line: socket.socket = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def reset_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset(writer)


async def reset_in_the_preface(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(10)
    reset(writer)


async def reset_after_the_settings(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(24)
    writer.write(EMPTY_SETTINGS)
    await writer.drain()
    reset(writer)


async def close_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def speak_http_1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    writer.close()


async def go_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _read_request(reader)
    writer.write(EMPTY_SETTINGS + GOAWAY)
    await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> None:
    """Read the preface and frames to the end of the first request: its caller waits for the answer now."""
    await reader.readexactly(24)
    has_ended = False
    while not has_ended:
        header = await reader.readexactly(9)
        await reader.readexactly(int.from_bytes(header[:3]))
        has_ended = header[3] == _DATA and bool(header[4] & _END_STREAM)


@asynccontextmanager
async def listening(peer: Peer, **options: Any) -> AsyncIterator[RemoteEngine]:
    """An engine whose node is such a peer."""
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):  # the caller was faster
            await peer(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    engine = RemoteEngine("a", f"grpc://127.0.0.1:{port}", "token", RemoteOptions(**options))
    try:
        yield engine
    finally:
        await engine.close()
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


async def run(engine: RemoteEngine) -> FallbackReason:
    """Run a statement as a task of its own, as a session does; gives why it failed."""
    with pytest.raises(EngineUnavailable) as caught:
        async with engine.execute(SELECT_1) as stream:
            await stream.read()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling(), "the client library's own cancellation was taken for somebody else's"
    assert caught.value.sqlstate == "08006"
    return caught.value.reason


@pytest.mark.parametrize("cursor_mode", [False, True], ids=["direct", "cursor"])
@pytest.mark.parametrize(
    "peer",
    [
        reset_at_once,
        reset_in_the_preface,
        reset_after_the_settings,
        close_at_once,
        speak_http_1,
        go_away,
    ],
)
async def test_a_peer_that_breaks_the_connection_is_an_unavailable_node(
    peer: Peer, cursor_mode: bool
) -> None:
    async with listening(peer, use_cursor_mode=lambda: cursor_mode) as engine:
        reasons = await asyncio.gather(*(run(engine) for _ in range(3)))
    assert set(reasons) <= {FallbackReason.NODE_LOST, FallbackReason.CONNECT}


async def test_a_connection_lost_before_its_first_call_is_a_connect_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event loop may tell of the loss before it gives the new connection to the one who waits for it."""
    loop = asyncio.get_running_loop()
    connect = loop.create_connection

    async def connect_late(*args: Any, **kwargs: Any) -> Any:
        transport, protocol = await connect(*args, **kwargs)
        async with asyncio.timeout(5):
            while not protocol.handler.connection_lost:  # noqa: ASYNC110  # it has no event
                await asyncio.sleep(0)
        return transport, protocol

    monkeypatch.setattr(loop, "create_connection", connect_late)
    async with listening(reset_at_once) as engine:
        assert await run(engine) is FallbackReason.CONNECT


async def test_no_call_is_made_on_a_connection_that_was_given_up() -> None:
    """Between an unanswered ping and the loop's word that the connection is lost, others already know."""
    silent = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await _read_request(reader)
        silent.set()

    times = ChannelTimes(ping_interval_s=60, ping_timeout_s=60)
    async with listening(say_nothing, channel_times=times) as engine, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(run(engine))
        async with asyncio.timeout(5):
            await silent.wait()
        protocol = engine._node._channel._protocol
        protocol.connection.close()  # what an unanswered ping calls
        assert protocol.handler.connection_lost
        assert await first is FallbackReason.NODE_LOST
