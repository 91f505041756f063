"""Large HTTP/2 frames out of what the socket gives, copied once; h2 and grpclib would copy each four times.

grpclib's and h2's classes are extended, not changed: what is small goes their way.
"""

from functools import partial
from typing import cast

from grpclib.protocol import AckedData, Buffer, Connection
from h2.frame_buffer import FrameBuffer
from hyperframe.frame import DataFrame, Frame

from execnode.chunk_sending import LARGE_BYTES, ChunkStream

_HEAD_BYTES = 9  # RFC 9113, "Frame Format"
_PADDED = 8


class LargeFrames(FrameBuffer):
    """h2's incoming frames. The body of a large DATA frame is gathered in the pieces that it came in.

    Frames have no text form: h2 4.4 builds `repr(frame)`, the whole body in hexadecimal, for a trace that
    nobody reads: 0.8 of the 2.7 seconds that 400 MB took to receive.
    """

    def __init__(self) -> None:
        super().__init__()
        self._arrived = memoryview(b"")
        self._body: _Body | None = None

    def add_data(self, data: bytes) -> None:  # type: ignore[override]  # h2's type has no public name
        """Take what the socket gave; the frames in it are iterated over before the next call."""
        view = memoryview(data)
        if self._body is not None:
            view = self._body.take(view)
        # Before: less than a frame, and no body in the making unless nothing is left here.
        self._arrived = memoryview(bytes(self._arrived) + view) if self._arrived else view

    def __next__(self) -> Frame:
        if self._body is None and not self._begin_body():
            return self._next_small()
        body = self._body
        if body is None or body.missing_bytes:
            raise StopIteration
        self._body = None
        return body.frame()

    def _begin_body(self) -> bool:
        """Begin the body of a large DATA frame, if such a one is next."""
        head = self._arrived[:_HEAD_BYTES]
        is_plain = len(head) == _HEAD_BYTES and head[3] == DataFrame.type and not head[4] & _PADDED
        if not is_plain or int.from_bytes(head[:3], "big") < LARGE_BYTES:
            return False
        if self._headers_buffer or not any(head[5:]):
            return False  # h2 has its words for what may not come here
        frame, size = Frame.parse_frame_header(head)
        self._validate_frame_length(size)
        self._body = _Body(cast(DataFrame, frame), size)
        self._arrived = self._body.take(self._arrived[_HEAD_BYTES:])
        return True

    def _next_small(self) -> Frame:
        """Have h2 read a frame; it is given no more than that."""
        if len(self._arrived) < _HEAD_BYTES:
            raise StopIteration
        size = int.from_bytes(self._arrived[:3], "big")
        self._validate_frame_length(size)
        size += _HEAD_BYTES
        if len(self._arrived) < size:
            raise StopIteration
        super().add_data(self._arrived[:size])
        self._arrived = self._arrived[size:]
        frame = super().__next__()
        vars(frame)["_body_repr"] = _no_text
        return frame


class _Body:
    """A DATA frame's body in the making."""

    def __init__(self, frame: DataFrame, size: int) -> None:
        self._frame = frame
        self._pieces: list[memoryview] = []
        self._size = self.missing_bytes = size

    def take(self, view: memoryview) -> memoryview:
        """Keep what is the body's; give what is not."""
        piece = view[: self.missing_bytes]
        if piece:
            self._pieces.append(piece)
            self.missing_bytes -= len(piece)
        return view[len(piece) :]

    def frame(self) -> DataFrame:
        """Give the whole frame."""
        frame = self._frame
        frame.data, frame.body_len = b"".join(self._pieces), self._size
        vars(frame)["_body_repr"] = _no_text
        return frame


class ViewBuffer(Buffer):
    """A stream's received data. A large message that lies in one frame is given as a view of it."""

    async def read(self, size: int) -> bytes:
        if size < LARGE_BYTES:
            return await super().read(size)
        while self._acked_size < size and not (self._eof and self._unacked.empty()):
            received = await self._unacked.get()
            if not received.ack_size:
                break
            self._acked.append(AckedData(memoryview(received.data), received.data_size))
            self._acked_size += received.data_size
            self._ack_callback(received.ack_size)
        if not self._acked or self._acked[0].data_size < size:
            return await super().read(size)
        whole, whole_size = self._acked.popleft()
        if whole_size > size:
            self._acked.appendleft(AckedData(whole[size:], whole_size - size))
        self._acked_size -= size
        return cast(bytes, whole[:size])


class ViewStream(ChunkStream):
    """A stream whose large messages are views."""

    def init_stream(self, stream_id: int, connection: Connection) -> None:
        super().init_stream(stream_id, connection)
        self.buffer = ViewBuffer(partial(connection.ack, stream_id))


def _no_text() -> str:
    return "…"
