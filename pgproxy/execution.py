"""Putting together where statements run: the endpoints, the way to them, the rollout and its shadow."""

import os
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog

from execnode.tracing import Tracing
from pgproxy.catalog.service import CatalogService
from pgproxy.control.flags import CurrentFlags
from pgproxy.control.fleet import Endpoint
from pgproxy.control.fleet_changes import activate_registered
from pgproxy.control.metastore import Metastore, MetastoreError
from pgproxy.control.service import Actor, ControlService
from pgproxy.engines.embedded import EmbeddedEngine
from pgproxy.engines.node_tls import NodeTls
from pgproxy.engines.remote import RemoteEngine, remote_engine
from pgproxy.metrics import GatewayMetrics
from pgproxy.publishing import BaseCatalogs, CatalogPublisher
from pgproxy.rollout.controller import RolloutController
from pgproxy.rollout.shadow import Shadow, ShadowOutcome, ShadowResult
from pgproxy.routing.registry import EndpointRegistry, ProbeTimes
from pgproxy.routing.resolve import RoutingFlags
from pgproxy.routing.router import Router
from pgproxy.settings import GatewaySettings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Execution:
    """What runs statements. Its work runs for as long as the gateway does."""

    registry: EndpointRegistry
    router: Router
    rollouts: RolloutController
    shadow: Shadow
    publisher: CatalogPublisher
    node_tls: NodeTls

    def work(self) -> tuple[Coroutine[object, object, None], ...]:
        """What goes on beside the statements."""
        return self.rollouts.run(), self.shadow.run(), self.publisher.follow()


@asynccontextmanager
async def open_execution(  # noqa: PLR0913, PLR0917  # what execution stands on
    settings: GatewaySettings,
    metastore: Metastore,
    metrics: GatewayMetrics,
    local: EmbeddedEngine,
    catalogs: CatalogService,
    base: BaseCatalogs,
    tracing: Tracing,
) -> AsyncIterator[tuple[Execution, CurrentFlags]]:
    """Reach the endpoints as the metastore has them; gives the flags that decide about them, too."""
    state = await metastore.state()
    flags = CurrentFlags(settings.flags, state.flags)
    rollouts = RolloutController(
        metastore,
        f"{gateway_name(settings)}:{os.getpid()}",
        observe_move=lambda *labels: metrics.rollout_moves.labels(*labels).inc(),
    )
    rollouts.apply(state.rollouts, state.endpoints.values())

    node_tls = settings.node_tls

    def engine_of(endpoint: Endpoint) -> RemoteEngine:
        return remote_engine(
            endpoint,
            node_tls,
            lambda: flags.value.feature_cursor_mode,
            lost_after_s=settings.node_lost_after,
        )

    async with EndpointRegistry(
        engine_of,
        ProbeTimes(interval_s=settings.health_check_interval),
        may_call=lambda: flags.value.feature_internal_grpc,
        observe_activation=partial(_activate, metastore),
    ) as registry:
        publisher = CatalogPublisher(base, local, catalogs, registry)
        await publisher.start(await metastore.epoch(), state.catalogs)
        registry.apply(await metastore.endpoints(), await metastore.assignments())
        shadow = Shadow(local, registry, partial(_observe_shadow, metrics, rollouts, registry))
        router = Router(
            local,
            registry,
            _RoutingNow(flags, rollouts),
            metrics.observe_engine_failure,
            shadow,
            shared_writable=lambda: publisher.shared_writable,
            tracing=tracing,
        )
        yield Execution(registry, router, rollouts, shadow, publisher, node_tls), flags


class _RoutingNow:
    """The flags that decide routes now; made anew only once one of them is another."""

    def __init__(self, flags: CurrentFlags, rollouts: RolloutController) -> None:
        self._flags = flags
        self._rollouts = rollouts
        self._made_of = flags.value, rollouts.rollout
        self._made = RoutingFlags.of(*self._made_of)

    def __call__(self) -> RoutingFlags:
        flags, rollout = self._flags.value, self._rollouts.rollout
        if flags is not self._made_of[0] or rollout is not self._made_of[1]:
            self._made_of = flags, rollout
            self._made = RoutingFlags.of(flags, rollout)
        return self._made


def gateway_name(settings: GatewaySettings) -> str:
    """This gateway's name in the audit log."""
    return settings.gateway_name or socket.gethostname()


async def _activate(metastore: Metastore, name: str) -> None:
    """Say in the control plane that a registered endpoint is well. One of several gateways is enough."""
    service = ControlService(metastore)
    try:
        await service.apply(
            Actor("gateway", is_operator=True), lambda state: activate_registered(state, name)
        )
    except MetastoreError:
        log.warning("endpoint.not_activated", endpoint=name)


def _observe_shadow(
    metrics: GatewayMetrics, rollouts: RolloutController, registry: EndpointRegistry, result: ShadowResult
) -> None:
    metrics.shadowed.labels(result.endpoint, result.outcome.value).inc()
    if result.outcome in (ShadowOutcome.MATCH, ShadowOutcome.MISMATCH):
        status = registry.statuses().get(result.endpoint)
        labels = status.labels if status is not None else {}
        rollouts.shadow_compared(result.endpoint, labels, is_same=result.outcome is ShadowOutcome.MATCH)
