"""The log line of a finished statement.

In production's format it is put together here: the same facts as structlog's, at a fraction of its cost,
since most of its text is that of every statement of its shape. Lines of statements that end together are one
write.
"""

import json
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache

import structlog

from pgproxy.audit.ended import EndedStatement, StatementShape
from pgproxy.control.moments import moment
from pgproxy.session.telemetry import StatementRecord
from pgproxy.sql.plan import ObjectAccess

log = structlog.get_logger(__name__)

LogStatements = Callable[[Sequence[EndedStatement]], None]
"""Writes the lines of statements that have ended."""

EVENT = "statement.completed"
_US_PER_MS = 1000
_LINE = (
    '{"request_id": "%s", "connection_id": %d, %s, "rows": %d, "bytes": %d, "queue_ms": %s, '
    f'"first_row_ms": %s, "duration_ms": %s, "trace_id": "%s", "event": "{EVENT}", "level": "info", '
    '"timestamp": "%s"}\n'
)
_FIRST_SHARED = 2
"""Of the facts: before it are those that each statement has for itself."""


def statement_lines(level: str, *, is_json: bool) -> LogStatements:
    """Give what writes them. level, is_json: as the process's logging was configured."""
    if level not in ("debug", "info"):
        return _say_nothing
    return _write_lines if is_json else log_statements


def log_statements(statements: Sequence[EndedStatement]) -> None:
    """Write the lines by structlog, as it is configured."""
    for statement in statements:
        log.info(EVENT, **statement_facts(statement.record))


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


def _write_lines(statements: Sequence[EndedStatement]) -> None:
    sys.stderr.write("".join(map(json_line, statements)))
    sys.stderr.flush()


def json_line(statement: EndedStatement) -> str:
    """Give the line as JSON, with its end."""
    record, shape, _, ended_us, queue_us, first_row_us, total_us = statement
    return _LINE % (
        record.request_id, record.connection_id, shape.line or _line_of(shape, record), record.rows,
        record.bytes,
        _ms(queue_us), _ms(first_row_us), _ms(total_us), record.span.trace_id, moment(ended_us, "Z"),
    )  # fmt: skip


@lru_cache(maxsize=8192)
def _ms(microseconds: int | None) -> str:
    """Milliseconds as JSON; kept, since short statements take the same few thousand times."""
    if microseconds is None:
        return "null"
    whole, rest = divmod(microseconds, _US_PER_MS)
    return f"{whole}.{rest:03d}"


def _line_of(shape: StatementShape, record: StatementRecord) -> str:
    """Give the part of the line that all statements of a shape share, from the principal on; it is kept."""
    facts = list(statement_facts(record).items())
    shared = dict(facts[_FIRST_SHARED : facts.index(("denied_by", record.denied_by)) + 1])
    shape.line = json.dumps(shared)[1:-1]
    return shape.line


def _tables(accesses: tuple[ObjectAccess, ...]) -> list[str]:
    return sorted({".".join(access.table) for access in accesses})


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)


def _say_nothing(statements: Sequence[EndedStatement]) -> None:
    """Statements are not logged at this level."""
