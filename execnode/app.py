"""The exec node's composition root: concrete classes, and the order of start and stop."""

import asyncio
import contextlib
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import structlog
import uvicorn
from prometheus_client import CollectorRegistry

from execnode.admission import AdmissionGate
from execnode.certificates import renew_certificate
from execnode.engine import DuckEngine, EngineLimits
from execnode.http import build_http
from execnode.limits import ResultLimits
from execnode.metrics import NodeMetrics
from execnode.queries import QueryRegistry
from execnode.service import ExecNodeService, NodeParts, ServiceLimits, build_server
from execnode.sessions import SessionRegistry
from execnode.settings import NodeSettings, SettingsError, split_address
from execnode.spool import SpoolBudget, SpoolLimits, remove_orphans
from execnode.tracing import Tracing, open_tracing, trace_options
from execnode.transport import NodeServer, server_tls

log = structlog.get_logger(__name__)

_GATEWAYS_KNOW_S = 3.0
"""While gateways are connected a stopping node answers so long: by then each has probed it and moved away."""

_EXTRA_THREADS = 8  # health, describe and spool files find a thread when every slot is taken


async def run_node(settings: NodeSettings) -> None:
    """Serve until SIGTERM or SIGINT, then drain: refuse what is new, wait for what runs, close.

    SIGHUP reads the certificate's files again.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, log.info, "node.nothing_to_reload")
    with _spool_folder(settings) as folder:
        orphans = remove_orphans(folder)
        log.info("node.starting", orphaned_spool_files=orphans)
        with open_tracing("execnode", trace_options(settings.otel_exporter_otlp_endpoint)) as tracing:
            await _serve(settings, folder, stop, tracing)
    log.info("node.stopped")


async def _serve(settings: NodeSettings, folder: Path, stop: asyncio.Event, tracing: Tracing) -> None:
    engine = DuckEngine(
        EngineLimits(folder, settings.memory_limit_bytes),
        max_threads=settings.max_concurrent_queries + _EXTRA_THREADS,
    )
    gate = AdmissionGate(settings.max_concurrent_queries, settings.max_queued_queries)
    sessions = SessionRegistry()
    metrics = NodeMetrics(CollectorRegistry(), tracing)
    try:
        spools = SpoolLimits(folder, budget=SpoolBudget(settings.spool_max_bytes))
        results = ResultLimits(settings.max_result_rows, settings.max_result_bytes)
        async with (
            QueryRegistry(engine, gate, spools, results, metrics=metrics) as queries,
            asyncio.TaskGroup() as tasks,
        ):
            limits = ServiceLimits(
                settings.query_timeout,
                settings.memory_limit_bytes or 0,
                settings.feature_cursor_mode,
                settings.query_result_ttl,
                version("pgproxy"),
                settings.spool_max_bytes,
                results,
            )
            service = ExecNodeService(NodeParts(engine, gate, queries, sessions, metrics), limits)
            cleaner = tasks.create_task(_clean(settings, queries, sessions))
            async with (
                _grpc(settings, service) as (grpc_port, server),
                _http(settings, service, metrics) as http_port,
            ):
                _announce(grpc_port, http_port)
                await stop.wait()
                known_s = asyncio.get_running_loop().time() + _GATEWAYS_KNOW_S
                await _drain(gate, queries, settings.shutdown_grace)
                if server is not None:
                    await server.say_goodbye(known_s)
            cleaner.cancel()
    finally:
        await sessions.close_all()
        await engine.close()


async def _drain(gate: AdmissionGate, queries: QueryRegistry, grace_s: float) -> None:
    """Take nothing new; wait for what runs, and until its readers have fetched what is theirs."""
    gate.drain()
    log.info("node.draining", running=gate.running)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace_s):
            await gate.wait_idle()
            await queries.wait_fetched()


async def _clean(settings: NodeSettings, queries: QueryRegistry, sessions: SessionRegistry) -> None:
    while True:
        await asyncio.sleep(settings.query_cleanup_interval)
        now_s = time.monotonic()
        expired = await queries.delete_expired(now_s, settings.query_result_ttl)
        idle = await sessions.close_idle(now_s)
        if expired or idle:
            log.info("node.cleaned", queries=expired, sessions=idle)


@asynccontextmanager
async def _grpc(
    settings: NodeSettings, service: ExecNodeService
) -> AsyncGenerator[tuple[int, NodeServer | None], None]:
    """Serve gRPC; gives the port and the server: 0 and None when FEATURE_INTERNAL_GRPC is off."""
    if not settings.feature_internal_grpc:
        yield 0, None
        return
    tls = None
    if settings.tls_cert_file is not None and settings.tls_key_file is not None:
        tls = server_tls(settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file)
        renewal = partial(renew_certificate, tls, settings.tls_cert_file, settings.tls_key_file)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renewal)
    listener = _listen("GRPC_LISTEN_ADDR", settings.grpc_listen_addr)
    server = build_server(service, settings.tokens)
    await server.start(sock=listener, ssl=tls)
    try:
        yield int(listener.getsockname()[1]), server
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def _http(
    settings: NodeSettings, service: ExecNodeService, metrics: NodeMetrics
) -> AsyncGenerator[int, None]:
    """Serve HTTP; gives the port."""
    listener = _listen("LISTEN_ADDR", settings.listen_addr)
    config = uvicorn.Config(
        build_http(service.read_health, metrics.registry),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",  # nothing here speaks WebSocket; uvicorn would import what does
    )
    server = _QuietServer(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve([listener]))
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True


class _QuietServer(uvicorn.Server):
    """uvicorn without its own signal handlers: the node has its own order of shutting down."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _listen(setting: str, address: str) -> socket.socket:
    try:
        return _bound(*split_address(address))
    except OSError as error:
        raise SettingsError(f"{setting}: cannot listen there: {error.strerror}") from error


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio and grpclib set TCP_NODELAY only on sockets that name IPPROTO_TCP; without it,
    # every small answer waits 40 ms for a delayed ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(512)
    return listener


def _announce(grpc_port: int, http_port: int) -> None:
    """The line that scripts wait for."""
    sys.stdout.write(f"execnode ready: grpc port {grpc_port}, http port {http_port}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _spool_folder(settings: NodeSettings) -> Generator[Path, None, None]:
    """The node's own folder.

    Under SPOOL_DIR it is named by the gRPC address, which one process holds; without, it is temporary.
    """
    if settings.spool_dir is not None:
        folder = settings.spool_dir / settings.grpc_listen_addr.replace(":", "_")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SettingsError(f"SPOOL_DIR: cannot be used: {error.strerror}") from error
        yield folder
        return
    folder = Path(tempfile.mkdtemp(prefix="execnode-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
