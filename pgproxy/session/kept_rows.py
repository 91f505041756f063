"""A sink that keeps a small result whose rows the gateway itself reads (EXECUTE's arguments, EXPLAIN)."""

import struct

from pgwire.backend import BackendMessage
from pgwire.errors import InternalError

_MAX_BYTES = 16 * 1024 * 1024


class UnseenRows:
    """Drops what it gets: of a statement that is run for its figures (EXPLAIN ANALYZE)."""

    def send(self, message: BackendMessage) -> None:
        """Drop a message."""

    async def write_rows(self, rows: bytes | memoryview) -> None:
        """Drop rows."""


class KeptRows:
    """Collects DataRow messages; never used for what a client's query returns."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def send(self, message: BackendMessage) -> None:
        """Drop a message."""

    async def write_rows(self, rows: bytes | memoryview) -> None:
        """Keep rows.

        Raises:
            InternalError: more than is ever needed here.
        """
        self._bytes += rows
        if len(self._bytes) > _MAX_BYTES:
            raise InternalError("a result kept by the gateway is too large")

    def rows(self) -> list[tuple[bytes | None, ...]]:
        """Take the rows apart. PostgreSQL docs, "Message Formats", DataRow."""
        found, at = list[tuple[bytes | None, ...]](), 0
        while at < len(self._bytes):
            (length, count) = struct.unpack_from("!ih", self._bytes, at + 1)
            found.append(self._values(at + 7, count))
            at += 1 + length
        return found

    def _values(self, at: int, count: int) -> tuple[bytes | None, ...]:
        values = list[bytes | None]()
        for _ in range(count):
            (length,) = struct.unpack_from("!i", self._bytes, at)
            at += 4
            values.append(None if length < 0 else bytes(self._bytes[at : at + length]))
            at += max(length, 0)
        return tuple(values)
