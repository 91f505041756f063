"""Facts of the running gateway as rows of its own relations. Pure but for what it is given."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pyarrow as pa

from pgproxy.audit.redaction import redact
from pgproxy.catalog.builtin import RelationKey, relation_definitions
from pgproxy.catalog.relations.registry import LIVE_RELATIONS
from pgproxy.catalog.relations.table import build_rows
from pgproxy.catalog.visibility import key
from pgproxy.control.api_keys import ApiKey
from pgproxy.control.audit import AUDIT_COLUMNS, AuditPage
from pgproxy.control.fleet import Assignment, Endpoint
from pgproxy.control.hba import ConnectionType, HbaRule
from pgproxy.control.metastore import PolicyVersion
from pgproxy.policy.model import Principal
from pgproxy.queue.model import QueuedQuery
from pgproxy.routing.resolve import EndpointStatus
from pgproxy.session.live_sessions import LiveSession
from pgproxy.session.telemetry import StatementRecord

Row: TypeAlias = Mapping[str, Any]
"""Values by column; `_principal` is whose the row is. A column that is not named is NULL."""

RUNNING = "running"
_LOCAL = "local"


def table(relation: RelationKey, rows: Iterable[Row]) -> pa.Table:
    """Give the rows as the catalog stores them."""
    given = list(rows)
    names = dict.fromkeys(name for row in given for name in row)
    lists: dict[str, Sequence[Any]] = {name: [row.get(name) for row in given] for name in names}
    return build_rows(relation_definitions()[relation], LIVE_RELATIONS[relation], len(given), lists)


def session_row(session: LiveSession) -> Row:
    """A row of pgproxy.sessions. The query is without its literals."""
    sql, latest = session.sql, session.sql.log.latest
    identity = sql.identity
    return {
        "pid": identity.connection_id,
        "principal": identity.principal,
        "database": identity.database,
        "client_addr": identity.client_host,
        "application_name": sql.settings.show("application_name"),
        "backend_start": moment(session.backend_start),
        "xact_start": moment(sql.block_started_at),
        "query_start": moment(latest.started_at) if latest is not None else None,
        "state_change": moment(_state_change(session)),
        "state": sql.activity,
        "request_id": latest.request_id if latest is not None else None,
        "query": redact(latest.text) if latest is not None else "",
        "statements": sql.log.statement_count,
        "_principal": identity.principal,
    }


def activity_row(session: LiveSession, databases: Mapping[str, int], roles: Mapping[str, int]) -> Row:
    """A row of pg_stat_activity. PostgreSQL docs, "pg_stat_activity"."""
    row = session_row(session)
    is_waiting, port = row["state"] != "active", session.sql.identity.socket.client_port
    return {
        "datid": databases.get(row["database"]),
        "datname": row["database"],
        "usesysid": roles.get(row["principal"]),
        "usename": row["principal"],
        "client_addr": row["client_addr"] or None,
        "client_port": -1 if port is None else port,
        "wait_event_type": "Client" if is_waiting else None,
        "wait_event": "ClientRead" if is_waiting else None,
        "backend_type": "client backend",
        **{name: row[name] for name in ("pid", "application_name", "backend_start", "xact_start")},
        **{name: row[name] for name in ("query_start", "state_change", "state", "query", "_principal")},
    }


def query_row(record: StatementRecord) -> Row:
    """A row of pgproxy.queries: a statement of a session, running or ended."""
    is_remote = record.route not in ("", _LOCAL)
    has_ended = bool(record.ended_at)
    return {
        "request_id": record.request_id,
        "source": "session",
        "pid": record.connection_id,
        "principal": record.principal,
        "client_addr": record.client_host,
        "application_name": record.application_name,
        "protocol": record.protocol.value,
        "kind": record.kind,
        "fingerprint": record.fingerprint,
        "query": redact(record.text),
        "state": record.outcome.value if has_ended else RUNNING,
        "sqlstate": record.sqlstate if has_ended else None,
        "route": ("remote" if is_remote else _LOCAL) if record.route else None,
        "route_reason": record.route_reason or None,
        "endpoint": record.route if is_remote else None,
        "fallback_reason": record.fallback_reason or None,
        "started_at": moment(record.started_at),
        "ended_at": moment(record.ended_at),
        "queue_ms": record.queue_ms,
        "first_row_ms": record.first_row_ms,
        "total_ms": record.total_ms if has_ended else None,
        "rows": record.rows,
        "bytes": record.bytes,
        "_principal": record.principal,
    }


def async_query_row(query: QueuedQuery) -> Row:
    """A row of pgproxy.queries: a query of the queue, whose text is sealed."""
    facts = query.facts
    is_remote = facts.route not in ("", _LOCAL)
    started, ended = query.started_at, query.ended_at
    return {
        "request_id": query.id,
        "source": "async",
        "principal": query.principal,
        "protocol": "async",
        "kind": facts.tag.rstrip(" 0123456789") or None,
        "state": query.state.value.lower(),
        "sqlstate": (facts.sqlstate or "00000") if ended is not None else None,
        "route": ("remote" if is_remote else _LOCAL) if facts.route else None,
        "route_reason": facts.route_reason or None,
        "endpoint": facts.route if is_remote else None,
        "fallback_reason": facts.retries[-1] if facts.retries else None,
        "started_at": moment(started) if started is not None else None,
        "ended_at": moment(ended) if ended is not None else None,
        "queue_ms": (started - query.submitted_at) * 1000 if started is not None else None,
        "total_ms": (ended - query.submitted_at) * 1000 if ended is not None else None,
        "rows": facts.rows,
        "bytes": facts.bytes,
        "_principal": query.principal,
    }


def endpoint_row(endpoint: Endpoint, status: EndpointStatus | None) -> Row:
    """A row of pgproxy.endpoints: what the administrator says and what is believed. Never the token."""
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "state": endpoint.state.value.lower(),
        "health": status.health.value if status is not None else None,
        "load": status.load if status is not None else None,
        "capacity": endpoint.capacity,
        "size": endpoint.size,
        "labels": json.dumps(dict(endpoint.labels)),
    }


def assignment_row(
    assignment: Assignment, principals: Mapping[str, Principal], roles: Mapping[str, int]
) -> Row:
    """A row of pgproxy.assignments; seen by its principal and, of a group, by its members."""
    known = principals.get(assignment.principal)
    return {
        "principal": assignment.principal,
        "kind": known.kind.value if known is not None else None,
        "endpoint": assignment.endpoint,
        "priority": assignment.priority,
        "weight": assignment.weight,
        "fallback": assignment.fallback.value,
        "_key": key(roles.get(assignment.principal, -1)),
    }


def version_row(version: PolicyVersion) -> Row:
    """A row of pgproxy.policy_versions. Secrets are redacted in what the metastore keeps."""
    return {
        "version": version.epoch,
        "changed_at": version.changed_at,
        "actor": version.actor,
        "before": version.before,
        "after": version.after,
    }


def hba_row(number: int, rule: HbaRule) -> Row:
    """A row of pg_hba_file_rules. number: of the rule, counted from 1."""
    network = rule.network
    is_anywhere = rule.connection is not ConnectionType.LOCAL and network is None
    return {
        "line_number": number,
        "type": rule.connection.value,
        "database": [str(name) for name in rule.databases],
        "user_name": [str(name) for name in rule.users],
        "address": "all" if is_anywhere else None if network is None else str(network.network_address),
        "netmask": None if network is None else str(network.netmask),
        "auth_method": rule.method.value,
        "options": [f"{name}={value}" for name, value in sorted(rule.options.items())] or None,
    }


def api_key_row(api_key: ApiKey, last_used: datetime | None) -> Row:
    """A row of pgproxy.api_keys; seen by its principal. Never what proves it."""
    catalogs = api_key.scope.catalogs
    return {
        "id": api_key.key_id,
        "principal": api_key.principal,
        "label": api_key.label,
        "is_read_only": api_key.scope.is_read_only,
        "databases": None if catalogs is None else sorted(catalogs),
        "interfaces": sorted(interface.value for interface in api_key.interfaces),
        "created_at": api_key.created_at,
        "valid_until": api_key.valid_until,
        "last_used": last_used,
        "_principal": api_key.principal,
    }


def audit_rows(page: AuditPage) -> Iterator[Row]:
    """Rows of pgproxy.audit_log; the key is the number under which the metastore has them."""
    for number, record in zip(page.ids, page.records, strict=True):
        row: dict[str, Any] = {name: getattr(record, name) for name in AUDIT_COLUMNS}
        for name in ("started_at", "ended_at"):
            row[name] = datetime.fromisoformat(row[name])
        yield row | {"_key": number, "_principal": record.principal}


def moment(unix_s: float | None) -> datetime | None:
    """Give a time stamp; 0 and None are none."""
    return datetime.fromtimestamp(unix_s, UTC) if unix_s else None


def _state_change(session: LiveSession) -> float:
    latest = session.sql.log.latest
    if latest is None:
        return session.backend_start
    return latest.ended_at or latest.started_at
