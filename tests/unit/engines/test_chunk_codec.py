"""The hand-written decoder against the generated classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execnode.rpc.execnode.v1 import Column, HealthReply, ResultChunk
from pgproxy.engines.chunk_codec import NodeCodec, ReceivedChunk, decode_chunk

COLUMNS = st.lists(
    st.builds(
        Column,
        name=st.text(max_size=5),
        type_oid=st.integers(0, 2**32 - 1),
        typmod=st.integers(-1, 2**31 - 1),
        engine_type=st.text(max_size=5),
    ),
    max_size=3,
)
CHUNKS = st.builds(
    ResultChunk,
    sequence=st.integers(0, 2**64 - 1),
    columns=COLUMNS,
    rows=st.binary(max_size=300),
    row_count=st.integers(0, 2**32 - 1),
    row_offsets=st.binary(max_size=20),
    is_last=st.booleans(),
    affected_rows=st.integers(0, 2**64 - 1),
)


@given(CHUNKS)
def test_a_chunk_is_decoded_as_the_generated_class_does(chunk: ResultChunk) -> None:
    received = decode_chunk(bytes(chunk))
    assert [c.to_dict() for c in received.columns] == [c.to_dict() for c in chunk.columns]
    assert bytes(received.rows) == chunk.rows
    assert bytes(received.row_offsets) == chunk.row_offsets
    assert (received.sequence, received.row_count) == (chunk.sequence, chunk.row_count)
    assert (received.is_last, received.affected_rows) == (chunk.is_last, chunk.affected_rows)


def test_rows_are_a_view_of_the_message_and_not_a_copy() -> None:
    message = bytes(ResultChunk(rows=b"abc", row_count=1))
    assert decode_chunk(message).rows.obj is message


def test_unknown_fields_of_every_wire_type_are_skipped() -> None:
    unknown = b"\xa0\x06\x01" + b"\xa1\x06" + bytes(8) + b"\xa2\x06\x02hi" + b"\xa5\x06" + bytes(4)
    assert decode_chunk(unknown + bytes(ResultChunk(row_count=3))).row_count == 3


@given(st.binary(max_size=60))
def test_garbage_gives_a_chunk_or_a_value_error(garbage: bytes) -> None:
    try:
        decode_chunk(garbage)
    except ValueError:
        return


@pytest.mark.parametrize("cut", [b"\x1a\x05ab", b"\x08", b"\x08" + b"\xff" * 11, b"\x0b"])
def test_a_message_that_was_cut_short_is_refused(cut: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_chunk(cut)


def test_other_messages_go_through_the_generated_classes() -> None:
    codec = NodeCodec()
    reply = HealthReply(contract_version=1, uptime_s=2.5)
    assert codec.decode(codec.encode(reply, HealthReply), HealthReply) == reply
    assert isinstance(codec.decode(b"", ReceivedChunk), ReceivedChunk)
