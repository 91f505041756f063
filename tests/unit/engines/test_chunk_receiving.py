"""Frames and messages that are copied less often, beside h2's and grpclib's own."""

import asyncio
from collections import deque

import pytest
from grpclib.protocol import Buffer
from h2.exceptions import FrameTooLargeError, ProtocolError
from h2.frame_buffer import FrameBuffer
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, PingFrame
from hypothesis import given
from hypothesis import strategies as st

from execnode.chunk_sending import LARGE_BYTES, ChunkCodec, Pieces, take
from execnode.rpc.execnode.v1 import Column, ResultChunk
from pgproxy.engines.chunk_receiving import LargeFrames, ViewBuffer

MAX_FRAME_BYTES = 3 * LARGE_BYTES
SIZES = st.sampled_from([0, 1, 100, LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1, MAX_FRAME_BYTES])


def data_frame(size: int, padding: int, is_last: bool) -> DataFrame:
    frame = DataFrame(1, bytes(at % 251 for at in range(size)))
    if padding:
        frame.flags.add("PADDED")
        frame.pad_length = padding
    if is_last:
        frame.flags.add("END_STREAM")
    return frame


def split_headers() -> list[Frame]:
    rest = ContinuationFrame(3, b"rest")
    rest.flags.add("END_HEADERS")
    return [HeadersFrame(3, b"head"), rest]


FRAMES = st.one_of(
    st.builds(lambda *parts: [data_frame(*parts)], SIZES, st.sampled_from([0, 0, 7]), st.booleans()),
    st.builds(split_headers),
    st.just([PingFrame(0, b"12345678")]),
)


def read_all(frames: FrameBuffer, wire: bytes, steps: list[int]) -> list[tuple[object, ...]]:
    frames.max_frame_size = MAX_FRAME_BYTES + 8
    found, at = [], 0
    for step in [*steps, len(wire)]:
        frames.add_data(wire[at : at + step])
        at += step
        found += [(type(f), f.stream_id, set(f.flags), f.body_len, getattr(f, "data", b"")) for f in frames]
    return found


@given(
    st.lists(FRAMES, max_size=5), st.lists(st.integers(1, 2 * LARGE_BYTES) | st.integers(1, 12), max_size=20)
)
def test_frames_are_h2s_however_they_arrive(groups: list[list[Frame]], steps: list[int]) -> None:
    wire = b"".join(frame.serialize() for group in groups for frame in group)
    assert read_all(LargeFrames(), wire, steps) == read_all(FrameBuffer(), wire, [])


@pytest.mark.parametrize("size", [MAX_FRAME_BYTES + 9, 2**24 - 1])
def test_a_frame_that_is_too_long_is_refused_before_its_body_comes(size: int) -> None:
    frames = LargeFrames()
    frames.max_frame_size = MAX_FRAME_BYTES
    frames.add_data(size.to_bytes(3, "big") + b"\0\0" + (1).to_bytes(4, "big"))
    with pytest.raises(FrameTooLargeError):
        next(frames)


def test_data_of_no_stream_is_a_protocol_error() -> None:
    frames = LargeFrames()
    frames.max_frame_size = MAX_FRAME_BYTES
    frames.add_data(LARGE_BYTES.to_bytes(3, "big") + bytes(6) + bytes(LARGE_BYTES))
    with pytest.raises(ProtocolError):
        next(frames)


@given(st.lists(st.integers(1, 2 * LARGE_BYTES), min_size=1, max_size=6), st.data())
def test_a_stream_is_read_in_the_same_pieces(parts: list[int], data: st.DataObject) -> None:
    total = sum(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, total), max_size=4)))
    sizes = [end - start for start, end in zip([0, *cuts], [*cuts, total], strict=True)]

    async def read(buffer: Buffer) -> list[bytes]:
        for place, part in enumerate(parts):
            buffer.add(bytes([place]) * part, part)
        buffer.eof()
        return [bytes(await buffer.read(size)) for size in sizes]

    ours: list[int] = []
    theirs: list[int] = []
    assert asyncio.run(read(ViewBuffer(ours.append))) == asyncio.run(read(Buffer(theirs.append)))
    assert ours == theirs


def test_a_stream_that_ends_too_early_is_an_error() -> None:
    async def read() -> None:
        buffer = ViewBuffer(lambda _: None)
        buffer.add(b"short", 5)
        buffer.eof()
        await buffer.read(LARGE_BYTES)

    with pytest.raises(AssertionError):
        asyncio.run(read())


@given(st.integers(0, 2 * LARGE_BYTES), st.booleans())
def test_a_chunk_is_written_as_the_generated_class_does(size: int, is_last: bool) -> None:
    rows = bytes(at % 251 for at in range(size))
    chunk = ResultChunk(7, [Column(name="a")], rows, 3, b"offs", is_last, 9)
    encoded = ChunkCodec().encode(chunk, ResultChunk)
    framed = b"12345" + encoded
    assert isinstance(framed, Pieces) == (size >= LARGE_BYTES)
    joined = b"".join(framed.parts) if isinstance(framed, Pieces) else framed
    assert len(encoded) + 5 == len(framed) == len(joined)
    assert ResultChunk.FromString(joined[5:]) == chunk


@given(st.lists(st.binary(max_size=9), max_size=5), st.data())
def test_pieces_are_taken_from_the_front(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    size = data.draw(st.integers(0, len(whole)))
    left = deque(map(memoryview, parts))
    assert b"".join(take(left, size).parts) == whole[:size]
    assert b"".join(left) == whole[size:]
