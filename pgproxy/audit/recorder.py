"""What becomes of a finished statement's facts: metrics, one log line, a place in the audit queue."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import structlog

from pgproxy.audit.writer import AuditWriter
from pgproxy.metrics import GatewayMetrics
from pgproxy.session.telemetry import Outcome, StatementRecord

log = structlog.get_logger(__name__)

_RECENT = 1000
_MS_PER_S = 1000


class StatementRecorder:
    """Takes every statement's record at once; never blocks. recent: the last ones, oldest first."""

    def __init__(
        self,
        writer: AuditWriter,
        metrics: GatewayMetrics,
        observers: Sequence[Callable[[StatementRecord], None]] = (),
    ) -> None:
        """observers: told of every record, too; they never block."""
        self._observers = tuple(observers)
        self._writer = writer
        self._metrics = metrics
        self._recent: deque[StatementRecord] = deque(maxlen=_RECENT)

    @property
    def accepts(self) -> bool:
        """Whether statements may run: False while the audit must be written and cannot be."""
        return self._writer.accepts

    def recent(self) -> Iterator[StatementRecord]:
        """The last statements that have ended, oldest first."""
        return iter(tuple(self._recent))

    def statement_ended(self, record: StatementRecord) -> None:
        """Count, log and queue one statement."""
        self._count(record)
        log.info(
            "statement.completed",
            request_id=record.request_id,
            connection_id=record.connection_id,
            principal=record.principal,
            kind=record.kind,
            fingerprint=record.fingerprint,
            route=record.route,
            outcome=record.outcome.value,
            sqlstate=record.sqlstate,
            rows=record.rows,
            duration_ms=round(record.total_ms, 3),
        )
        self._recent.append(record)
        self._writer.add(record)
        for observe in self._observers:
            observe(record)

    def _count(self, record: StatementRecord) -> None:
        metrics, route = self._metrics, record.route
        outcome = "ok" if record.outcome is Outcome.OK else record.sqlstate
        metrics.statements.labels(record.kind, route, record.route_reason, outcome).inc()
        metrics.total_seconds.labels(route).observe(record.total_ms / _MS_PER_S)
        if record.first_row_ms is not None:
            metrics.first_row_seconds.labels(route).observe(record.first_row_ms / _MS_PER_S)
        metrics.rows.labels(route).inc(record.rows)
        metrics.bytes_sent.labels(route).inc(record.bytes)
        if record.outcome is Outcome.DENIED:
            metrics.denied.labels(record.sqlstate).inc()
