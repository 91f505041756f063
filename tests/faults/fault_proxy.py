"""A TCP proxy that misbehaves on demand: it cuts, stalls and delays what passes through it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

_READ_BYTES = 256 * 1024
_READS_ON_THE_WAY = 64


class FaultProxy:
    """Forwards connections to one address. latency_s: by how much each direction is late."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._replies = asyncio.Event()
        self._replies.set()
        self._refuses = False
        self.port = 0
        self._cut_at_bytes: int | None = None
        self._cut_step, self._cuts_left = 0, 0
        self.cuts = 0
        self.bytes_from_upstream = 0
        self.connections = 0
        self.latency_s = 0.0

    def cut(self) -> None:
        """Break every open connection with a reset."""
        self.cuts += 1
        for writer in self._writers:
            writer.transport.abort()

    def cut_after(self, more_bytes: int, times: int = 1) -> None:
        """Cut when so many more bytes have come from upstream, and so often again."""
        self._cut_step, self._cuts_left = more_bytes, times
        self._cut_at_bytes = self.bytes_from_upstream + more_bytes

    @property
    def will_cut(self) -> bool:
        """Whether a cut is still to come."""
        return self._cut_at_bytes is not None

    def stall(self) -> None:
        """Forward nothing more, with every connection left open: a dead host or a lost route."""
        self._flows.clear()

    def hold_replies(self) -> None:
        """Forward requests, but nothing more that comes from upstream."""
        self._replies.clear()

    def resume(self) -> None:
        """Forward again."""
        self._flows.set()
        self._replies.set()

    def refuse(self) -> None:
        """Break what is open and accept nothing more."""
        self._refuses = True
        self.cut()

    def accept(self) -> None:
        """Accept again what `refuse` has refused."""
        self._refuses = False

    async def all_ended(self) -> None:
        """Return when no connection is served any more."""
        while self._writers:  # noqa: ASYNC110  # they end in the same loop, a few steps on
            await asyncio.sleep(0)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if self._refuses:
            writer.transport.abort()
            return
        self.connections += 1
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, upstream_writer}
        try:
            async with asyncio.TaskGroup() as flows:
                flows.create_task(self._forward(reader, upstream_writer, from_upstream=False))
                flows.create_task(self._forward(upstream_reader, writer, from_upstream=True))
        finally:
            for end in (writer, upstream_writer):
                end.transport.abort()
                self._writers.discard(end)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_upstream: bool
    ) -> None:
        """Forward one direction; latency delays what passes, and lets as much of it through."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_READS_ON_THE_WAY)
        try:
            async with asyncio.TaskGroup() as ends:
                ends.create_task(self._take(reader, on_the_way))
                ends.create_task(self._give(on_the_way, writer, from_upstream=from_upstream))
        except* ConnectionError:
            pass
        finally:
            writer.transport.abort()

    async def _take(
        self, reader: asyncio.StreamReader, on_the_way: "asyncio.Queue[tuple[float, bytes]]"
    ) -> None:
        now = asyncio.get_running_loop().time
        while data := await reader.read(_READ_BYTES):
            await on_the_way.put((now() + self.latency_s, data))
        await on_the_way.put((0.0, b""))

    async def _give(
        self,
        on_the_way: "asyncio.Queue[tuple[float, bytes]]",
        writer: asyncio.StreamWriter,
        *,
        from_upstream: bool,
    ) -> None:
        now = asyncio.get_running_loop().time
        while (passing := await on_the_way.get())[1]:
            due_s, data = passing
            if due_s > now():
                await asyncio.sleep(due_s - now())
            await self._flows.wait()
            if from_upstream:
                await self._replies.wait()
            writer.write(data)
            await writer.drain()
            if from_upstream:
                self._count(len(data))

    def _count(self, size: int) -> None:
        self.bytes_from_upstream += size
        if self._cut_at_bytes is not None and self.bytes_from_upstream >= self._cut_at_bytes:
            self._cuts_left -= 1
            self._cut_at_bytes = self.bytes_from_upstream + self._cut_step if self._cuts_left else None
            self.cut()


@asynccontextmanager
async def fault_proxy(host: str, port: int) -> AsyncIterator[FaultProxy]:
    """Run a proxy to `host:port` on a free local port."""
    proxy = FaultProxy(host, port)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0, limit=_READ_BYTES)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.resume()
        proxy.cut()
        await server.wait_closed()
        await proxy.all_ended()


class ProxyThread:
    """A proxy with an event loop of its own, for tests that block."""

    def __init__(self, proxy: FaultProxy, loop: asyncio.AbstractEventLoop) -> None:
        self.proxy = proxy
        self._loop = loop

    def do(self, action: Callable[[FaultProxy], object]) -> None:
        """Do it where the proxy runs; returns when it is done."""
        is_done = threading.Event()

        def act() -> None:
            action(self.proxy)
            is_done.set()

        self._loop.call_soon_threadsafe(act)
        assert is_done.wait(10), "the proxy's loop hangs"


@contextmanager
def proxy_thread(host: str, port: int) -> Iterator[ProxyThread]:
    """Run a proxy to `host:port` in a thread."""
    started, stop = threading.Event(), asyncio.Event()
    running: list[ProxyThread] = []

    async def serve() -> None:
        async with fault_proxy(host, port) as proxy:
            running.append(ProxyThread(proxy, asyncio.get_running_loop()))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(10)
    try:
        yield running[0]
    finally:
        running[0].do(lambda _: stop.set())
        thread.join()
