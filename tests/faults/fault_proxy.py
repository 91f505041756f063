"""A TCP proxy that misbehaves on demand: it cuts, stalls and delays what passes through it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_READ_BYTES = 256 * 1024


class FaultProxy:
    """Forwards connections to one address. latency_s: what each read of a direction waits."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._refuses = False
        self.port = 0
        self._cut_at_bytes: int | None = None
        self.cuts = 0
        self.bytes_from_upstream = 0
        self.connections = 0
        self.latency_s = 0.0

    def cut(self) -> None:
        """Break every open connection with a reset."""
        self.cuts += 1
        for writer in self._writers:
            writer.transport.abort()

    def cut_after(self, more_bytes: int) -> None:
        """Cut once, when so many more bytes have come from upstream."""
        self._cut_at_bytes = self.bytes_from_upstream + more_bytes

    @property
    def will_cut(self) -> bool:
        """Whether a cut is still to come."""
        return self._cut_at_bytes is not None

    def stall(self) -> None:
        """Forward nothing more, with every connection left open: a dead host or a lost route."""
        self._flows.clear()

    def resume(self) -> None:
        """Forward again."""
        self._flows.set()

    def refuse(self) -> None:
        """Break what is open and accept nothing more."""
        self._refuses = True
        self.cut()

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
        try:
            while data := await reader.read(_READ_BYTES):
                await self._flows.wait()
                if self.latency_s:
                    await asyncio.sleep(self.latency_s)
                writer.write(data)
                await writer.drain()
                if from_upstream:
                    self._count(len(data))
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    def _count(self, size: int) -> None:
        self.bytes_from_upstream += size
        if self._cut_at_bytes is not None and self.bytes_from_upstream >= self._cut_at_bytes:
            self._cut_at_bytes = None
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
