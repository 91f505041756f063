"""Chunks of every size over HTTP/2, through windows and frames that they do not fit."""

import asyncio

import pytest
from grpclib.const import Cardinality, Handler
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived
from h2.settings import SettingCodes

from execnode.chunk_sending import LARGE_BYTES
from execnode.messages import encode_chunk
from execnode.rpc.execnode.v1 import DeleteQueryRequest, ResultChunk
from execnode.statement import RowChunk
from execnode.transport import MAX_FRAME_BYTES, NodeServer, follow_frame_size, server_tls
from pgproxy.engines.channel import STREAM_WINDOW_BYTES, ChannelTimes, NodeAddress, NodeChannel
from pgproxy.engines.chunk_codec import NodeCodec
from pgproxy.engines.node_tls import NodeTls
from pgproxy.engines.remote_call import ChunkCall
from tests.certificates import Authority

SIZES = [
    0,
    1,
    LARGE_BYTES - 1,
    LARGE_BYTES,
    700_000,
    MAX_FRAME_BYTES,
    3 * MAX_FRAME_BYTES + 7,
    STREAM_WINDOW_BYTES * 2,
]


def rows(place: int) -> bytes:
    return bytes([place, place * 7 % 256, 255 - place]) * (SIZES[place] // 3) + b"x" * (SIZES[place] % 3)


class Chunks:
    """A service whose chunks are far larger than what a stream may have in flight."""

    def __mapping__(self) -> dict[str, Handler]:
        return {
            "/execnode.v1.ExecNode/Execute": Handler(
                self.serve, Cardinality.UNARY_STREAM, DeleteQueryRequest, ResultChunk
            )
        }

    async def serve(self, stream) -> None:  # type: ignore[no-untyped-def]  # grpclib's own
        await stream.recv_message()
        for place in range(len(SIZES)):
            await stream.send_message(encode_chunk(place, RowChunk(memoryview(rows(place)), place)))


@pytest.mark.parametrize("has_tls", [False, True])
async def test_chunks_of_every_size_arrive_whole_on_streams_side_by_side(tmp_path, has_tls: bool) -> None:
    server, tls = NodeServer([Chunks()]), NodeTls()
    context = None
    if has_tls:
        authority = Authority(tmp_path)
        issued = authority.issue("127.0.0.1", "node")
        context, tls = server_tls(issued.certificate, issued.key), NodeTls(authority.file)
    await server.start("127.0.0.1", 0, ssl=context)
    port = server._server.sockets[0].getsockname()[1]
    channel = NodeChannel(NodeAddress("127.0.0.1", port, has_tls), NodeCodec(), ChannelTimes(), tls)

    async def read_all(pause: asyncio.Event) -> None:
        async with ChunkCall(channel, "Execute", DeleteQueryRequest(query_id="q"), {}) as call:
            await pause.wait()
            for place in range(len(SIZES)):
                chunk = await call.receive()
                assert chunk is not None
                assert (chunk.sequence, chunk.row_count, bytes(chunk.rows)) == (place, place, rows(place))
            assert await call.receive() is None

    slow = asyncio.Event()
    try:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            late = group.create_task(read_all(slow))
            now = asyncio.Event()
            now.set()
            await read_all(now)  # a stream that nobody reads does not hold it up
            assert not late.done()
            slow.set()
    finally:
        channel.close()
        server.close()
        await server.wait_closed()


async def test_a_first_frame_that_comes_with_the_acknowledgement_of_its_size_is_taken() -> None:
    """What a busy gateway reads at once."""
    server = H2Connection(H2Configuration(client_side=False))
    server.initiate_connection()
    server.update_settings({SettingCodes.MAX_FRAME_SIZE: MAX_FRAME_BYTES})
    follow_frame_size(server)
    client = H2Connection()
    client.initiate_connection()
    client.increment_flow_control_window(MAX_FRAME_BYTES)
    server.receive_data(client.data_to_send())
    client.receive_data(server.data_to_send())
    client.send_headers(1, [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "x")])
    client.send_data(1, bytes(40_000))
    events = server.receive_data(client.data_to_send())
    assert [len(event.data) for event in events if isinstance(event, DataReceived)] == [40_000]
