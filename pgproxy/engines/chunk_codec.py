"""Decodes result chunks without copying their rows; every other message goes through the generated classes.

Protocol Buffers docs, "Encoding": a field is a varint key (number << 3 | wire type) and then its value. The
generated decoder copies each `bytes` field; here `rows` is a view of the received message.
"""

from dataclasses import dataclass
from typing import Any

from grpclib.encoding.base import CodecBase
from grpclib.encoding.proto import ProtoCodec

from execnode.rpc.execnode.v1 import Column

_EMPTY = memoryview(b"")
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


@dataclass(slots=True)
class ReceivedChunk:
    """A `ResultChunk` as received. rows, row_offsets: views of the message, which they keep alive."""

    sequence: int = 0
    columns: tuple[Column, ...] = ()
    rows: memoryview = _EMPTY
    row_count: int = 0
    row_offsets: memoryview = _EMPTY
    is_last: bool = False
    affected_rows: int = 0


class NodeCodec(CodecBase):
    """The codec of a node's channel."""

    __content_subtype__ = "proto"

    def __init__(self) -> None:
        self._generated = ProtoCodec()

    def encode(self, message: Any, message_type: Any) -> bytes:
        return bytes(self._generated.encode(message, message_type))

    def decode(self, data: bytes | memoryview, message_type: Any) -> Any:
        if message_type is ReceivedChunk:
            return decode_chunk(data)
        return self._generated.decode(bytes(data), message_type)


def decode_chunk(data: bytes | memoryview) -> ReceivedChunk:
    """Decode one ResultChunk. Unknown fields are skipped, as Protocol Buffers asks.

    Raises:
        ValueError: it is not a protocol buffer message.
    """
    chunk = ReceivedChunk()
    view = memoryview(data)
    columns: list[Column] = []
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, at = _varint(data, at)
            _set_number(chunk, number, value)
        elif wire_type == _LENGTH:
            length, at = _varint(data, at)
            body, at = view[at : at + length], at + length
            if len(body) != length:
                raise ValueError("a field ends after the message")
            if number == 2:
                columns.append(Column.FromString(bytes(body)))
            elif number == 3:
                chunk.rows = body
            elif number == 5:
                chunk.row_offsets = body
        elif wire_type in {_FIXED64, _FIXED32}:
            at += 8 if wire_type == _FIXED64 else 4
        else:
            raise ValueError("unknown wire type")
    chunk.columns = tuple(columns)
    return chunk


def _set_number(chunk: ReceivedChunk, number: int, value: int) -> None:
    if number == 1:
        chunk.sequence = value
    elif number == 4:
        chunk.row_count = value
    elif number == 6:
        chunk.is_last = bool(value)
    elif number == 7:
        chunk.affected_rows = value


def _varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Decode a varint of at most ten bytes; gives it and where the next field begins."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number that does not end")
