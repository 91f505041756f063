"""What becomes of a finished statement's facts: metrics, one log line, a place in the audit queue."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import structlog

from execnode.tracing import Tracing
from pgproxy.audit.writer import AuditWriter
from pgproxy.metrics import GatewayMetrics
from pgproxy.session.telemetry import Outcome, StatementRecord

log = structlog.get_logger(__name__)

RECENT = 1000
"""Statements that `pgproxy.queries` shows after their end, unless the settings say otherwise."""

_MS_PER_S = 1000


class StatementRecorder:
    """Takes every statement's record at once; never blocks. recent: the last ones, oldest first."""

    def __init__(
        self,
        writer: AuditWriter,
        metrics: GatewayMetrics,
        observers: Sequence[Callable[[StatementRecord], None]] = (),
        tracing: Tracing | None = None,
        kept: int = RECENT,
    ) -> None:
        """observers: told of every record, too; they never block. kept: ended statements that are shown."""
        self._observers = tuple(observers)
        self._tracing = tracing or Tracing()
        self._writer = writer
        self._metrics = metrics
        self._recent: deque[StatementRecord] = deque(maxlen=kept)

    @property
    def accepts(self) -> bool:
        """Whether statements may run: False while the audit must be written and cannot be."""
        return self._writer.accepts

    def recent(self) -> Iterator[StatementRecord]:
        """The last statements that have ended, oldest first."""
        return iter(tuple(self._recent))

    def statement_began(self, record: StatementRecord) -> None:
        """Begin the statement's trace, where traces are wanted."""
        record.span = self._tracing.start("statement")

    def statement_ended(self, record: StatementRecord) -> None:
        """Count, log and queue one statement."""
        self._count(record)
        log.info("statement.completed", **_facts(record))
        if self._tracing.is_on:
            record.span.note(_facts(record))
            record.span.end("" if record.outcome is Outcome.OK else record.sqlstate)
        self._recent.append(record)
        self._writer.add(record)
        for observe in self._observers:
            observe(record)

    def _count(self, record: StatementRecord) -> None:
        metrics, route, arm = self._metrics, record.route, record.arm
        metrics.statements.labels(
            record.kind, route, record.route_reason, arm, record.outcome.value, record.sqlstate
        ).inc()
        metrics.total_seconds.labels(route, arm).observe(record.total_ms / _MS_PER_S)
        if record.queue_ms is not None:
            metrics.queue_seconds.labels(route, arm).observe(record.queue_ms / _MS_PER_S)
        if record.first_row_ms is not None:
            metrics.first_row_seconds.labels(route, arm).observe(record.first_row_ms / _MS_PER_S)
        metrics.rows.labels(route).inc(record.rows)
        metrics.bytes_sent.labels(route).inc(record.bytes)
        if record.fallback_reason:
            metrics.fallbacks.labels(route, record.fallback_reason).inc()
        if record.outcome is Outcome.DENIED:
            metrics.denied.labels(record.denied_by).inc()


def _facts(record: StatementRecord) -> dict[str, object]:
    """The canonical line of a statement: all that is known of it but what its client wrote."""
    return {
        "request_id": record.request_id,
        "connection_id": record.connection_id,
        "principal": record.principal,
        "client_addr": record.client_host,
        "protocol": record.protocol.value,
        "kind": record.kind,
        "fingerprint": record.fingerprint,
        "tables": sorted({".".join(access.table) for access in record.accesses}),
        "route": record.route,
        "route_reason": record.route_reason,
        "arm": record.arm,
        "fallback_reason": record.fallback_reason,
        "outcome": record.outcome.value,
        "sqlstate": record.sqlstate,
        "denied_by": record.denied_by,
        "rows": record.rows,
        "bytes": record.bytes,
        "queue_ms": _rounded(record.queue_ms),
        "first_row_ms": _rounded(record.first_row_ms),
        "duration_ms": round(record.total_ms, 3),
        "trace_id": record.span.trace_id,
    }


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)
