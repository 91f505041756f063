"""The composition root: it alone names concrete classes, and it says in which order they start and stop."""

import asyncio
import secrets
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from execnode.engine import DuckEngine, EngineLimits
from execnode.engine.parser import serialized_tree
from execnode.statement import CatalogDefinition, CatalogGeneration
from pgproxy.catalog.service import CatalogService
from pgproxy.control.metastore import Metastore
from pgproxy.control.opening import open_metastore
from pgproxy.control.service import ControlService
from pgproxy.control.state import Endpoint
from pgproxy.engines.embedded import EmbeddedEngine
from pgproxy.engines.remote import RemoteEngine, RemoteOptions
from pgproxy.http.app import HealthCheck, HealthReport, gateway_app
from pgproxy.http.server import serve_http
from pgproxy.logs import configure_logging
from pgproxy.metrics import GatewayMetrics
from pgproxy.net.cancel import CancelRegistry
from pgproxy.net.connection import ConnectionServices
from pgproxy.net.handshake import Greeting, HandshakePolicy
from pgproxy.net.listener import Listener
from pgproxy.net.tls import load_tls
from pgproxy.policy.current import CurrentPolicies
from pgproxy.recorder import StatementRecorder
from pgproxy.routing.registry import EndpointRegistry, ProbeTimes
from pgproxy.routing.resolve import RoutingFlags
from pgproxy.routing.router import Router
from pgproxy.session.opening import SessionOpener
from pgproxy.session.services import SessionServices
from pgproxy.session.sql_session import SqlSession
from pgproxy.settings import DatabaseMode, GatewaySettings, LogFormat
from pgproxy.sql.cache import PlanCache
from pgproxy.sql.plan import EngineTree
from pgwire.auth.verifier import ScramVerifier, mock_verifier, parse_verifier
from pgwire.errors import GatewayError
from pgwire.session.machine import Session

log = structlog.get_logger(__name__)

_MAX_MESSAGE_BYTES = 256 * 1024 * 1024
_FIRST_PROBES_S = 3.0
_BYTES_PER_GB = 1 << 30


def run(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    configure_logging(settings.log_level, is_json=settings.log_format is LogFormat.JSON)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(Gateway(settings).serve())


class Gateway:
    """One gateway process."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._stop = asyncio.Event()
        self._started = time.monotonic()
        self._metrics = GatewayMetrics(CollectorRegistry())
        self._mock_secret = secrets.token_bytes(32)

    async def serve(self) -> None:
        """Start everything in order, serve, and stop in the opposite order."""
        settings = self._settings
        async with AsyncExitStack() as stack:
            metastore = await stack.enter_async_context(
                open_metastore(settings.metastore_url, secret_key_file=settings.secret_key_file)
            )
            await self._bootstrap(metastore)
            epoch = await metastore.epoch()
            policies = CurrentPolicies(await metastore.policy_set())
            generation = _catalog_generation(settings)
            catalogs = CatalogService(
                settings.catalog_name, [c.name for c in generation.catalogs] or ["memory"]
            )
            stack.push_async_callback(catalogs.close)
            local = await self._start_engine(stack, catalogs, generation)
            await catalogs.refresh()
            await catalogs.publish_policy_set(policies.policy_set)
            registry = await stack.enter_async_context(
                EndpointRegistry(self._remote_engine, ProbeTimes(interval_s=settings.health_check_interval))
            )
            registry.publish(generation)
            registry.apply(await metastore.endpoints(), await metastore.assignments())
            router = Router(local, registry, _routing_flags(settings), self._metrics.observe_engine_failure)
            recorder = StatementRecorder(metastore, self._metrics)
            following = self._follow(metastore, epoch, policies, catalogs, registry)
            await stack.enter_async_context(_background(recorder.write_audit(), following))
            services = SessionServices(
                policies, catalogs, router, PlanCache(), _engine_tree, recorder, described={}
            )
            listener = await stack.enter_async_context(self._listener(metastore, services))
            self._metrics.connections.set_function(lambda: listener.connection_count)
            http = gateway_app(self._health(local, registry, listener), self._metrics.registry)
            address = settings.http_listen_addr
            http_port = await stack.enter_async_context(serve_http(http, address.host, address.port))
            await registry.first_probes(_FIRST_PROBES_S)
            self._stop_on_signals()
            host = settings.pg_wire_listen_addr.host
            print(
                f"pgproxy ready: postgres on {host}:{listener.port}, http on {address.host}:{http_port}",
                flush=True,
            )
            await self._stop.wait()
            await listener.drain(settings.shutdown_grace_period)

    async def _bootstrap(self, metastore: Metastore) -> None:
        settings = self._settings
        if settings.bootstrap_admin is None or settings.bootstrap_admin_password is None:
            return
        control = ControlService(metastore, scram_iterations=settings.scram_iterations)
        password = settings.bootstrap_admin_password.get_secret_value()
        await control.bootstrap_admin(settings.bootstrap_admin, password)

    async def _start_engine(
        self, stack: AsyncExitStack, catalogs: CatalogService, generation: CatalogGeneration
    ) -> EmbeddedEngine:
        settings = self._settings
        folder = settings.spool_dir or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="pgproxy-"))
        )
        memory = round(settings.max_memory_gb * _BYTES_PER_GB) if settings.max_memory_gb is not None else None
        limits = EngineLimits(folder, memory_limit_bytes=memory, threads=settings.threads)
        engine = EmbeddedEngine(DuckEngine(limits, prepare_instance=catalogs.prepare_instance))
        stack.push_async_callback(engine.close)
        await engine.attach_catalogs(generation)
        return engine

    def _remote_engine(self, endpoint: Endpoint) -> RemoteEngine:
        options = RemoteOptions(use_cursor_mode=self._settings.feature_cursor_mode)
        return RemoteEngine(endpoint.name, endpoint.url, endpoint.token, options)

    async def _follow(
        self,
        metastore: Metastore,
        since: int,
        policies: CurrentPolicies,
        catalogs: CatalogService,
        registry: EndpointRegistry,
    ) -> None:
        """Let every change of the metastore hold here, within a second of its commit."""
        async for _ in metastore.watch(since):
            policy_set = await metastore.policy_set()
            if policy_set.epoch != policies.policy_set.epoch:
                policies.replace(policy_set)
                await catalogs.publish_policy_set(policy_set)
            registry.apply(await metastore.endpoints(), await metastore.assignments())
            log.info("metastore.followed", policy_epoch=policy_set.epoch)

    def _listener(self, metastore: Metastore, services: SessionServices) -> Listener:
        settings = self._settings
        opener = SessionOpener(services, _default_settings(settings))

        async def verifier_for(user: str) -> ScramVerifier:
            stored = await metastore.verifier_for(user)
            if stored is None:
                return mock_verifier(user, self._mock_secret, settings.scram_iterations)
            return parse_verifier(stored)

        async def open_session(
            greeting: Greeting, machine: Session, process_id: int, host: str
        ) -> SqlSession:
            return opener.open(greeting.startup, machine, process_id, host)

        tls = None
        if settings.tls_cert_file is not None and settings.tls_key_file is not None:
            tls = load_tls(settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file)
        policy = HandshakePolicy(verifier_for, tls, settings.require_tls, settings.authentication_timeout)
        connection_services = ConnectionServices(
            handshake=policy,
            cancels=CancelRegistry(),
            open_session=open_session,
            new_error_id=lambda: secrets.token_hex(6),
            max_message_bytes=_MAX_MESSAGE_BYTES,
        )
        address = settings.pg_wire_listen_addr
        return Listener(address.host, address.port, connection_services)

    def _health(self, local: EmbeddedEngine, registry: EndpointRegistry, listener: Listener) -> HealthCheck:
        async def check() -> HealthReport:
            is_stopping = self._stop.is_set()
            try:
                await local.duck.check()
                is_healthy = not is_stopping
            except GatewayError:
                is_healthy = False
            facts = {
                "draining": is_stopping,
                "connections": listener.connection_count,
                "uptime_s": round(time.monotonic() - self._started, 3),
                "endpoints": {name: status.health.value for name, status in registry.statuses().items()},
            }
            return HealthReport(is_healthy, facts)

        return check

    def _stop_on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)


@asynccontextmanager
async def _background(*work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run tasks for as long as the body does, then cancel them; one that fails ends the gateway."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(coroutine) for coroutine in work]
        try:
            yield
        finally:
            for task in started:
                task.cancel()


def _engine_tree(sql: str) -> EngineTree:
    """Ask DuckDB's own parser, in the planner's terms."""
    tree = serialized_tree(sql)
    return EngineTree(tree.statement_types, tree.relations, tree.functions)


def _routing_flags(settings: GatewaySettings) -> RoutingFlags:
    return RoutingFlags(
        is_remote_enabled=settings.feature_remote_routing,
        canary_users=settings.remote_canary_users,
        canary_groups=settings.remote_canary_groups,
    )


def _catalog_generation(settings: GatewaySettings) -> CatalogGeneration:
    """One catalog, the database; none for the in-memory one, which every instance has."""
    if settings.database is None:
        return CatalogGeneration(1, ())
    is_read_only = settings.database_mode is DatabaseMode.READ_ONLY
    location = str(Path(settings.database).resolve())
    return CatalogGeneration(1, (CatalogDefinition(settings.catalog_name, "duckdb", location, is_read_only),))


def _default_settings(settings: GatewaySettings) -> dict[str, str]:
    """Settings that every session begins with, in PostgreSQL's units."""
    limits = {
        "statement_timeout": settings.statement_timeout,
        "idle_session_timeout": settings.idle_session_timeout,
        "idle_in_transaction_session_timeout": settings.idle_in_transaction_session_timeout,
    }
    found = {name: f"{round(seconds * 1000)}ms" for name, seconds in limits.items() if seconds}
    found["port"] = str(settings.pg_wire_listen_addr.port)
    found["max_connections"] = str(settings.max_connections)
    found["ssl"] = "on" if settings.tls_cert_file is not None else "off"
    if settings.database_mode is DatabaseMode.READ_ONLY:
        found["default_transaction_read_only"] = "on"
    return found


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop where it is installed; it is an extra."""
    if find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop
