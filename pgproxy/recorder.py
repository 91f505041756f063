"""What becomes of a finished statement's facts: the metrics, one log line, and the audit row."""

import asyncio
from collections import deque
from datetime import UTC, datetime

import structlog

from pgproxy.control.metastore import Metastore, MetastoreError
from pgproxy.control.state import AuditRecord
from pgproxy.metrics import GatewayMetrics
from pgproxy.session.telemetry import Outcome, StatementRecord

log = structlog.get_logger(__name__)

_QUEUE_LIMIT = 100_000
"""Records that may wait for the metastore; beyond it the newest are dropped and counted: nothing blocks."""

_BATCH = 1000
_MS_PER_S = 1000


class StatementRecorder:
    """Takes every statement's record at once; `write_audit` moves them to the metastore in batches."""

    def __init__(self, metastore: Metastore, metrics: GatewayMetrics) -> None:
        self._metastore = metastore
        self._metrics = metrics
        self._queue: deque[AuditRecord] = deque()
        self._dropped = 0
        self._arrived = asyncio.Event()

    def statement_ended(self, record: StatementRecord) -> None:
        """Count, log and queue one statement."""
        self._count(record)
        log.info(
            "statement.completed",
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
        if len(self._queue) >= _QUEUE_LIMIT:
            self._dropped += 1
            return
        self._queue.append(_audit_record(record))
        self._arrived.set()

    async def write_audit(self) -> None:
        """Write queued records for as long as the gateway runs; the last ones when it is cancelled."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                await self._write_queued()
        finally:
            await self._write_queued()

    async def _write_queued(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]
            try:
                await self._metastore.record_audit(batch)
            except MetastoreError:
                log.exception("audit.write_failed", records=len(batch))
        if self._dropped:
            log.error("audit.records_dropped", records=self._dropped)
            self._dropped = 0

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


def _audit_record(record: StatementRecord) -> AuditRecord:
    facts: dict[str, object] = {
        "kind": record.kind,
        "fingerprint": record.fingerprint,
        "route": record.route,
        "route_reason": record.route_reason,
        "fallback_reason": record.fallback_reason,
        "outcome": record.outcome.value,
        "sqlstate": record.sqlstate,
        "engine_text": record.engine_text,
        "rows": record.rows,
        "bytes": record.bytes,
        "first_row_ms": record.first_row_ms,
        "total_ms": record.total_ms,
        "objects": [
            {
                "table": ".".join(access.table),
                "privileges": sorted(access.privileges),
                "row_filters": list(access.row_filters),
                "column_masks": list(access.column_masks),
            }
            for access in record.accesses
        ],
    }
    return AuditRecord("statement", record.principal, datetime.now(UTC), str(record.connection_id), facts)
