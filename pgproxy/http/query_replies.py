"""What the query API answers: a query's status as JSON, and errors with their HTTP status. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from starlette.responses import JSONResponse

from pgproxy.queue.formats import column_facts
from pgproxy.queue.model import QueryState, QueuedQuery
from pgproxy.queue.service import NotReady, QueueLimit, UnknownQuery
from pgwire.errors import AccessDenied, AuthenticationFailed, EndpointUnavailable, GatewayError, InternalError

NO_STORE: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-store"})

_STATUS_BY_TYPE: tuple[tuple[type[GatewayError], int], ...] = (
    (AuthenticationFailed, 401),
    (UnknownQuery, 404),
    (NotReady, 409),
    (QueueLimit, 429),
    (AccessDenied, 403),
    (EndpointUnavailable, 503),
    (InternalError, 500),
)
_STATUS_BY_CLASS = MappingProxyType({"28": 401, "53": 507, "57": 503, "58": 503, "XX": 500})


def status_of(query: QueuedQuery) -> dict[str, object]:
    """Tell how a query stands."""
    facts = query.facts
    found: dict[str, object] = {
        "id": query.id,
        "principal": query.principal,
        "state": query.state.value,
        "priority": query.priority,
        "idempotency_key": query.idempotency_key,
        "submitted_at": _moment(query.submitted_at),
        "started_at": _moment(query.started_at),
        "ended_at": _moment(query.ended_at),
        "expires_at": _moment(query.expires_at),
        "ttl_seconds": query.ttl_s,
        "attempts": query.attempts,
        "retry_reasons": list(facts.retries),
        "progress": facts.progress,
        "rows": facts.rows,
        "bytes": facts.bytes,
        "command_tag": facts.tag,
        "columns": column_facts(facts.columns),
        "route": facts.route,
        "route_reason": facts.route_reason,
        "error": None,
    }
    if query.state is QueryState.FAILED:
        found["error"] = {"sqlstate": facts.sqlstate, "message": facts.message}
    if query.state is QueryState.SUCCEEDED:
        found["results"] = f"/queries/{query.id}/results"
    return found


def error_response(error: GatewayError) -> JSONResponse:
    """Answer with an error as a PostgreSQL client would see it."""
    status = next((code for kind, code in _STATUS_BY_TYPE if isinstance(error, kind)), None)
    status = status or _STATUS_BY_CLASS.get(error.sqlstate.value[:2], 400)
    headers = dict(NO_STORE)
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="pgproxy", charset="UTF-8"'
    facts = {"sqlstate": error.sqlstate.value, "message": error.message}
    extra = {"detail": error.detail, "hint": error.hint, "position": error.position}
    body = {"error": facts | {name: value for name, value in extra.items() if value}}
    return JSONResponse(body, status, headers)


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
