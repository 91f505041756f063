"""One client's socket: bounded reads, back-pressured writes, an upgrade to TLS.

An `asyncio.Protocol` instead of streams: whole encoded chunks go to the transport as they are, and a vanished
client is noticed while a statement runs, because the loop keeps reading.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import cast

import structlog

from execnode.wakeup import Wakeup
from pgproxy.net.tls_layer import TlsLayer
from pgproxy.session.services import SocketEnds

log = structlog.get_logger(__name__)

READ_AHEAD_BYTES = 256 * 1024
"""What a client may send ahead of the statement that runs; beyond it the socket is not read."""

WRITE_HIGH_WATER_BYTES = 1024 * 1024
"""What may wait in the transport for a slow client before the writer is held."""

_KEEPALIVE_PROBES = 3
_KEEPALIVE_INTERVAL_S = 10


class ClientStream(asyncio.Protocol):
    """The bytes of one client connection, in both directions. Used by one task."""

    def __init__(self, on_connected: Callable[["ClientStream"], None]) -> None:
        self._on_connected = on_connected
        self._transport: asyncio.Transport | None = None
        self._tls: TlsLayer | None = None
        self._received: list[bytes] = []
        self._received_bytes = 0
        self._is_reading_paused = False
        self._is_eof = False
        self._readable = Wakeup()
        self._writable = asyncio.Event()
        self._writable.set()
        self._closed = asyncio.Event()
        self._on_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_WATER_BYTES)
        self._on_connected(self)

    def data_received(self, data: bytes) -> None:
        plaintext = data if self._tls is None else self._decrypt(self._tls, data)
        if plaintext:
            self._received.append(plaintext)
            self._received_bytes += len(plaintext)
        self._readable.wake()
        if self._received_bytes > READ_AHEAD_BYTES and not self._is_reading_paused and not self._is_eof:
            self._is_reading_paused = True
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        self._lost()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()
        self._closed.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    @property
    def transport(self) -> asyncio.Transport:
        """The transport; only once connected."""
        if self._transport is None:
            raise ConnectionError("not connected")
        return self._transport

    @property
    def takes_more(self) -> bool:
        """Whether `drain` would return at once."""
        return self._writable.is_set() and not self._is_eof

    @property
    def has_input(self) -> bool:
        """Whether bytes are waiting that `read` has not given."""
        return bool(self._received)

    @property
    def peer_host(self) -> str:
        """The client's address without its port; empty for a Unix socket."""
        peer = self.transport.get_extra_info("peername")
        return str(peer[0]) if isinstance(peer, tuple) else ""

    @property
    def ends(self) -> SocketEnds:
        """Both ends of the connection; none of a Unix socket."""
        peer, own = (self.transport.get_extra_info(name) for name in ("peername", "sockname"))
        if not isinstance(peer, tuple) or not isinstance(own, tuple):
            return SocketEnds()
        return SocketEnds(str(peer[0]), int(peer[1]), str(own[0]), int(own[1]))

    @property
    def tls(self) -> TlsLayer | None:
        """The TLS session, or None over plaintext."""
        return self._tls

    def keep_alive(self, idle_s: float) -> None:
        """Let the kernel probe a client that is silent for `idle_s` seconds; 0: it does not."""
        found = self.transport.get_extra_info("socket")
        if not idle_s or found is None or found.family not in (socket.AF_INET, socket.AF_INET6):
            return
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, round(idle_s)))
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_INTERVAL_S)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_PROBES)

    def on_lost(self, callback: Callable[[], None] | None) -> None:
        """Be told, once, when the client goes while a statement runs."""
        self._on_lost = callback
        if callback is not None and self._is_eof:
            callback()

    async def first_byte(self) -> int | None:
        """Wait for the first byte and leave it there; None at the end of the stream."""
        await self._until_input()
        return self._received[0][0] if self._received else None

    async def read(self) -> bytes:
        """Give what has arrived, at least one byte; empty at the end of the stream."""
        if not self._received:
            await self._until_input()
        data = self._received[0] if len(self._received) == 1 else b"".join(self._received)
        self._received.clear()
        self._received_bytes = 0
        if self._is_reading_paused and not self._is_eof:
            self._is_reading_paused = False
            self.transport.resume_reading()
        return data

    def write(self, data: bytes | memoryview) -> None:
        """Hand bytes to the transport; follow it by `drain` before the next large write."""
        if self._is_eof:
            return
        if self._tls is None:
            self.transport.write(data)
        elif self._tls.is_established:
            self._tls.send(data)
            self._send_encrypted(self._tls)

    async def drain(self) -> None:
        """Wait until the transport takes more.

        Raises:
            ConnectionResetError: the client has gone.
        """
        if self._is_eof:
            raise ConnectionResetError("the client has gone")
        if not self._writable.is_set():
            await self._writable.wait()
        if self._is_eof:
            raise ConnectionResetError("the client has gone")

    async def start_tls(self, context: ssl.SSLContext) -> TlsLayer:
        """Go on in TLS, from the first byte that has not been read.

        After SSLRequest there may be none yet (CVE-2021-23214): the caller has seen to that.

        Raises:
            ConnectionResetError: the client has gone, or there was nothing to agree on.
        """
        tls = self._tls = TlsLayer(context)
        hello = b"".join(self._received)
        self._received.clear()
        self._received_bytes = 0
        if hello:
            self.data_received(hello)
        while not tls.is_established and not self._is_eof:
            await self._readable.sleep()
        if not tls.is_established:
            raise ConnectionResetError("no TLS session was agreed on")
        return tls

    async def close(self, timeout_s: float = 5.0) -> None:
        """Flush what is written and close; a client that takes nothing is cut off after `timeout_s`."""
        if self._transport is None:
            return
        if self._tls is not None and self._tls.is_established and not self._is_eof:
            self._tls.end()
            self._send_encrypted(self._tls)
        self._transport.close()
        try:
            async with asyncio.timeout(timeout_s):
                await self._closed.wait()
        except TimeoutError:
            self._transport.abort()

    def abort(self) -> None:
        """Close at once, dropping what is unsent."""
        if self._transport is not None:
            self._transport.abort()

    async def _until_input(self) -> None:
        while not self._received and not self._is_eof:
            await self._readable.sleep()

    def _decrypt(self, tls: TlsLayer, data: bytes) -> bytes:
        if self._is_eof:
            return b""
        try:
            plaintext = tls.receive(data)
        except ssl.SSLError as error:
            log.info("tls.failed", cause=error.reason)
            self._send_encrypted(tls)
            self._lost()
            self.transport.close()
            return b""
        self._send_encrypted(tls)
        if tls.is_ended:
            self._lost()
        return plaintext

    def _send_encrypted(self, tls: TlsLayer) -> None:
        if pending := tls.outgoing():
            with contextlib.suppress(RuntimeError):  # uvloop: the transport is already closing
                self.transport.write(pending)

    def _lost(self) -> None:
        if self._is_eof:
            return
        self._is_eof = True
        self._readable.wake()
        self._writable.set()
        if self._on_lost is not None:
            self._on_lost()
