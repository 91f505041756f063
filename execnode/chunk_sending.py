"""Result chunks into HTTP/2 without a copy: grpclib, h2 and hyperframe would make eleven of each.

grpclib makes its Connection and h2's connection itself: there is no class to pass, so attributes are set. h2
still counts every frame against the windows; only its bytes go past its buffer.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, cast

from grpclib.encoding.proto import ProtoCodec
from grpclib.protocol import Connection, Stream
from h2.connection import H2Connection
from hyperframe.frame import DataFrame, Frame

from execnode.rpc.execnode import v1

LARGE_BYTES = 32 << 10
"""Below it a copy costs less than to avoid it."""
_ROWS_KEY = b"\x1a"  # field 3, a length and bytes: Protocol Buffers docs, "Encoding"
_JOINED_BYTES = 4096
_END_STREAM = 1


class Pieces:
    """Bytes that lie in several places. What grpclib and h2 do with a message's bytes works on it."""

    __slots__ = ("_size", "parts")

    def __init__(self, parts: Sequence[bytes | memoryview]) -> None:
        self.parts = parts
        self._size = sum(map(len, parts))

    def __len__(self) -> int:
        return self._size

    def __radd__(self, head: bytes) -> "Pieces":
        """Put gRPC's five bytes before the message."""
        return Pieces((head + bytes(self.parts[0]), *self.parts[1:]))


class ChunkCodec(ProtoCodec):
    """The codec of a node's server: the rows of a large `ResultChunk` stay where they are, at its end."""

    def encode(self, message: Any, message_type: Any) -> bytes:
        if not isinstance(message, v1.ResultChunk) or len(message.rows) < LARGE_BYTES:
            return bytes(super().encode(message, message_type))
        rows, message.rows = message.rows, b""
        head = bytes(super().encode(message, message_type))
        message.rows = rows
        return cast(bytes, Pieces((head + _ROWS_KEY + _varint(len(rows)), memoryview(rows))))


class ChunkStream(Stream):
    """A stream that sends `Pieces` frame by frame, as the peer's window and the transport take them."""

    async def send_data(self, data: bytes | Pieces, end_stream: bool = False) -> None:
        if not isinstance(data, Pieces):
            await super().send_data(data, end_stream)
            return
        h2, stream_id = self._h2_connection, cast(int, self.id)
        left, remaining = deque(memoryview(part) for part in data.parts), len(data)
        while remaining:
            await self.connection.write_ready.wait()
            size = min(h2.local_flow_control_window(stream_id), h2.max_outbound_frame_size, remaining)
            if size <= 0:
                self.window_updated.clear()
                await self.window_updated.wait()
                continue
            remaining -= size
            frame = cast(bytes, take(left, size))
            h2.send_data(stream_id, frame, end_stream=end_stream and not remaining)
            self.data_sent += size
            self.connection.data_sent += size
            self.connection.data_send_process()


def take(left: deque[memoryview], size: int) -> Pieces:
    """Take so many bytes from the front."""
    taken: list[memoryview] = []
    while size:
        part = left.popleft()
        taken.append(part[:size])
        if len(part) > size:
            left.appendleft(part[size:])
        size -= len(taken[-1])
    return Pieces(taken)


def write_past_buffer(connection: Connection, transport: asyncio.Transport) -> None:
    """Let frames of `Pieces` go to the transport as they are, behind what h2 has buffered."""
    h2 = connection._connection
    vars(h2)["_prepare_for_sending"] = partial(_send_frames, h2, transport, h2._prepare_for_sending)


def _send_frames(
    h2: H2Connection,
    transport: asyncio.Transport,
    prepare: Callable[[list[Frame]], None],
    frames: Iterable[Frame],
) -> None:
    for frame in frames:
        data: object = frame.data if isinstance(frame, DataFrame) else None
        if not isinstance(data, Pieces):
            prepare([frame])
            continue
        transport.write(h2.data_to_send())
        first, *others = data.parts
        head = _frame_head(frame, len(data))
        if len(first) < _JOINED_BYTES:  # not a packet of its own
            transport.write(head + bytes(first))
        else:
            others.insert(0, first)
            transport.write(head)
        for part in others:
            transport.write(part)


def _frame_head(frame: Frame, size: int) -> bytes:
    """RFC 9113, "Frame Format": length, type (DATA is 0), flags, stream."""
    flags = _END_STREAM if "END_STREAM" in frame.flags else 0
    return size.to_bytes(3, "big") + bytes((0, flags)) + frame.stream_id.to_bytes(4, "big")


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
