"""The listening socket: one task per connection, a limit on their number, and a drain in named steps."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

import structlog

from pgproxy.net.connection import Connection, ConnectionServices
from pgproxy.net.stream import ClientStream

log = structlog.get_logger(__name__)


class Listener:
    """Accepts clients on one address. An async context manager: leaving it closes every connection."""

    def __init__(self, host: str, port: int, services: ConnectionServices) -> None:
        self._host = host
        self._port = port
        self._services = services
        self._server: asyncio.Server | None = None
        self._tasks: asyncio.TaskGroup = asyncio.TaskGroup()
        self._live: set[Connection] = set()
        self._ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: ClientStream(self._accept), self._host, self._port, reuse_address=True, backlog=1024
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop_accepting()
        for connection in tuple(self._live):
            connection.shut_down()
        await self._tasks.__aexit__(kind, error, traceback)

    @property
    def port(self) -> int:
        """The port that is really listened on."""
        if self._server is None:
            raise RuntimeError("not listening")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connection_count(self) -> int:
        """Connections that are open now."""
        return len(self._live)

    async def drain(self, grace_s: float) -> None:
        """Stop accepting; end idle sessions with 57P01; let statements that run finish within `grace_s`."""
        self._stop_accepting()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._until_empty()
        for connection in tuple(self._live):
            connection.shut_down()

    async def _until_empty(self) -> None:
        while self._live:
            for connection in tuple(self._live):
                if connection.is_idle:
                    connection.shut_down()
            self._ended.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):  # a statement that ends makes its connection idle
                    await self._ended.wait()

    def _stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()

    def _accept(self, stream: ClientStream) -> None:
        self._tasks.create_task(self._serve(stream))

    async def _serve(self, stream: ClientStream) -> None:
        connection = Connection(stream, self._services)
        self._live.add(connection)
        try:
            await connection.serve()
        except Exception:  # the task guard: one connection must never end its siblings
            log.exception("connection.guard")
            stream.abort()
        finally:
            self._live.discard(connection)
            self._ended.set()
