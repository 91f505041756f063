"""Where a statement's answer goes and COPY's data comes from: the connection, seen from the session."""

from typing import Protocol

from pgwire.backend import BackendMessage, CopyInResponse


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


class Client(Sink, Protocol):
    """The whole connection: what also gives the data of COPY FROM STDIN."""

    async def begin_copy(self, response: CopyInResponse) -> None:
        """Ask the client for its data; from now on `read_copy` gives it."""
        ...

    async def read_copy(self) -> bytes | None:
        """Give the next piece of data, cut as the client likes; None once it has said that it is done.

        Raises:
            QueryCanceled: 57014, the client gave up.
            ConnectionResetError: the client has gone.
        """
        ...
