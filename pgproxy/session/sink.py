"""Where a statement's answer goes: the connection shell, seen from the session."""

from typing import Protocol

from pgwire.backend import BackendMessage


class Sink(Protocol):
    """Takes messages and rows in order."""

    def send(self, message: BackendMessage) -> None:
        """Queue one message."""
        ...

    async def write_rows(self, rows: bytes | memoryview) -> None:
        """Forward encoded rows; returns when the client can take more.

        Raises:
            ConnectionResetError: the client has gone.
        """
        ...
