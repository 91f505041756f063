"""Frames out of bytes; limits before buffering."""

import time

import pytest

from pgwire.errors import ProtocolViolation
from pgwire.framing import Frame, FrameReader, FrameStage
from pgwire.frontend import MESSAGE_TYPES
from tests.unit.pgwire.frontend_bytes import int32, tagged, untagged


def reader_in(stage: FrameStage, max_message_bytes: int = 1000) -> FrameReader:
    reader = FrameReader(max_message_bytes)
    reader.enter(stage)
    return reader


def test_the_first_frames_have_no_tag() -> None:
    reader = FrameReader(1000)
    reader.feed(untagged(b"abcd") + untagged(b"efgh"))
    assert list(reader) == [Frame(b"", b"abcd"), Frame(b"", b"efgh")]


def test_a_stage_entered_between_two_frames_holds_for_the_next() -> None:
    reader = FrameReader(1000)
    reader.feed(untagged(b"start") + tagged(b"p", b"pw\0") + tagged(b"Q", b"\0"))
    assert reader.next_frame() == Frame(b"", b"start")
    reader.enter(FrameStage.AUTHENTICATION)
    assert reader.next_frame() == Frame(b"p", b"pw\0")
    reader.enter(FrameStage.SESSION)
    assert reader.stage is FrameStage.SESSION
    assert reader.next_frame() == Frame(b"Q", b"\0")
    assert reader.next_frame() is None


def test_a_frame_comes_only_when_it_is_whole() -> None:
    reader = reader_in(FrameStage.SESSION)
    frame = tagged(b"Q", b"select 1\0")
    for index in range(len(frame) - 1):
        reader.feed(frame[index : index + 1])
        assert reader.next_frame() is None
    reader.feed(frame[-1:])
    assert list(reader) == [Frame(b"Q", b"select 1\0")]
    assert reader.buffered_bytes == 0


def test_bytes_behind_a_frame_are_counted() -> None:
    reader = FrameReader(1000)
    reader.feed(untagged(b"\x04\xd2\x16\x2f") + b"smuggled")
    assert reader.next_frame() is not None
    assert reader.buffered_bytes == len(b"smuggled")


@pytest.mark.parametrize("length", [-1, 0, 3, 10_001, 2**31 - 1])
def test_a_startup_length_out_of_bounds_is_refused_before_its_body_comes(length: int) -> None:
    reader = FrameReader(10**9)
    reader.feed(int32(length))
    with pytest.raises(ProtocolViolation, match="invalid length of startup packet"):
        reader.next_frame()


def test_the_longest_startup_packet_is_postgresqls() -> None:
    reader = FrameReader(1)
    reader.feed(untagged(bytes(9_996)))
    assert reader.next_frame() == Frame(b"", bytes(9_996))


@pytest.mark.parametrize("length", [-1, 3, 1005, 2**31 - 1])
def test_a_message_length_out_of_bounds_is_refused_before_its_body_comes(length: int) -> None:
    reader = reader_in(FrameStage.SESSION)
    reader.feed(b"Q" + int32(length))
    with pytest.raises(ProtocolViolation, match="invalid message length"):
        reader.next_frame()


def test_the_longest_message_is_the_one_that_was_allowed() -> None:
    reader = reader_in(FrameStage.SESSION)
    reader.feed(tagged(b"d", bytes(1000)))
    assert reader.next_frame() == Frame(b"d", bytes(1000))


@pytest.mark.parametrize("tag", [b"S", b"H", b"X", b"E", b"D", b"C", b"c", b"f"])
def test_small_messages_have_postgresqls_small_limit(tag: bytes) -> None:
    reader = reader_in(FrameStage.SESSION, max_message_bytes=10**9)
    reader.feed(tag + int32(10_005))
    with pytest.raises(ProtocolViolation, match="invalid message length"):
        reader.next_frame()


def test_an_unknown_tag_is_refused_before_its_length_is_believed() -> None:
    reader = reader_in(FrameStage.SESSION)
    reader.feed(b"y")
    with pytest.raises(ProtocolViolation, match=r"^invalid frontend message type 121$"):
        reader.next_frame()


def test_a_password_has_no_place_in_a_session() -> None:
    reader = reader_in(FrameStage.SESSION)
    reader.feed(b"p")
    with pytest.raises(ProtocolViolation, match=r"^invalid frontend message type 112$"):
        reader.next_frame()


@pytest.mark.parametrize("tag", sorted(set(MESSAGE_TYPES) - {b"p"}))
def test_nothing_but_a_password_has_a_place_in_authentication(tag: bytes) -> None:
    reader = reader_in(FrameStage.AUTHENTICATION)
    reader.feed(tagged(tag))
    with pytest.raises(ProtocolViolation, match=f"^expected password response, got message type {tag[0]}$"):
        reader.next_frame()


def test_an_authentication_token_has_its_own_limit() -> None:
    reader = reader_in(FrameStage.AUTHENTICATION, max_message_bytes=10**9)
    reader.feed(b"p" + int32(65_540))
    with pytest.raises(ProtocolViolation, match="invalid message length"):
        reader.next_frame()


def _seconds_byte_by_byte(body_bytes: int) -> float:
    reader = reader_in(FrameStage.SESSION, max_message_bytes=10**9)
    message = tagged(b"d", bytes(body_bytes))
    started = time.process_time()
    for index in range(len(message)):
        reader.feed(message[index : index + 1])
        frame = reader.next_frame()
    assert frame == Frame(b"d", bytes(body_bytes))
    return time.process_time() - started


def test_one_byte_at_a_time_takes_linear_time() -> None:
    small = min(_seconds_byte_by_byte(10_000) for _ in range(3))
    large = min(_seconds_byte_by_byte(80_000) for _ in range(3))
    assert large < small * 8 * 4  # quadratic would be 64 times


def test_many_small_frames_in_one_chunk_take_linear_time() -> None:
    def seconds(count: int) -> float:
        reader = reader_in(FrameStage.SESSION)
        started = time.process_time()
        reader.feed(tagged(b"S") * count)
        assert len(list(reader)) == count
        return time.process_time() - started

    small = min(seconds(5_000) for _ in range(3))
    large = min(seconds(40_000) for _ in range(3))
    assert large < small * 8 * 4
