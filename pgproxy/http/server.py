"""Serves an ASGI application inside the gateway's own event loop: no signal handlers, no second process."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from execnode.certificates import renew_certificate

_BACKLOG = 128


@dataclass(slots=True)
class HttpTls:
    """Certificate chain and key of HTTPS, as PEM files. context: once it is served."""

    certificate: Path
    key: Path
    context: ssl.SSLContext | None = None

    def reload(self) -> None:
        """Read the files again. Files that cannot be used leave what is shown as it is."""
        if self.context is not None:
            renew_certificate(self.context, self.certificate, self.key)


class _EmbeddedServer(uvicorn.Server):
    """uvicorn without its signal handlers: the gateway decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve_http(
    app: ASGIApp, host: str, port: int, grace_s: float = 5.0, tls: HttpTls | None = None
) -> AsyncIterator[int]:
    """Serve `app` while the context is entered; gives the port that it listens on (for port 0).

    grace_s: how long requests may take to end when the context is left. tls: None for plain HTTP.

    Raises:
        OSError: the address cannot be listened on.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",  # nothing here speaks WebSocket; uvicorn would import what does
        ssl_certfile=tls.certificate if tls is not None else None,
        ssl_keyfile=tls.key if tls is not None else None,
        timeout_graceful_shutdown=max(1, round(grace_s)),
    )
    config.load()
    if tls is not None:
        tls.context = config.ssl
    server = _EmbeddedServer(config)
    try:
        tasks = await asyncio.TaskGroup().__aenter__()
        tasks.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await tasks.__aexit__(None, None, None)  # what the body raised stays as it is, in no group
    finally:
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    """Listen before serving, so that a connection made at once waits instead of being refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    listener.setblocking(False)
    return listener
