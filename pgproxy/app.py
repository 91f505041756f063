"""The composition root: it alone names concrete classes, and it says in which order they start and stop."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import duckdb
import structlog
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute

from execnode.engine import DuckEngine, EngineLimits
from execnode.engine.parser import serialized_tree
from execnode.statement import CatalogDefinition, CatalogGeneration
from pgproxy.activity.relations import ActivityRelations, Observed
from pgproxy.activity.signals import EngineSignals
from pgproxy.audit.options import AuditOptions
from pgproxy.audit.recorder import StatementRecorder
from pgproxy.audit.writer import AuditWriter
from pgproxy.catalog.service import CatalogService
from pgproxy.control.binding import CatalogBinder
from pgproxy.control.flags import CurrentFlags
from pgproxy.control.fleet import Endpoint
from pgproxy.control.fleet_changes import activate_registered
from pgproxy.control.metastore import Metastore, MetastoreError
from pgproxy.control.opening import open_metastore
from pgproxy.control.service import Actor, ControlService
from pgproxy.control_plane import GatewayControlPlane
from pgproxy.engines.embedded import EmbeddedEngine
from pgproxy.engines.remote import RemoteEngine, remote_engine
from pgproxy.following import Followers, MetastoreFollower
from pgproxy.front_door import FrontDoor, session_registry, tls_certificates
from pgproxy.http.app import HealthCheck, HealthReport, gateway_app
from pgproxy.http.server import serve_http
from pgproxy.logins import Logins
from pgproxy.logs import configure_logging
from pgproxy.metrics import GatewayMetrics
from pgproxy.net.listener import Listener
from pgproxy.net.tls import TlsCertificates
from pgproxy.policy.current import CurrentPolicies
from pgproxy.queue.service import AsyncQueue
from pgproxy.queueing import HttpViewers, async_queue, query_routes, queue_facts
from pgproxy.rollout.controller import RolloutController
from pgproxy.rollout.shadow import Shadow, ShadowOutcome, ShadowResult
from pgproxy.routing.registry import EndpointRegistry, ProbeTimes
from pgproxy.routing.resolve import RoutingFlags
from pgproxy.routing.router import Router
from pgproxy.session.live_sessions import LiveSessions
from pgproxy.session.notification_hub import NotificationHub
from pgproxy.session.services import SessionServices
from pgproxy.settings import DatabaseMode, GatewaySettings, LogFormat, SettingsError
from pgproxy.sql.cache import PlanCache
from pgproxy.sql.plan import EngineTree
from pgwire.errors import GatewayError

log = structlog.get_logger(__name__)

_FIRST_PROBES_S = 3.0
_BYTES_PER_GB = 1 << 30


def run(settings: GatewaySettings, config_file: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then drain. config_file: where the settings came from."""
    configure_logging(settings.log_level, is_json=settings.log_format is LogFormat.JSON)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(Gateway(settings, config_file).serve())


class Gateway:
    """One gateway process."""

    def __init__(self, settings: GatewaySettings, config_file: Path | None = None) -> None:
        """config_file: what SIGHUP reads the flags from again."""
        self._settings = settings
        self._config_file = config_file
        self._flags = CurrentFlags(settings.flags, {})
        self._stop = asyncio.Event()
        self._started = time.monotonic()
        self._metrics = GatewayMetrics(CollectorRegistry())

    async def serve(self) -> None:
        """Start everything in order, serve, and stop in the opposite order."""
        settings = self._settings
        _raise_open_file_limit()
        certificates = tls_certificates(settings)
        async with AsyncExitStack() as stack:
            metastore = await stack.enter_async_context(
                open_metastore(settings.metastore_url, secret_key_file=settings.secret_key_file)
            )
            await self._bootstrap(metastore)
            epoch = await metastore.epoch()
            policies = CurrentPolicies(await metastore.policy_set())
            generation = _catalog_generation(settings)
            live = LiveSessions()
            catalogs = CatalogService(
                settings.catalog_name,
                [c.name for c in generation.catalogs] or ["memory"],
                EngineSignals(live, policies, asyncio.get_running_loop()),
            )
            stack.push_async_callback(catalogs.close)
            local = await self._start_engine(stack, catalogs, generation)
            await catalogs.refresh()
            await catalogs.publish_policy_set(policies.policy_set)
            state = await metastore.state()
            flags = self._flags = CurrentFlags(settings.flags, state.flags)
            rollouts = RolloutController(metastore, f"{_gateway_name(settings)}:{os.getpid()}")
            rollouts.apply(state.rollouts)
            registry = await stack.enter_async_context(
                EndpointRegistry(
                    self._remote_engine,
                    ProbeTimes(interval_s=settings.health_check_interval),
                    may_call=lambda: flags.value.feature_internal_grpc,
                    observe_activation=partial(_activate, metastore),
                )
            )
            registry.publish(generation)
            registry.apply(await metastore.endpoints(), await metastore.assignments())
            writer = AuditWriter(metastore.audit, _audit_options(settings), self._metrics)
            recorder = StatementRecorder(writer, self._metrics, [rollouts.statement_ended])
            shadow = Shadow(local, registry, partial(_observe_shadow, self._metrics, rollouts))
            router = Router(
                local,
                registry,
                lambda: RoutingFlags.of(flags.value, rollouts.rollout),
                self._metrics.observe_engine_failure,
                shadow,
            )
            sessions = session_registry(settings, policies)
            followers = Followers(policies, catalogs, registry, sessions, flags, rollouts)
            follower = MetastoreFollower(metastore, followers, epoch, settings.metastore_grace)
            logins = Logins(settings, metastore, follower, self._metrics)
            await stack.enter_async_context(
                _background(
                    writer.write(),
                    writer.purge(),
                    follower.follow(),
                    logins.share(),
                    rollouts.run(),
                    shadow.run(),
                )
            )
            observed = Observed(catalogs, metastore, live, recorder, writer, registry, policies)
            queue = async_queue(settings, metastore) if settings.feature_async_queue else None
            services = SessionServices(
                policies, catalogs, router, PlanCache(), _engine_tree, recorder,
                described={}, notifications=NotificationHub(), spool_limits=local.duck.spool_limits,
                control=self._control_plane(metastore, catalogs, follower),
                activity=ActivityRelations(observed, settings.audit_log_rows),
            )  # fmt: skip
            door = FrontDoor(settings, logins.authenticator, services)
            routes: tuple[BaseRoute, ...] = ()
            if queue is not None:
                queue.opens_with(door.open_detached)
                await stack.enter_async_context(queue)
                routes = query_routes(queue, HttpViewers(logins.authenticator, policies), metastore)
            listener = await stack.enter_async_context(door.listener(certificates, sessions, live))
            self._metrics.connections.set_function(lambda: listener.connection_count)
            health = self._health(local, registry, listener, follower, queue)
            http = gateway_app(health, self._metrics.registry, routes)
            address = settings.http_listen_addr
            files = (settings.tls_cert_file, settings.tls_key_file) if settings.http_tls else (None, None)
            http_port = await stack.enter_async_context(
                serve_http(http, address.host, address.port, tls_files=files)
            )
            await registry.first_probes(_FIRST_PROBES_S)
            self._obey_signals(listener, certificates, registry)
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

    def _control_plane(
        self, metastore: Metastore, catalogs: CatalogService, follower: MetastoreFollower
    ) -> GatewayControlPlane:
        binder = CatalogBinder(lambda: catalogs.snapshot, _engine_tree)
        iterations = self._settings.scram_iterations
        service = ControlService(metastore, validate_expression=binder, scram_iterations=iterations)
        return GatewayControlPlane(metastore, service, follower)

    async def _start_engine(
        self, stack: AsyncExitStack, catalogs: CatalogService, generation: CatalogGeneration
    ) -> EmbeddedEngine:
        settings = self._settings
        folder = settings.spool_dir or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="pgproxy-"))
        )
        limits = EngineLimits(folder, memory_limit_bytes=_memory_cap(settings), threads=settings.threads)
        engine = EmbeddedEngine(DuckEngine(limits, prepare_instance=catalogs.prepare_instance))
        stack.push_async_callback(engine.close)
        await engine.attach_catalogs(generation)
        return engine

    def _remote_engine(self, endpoint: Endpoint) -> RemoteEngine:
        return remote_engine(endpoint, self._settings.node_tls, lambda: self._flags.value.feature_cursor_mode)

    def _health(
        self,
        local: EmbeddedEngine,
        registry: EndpointRegistry,
        listener: Listener,
        follower: MetastoreFollower,
        queue: AsyncQueue | None,
    ) -> HealthCheck:
        async def check() -> HealthReport:
            is_stopping, memory_used = self._stop.is_set(), 0
            try:
                await local.duck.check()
                memory_used = await local.duck.memory_used_bytes()
                is_healthy = not is_stopping
            except GatewayError:
                is_healthy = False
            facts = {
                "draining": is_stopping,
                "metastore": "current" if follower.is_current else "unavailable",
                "connections": listener.connection_count,
                "uptime_s": round(time.monotonic() - self._started, 3),
                "uptime_seconds": round(time.monotonic() - self._started, 3),
                "query_result_ttl_seconds": self._settings.query_result_ttl,
                "memory_used_bytes": memory_used,
                "memory_cap_bytes": _memory_cap(self._settings) or 0,
                "versions": {"pgproxy": version("pgproxy"), "engine": duckdb.__version__},
                **await queue_facts(queue),
                "endpoints": {name: status.health.value for name, status in registry.statuses().items()},
            }
            return HealthReport(is_healthy, facts)

        return check

    def _obey_signals(
        self, listener: Listener, certificates: TlsCertificates | None, registry: EndpointRegistry
    ) -> None:
        """SIGTERM and SIGINT drain, a second one ends every session now; SIGHUP reads files again."""
        loop = asyncio.get_running_loop()

        def stop() -> None:
            if self._stop.is_set():
                listener.end_all()
            self._stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)

        def reload() -> None:
            if certificates is not None:
                certificates.reload()
            self._reload_flags(registry)

        loop.add_signal_handler(signal.SIGHUP, reload)

    def _reload_flags(self, registry: EndpointRegistry) -> None:
        """Read the flags again; settings that do not parse change nothing."""
        try:
            has_changed = self._flags.rebase(GatewaySettings.load(self._config_file).flags)
        except SettingsError as error:
            log.error("flags.not_reloaded", problem=str(error))  # noqa: TRY400  # names settings, no value
            return
        if has_changed:
            log.info("flags.reloaded")
            registry.probe_all_now()


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


def _memory_cap(settings: GatewaySettings) -> int | None:
    """DuckDB's cap in bytes; None for its own default."""
    return round(settings.max_memory_gb * _BYTES_PER_GB) if settings.max_memory_gb is not None else None


def _engine_tree(sql: str) -> EngineTree:
    """Ask DuckDB's own parser, in the planner's terms."""
    tree = serialized_tree(sql)
    return EngineTree(tree.statement_types, tree.relations, tree.functions)


async def _activate(metastore: Metastore, name: str) -> None:
    """Say in the control plane that a registered endpoint is well. One of several gateways is enough."""
    service = ControlService(metastore)
    try:
        await service.apply(
            Actor("gateway", is_operator=True), lambda state: activate_registered(state, name)
        )
    except MetastoreError:
        log.warning("endpoint.not_activated", endpoint=name)


def _observe_shadow(metrics: GatewayMetrics, rollouts: RolloutController, result: ShadowResult) -> None:
    metrics.shadowed.labels(result.endpoint, result.outcome.value).inc()
    if result.outcome in (ShadowOutcome.MATCH, ShadowOutcome.MISMATCH):
        rollouts.shadow_compared(is_same=result.outcome is ShadowOutcome.MATCH)


def _gateway_name(settings: GatewaySettings) -> str:
    return settings.gateway_name or socket.gethostname()


def _audit_options(settings: GatewaySettings) -> AuditOptions:
    return AuditOptions(
        gateway=_gateway_name(settings),
        mode=settings.audit_mode,
        query_text=settings.audit_query_text,
        retention_s=settings.audit_retention,
    )


def _catalog_generation(settings: GatewaySettings) -> CatalogGeneration:
    """One catalog, the database; none for the in-memory one, which every instance has."""
    if settings.database is None:
        return CatalogGeneration(1, ())
    is_read_only = settings.database_mode is DatabaseMode.READ_ONLY
    location = str(Path(settings.database).resolve())
    return CatalogGeneration(1, (CatalogDefinition(settings.catalog_name, "duckdb", location, is_read_only),))


def _raise_open_file_limit() -> None:
    """A connection is an open file: let there be as many as this process may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS: "unlimited" is refused
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop where it is installed; it is an extra."""
    if find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop
