"""The endpoints as they are now: their engines, what is believed of them, and who keeps that fresh.

Fed from the metastore (`apply`), read by the router without waiting: no probe is on a statement's path.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from execnode.statement import CatalogGeneration
from pgproxy.control.fleet import Assignment, Endpoint, EndpointState
from pgproxy.engines.base import Engine
from pgproxy.engines.errors import EngineUnavailable, FallbackReason, IncompatibleNode
from pgproxy.engines.probe import ProbedEngine, ProbeReport
from pgproxy.routing.health import EndpointMonitor, HealthThresholds
from pgproxy.routing.resolve import EndpointHealth, EndpointStatus
from pgwire.errors import GatewayError

log = structlog.get_logger(__name__)


EngineFactory = Callable[[Endpoint], ProbedEngine]
ActivationObserver = Callable[[str], Awaitable[None]]
"""Told the name of an endpoint that was only registered and has now been found well."""


@dataclass(frozen=True, slots=True)
class ProbeTimes:
    """How often to probe and how long to wait.

    interval_s: between two probes, ±20 % so that gateways do not beat in step. drain_s: how long a removed
    endpoint may finish what it runs.
    """

    interval_s: float = 2.0
    drain_s: float = 30.0


class _Member:
    """One registered endpoint. Created with its definition; a changed url or token makes a new one."""

    def __init__(self, definition: Endpoint, engine: ProbedEngine, thresholds: HealthThresholds) -> None:
        self.definition = definition
        self.engine = engine
        self.monitor = EndpointMonitor(thresholds)
        self.running = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self.was_probed = asyncio.Event()
        self.probe_now = asyncio.Event()
        self.prober: asyncio.Task[None] | None = None
        self._seen: tuple[Endpoint, ProbeReport | None, EndpointHealth, int] | None = None
        self._status: EndpointStatus | None = None

    @property
    def status(self) -> EndpointStatus:
        """What the router sees, kept until it changes: of hundreds of endpoints each statement asks.

        load: the larger of what this gateway runs there and what the node said.
        """
        health = self.monitor.health
        if self.definition.state is EndpointState.DRAINING and health is not EndpointHealth.UNHEALTHY:
            health = EndpointHealth.DRAINING
        report, definition = self.monitor.report, self.definition
        seen = (definition, report, health, self.running)
        if self._status is None or self._seen != seen:
            self._seen, self._status = seen, self._status_of(report, health)
        return self._status

    def _status_of(self, report: ProbeReport | None, health: EndpointHealth) -> EndpointStatus:
        definition = self.definition
        load = max(self.running, report.load if report is not None else 0)
        capacity = definition.capacity or (report.capacity if report is not None else 0) or 1
        return EndpointStatus(definition.name, health, load, capacity, definition.all_labels)


class EndpointLease:
    """The use of an endpoint's engine by one statement or session; counts as load until released."""

    def __init__(self, endpoint: _Member) -> None:
        self._endpoint = endpoint
        self._is_held = True
        endpoint.running += 1
        endpoint.idle.clear()

    @property
    def engine(self) -> Engine:
        """The engine, usable while the lease is held."""
        return self._endpoint.engine

    def release(self) -> None:
        """Give the place back; a second call does nothing."""
        if not self._is_held:
            return
        self._is_held = False
        self._endpoint.running -= 1
        if not self._endpoint.running:
            self._endpoint.idle.set()


class EndpointRegistry:
    """The fleet. An async context manager: its probers live inside."""

    def __init__(
        self,
        create_engine: EngineFactory,
        times: ProbeTimes | None = None,
        thresholds: HealthThresholds | None = None,
        *,
        may_call: Callable[[], bool] = lambda: True,
        observe_activation: ActivationObserver | None = None,
    ) -> None:
        """may_call: whether nodes may be called at all now; asked before each probe."""
        self._may_call = may_call
        self._observe_activation = observe_activation
        self._create_engine = create_engine
        self._times = times or ProbeTimes()
        self._thresholds = thresholds or HealthThresholds()
        self._endpoints: dict[str, _Member] = {}
        self._assignments: tuple[Assignment, ...] = ()
        self._generation: CatalogGeneration | None = None
        self._tasks = asyncio.TaskGroup()
        self._leaving: set[_Member] = set()
        self._retiring: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        endpoints, self._endpoints = tuple(self._endpoints.values()), {}
        for endpoint in endpoints:
            self._stop_probing(endpoint)
        for task in self._retiring:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)  # what the body raised stays as it is, in no group
        for endpoint in (*endpoints, *self._leaving):
            await endpoint.engine.close()

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        """As last applied."""
        return self._assignments

    def statuses(self) -> Mapping[str, EndpointStatus]:
        """What is believed of each endpoint now."""
        return {name: endpoint.status for name, endpoint in self._endpoints.items()}

    def apply(self, endpoints: Iterable[Endpoint], assignments: Iterable[Assignment]) -> None:
        """Make the fleet what the metastore says: add, change, drain and remove, without disturbing the rest.

        A removed endpoint takes nothing new at once and is closed when its statements have ended, after
        ProbeTimes.drain_s at the latest; one that was draining, whose operator has waited, at once. One that
        only has another token is believed as before: the node is the same, and waiting for a probe would
        lose statements that may run nowhere else.
        """
        wanted = {e.name: e for e in endpoints if e.state is not EndpointState.RETIRED}
        believed: dict[str, EndpointMonitor] = {}
        for name, endpoint in tuple(self._endpoints.items()):
            definition = wanted.get(name)
            if definition is None or not _is_same_node(definition, endpoint.definition):
                del self._endpoints[name]
                self._stop_probing(endpoint)
                has_drained = definition is None and endpoint.definition.state is EndpointState.DRAINING
                self._retire(endpoint, 0.0 if has_drained else self._times.drain_s)
                if definition is not None and definition.url == endpoint.definition.url:
                    believed[name] = endpoint.monitor
        for definition in wanted.values():
            known = self._endpoints.get(definition.name)
            if known is None:
                self._add(definition, believed.get(definition.name))
            else:
                known.definition = definition
        self._assignments = tuple(assignments)

    def reports(self) -> Mapping[str, ProbeReport]:
        """What each endpoint last said of itself, where it has answered."""
        return {
            name: report
            for name, endpoint in self._endpoints.items()
            if (report := endpoint.monitor.report) is not None
        }

    def probe_all_now(self) -> None:
        """Do not wait for the next turn: nodes may be called again."""
        for endpoint in self._endpoints.values():
            endpoint.probe_now.set()

    def publish(self, generation: CatalogGeneration) -> None:
        """Make every later statement need `generation`, and attach it to every node in the background."""
        self._generation = generation
        for endpoint in self._endpoints.values():
            endpoint.engine.expect_catalogs(generation)
            endpoint.probe_now.set()

    def lease(self, name: str) -> EndpointLease | None:
        """Take a place on an endpoint; None: it was removed since the route was resolved."""
        endpoint = self._endpoints.get(name)
        return EndpointLease(endpoint) if endpoint is not None else None

    def report_failure(self, name: str, reason: FallbackReason) -> None:
        """Believe a statement that found the endpoint ill, and probe now instead of at the next turn."""
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return
        if reason.casts_doubt:
            endpoint.monitor.record_failure()
        if reason.casts_doubt or reason is FallbackReason.DRAINING:
            endpoint.probe_now.set()

    async def first_probes(self, timeout_s: float) -> None:
        """Wait until every endpoint has been probed once, or until the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                for endpoint in tuple(self._endpoints.values()):
                    await endpoint.was_probed.wait()
        except TimeoutError:
            log.warning("endpoints.first_probes_pending", timeout_s=timeout_s)

    def _add(self, definition: Endpoint, believed: EndpointMonitor | None) -> None:
        endpoint = _Member(definition, self._create_engine(definition), self._thresholds)
        if believed is not None:
            endpoint.monitor = believed
        if self._generation is not None:
            endpoint.engine.expect_catalogs(self._generation)
        self._endpoints[definition.name] = endpoint
        endpoint.prober = self._tasks.create_task(self._probe_forever(endpoint))

    def _stop_probing(self, endpoint: _Member) -> None:
        if endpoint.prober is not None:
            endpoint.prober.cancel()

    def _retire(self, endpoint: _Member, drain_s: float) -> None:
        self._leaving.add(endpoint)
        task = self._tasks.create_task(self._close_when_idle(endpoint, drain_s))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _close_when_idle(self, endpoint: _Member, drain_s: float) -> None:
        try:
            async with asyncio.timeout(drain_s):
                await endpoint.idle.wait()
        except TimeoutError:
            log.warning("endpoint.drain_timed_out", endpoint=endpoint.definition.name)
        await endpoint.engine.close()
        self._leaving.discard(endpoint)

    async def _probe_forever(self, endpoint: _Member) -> None:
        while True:
            endpoint.probe_now.clear()
            if self._may_call():
                await self._probe(endpoint)
            if not self._is_current(endpoint):
                return  # what cut the last probe may have taken its cancellation for a lost call
            endpoint.was_probed.set()
            pause_s = self._times.interval_s * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
            try:
                async with asyncio.timeout(pause_s):
                    await endpoint.probe_now.wait()
            except TimeoutError:
                continue

    async def _probe(self, endpoint: _Member) -> None:
        before = endpoint.monitor.health
        try:
            report = await endpoint.engine.probe()
            generation = self._generation
            if generation is not None and report.catalog_generation < generation.number:
                await endpoint.engine.attach_catalogs(generation)
        except Exception as failure:  # noqa: BLE001  # logged in `_record`: no probe ends the prober
            if not self._is_current(endpoint):
                return  # its engine was closed under it, which says nothing of the node
            self._record(endpoint, before, failure)
        else:
            endpoint.monitor.record_success(report)
            self._log_change(endpoint, before, None)
            await self._activate(endpoint)

    def _is_current(self, endpoint: _Member) -> bool:
        return self._endpoints.get(endpoint.definition.name) is endpoint

    def _record(self, endpoint: _Member, before: EndpointHealth, failure: Exception) -> None:
        """Note a probe that failed."""
        if isinstance(failure, IncompatibleNode):
            endpoint.monitor.record_incompatible()
            self._log_change(endpoint, before, "contract_version")
            return
        endpoint.monitor.record_failure()
        if isinstance(failure, EngineUnavailable):
            self._log_change(endpoint, before, failure.reason)
        elif isinstance(failure, GatewayError):
            self._log_change(endpoint, before, failure.sqlstate)
        else:
            log.error("endpoint.probe_failed", endpoint=endpoint.definition.name, exc_info=failure)

    async def _activate(self, endpoint: _Member) -> None:
        """Tell that a registered endpoint is well; the definition that comes back says so too."""
        is_new = endpoint.definition.state is EndpointState.REGISTERED
        if not is_new or self._observe_activation is None:
            return
        try:
            await self._observe_activation(endpoint.definition.name)
        except Exception:  # the task guard: no probe ends the prober; the next one tells it again
            log.exception("endpoint.activation_failed", endpoint=endpoint.definition.name)

    def _log_change(self, endpoint: _Member, before: EndpointHealth, cause: str | None) -> None:
        after = endpoint.monitor.health
        if after is not before:
            log.info("endpoint.health_changed", endpoint=endpoint.definition.name, health=after, cause=cause)


def _is_same_node(one: Endpoint, other: Endpoint) -> bool:
    return (one.url, one.token) == (other.url, other.token)
