"""What becomes of a finished statement's facts: metrics, one log line, a place in the audit queue."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from execnode.tracing import Tracing
from pgproxy.audit.ended import EndedStatements
from pgproxy.audit.lines import LogStatements, log_statements, statement_facts
from pgproxy.audit.writer import AuditWriter
from pgproxy.metrics import GatewayMetrics
from pgproxy.session.telemetry import Outcome, StatementRecord

RECENT = 1000
"""Statements that `pgproxy.queries` shows after their end, unless the settings say otherwise."""

_DENIED = Outcome.DENIED
_GATHER_S = 0.05
"""How long a record waits for others: what becomes of many at once is cheaper, by half where the processor
has other work in between. Who asks does not wait."""

_GATHERED = 64
"""How many wait for others at most: what becomes of them holds up the statements that run meanwhile."""


class StatementRecorder:
    """Takes every statement's record at once; never blocks. recent: the last ones, oldest first."""

    def __init__(  # noqa: PLR0913, PLR0917  # all that becomes of a record
        self,
        writer: AuditWriter,
        metrics: GatewayMetrics,
        observers: Sequence[Callable[[Sequence[StatementRecord]], None]] = (),
        tracing: Tracing | None = None,
        kept: int = RECENT,
        log_lines: LogStatements = log_statements,
    ) -> None:
        """observers: told of all records, too; they never block. kept: ended statements that are shown.

        log_lines: writes the lines of statements that end together.
        """
        self._observers = tuple(observers)
        self._tracing = tracing or Tracing()
        self._writer = writer
        self._metrics = metrics
        self._log_lines = log_lines
        self._statements = EndedStatements()
        self._recent: deque[StatementRecord] = deque(maxlen=kept)
        self._ended: list[StatementRecord] = []
        self._timer: asyncio.TimerHandle | None = None
        metrics.statements.gathers_by(self.settle)
        writer.gathers_by(self.settle)

    @property
    def accepts(self) -> bool:
        """Whether statements may run: False while the audit must be written and cannot be."""
        return self._writer.accepts

    def recent(self) -> Iterator[StatementRecord]:
        """The last statements that have ended, oldest first."""
        self.settle()
        return iter(tuple(self._recent))

    def statement_began(self, record: StatementRecord) -> None:
        """Begin the statement's trace, where traces are wanted."""
        if self._tracing.is_on:
            record.span = self._tracing.start("statement")

    def statement_ended(self, record: StatementRecord) -> None:
        """Take one statement, its answer being on its way; it is counted, logged and queued with others."""
        self._ended.append(record)
        waiting = len(self._ended)
        if waiting == 1:
            self._settle_soon()
        elif waiting >= _GATHERED:
            self.settle()

    def _settle_soon(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.settle()
        else:
            self._timer = loop.call_later(_GATHER_S, self.settle)

    def settle(self) -> None:
        """Count, log and queue all that has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        records, self._ended = self._ended, []
        if not records:
            return
        ended = self._statements.of(records)
        self._metrics.statements.add(ended)
        self._log_lines(ended)
        self._recent.extend(records)
        self._writer.add(ended)
        for observe in self._observers:
            observe(records)
        for record in records:
            if record.span.traceparent:
                record.span.note(statement_facts(record))
                record.span.end("" if record.outcome is Outcome.OK else record.sqlstate, record.ended_at)
            if record.fallback_reason:
                self._metrics.fallbacks.labels(record.route, record.fallback_reason).inc()
            if record.outcome is _DENIED:
                self._metrics.denied.labels(record.denied_by).inc()
