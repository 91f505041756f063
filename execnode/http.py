"""GET /health for load balancers, GET /metrics for Prometheus: no query, token or path is shown."""

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
    ("open_sessions", "Pinned engine sessions"),
    ("memory_used_bytes", "What DuckDB's buffer manager holds"),
    ("memory_limit_bytes", "Configured cap of DuckDB's memory, 0 for its default"),
    ("spool_bytes", "Results that wait to be fetched"),
    ("catalog_generation", "Attached generation of catalogs"),
    ("uptime_s", "Seconds since the start"),
)


class _HealthMetrics(Collector):
    """The health reply as gauges."""

    def __init__(self, facts: Mapping[str, float]) -> None:
        self._facts = facts

    def collect(self) -> list[Metric]:
        return [
            GaugeMetricFamily(f"execnode_{name}", text, value=self._facts[name])
            for name, text in (*_GAUGES, ("draining", "1 while the node shuts down"))
        ]


def build_http(read_health: ReadHealth) -> Starlette:
    """Make the HTTP application."""

    async def health(_: Request) -> Response:
        try:
            facts = _facts(await read_health())
        except GatewayError as error:
            return JSONResponse({"status": "unhealthy", "sqlstate": error.sqlstate.value}, 503)
        is_serving = not facts["draining"]
        status = "ok" if is_serving else "draining"
        return JSONResponse({"status": status, **facts}, 200 if is_serving else 503)

    async def metrics(_: Request) -> Response:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_HealthMetrics(_facts(await read_health())))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])


def _facts(reply: HealthReply) -> dict[str, float]:
    return {name: getattr(reply, name) for name, _ in _GAUGES} | {"draining": reply.draining}
