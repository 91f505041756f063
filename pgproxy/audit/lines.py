"""The log line of a finished statement.

In production's format it is put together here: the same line as structlog's, at a fraction of its cost, since
most of its texts are those of the statement before. Lines of statements that end together are one write.
"""

import json
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache

import structlog

from pgproxy.audit.moments import moment
from pgproxy.session.telemetry import StatementRecord
from pgproxy.sql.plan import ObjectAccess

log = structlog.get_logger(__name__)

LogStatements = Callable[[Sequence[StatementRecord]], None]
"""Writes the lines of statements that have ended."""

EVENT = "statement.completed"
_KEPT = 2048


def statement_lines(level: str, *, is_json: bool) -> LogStatements:
    """Give what writes them. level, is_json: as the process's logging was configured."""
    if level not in ("debug", "info"):
        return _say_nothing
    return _write_lines if is_json else log_statements


def log_statements(records: Sequence[StatementRecord]) -> None:
    """Write the lines by structlog, as it is configured."""
    for record in records:
        log.info(EVENT, **statement_facts(record))


def statement_facts(record: StatementRecord) -> dict[str, object]:
    """The canonical line of a statement: all that is known of it but what its client wrote."""
    return {
        "request_id": record.request_id,
        "connection_id": record.connection_id,
        "principal": record.principal,
        "client_addr": record.client_host,
        "protocol": str(record.protocol),
        "kind": record.kind,
        "fingerprint": record.fingerprint,
        "tables": _tables(record.accesses),
        "route": record.route,
        "route_reason": record.route_reason,
        "arm": record.arm,
        "fallback_reason": record.fallback_reason,
        "outcome": str(record.outcome),
        "sqlstate": record.sqlstate,
        "denied_by": record.denied_by,
        "rows": record.rows,
        "bytes": record.bytes,
        "queue_ms": _rounded(record.queue_ms),
        "first_row_ms": _rounded(record.first_row_ms),
        "duration_ms": round(record.total_ms, 3),
        "trace_id": record.span.trace_id,
    }


def _write_lines(records: Sequence[StatementRecord]) -> None:
    sys.stderr.write("".join(map(json_line, records)))
    sys.stderr.flush()


def json_line(record: StatementRecord) -> str:
    """Give the line as JSON, with its end."""
    who = _who(record.principal, record.client_host, record.protocol, record.kind, record.fingerprint)
    where = _where(
        record.route, record.route_reason, record.arm, record.fallback_reason, record.outcome,
        record.sqlstate, record.denied_by,
    )  # fmt: skip
    return (
        f'{{"request_id": "{record.request_id}", "connection_id": {record.connection_id}, {who}'
        f'"tables": {_tables_json(record.accesses)}, {where}'
        f'"rows": {record.rows}, "bytes": {record.bytes}, '
        f'"queue_ms": {_number(record.queue_ms)}, "first_row_ms": {_number(record.first_row_ms)}, '
        f'"duration_ms": {_number(record.total_ms)}, "trace_id": "{record.span.trace_id}", '
        f'"event": "{EVENT}", "level": "info", "timestamp": "{moment(record.ended_at, "Z")}"}}\n'
    )


@lru_cache(maxsize=_KEPT)
def _who(principal: str, client_addr: str, protocol: str, kind: str, fingerprint: str) -> str:
    facts = {
        "principal": principal,
        "client_addr": client_addr,
        "protocol": str(protocol),
        "kind": kind,
        "fingerprint": fingerprint,
    }
    return f"{json.dumps(facts)[1:-1]}, "


@lru_cache(maxsize=_KEPT)
def _where(  # noqa: PLR0913, PLR0917  # the texts that say where it ran and how it ended
    route: str,
    route_reason: str,
    arm: str,
    fallback_reason: str,
    outcome: str,
    sqlstate: str,
    denied_by: str,
) -> str:
    facts = {
        "route": route,
        "route_reason": route_reason,
        "arm": arm,
        "fallback_reason": fallback_reason,
        "outcome": str(outcome),
        "sqlstate": sqlstate,
        "denied_by": denied_by,
    }
    return f"{json.dumps(facts)[1:-1]}, "


def _tables(accesses: tuple[ObjectAccess, ...]) -> list[str]:
    return sorted({".".join(access.table) for access in accesses})


@lru_cache(maxsize=_KEPT)
def _tables_json(accesses: tuple[ObjectAccess, ...]) -> str:
    return json.dumps(_tables(accesses))


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)


def _number(milliseconds: float | None) -> str:
    return "null" if milliseconds is None else repr(round(milliseconds, 3))


def _say_nothing(records: Sequence[StatementRecord]) -> None:
    """Statements are not logged at this level."""
