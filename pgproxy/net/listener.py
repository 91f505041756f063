"""The listening socket: one task per connection, a bound on strangers, and a drain in named steps."""

import asyncio
import contextlib
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from pgproxy.net.connection import Connection, ConnectionServices
from pgproxy.net.stream import ClientStream

log = structlog.get_logger(__name__)

_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """Where and how to listen.

    keepalive_idle_s: silence after which the kernel probes a client; 0: never. max_strangers: connections
    that have not proven who they are; with one more, the oldest of them is dropped, so that no flood of them
    keeps others out.
    """

    host: str
    port: int
    keepalive_idle_s: float = 60.0
    max_strangers: int = 1000


class Listener:
    """Accepts clients on one address. An async context manager: leaving it closes every connection."""

    def __init__(self, options: ListenerOptions, services: ConnectionServices) -> None:
        self._options = options
        self._services = services
        self._server: asyncio.Server | None = None
        self._tasks: asyncio.TaskGroup = asyncio.TaskGroup()
        self._live: set[Connection] = set()
        self._strangers: dict[ClientStream, None] = {}  # the oldest first
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._is_closing = False

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: ClientStream(self._accept),
            self._options.host,
            self._options.port,
            reuse_address=True,
            backlog=_BACKLOG,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop_accepting()
        self.end_all()
        await self._tasks.__aexit__(None, None, None)  # what the body raised stays as it is, in no group

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
        for connection in tuple(self._live):
            connection.interrupts.end_when_idle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._is_empty.wait()
        if self._live:
            log.info("listener.grace_is_over", connections=len(self._live))
        self.end_all()

    def end_all(self) -> None:
        """End every session with 57P01, and stop what it runs."""
        for connection in tuple(self._live):
            connection.interrupts.end_now()

    def _stop_accepting(self) -> None:
        self._is_closing = True
        if self._server is not None:
            self._server.close()

    def _accept(self, stream: ClientStream) -> None:
        if self._is_closing:
            stream.abort()
            return
        stream.keep_alive(self._options.keepalive_idle_s)
        self._strangers[stream] = None
        if len(self._strangers) > self._options.max_strangers:
            oldest = next(iter(self._strangers))
            self._strangers.pop(oldest)
            oldest.abort()
            log.warning("listener.stranger_dropped", strangers=len(self._strangers))
        self._tasks.create_task(self._serve(stream))

    async def _serve(self, stream: ClientStream) -> None:
        connection = Connection(stream, self._services, lambda: self._strangers.pop(stream, None))
        self._live.add(connection)
        self._is_empty.clear()
        try:
            await connection.serve()
        except Exception:  # the task guard: one connection must never end its siblings
            log.exception("connection.guard")
            stream.abort()
        finally:
            self._strangers.pop(stream, None)
            self._live.discard(connection)
            if not self._live:
                self._is_empty.set()
