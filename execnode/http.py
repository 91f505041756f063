"""GET /health for load balancers, GET /metrics for Prometheus: no query, token or path is shown."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from execnode.rpc.execnode.v1 import HealthReply
from pgwire.errors import GatewayError

ReadHealth = Callable[[], Awaitable[HealthReply]]

_GAUGES: tuple[tuple[str, str], ...] = (
    ("active_queries", "Statements that run now"),
    ("queued_queries", "Statements that wait for a slot"),
    ("oldest_queued_s", "For how long the first in the queue has waited"),
    ("open_sessions", "Pinned engine sessions"),
    ("memory_used_bytes", "What DuckDB's buffer manager holds"),
    ("memory_limit_bytes", "Configured cap of DuckDB's memory, 0 for its default"),
    ("spool_bytes", "Results that wait to be fetched, in memory and on disk"),
    ("spool_limit_bytes", "What all results together may hold on disk"),
    ("open_cursors", "Results that somebody has still to fetch"),
    ("catalog_generation", "Attached generation of catalogs"),
    ("uptime_s", "Seconds since the start"),
    ("queued_jobs", "Submitted queries that wait for a slot"),
    ("running_jobs", "Submitted queries that run"),
    ("completed_jobs", "Submitted queries that have ended since the start"),
    ("stored_jobs", "Submitted queries whose result is held"),
    ("cleaned_jobs", "Results that the clean-up has dropped since the start"),
    ("query_result_ttl_s", "Seconds for which a result is held"),
)
_OWN_GAUGES: tuple[tuple[str, str], ...] = (
    ("draining", "1 while the node shuts down"),
    ("tasks", "Tasks of the event loop; those that are left behind by what has ended would only grow"),
)


class HealthGauges(Collector):
    """The health reply as gauges."""

    def __init__(self, facts: Mapping[str, float]) -> None:
        self._facts = facts

    def collect(self) -> list[Metric]:
        return [
            GaugeMetricFamily(f"execnode_{name}", text, value=self._facts[name])
            for name, text in (*_GAUGES, *_OWN_GAUGES)
        ]


def build_http(read_health: ReadHealth, counted: CollectorRegistry) -> Starlette:
    """Make the HTTP application. counted: what the health reply does not have."""

    async def health(_: Request) -> Response:
        try:
            reply = await read_health()
        except GatewayError as error:
            return JSONResponse({"status": "unhealthy", "sqlstate": error.sqlstate.value}, 503)
        status = "draining" if reply.draining else "ok"
        facts = {"status": status, **_facts(reply, _task_count()), **_runbook_facts(reply)}
        return JSONResponse(facts, 503 if reply.draining else 200)

    async def metrics(_: Request) -> Response:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(health_collector(await read_health(), _task_count()))
        return Response(generate_latest(registry) + generate_latest(counted), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])


def health_collector(reply: HealthReply, tasks: int) -> HealthGauges:
    """Show a health reply as gauges. tasks: of the event loop."""
    return HealthGauges(_facts(reply, tasks))


def _task_count() -> int:
    return len(asyncio.all_tasks())


def _facts(reply: HealthReply, tasks: int) -> dict[str, float]:
    own = {"draining": reply.draining, "tasks": tasks}
    return {name: getattr(reply, name) for name, _ in _GAUGES} | own


def _runbook_facts(reply: HealthReply) -> dict[str, object]:
    """The numbers under the runbook's own names, besides the gauges."""
    return {
        "query_result_ttl_seconds": reply.query_result_ttl_s,
        "uptime_seconds": reply.uptime_s,
        "oldest_queued_seconds": reply.oldest_queued_s,
        "memory_cap_bytes": reply.memory_limit_bytes,
        "versions": {
            "execnode": reply.node_version,
            "engine": reply.engine_version,
            "contract": reply.contract_version,
        },
    }
