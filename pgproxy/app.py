"""The composition root: it alone names concrete classes, and it says in which order they start and stop."""

import asyncio
import contextlib
import os
import resource
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from pathlib import Path
from typing import TypeVar

import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from execnode.engine import DuckEngine, EngineLimits
from execnode.engine.parser import serialized_tree
from execnode.engine.scheduling import take_short_turns
from execnode.runtime import keep_freed_memory, keep_pandas_out, loop_factory, settle_imports
from execnode.statement import CatalogDefinition
from execnode.tracing import Tracing, open_tracing, trace_options
from pgproxy.activity.relations import ActivityRelations, Observed
from pgproxy.activity.signals import EngineSignals
from pgproxy.audit.lines import statement_lines
from pgproxy.audit.options import AuditOptions
from pgproxy.audit.recorder import StatementRecorder
from pgproxy.audit.writer import AuditWriter
from pgproxy.catalog.service import CatalogService
from pgproxy.control.binding import CatalogBinder
from pgproxy.control.flags import CurrentFlags
from pgproxy.control.fleet import CatalogKind
from pgproxy.control.metastore import Metastore
from pgproxy.control.opening import open_metastore
from pgproxy.control.service import ControlService
from pgproxy.control_plane import GatewayControlPlane
from pgproxy.engines.embedded import EmbeddedEngine
from pgproxy.execution import Execution, gateway_name, open_execution
from pgproxy.following import Followers, MetastoreFollower
from pgproxy.front_door import FrontDoor, session_registry, tls_certificates
from pgproxy.http.app import gateway_app
from pgproxy.http.console.history import History
from pgproxy.http.console.routes import console_routes
from pgproxy.http.console.views import ConsoleParts
from pgproxy.http.server import HttpTls, serve_http
from pgproxy.identity.default_rules import default_hba_rules
from pgproxy.logins import Logins
from pgproxy.logs import configure_logging
from pgproxy.metrics import GatewayMetrics
from pgproxy.net.listener import Listener
from pgproxy.net.tls import TlsCertificates
from pgproxy.policy.current import CurrentPolicies
from pgproxy.publishing import BaseCatalogs
from pgproxy.queue.service import AsyncQueue
from pgproxy.queue.sessions import SessionQueries
from pgproxy.queueing import HttpViewers, async_queue, query_routes
from pgproxy.readings import GatewayReader, ReadParts
from pgproxy.routing.registry import EndpointRegistry
from pgproxy.session.live_sessions import LiveSessions
from pgproxy.session.notification_hub import NotificationHub
from pgproxy.session.services import SessionServices
from pgproxy.session.telemetry import StatementRecord
from pgproxy.settings import DatabaseMode, GatewaySettings, LogFormat, SettingsError
from pgproxy.sql.cache import PlanCache
from pgproxy.sql.plan import EngineTree

log = structlog.get_logger(__name__)

_FIRST_PROBES_S = 3.0
_BYTES_PER_GB = 1 << 30


_Entered = TypeVar("_Entered")


def run(settings: GatewaySettings, config_file: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then drain. config_file: where the settings came from."""
    configure_logging(settings.log_level, is_json=settings.log_format is LogFormat.JSON)
    settle_imports()
    keep_pandas_out()
    keep_freed_memory()
    take_short_turns()
    problems: tuple[BaseException, ...] = ()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(Gateway(settings, config_file).serve())
    except* SettingsError as group:  # what runs already makes groups of it
        problems = group.exceptions
    if problems:
        raise _first(problems[0])


def _first(error: BaseException) -> BaseException:
    """Give the error itself, or the first of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class Gateway:
    """One gateway process."""

    def __init__(self, settings: GatewaySettings, config_file: Path | None = None) -> None:
        """config_file: what SIGHUP reads the flags from again."""
        self._settings = settings
        self._config_file = config_file
        self._flags = CurrentFlags(settings.flags, {})
        self._http_tls = _http_tls(settings)
        self._stop = asyncio.Event()
        self._started = time.monotonic()
        self._metrics = GatewayMetrics(CollectorRegistry())

    async def serve(self) -> None:
        """Start everything in order, serve, and stop in the opposite order."""
        settings = self._settings
        _raise_open_file_limit()
        certificates = tls_certificates(settings)
        async with AsyncExitStack() as stack:
            tracing = stack.enter_context(_tracing(settings))
            metastore = await stack.enter_async_context(
                open_metastore(settings.metastore_url, secret_key_file=settings.secret_key_file)
            )
            await self._bootstrap(metastore)
            epoch = await metastore.epoch()
            policies = CurrentPolicies(await metastore.policy_set())
            live = LiveSessions()
            signals = EngineSignals(live, policies, asyncio.get_running_loop())
            catalogs = CatalogService(settings.catalog_name, [settings.catalog_name], signals)
            stack.push_async_callback(catalogs.close)
            local = self._make_engine(stack, catalogs)
            bases = _base_catalogs(settings)
            execution, self._flags = await stack.enter_async_context(
                open_execution(settings, metastore, self._metrics, local, catalogs, bases, tracing)
            )
            await catalogs.publish_policy_set(policies.policy_set)
            registry = execution.registry
            writer = AuditWriter(metastore.audit, _audit_options(settings), self._metrics)
            history = History()
            told = [execution.rollouts.statements_ended, history.statements_ended]
            recorder = self._recorder(writer, told, tracing)
            sessions = session_registry(settings, policies)
            followers = Followers(
                policies, catalogs, registry, sessions, self._flags, execution.rollouts, execution.publisher
            )
            follower = MetastoreFollower(metastore, followers, epoch, settings.metastore_grace)
            logins = Logins(settings, metastore, follower, self._metrics, writer)
            work = (writer.write(), writer.purge(), follower.follow(), logins.share(), *execution.work())
            await stack.enter_async_context(_background(*work))
            rules = default_hba_rules(settings.client_cert_auth)
            observed = Observed(catalogs, metastore, live, recorder, writer, registry, policies, rules)
            queue = self._queue(metastore)
            control = self._control_plane(metastore, catalogs, follower)
            services = _session_services(settings, observed, execution, local, control, queue)
            door = FrontDoor(settings, logins, services, metastore)
            await stack.enter_async_context(_background(door.share_cancels()))
            viewers = HttpViewers(logins.authenticator, policies)
            routes = await _open_queue(stack, queue, door, viewers, metastore)
            listener = await _listening(
                stack, "PG_WIRE_LISTEN_ADDR", door.listener(certificates, sessions, live)
            )
            parts = ReadParts(
                local, execution, follower, metastore, policies, live, writer, queue,
                lambda: listener.connection_count,
            )  # fmt: skip
            app = self._http_app(parts, history, control, logins, routes)
            http_port = await _listening(stack, "HTTP_LISTEN_ADDR", self._http_server(app))
            await registry.first_probes(_FIRST_PROBES_S)
            self._obey_signals(listener, certificates, execution)
            self._say_ready(listener.port, http_port)
            await self._stop.wait()
            await listener.drain(settings.shutdown_grace_period)

    def _recorder(
        self,
        writer: AuditWriter,
        told: Sequence[Callable[[Sequence[StatementRecord]], None]],
        tracing: Tracing,
    ) -> StatementRecorder:
        """Make what takes ended statements. told: of all, beside the log, the metrics and the audit log."""
        settings = self._settings
        lines = statement_lines(settings.log_level, is_json=settings.log_format is LogFormat.JSON)
        return StatementRecorder(writer, self._metrics, told, tracing, settings.queries_shown, lines)

    def _queue(self, metastore: Metastore) -> AsyncQueue | None:
        if not self._settings.feature_async_queue:
            return None
        return async_queue(self._settings, metastore, self._metrics, self._flags)

    def _http_app(
        self,
        parts: ReadParts,
        history: History,
        control: GatewayControlPlane,
        logins: Logins,
        routes: Sequence[BaseRoute],
    ) -> Starlette:
        """Health, metrics and the console, besides `routes`."""
        settings = self._settings
        reader = GatewayReader(parts, self._stop, _memory_cap(settings) or 0, settings.query_result_ttl)
        looked_at = ConsoleParts(
            reader, history, parts.execution, self._flags, parts.policies, parts.live, parts.metastore
        )
        console = console_routes(looked_at, logins.authenticator, control, gateway_name(settings))
        return gateway_app(reader, self._metrics, (*routes, *console))

    def _http_server(self, http: Starlette) -> AbstractAsyncContextManager[int]:
        settings = self._settings
        address = settings.http_listen_addr
        return serve_http(http, address.host, address.port, tls=self._http_tls)

    def _say_ready(self, port: int, http_port: int) -> None:
        host, http_host = self._settings.pg_wire_listen_addr.host, self._settings.http_listen_addr.host
        print(f"pgproxy ready: postgres on {host}:{port}, http on {http_host}:{http_port}", flush=True)

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

    def _make_engine(self, stack: AsyncExitStack, catalogs: CatalogService) -> EmbeddedEngine:
        settings = self._settings
        folder = settings.spool_dir or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="pgproxy-"))
        )
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SettingsError(f"SPOOL_DIR: cannot be used: {_words(error)}") from error
        limits = EngineLimits(folder, memory_limit_bytes=_memory_cap(settings), threads=settings.threads)
        duck = DuckEngine(
            limits,
            prepare_instance=catalogs.prepare_instance,
            release_instance=catalogs.release_instance,
        )
        engine = EmbeddedEngine(duck)
        stack.push_async_callback(engine.close)
        return engine

    def _obey_signals(
        self, listener: Listener, certificates: TlsCertificates | None, execution: Execution
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
            if self._http_tls is not None:
                self._http_tls.reload()
            execution.node_tls.reload()
            self._reload_flags(execution.registry)

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


def _http_tls(settings: GatewaySettings) -> HttpTls | None:
    if not settings.http_tls or settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    return HttpTls(settings.tls_cert_file, settings.tls_key_file)


async def _open_queue(
    stack: AsyncExitStack,
    queue: AsyncQueue | None,
    door: FrontDoor,
    viewers: HttpViewers,
    metastore: Metastore,
) -> tuple[BaseRoute, ...]:
    """Let queries be submitted, if they may be; gives the pages for it."""
    if queue is None:
        return ()
    queue.opens_with(door.open_detached)
    await stack.enter_async_context(queue)
    return query_routes(queue, viewers, metastore)


async def _listening(
    stack: AsyncExitStack, setting: str, server: AbstractAsyncContextManager[_Entered]
) -> _Entered:
    """Enter a server; say which setting is wrong where its address cannot be listened on."""
    try:
        return await stack.enter_async_context(server)
    except OSError as error:
        raise SettingsError(f"{setting}: cannot listen there: {_words(error)}") from error


def _words(error: OSError) -> str:
    """The system's words; asyncio puts the address before them."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)


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


def _session_services(  # noqa: PLR0913, PLR0917  # what every session shares
    settings: GatewaySettings,
    observed: Observed,
    execution: Execution,
    local: EmbeddedEngine,
    control: GatewayControlPlane,
    queue: AsyncQueue | None,
) -> SessionServices:
    return SessionServices(
        observed.policies, observed.catalogs, execution.router, PlanCache(), _engine_tree, observed.recorder,
        described={}, notifications=NotificationHub(), spool_limits=local.duck.spool_limits,
        control=control,
        activity=ActivityRelations(observed, settings.audit_log_rows, queue),
        queries=SessionQueries(queue, observed.policies) if queue is not None else None,
    )  # fmt: skip


def _tracing(settings: GatewaySettings) -> AbstractContextManager[Tracing]:
    options = trace_options(settings.otel_exporter_otlp_endpoint, settings.traced_share)
    return open_tracing("pgproxy", options)


def _memory_cap(settings: GatewaySettings) -> int | None:
    """DuckDB's cap in bytes; None for its own default."""
    return round(settings.max_memory_gb * _BYTES_PER_GB) if settings.max_memory_gb is not None else None


def _engine_tree(sql: str) -> EngineTree:
    """Ask DuckDB's own parser, in the planner's terms."""
    tree = serialized_tree(sql)
    return EngineTree(tree.statement_types, tree.relations, tree.functions)


def _audit_options(settings: GatewaySettings) -> AuditOptions:
    return AuditOptions(
        gateway=gateway_name(settings),
        mode=settings.audit_mode,
        query_text=settings.audit_query_text,
        retention_s=settings.audit_retention,
    )


def _base_catalogs(settings: GatewaySettings) -> BaseCatalogs:
    """The database that the settings name; none for the in-memory one, which every instance has."""
    name, database = settings.catalog_name, settings.database
    if database is None:
        return BaseCatalogs(name, None)
    is_read_only = settings.database_mode is DatabaseMode.READ_ONLY
    is_lake = database.startswith("ducklake:")
    location = database if is_lake else str(Path(database).resolve())
    kind = CatalogKind.DUCKLAKE if is_lake else CatalogKind.DUCKDB
    return BaseCatalogs(name, CatalogDefinition(name, kind.value, location, is_read_only))


def _raise_open_file_limit() -> None:
    """A connection is an open file: let there be as many as this process may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS: "unlimited" is refused
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
