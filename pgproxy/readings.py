"""Reading the running gateway's numbers: the same ones for GET /health and, as gauges, for GET /metrics."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import duckdb

from pgproxy.audit.writer import AuditWriter
from pgproxy.control.metastore import Metastore, MetastoreError
from pgproxy.engines.embedded import EmbeddedEngine
from pgproxy.execution import Execution
from pgproxy.following import MetastoreFollower
from pgproxy.http.app import HealthReport
from pgproxy.metrics import GAUGES, EndpointNumbers, GatewayNumbers
from pgproxy.policy.current import CurrentPolicies
from pgproxy.queue.service import AsyncQueue
from pgproxy.queueing import queue_facts
from pgproxy.session.live_sessions import LiveSessions
from pgwire.errors import GatewayError


@dataclass(frozen=True, slots=True)
class ReadParts:
    """What is read. connection_count: of the listener."""

    local: EmbeddedEngine
    execution: Execution
    follower: MetastoreFollower
    metastore: Metastore
    policies: CurrentPolicies
    live: LiveSessions
    audit: AuditWriter
    queue: AsyncQueue | None
    connection_count: Callable[[], int]


class GatewayReader:
    """Reads. stopping: set once the gateway drains. memory_cap_bytes: 0 for the engine's own default."""

    def __init__(
        self, parts: ReadParts, stopping: asyncio.Event, memory_cap_bytes: int, query_result_ttl_s: float
    ) -> None:
        self._parts = parts
        self._stopping = stopping
        self._memory_cap_bytes = memory_cap_bytes
        self._query_result_ttl_s = query_result_ttl_s
        self._started = time.monotonic()

    async def health(self) -> HealthReport:
        """What GET /health says: 503 while the gateway drains and where its engine does not answer."""
        parts = self._parts
        facts, is_healthy = await self._facts()
        statuses = parts.execution.registry.statuses()
        told = {
            **facts,
            "draining": self._stopping.is_set(),
            "metastore": "current" if parts.follower.is_current else "unavailable",
            "query_result_ttl_seconds": self._query_result_ttl_s,
            "versions": {"pgproxy": version("pgproxy"), "engine": duckdb.__version__},
            "endpoints": {name: status.health.value for name, status in statuses.items()},
        }
        return HealthReport(is_healthy and not self._stopping.is_set(), told)

    async def numbers(self) -> GatewayNumbers:
        """Everything that is a gauge."""
        facts, _ = await self._facts()
        gauges = {name: value for name, value in facts.items() if name in GAUGES}
        rollout = self._parts.execution.rollouts.rollout
        moving = {} if rollout is None else {rollout.name: (rollout.status.value, rollout.percent)}
        return GatewayNumbers(gauges, self._endpoints(), moving)

    async def _facts(self) -> tuple[dict[str, float], bool]:
        """Numbers by their names, and whether the engine answered."""
        parts, queue = self._parts, self._parts.queue
        memory_used, is_healthy = 0, True
        try:
            await parts.local.duck.check()
            memory_used = await parts.local.duck.memory_used_bytes()
        except GatewayError:
            is_healthy = False
        budget = parts.local.duck.spool_limits.budget
        return {
            "connections": parts.connection_count(),
            "active_queries": parts.live.running_count + (queue.workers.running if queue is not None else 0),
            "uptime_seconds": round(time.monotonic() - self._started, 3),
            "memory_used_bytes": memory_used,
            "memory_cap_bytes": self._memory_cap_bytes,
            "spool_bytes": budget.used_bytes if budget is not None else 0,
            "audit_waiting": parts.audit.waiting,
            "catalogs_left_out": parts.execution.publisher.left_out,
            "draining": self._stopping.is_set(),
            "tasks": len(asyncio.all_tasks()),
            **await self._epochs(),
            **await queue_facts(queue),
        }, is_healthy

    async def _epochs(self) -> dict[str, float]:
        parts = self._parts
        held, is_up, lag = parts.policies.policy_set.epoch, parts.follower.is_current, 0
        try:
            lag = max(await parts.metastore.epoch() - parts.follower.followed_epoch, 0)
        except MetastoreError:
            is_up = False
        return {"policy_epoch": held, "policy_epoch_lag": lag, "metastore_up": is_up}

    def _endpoints(self) -> dict[str, EndpointNumbers]:
        registry = self._parts.execution.registry
        reports = registry.reports()
        found: dict[str, EndpointNumbers] = {}
        for name, status in registry.statuses().items():
            report = reports.get(name)
            found[name] = EndpointNumbers(status.health.value, status.load, status.capacity)
            if report is not None:
                found[name] = EndpointNumbers(
                    status.health.value,
                    status.load,
                    status.capacity,
                    report.queued,
                    report.memory_used_bytes,
                    report.memory_limit_bytes,
                    report.spool_bytes,
                    report.clock_skew_s,
                )
        return found
