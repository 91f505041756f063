"""HTTP/2 as the node speaks it: large frames, large windows, optional TLS.

The windows that a result stream meets are the gateway's (pgproxy.engines.channel); these are for what the
node receives. The frame size holds in both directions only if both ends advertise it.
"""

import asyncio
import ssl
from functools import partial
from pathlib import Path
from typing import Any

from grpclib.config import Configuration
from grpclib.protocol import H2Protocol, Stream
from grpclib.server import Server
from h2.connection import H2Connection
from h2.settings import SettingCodes

from execnode.chunk_sending import ChunkCodec, ChunkStream, write_past_buffer
from execnode.status import StatusDetailsCodec

CONNECTION_WINDOW_BYTES = (1 << 31) - 1
STREAM_WINDOW_BYTES = 4 << 20
MAX_FRAME_BYTES = 2 << 20
KEEPALIVE_S = 20.0
"""Both ends ping while calls are open, and take a peer that does not answer for dead."""

_GOODBYE_POLL_S = 0.05
_LAST_WORDS_S = 1.0


class LargeFrameProtocol(H2Protocol):
    """Advertises MAX_FRAME_BYTES, so that the peer sends a chunk in one frame; sends chunks uncopied."""

    stream_class: type[Stream] = ChunkStream

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        h2 = self.connection._connection
        vars(self.connection)["create_stream"] = partial(self.stream_class, self.connection, h2, transport)
        write_past_buffer(self.connection, transport)
        follow_frame_size(h2)
        h2.update_settings({SettingCodes.MAX_FRAME_SIZE: MAX_FRAME_BYTES})
        self.connection.flush()


def follow_frame_size(h2: H2Connection) -> None:
    """Check frames that arrive against the size that holds now.

    h2 4.4 asks once for each piece that the socket gives: where the peer's acknowledgement and its first
    large frame come in one, it takes the frame for too long and the connection is lost.
    """
    frames = h2.incoming_buffer
    check = frames._validate_frame_length

    def check_now(length: int) -> None:
        frames.max_frame_size = h2.max_inbound_frame_size
        check(length)

    vars(frames)["_validate_frame_length"] = check_now


class NodeServer(Server):
    """A grpclib server with our frames and error details."""

    def __init__(self, handlers: list[Any]) -> None:
        super().__init__(
            handlers, codec=ChunkCodec(), status_details_codec=StatusDetailsCodec(), config=_configuration()
        )

    def _protocol_factory(self) -> H2Protocol:
        protocol = super()._protocol_factory()
        return LargeFrameProtocol(protocol.handler, protocol.config, protocol.h2_config)

    async def say_goodbye(self, until_s: float) -> None:
        """Answer what still comes until nobody is connected, or until then by the loop's clock.

        Returns when no call is under way: a call that ended a moment ago still has its last words to send,
        and closing the connection would lose them.
        """
        loop = asyncio.get_running_loop()
        while loop.time() < until_s and self._is_connected():  # noqa: ASYNC110  # grpclib has no event
            await asyncio.sleep(_GOODBYE_POLL_S)
        calls = [task for handler in self._handlers for task in handler._tasks.values() if not task.done()]
        if calls:
            await asyncio.wait(calls, timeout=_LAST_WORDS_S)

    def _is_connected(self) -> bool:
        return any(not handler.closing for handler in self._handlers)


def server_tls(cert_file: Path, key_file: Path, client_ca_file: Path | None = None) -> ssl.SSLContext:
    """TLS for the node; with a client CA, mutual TLS.

    Raises:
        OSError: a file cannot be read. ssl.SSLError: it is no certificate or key.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert_file, key_file)
    context.set_alpn_protocols(["h2"])
    if client_ca_file is not None:
        context.load_verify_locations(client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _configuration() -> Configuration:
    return Configuration(
        http2_connection_window_size=CONNECTION_WINDOW_BYTES,
        http2_stream_window_size=STREAM_WINDOW_BYTES,
        _keepalive_time=KEEPALIVE_S,
    )
