"""One HTTP/2 connection to an exec node: sized for results, watched by pings, opened again when it was lost.

Flow control is the back-pressure: a stream that nobody reads holds at most STREAM_WINDOW_BYTES here, and the
node then stops producing. The connection's own window is HTTP/2's largest: suspended streams starve nobody.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast
from urllib.parse import urlsplit

from grpclib.client import Channel, Handler
from grpclib.config import Configuration
from grpclib.encoding.base import CodecBase
from grpclib.protocol import H2Protocol

from execnode.status import StatusDetailsCodec
from execnode.transport import CONNECTION_WINDOW_BYTES, LargeFrameProtocol, follow_frame_size
from pgproxy.engines.chunk_receiving import LargeFrames, ViewStream
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.node_tls import NodeTls

STREAM_WINDOW_BYTES = 4 * 1024 * 1024
"""What one stream may have in flight or waiting in memory; chunks are about 1 MiB."""


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """Where a node listens."""

    host: str
    port: int
    is_tls: bool


@dataclass(frozen=True, slots=True)
class ChannelTimes:
    """Deadlines in seconds. A node that is silent for ping_interval_s + ping_timeout_s is given up."""

    connect_s: float = 3.0
    ping_interval_s: float = 5.0
    ping_timeout_s: float = 5.0


def parse_node_url(url: str) -> NodeAddress:
    """Parse `grpc://HOST:PORT` or `grpcs://HOST:PORT`.

    Raises:
        ValueError: it is neither.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"grpc", "grpcs"} or parts.hostname is None or parts.port is None:
        raise ValueError("an endpoint's URL is grpc://HOST:PORT or grpcs://HOST:PORT")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("an endpoint's URL has nothing after its port")
    return NodeAddress(parts.hostname, parts.port, parts.scheme == "grpcs")


class NodeChannel(Channel):
    """A gRPC channel that connects within a deadline and reconnects on the next call after a loss."""

    def __init__(
        self,
        address: NodeAddress,
        codec: CodecBase,
        times: ChannelTimes,
        tls: NodeTls,
    ) -> None:
        """Prepare the connection without opening it."""
        super().__init__(
            address.host,
            address.port,
            codec=codec,
            status_details_codec=StatusDetailsCodec(),
            ssl=tls.context() if address.is_tls else None,
            config=_configuration(times),
        )
        self._times = times
        self._tls = tls if address.is_tls else None
        self._has_ended = False

    def end(self) -> None:
        """Close it for good: grpclib's own `close` is undone by the next call."""
        self._has_ended = True
        self.close()

    def _protocol_factory(self) -> H2Protocol:
        protocol = super()._protocol_factory()
        return _NodeProtocol(protocol.handler, protocol.config, protocol.h2_config)

    async def _create_connection(self) -> H2Protocol:
        if self._has_ended:
            raise EngineUnavailable("the exec node is no longer used", FallbackReason.CONNECT)
        if self._tls is not None:
            self._ssl = self._tls.context()  # certificates may have been renewed since the last connection
        try:
            async with asyncio.timeout(self._times.connect_s):
                protocol = await super()._create_connection()
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            raise _not_connected() from error
        if is_lost(protocol):  # reset at once; grpclib would use it, and stumble over what it took down
            raise _not_connected()
        return protocol


def is_lost(protocol: H2Protocol) -> bool:
    """Whether no call may be made on this connection any more."""
    return cast(Handler, protocol.handler).connection_lost


def _not_connected() -> EngineUnavailable:
    return EngineUnavailable("could not connect to the exec node", FallbackReason.CONNECT)


class _NodeProtocol(LargeFrameProtocol):
    """Receives large frames cheaply, and drops a dead connection at once.

    grpclib makes its Connection, its processor and h2's connection itself: there is no class to pass, so
    attributes are set.
    """

    stream_class = ViewStream
    _has_closed_streams = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        h2_connection = self.connection._connection
        frames = LargeFrames()
        frames.max_frame_size = h2_connection.max_inbound_frame_size
        h2_connection.incoming_buffer = frames
        follow_frame_size(h2_connection)
        vars(self.connection)["close"] = partial(  # what an unanswered ping calls
            self._abort, cast(asyncio.Transport, transport), self.connection.close
        )
        vars(self.processor)["close"] = partial(self._close_streams, self.processor.close)

    def _abort(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        """Close without flushing: a plain close first waits for what a dead peer never takes.

        The next call connects anew, and does not wait until the loop has told that this one is lost.
        """
        self.handler.close()
        transport.abort()
        close()

    def _close_streams(self, close: Callable[[str], None], reason: str = "Connection closed") -> None:
        """Wake every waiting call once: after a GOAWAY grpclib does it again when the connection is lost.

        It wakes them by cancelling their tasks, and two cancellations look like one of somebody else.
        """
        if not self._has_closed_streams:
            self._has_closed_streams = True
            close(reason)


def _configuration(times: ChannelTimes) -> Configuration:
    return Configuration(
        _keepalive_time=times.ping_interval_s,
        _keepalive_timeout=times.ping_timeout_s,
        # gRPC's own limits on pings are for clients on the internet; a long query sends no data at all.
        _http2_max_pings_without_data=0,
        _http2_min_sent_ping_interval_without_data=times.ping_interval_s / 2,
        http2_connection_window_size=CONNECTION_WINDOW_BYTES,
        http2_stream_window_size=STREAM_WINDOW_BYTES,
    )
