"""Serves an ASGI application inside the gateway's own event loop: no signal handlers, no second process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

TlsFiles = tuple[Path | None, Path | None]
_BACKLOG = 128


class _EmbeddedServer(uvicorn.Server):
    """uvicorn without its signal handlers: the gateway decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve_http(
    app: ASGIApp, host: str, port: int, grace_s: float = 5.0, tls_files: TlsFiles = (None, None)
) -> AsyncIterator[int]:
    """Serve `app` while the context is entered; gives the port that it listens on (for port 0).

    grace_s: how long requests may take to end when the context is left. tls_files: certificate chain and
        key as PEM; none for plain HTTP.

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
        ssl_certfile=tls_files[0],
        ssl_keyfile=tls_files[1],
        timeout_graceful_shutdown=max(1, round(grace_s)),
    )
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
