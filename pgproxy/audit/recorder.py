"""What becomes of a finished statement's facts: metrics, one log line, a place in the audit queue."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Histogram

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
        self._statements: dict[tuple[str, ...], Counter] = {}
        self._series: dict[tuple[str, str], _Series] = {}
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
        """Count, log and queue one statement, once its answer is on its way."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._take(record)
        else:
            loop.call_soon(self._take, record)

    def _take(self, record: StatementRecord) -> None:
        self._count(record)
        log.info("statement.completed", **_facts(record))
        if record.span.traceparent:
            record.span.note(_facts(record))
            record.span.end("" if record.outcome is Outcome.OK else record.sqlstate)
        self._recent.append(record)
        self._writer.add(record)
        for observe in self._observers:
            observe(record)

    def _count(self, record: StatementRecord) -> None:
        where = record.route, record.arm
        ended = (record.kind, record.route, record.route_reason, record.arm, record.outcome, record.sqlstate)
        statements = self._statements.get(ended)
        if statements is None:
            statements = self._statements[ended] = self._metrics.statements.labels(*map(str, ended))
        series = self._series.get(where)
        if series is None:
            series = self._series[where] = _Series.of(self._metrics, *where)
        statements.inc()
        series.add(record)
        if record.fallback_reason:
            self._metrics.fallbacks.labels(record.route, record.fallback_reason).inc()
        if record.outcome is Outcome.DENIED:
            self._metrics.denied.labels(record.denied_by).inc()


@dataclass(frozen=True, slots=True)
class _Series:
    """The series of one route and arm, kept: finding them by their labels costs more than counting."""

    total: Histogram
    queue: Histogram
    first_row: Histogram
    rows: Counter
    bytes: Counter

    @classmethod
    def of(cls, metrics: GatewayMetrics, route: str, arm: str) -> "_Series":
        """Find them."""
        return cls(
            metrics.total_seconds.labels(route, arm),
            metrics.queue_seconds.labels(route, arm),
            metrics.first_row_seconds.labels(route, arm),
            metrics.rows.labels(route),
            metrics.bytes_sent.labels(route),
        )

    def add(self, record: StatementRecord) -> None:
        """Count a statement."""
        self.total.observe(record.total_ms / _MS_PER_S)
        if record.queue_ms is not None:
            self.queue.observe(record.queue_ms / _MS_PER_S)
        if record.first_row_ms is not None:
            self.first_row.observe(record.first_row_ms / _MS_PER_S)
        self.rows.inc(record.rows)
        self.bytes.inc(record.bytes)


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
