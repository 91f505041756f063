"""Any chunking gives the same frames; garbage raises nothing but ProtocolViolation."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgwire.errors import GatewayError, ProtocolViolation
from pgwire.framing import Frame, FrameReader, FrameStage
from pgwire.frontend import (
    MESSAGE_TYPES,
    Bind,
    Close,
    CopyData,
    CopyDone,
    CopyFail,
    Describe,
    Execute,
    Flush,
    Parse,
    Query,
    Sync,
    Terminate,
    decode_frontend,
)
from pgwire.startup import decode_startup
from tests.unit.pgwire.frontend_bytes import encode_frontend, tagged, untagged

MAX_BYTES = 20_000
TAGS = sorted(set(MESSAGE_TYPES) - {b"p"})

frames = st.lists(st.builds(Frame, st.sampled_from(TAGS), st.binary(max_size=300)), max_size=12)
text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
formats = st.lists(st.integers(-32_768, 32_767), max_size=5).map(tuple)
values = st.lists(st.none() | st.binary(max_size=40), max_size=5).map(tuple)
oids = st.lists(st.integers(0, 2**32 - 1), max_size=5).map(tuple)
kinds = st.sampled_from([b"S", b"P"])
messages = st.one_of(
    st.builds(Query, text),
    st.builds(Parse, text, text, oids),
    st.builds(Bind, text, text, formats, values, formats),
    st.builds(Describe, kinds, text),
    st.builds(Close, kinds, text),
    st.builds(Execute, text, st.integers(-(2**31), 2**31 - 1)),
    st.builds(CopyData, st.binary(max_size=200)),
    st.builds(CopyFail, text),
    st.sampled_from([Sync(), Flush(), Terminate(), CopyDone()]),
)


def read_in_chunks(stream: bytes, cuts: list[int], stage: FrameStage) -> list[Frame]:
    reader = FrameReader(MAX_BYTES)
    reader.enter(stage)
    found: list[Frame] = []
    bounds = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, end in pairwise(bounds):
        reader.feed(stream[start:end])
        found.extend(reader)
    return found


@given(frames, st.lists(st.integers(0, 5_000), max_size=20))
def test_any_chunking_gives_the_same_frames(expected: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(tagged(frame.tag, frame.body) for frame in expected)
    assert read_in_chunks(stream, cuts, FrameStage.SESSION) == expected


@given(st.lists(st.binary(max_size=300), max_size=5), st.lists(st.integers(0, 2_000), max_size=20))
def test_any_chunking_gives_the_same_startup_frames(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(untagged, bodies))
    found = read_in_chunks(stream, cuts, FrameStage.STARTUP)
    assert found == [Frame(b"", body) for body in bodies]


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=10), st.sampled_from(FrameStage))
def test_garbage_gives_frames_or_a_protocol_violation(
    garbage: bytes, cuts: list[int], stage: FrameStage
) -> None:
    try:
        found = read_in_chunks(garbage, cuts, stage)
    except ProtocolViolation:
        return
    assert sum(len(frame.tag) + 4 + len(frame.body) for frame in found) <= len(garbage)


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=10))
def test_garbage_fails_at_the_same_frame_however_it_is_cut(garbage: bytes, cuts: list[int]) -> None:
    def outcome(cuts: list[int]) -> tuple[list[Frame], str | None]:
        reader = FrameReader(MAX_BYTES)
        reader.enter(FrameStage.SESSION)
        found: list[Frame] = []
        bounds = [0, *sorted(cut % (len(garbage) + 1) for cut in cuts), len(garbage)]
        for start, end in pairwise(bounds):
            reader.feed(garbage[start:end])
            try:
                for frame in reader:
                    found.append(frame)
            except ProtocolViolation as error:
                return found, error.message
        return found, None

    assert outcome(cuts) == outcome([])


@given(messages)
def test_what_a_client_encodes_decodes_to_the_same_message(message: Query) -> None:
    (frame,) = read_in_chunks(encode_frontend(message), [], FrameStage.SESSION)
    assert decode_frontend(frame.tag, frame.body) == message


@given(st.sampled_from([*sorted(MESSAGE_TYPES), b"y", b"\0"]), st.binary(max_size=200))
def test_a_garbage_body_decodes_or_raises_a_gateway_error(tag: bytes, body: bytes) -> None:
    try:
        message = decode_frontend(tag, body)
    except GatewayError as error:
        assert error.fatal == isinstance(error, ProtocolViolation)  # noqa: PT017  # both outcomes are legal
        return
    assert type(message) is MESSAGE_TYPES[tag]


@given(st.sampled_from([b"", b"\0\x03\0\0", b"\0\x03\0\x02", b"\x04\xd2\x16\x2e"]), st.binary(max_size=200))
def test_a_garbage_startup_body_decodes_or_is_fatal(code: bytes, rest: bytes) -> None:
    try:
        decode_startup(code + rest)
    except GatewayError as error:
        assert error.fatal  # noqa: PT017  # both outcomes are legal


def test_the_strategy_covers_every_tag() -> None:
    with pytest.raises(ProtocolViolation):
        read_in_chunks(b"p\0\0\0\4", [], FrameStage.SESSION)
    assert len(TAGS) == len(MESSAGE_TYPES) - 1
