"""Putting the queue of async queries together: its parts, who may call it over HTTP, what /health says."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from pgproxy.control.flags import CurrentFlags
from pgproxy.control.metastore import Metastore
from pgproxy.http.query_routes import QueryApi
from pgproxy.identity.authenticator import Authenticator
from pgproxy.metrics import GatewayMetrics
from pgproxy.policy.current import CurrentPolicies
from pgproxy.queue.model import QueryState
from pgproxy.queue.service import AsyncQueue, QueueLimits, Viewer
from pgproxy.queue.store import QueryStore
from pgproxy.queue.workers import WorkerOptions
from pgproxy.settings import GatewaySettings


def async_queue(
    settings: GatewaySettings, metastore: Metastore, metrics: GatewayMetrics, flags: CurrentFlags
) -> AsyncQueue:
    """Make the queue; it works while it is entered."""
    return AsyncQueue(
        QueryStore(metastore),
        settings.results_folder,
        QueueLimits(
            settings.async_max_queued_per_principal,
            settings.query_result_ttl,
            settings.async_max_result_ttl,
            lambda: flags.value.feature_async_queue,
        ),
        WorkerOptions(
            settings.async_max_running,
            settings.async_max_running_per_principal,
            settings.async_lease,
            cleanup_s=settings.query_cleanup_interval,
            max_result_bytes=settings.async_max_result_bytes,
        ),
        metrics.queue,
    )


class HttpViewers:
    """Who calls over HTTP: see `pgproxy.http.query_routes.HttpAuthenticator`."""

    def __init__(self, authenticator: Authenticator, policies: CurrentPolicies) -> None:
        self._authenticator = authenticator
        self._policies = policies

    async def viewer(self, request: Request) -> Viewer:
        """Authenticate one request."""
        peer = request.client.host if request.client is not None else ""
        identity = await self._authenticator.authenticate_http(
            request.headers.get("authorization"), peer, is_tls=request.url.scheme == "https"
        )
        policy = self._policies.effective(identity.principal, identity.scope)
        return Viewer(identity.principal, policy.is_admin, identity.scope, identity.key_id)


def query_routes(queue: AsyncQueue, viewers: HttpViewers, metastore: Metastore) -> tuple[BaseRoute, ...]:
    """Give the HTTP interface of the queue."""
    return QueryApi(queue, viewers, metastore.secret_box.derive("page tokens")).routes()


async def queue_facts(queue: AsyncQueue | None) -> dict[str, float]:
    """What GET /health says of the queue. Queued, running and stored are counted over all gateways."""
    if queue is None:
        return {
            "queued_jobs": 0,
            "running_jobs": 0,
            "completed_jobs": 0,
            "stored_jobs": 0,
            "cleaned_jobs": 0,
            "oldest_queued_seconds": 0.0,
        }
    workers = queue.workers
    counts = await workers.fresh_counts()
    return {
        "queued_jobs": counts.get(QueryState.QUEUED, 0),
        "running_jobs": counts.get(QueryState.RUNNING, 0),
        "completed_jobs": workers.completed,
        "stored_jobs": counts.get(QueryState.SUCCEEDED, 0),
        "cleaned_jobs": workers.cleaned,
        "oldest_queued_seconds": round(workers.oldest_queued_s, 3),
    }
