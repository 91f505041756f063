"""The gateway's HTTP interface: health, metrics, and room for more (the async query API, the console)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pgproxy.metrics import GatewayMetrics, GatewayNumbers


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What GET /health says. facts: JSON values; no address, secret or principal."""

    is_healthy: bool
    facts: Mapping[str, object] = field(default_factory=dict)


class Reader(Protocol):
    """Reads the gateway's numbers."""

    async def health(self) -> HealthReport:
        """What GET /health says."""
        ...

    async def numbers(self) -> GatewayNumbers:
        """What GET /metrics shows as gauges."""
        ...


def gateway_app(reader: Reader, metrics: GatewayMetrics, routes: Sequence[BaseRoute] = ()) -> Starlette:
    """Build the application. routes: further ones, looked at after these."""

    async def get_health(_: Request) -> Response:
        report = await reader.health()
        status = "ok" if report.is_healthy else "unavailable"
        body = {**report.facts, "status": status}
        return JSONResponse(body, 200 if report.is_healthy else 503, {"Cache-Control": "no-store"})

    async def get_metrics(_: Request) -> Response:
        metrics.show(await reader.numbers())
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/health", get_health, methods=["GET"]),
            Route("/metrics", get_metrics, methods=["GET"]),
            *routes,
        ]
    )
