"""What goes to the client.

Small messages gathered, row buffers forwarded as they are, in order, with back-pressure.
"""

from pgproxy.net.stream import ClientStream
from pgwire.backend import BackendMessage, FieldDescription, RowDescription, encode_backend

_FLUSH_BYTES = 8192
"""PostgreSQL's own send buffer: what has gathered beyond it leaves without waiting for a flush."""

_MOST_SHAPES = 32
"""Of a connection's statements."""


class ClientOutput:
    """The Sink of a connection."""

    def __init__(self, stream: ClientStream) -> None:
        self._stream = stream
        self._pending = bytearray()
        self._shapes: dict[int, tuple[tuple[FieldDescription, ...], bytes]] = {}

    def send(self, message: BackendMessage) -> None:
        """Queue one message."""
        self._pending += (
            self._shape(message) if isinstance(message, RowDescription) else encode_backend(message)
        )
        if len(self._pending) >= _FLUSH_BYTES:
            self.flush()

    def _shape(self, message: RowDescription) -> bytes:
        """Encode the shape of rows, once for a prepared statement that runs again and again."""
        fields = message.fields
        kept = self._shapes.get(id(fields))
        if kept is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            kept = self._shapes[id(fields)] = fields, encode_backend(message)  # kept too, or its id is reused
        return kept[1]

    async def write_rows(self, rows: bytes | memoryview) -> None:
        """Forward encoded rows; returns when the client can take more.

        A few small ones leave with what follows them, as PostgreSQL's do.

        Raises:
            ConnectionResetError: the client has gone.
        """
        if len(self._pending) + len(rows) < _FLUSH_BYTES:
            self._pending += rows
            return
        self.flush()
        self._stream.write(rows)
        await self._stream.drain()

    def flush(self) -> None:
        """Hand what has gathered to the transport."""
        if self._pending:
            self._stream.write(bytes(self._pending))
            self._pending.clear()

    def flushed(self) -> bool:
        """Hand what has gathered to the transport. False: `drain` would wait, or the client has gone."""
        self.flush()
        return self._stream.takes_more

    async def drain(self) -> None:
        """Flush, and wait until the transport takes more."""
        self.flush()
        await self._stream.drain()
