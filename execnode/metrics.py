"""What an exec node counts, by name. Labels come from closed lists.

docs/metrics.md describes each of them; a test compares the two.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Histogram

from execnode.admission import NodeDraining, QueueFull
from execnode.call_context import call_arm, call_traceparent
from execnode.statement import RowChunk
from execnode.tracing import NO_SPAN, Tracing
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

_LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Mode(StrEnum):
    """How a statement came: Execute, or SubmitQuery."""

    DIRECT = "direct"
    CURSOR = "cursor"


class NodeMetrics:
    """One set of the node's counters and histograms in one registry; its gauges are the health reply's."""

    def __init__(self, registry: CollectorRegistry, tracing: Tracing | None = None) -> None:
        """tracing: of each statement, under the caller's span."""
        self.registry = registry
        self.tracing = tracing or Tracing()
        self.statements = Counter(
            "execnode_statements",
            "Statements that have ended.",
            ("mode", "arm", "outcome", "sqlstate"),
            registry=registry,
        )
        self.queue_seconds = self._latency("queue", "Time in the queue.")
        self.first_row_seconds = self._latency("first_row", "Time to the first rows, where there were any.")
        self.total_seconds = self._latency("completion", "Time to the end of the statement.")
        self.rows = Counter("execnode_rows", "Rows produced.", ("mode",), registry=registry)
        self.bytes = Counter("execnode_result_bytes", "Bytes of encoded rows.", ("mode",), registry=registry)
        self.failures = Counter(
            "execnode_failures",
            "Statements that failed for reasons of the infrastructure.",
            ("reason",),
            registry=registry,
        )
        self.sheds = Counter("execnode_sheds", "Statements that the full queue refused.", registry=registry)

    def _latency(self, name: str, text: str) -> Histogram:
        return Histogram(
            f"execnode_statement_{name}_seconds",
            text,
            ("mode", "arm"),
            buckets=_LATENCY_BUCKETS_S,
            registry=self.registry,
        )

    @contextmanager
    def statement(self, mode: Mode) -> Iterator["StatementMeter"]:
        """Count one statement: how it ends is seen from what leaves this context."""
        meter = StatementMeter(self, mode, call_arm())
        try:
            yield meter
        except GatewayError as error:
            meter.end(error)
            raise
        except BaseException:
            meter.end_lost()
            raise
        else:
            meter.end(None)


class StatementMeter:
    """One statement's counts. arm: canary, control or none, as the gateway says."""

    def __init__(
        self, metrics: NodeMetrics, mode: Mode, arm: str, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._metrics = metrics
        self._labels = (mode.value, arm)
        self._clock = clock
        self._began = clock()
        self._has_rows = False
        parent = call_traceparent()
        self._span = metrics.tracing.start("execnode.statement", parent) if parent else NO_SPAN
        self._inner = metrics.tracing.start("execnode.queue", self._span.traceparent) if parent else NO_SPAN
        self._span.note({"mode": mode.value, "arm": arm})

    def started(self) -> None:
        """It has left the queue."""
        self._metrics.queue_seconds.labels(*self._labels).observe(self._clock() - self._began)
        self._inner.end()
        parent = self._span.traceparent
        self._inner = self._metrics.tracing.start("duckdb.execute", parent) if parent else NO_SPAN

    def add(self, chunk: RowChunk) -> None:
        """Rows have come."""
        metrics, mode = self._metrics, self._labels[0]
        if chunk.row_count and not self._has_rows:
            self._has_rows = True
            metrics.first_row_seconds.labels(*self._labels).observe(self._clock() - self._began)
        metrics.rows.labels(mode).inc(chunk.row_count)
        metrics.bytes.labels(mode).inc(len(chunk.rows))

    def end(self, error: GatewayError | None) -> None:
        """It has ended, well where there is no error."""
        metrics = self._metrics
        metrics.total_seconds.labels(*self._labels).observe(self._clock() - self._began)
        outcome = "ok" if error is None else _outcome(error.sqlstate)
        sqlstate = "00000" if error is None else error.sqlstate.value
        metrics.statements.labels(*self._labels, outcome, sqlstate).inc()
        self._end_spans("" if error is None else sqlstate)
        if error is None:
            return
        reason = failure_reason(error)
        if reason:
            metrics.failures.labels(reason).inc()
        if isinstance(error, QueueFull):
            metrics.sheds.inc()

    def end_lost(self) -> None:
        """Its caller went away."""
        metrics = self._metrics
        metrics.total_seconds.labels(*self._labels).observe(self._clock() - self._began)
        metrics.statements.labels(*self._labels, "canceled", SqlState.CONNECTION_FAILURE.value).inc()
        self._end_spans(SqlState.CONNECTION_FAILURE.value)

    def _end_spans(self, sqlstate: str) -> None:
        self._inner.end(sqlstate)
        self._span.end(sqlstate)


def failure_reason(error: GatewayError) -> str:
    """Name a failure of the infrastructure in the gateway's words; empty: it is the statement's own."""
    if isinstance(error, QueueFull):
        return "queue_full"
    if isinstance(error, NodeDraining):
        return "draining"
    return "out_of_memory" if error.sqlstate is SqlState.OUT_OF_MEMORY else ""


def _outcome(sqlstate: SqlState) -> str:
    return "canceled" if sqlstate is SqlState.QUERY_CANCELED else "error"
