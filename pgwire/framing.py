"""Bytes, cut anywhere, into whole frames. A length is judged before any of its body is waited for.

The limits are PostgreSQL's: MAX_STARTUP_PACKET_LENGTH, PG_MAX_AUTH_TOKEN_LENGTH, PQ_SMALL_MESSAGE_LIMIT.
PostgreSQL docs, "Message Formats": an Int32 length that counts itself, after a one-byte tag except at first.
"""

import struct
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from pgwire.errors import ProtocolViolation
from pgwire.frontend import MESSAGE_TYPES

MAX_STARTUP_PACKET_BYTES = 10_000
MAX_AUTHENTICATION_TOKEN_BYTES = 65_535
MAX_SMALL_MESSAGE_BYTES = 10_000
_SMALL_TAGS = frozenset({b"C", b"D", b"E", b"H", b"S", b"X", b"c", b"f"})
_SMALL_BYTES = 4096
"""Copied twice rather than looked at through a view: cheaper up to about here."""
_LENGTH = struct.Struct("!i")


class FrameStage(Enum):
    """What kind of frame comes next; the shell moves it on."""

    STARTUP = auto()
    AUTHENTICATION = auto()
    SESSION = auto()


class Frame(NamedTuple):
    """One whole frame. tag: one byte, empty in the startup stage. body: what follows the length."""

    tag: bytes
    body: bytes


class FrameReader:
    """Collects bytes and gives frames.

    max_message_bytes: the largest body of a Query, Parse, Bind, CopyData or FunctionCall.
    """

    __slots__ = ("_buffer", "_limits", "_max_message_bytes", "_stage")

    def __init__(self, max_message_bytes: int) -> None:
        self._buffer = bytearray()
        self._limits: dict[bytes, int] = {}
        self._max_message_bytes = max_message_bytes
        self._stage = FrameStage.STARTUP

    @property
    def stage(self) -> FrameStage:
        """The kind of frame that is expected."""
        return self._stage

    @property
    def buffered_bytes(self) -> int:
        """Bytes fed but not given yet; any after SSLRequest means plaintext smuggled before TLS."""
        return len(self._buffer)

    def enter(self, stage: FrameStage) -> None:
        """Expect frames of another stage from the next byte on."""
        self._stage = stage
        self._limits = {}

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes as they came. Take all frames between two feeds, or the buffer grows."""
        self._buffer += data

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames that are whole; a stage entered between two of them holds for the next."""
        while (frame := self.next_frame()) is not None:
            yield frame

    def next_frame(self) -> Frame | None:
        """Give the next whole frame, or None until more bytes come.

        Raises:
            ProtocolViolation: a tag that no message of this stage has, or a length out of its bounds.
        """
        buffer = self._buffer
        if not buffer:
            return None
        tag = b"" if self._stage is FrameStage.STARTUP else bytes(buffer[:1])
        tag_bytes = len(tag)
        max_bytes = self._limits.get(tag) or self._limit(tag)
        start = tag_bytes + 4
        if len(buffer) < start:
            return None
        body_bytes = _LENGTH.unpack_from(buffer, tag_bytes)[0] - 4
        if not 0 <= body_bytes <= max_bytes:
            what = "invalid message length" if tag else "invalid length of startup packet"
            raise ProtocolViolation(what)
        end = start + body_bytes
        if len(buffer) < end:
            return None
        if body_bytes <= _SMALL_BYTES:
            body = bytes(buffer[start:end])
        else:
            with memoryview(buffer) as view:
                body = bytes(view[start:end])
        del buffer[:end]
        return Frame(tag, body)

    def _limit(self, tag: bytes) -> int:
        """Give the largest body for a tag; an unknown one ends here, before its length is believed.

        Kept for the rest of the stage.
        """
        if self._stage is FrameStage.STARTUP:
            return MAX_STARTUP_PACKET_BYTES - 4
        if self._stage is FrameStage.AUTHENTICATION:
            if tag != b"p":
                raise ProtocolViolation(f"expected password response, got message type {tag[0]}")
            return MAX_AUTHENTICATION_TOKEN_BYTES
        if tag not in MESSAGE_TYPES or tag == b"p":
            raise ProtocolViolation(f"invalid frontend message type {tag[0]}")
        limit = MAX_SMALL_MESSAGE_BYTES if tag in _SMALL_TAGS else self._max_message_bytes
        self._limits[tag] = limit
        return limit
