"""The queue between what happens and the audit log: bounded, written in batches, never in a statement's way.

What cannot be written waits and is tried again, the same batches in order. In fail_closed mode a failed write
refuses every further statement until it has succeeded; what had begun before still gets its row.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import structlog

from pgproxy.audit.ended import EndedStatement
from pgproxy.audit.logins import LoginEnd, LoginTally, single
from pgproxy.audit.options import AuditMode, AuditOptions, AuditQueryText
from pgproxy.audit.records import audit_row, redacted
from pgproxy.control.audit import AuditRow, AuditStore
from pgproxy.control.audit_batches import BATCH_ROWS
from pgproxy.control.metastore import MetastoreError
from pgproxy.metrics import GatewayMetrics

log = structlog.get_logger(__name__)

QUEUE_LIMIT = 50_000
"""Rows that may wait; one without its text takes about 1 kB."""

_GATHER_S = 0.2
"""How long a record waits for others: a batch costs one commit."""

_FIRST_RETRY_S = 0.2
_LONGEST_RETRY_S = 5.0
_PURGE_INTERVAL_S = 600.0
_MAX_CHARACTERS = 64_000_000
"""Of the texts of all statements that wait."""


class AuditWriter:
    """Moves records to the metastore. Used from one event loop."""

    def __init__(self, store: AuditStore, options: AuditOptions, metrics: GatewayMetrics) -> None:
        self._store = store
        self._options = options
        self._metrics = metrics
        self._queue: deque[AuditRow] = deque()
        self._logins = LoginTally()
        self._login_timer: asyncio.TimerHandle | None = None
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._writing = asyncio.Lock()
        self._is_failing = False
        self._characters = 0
        self._tried = 0
        """How many of the first rows were sent as one batch of which it is unknown whether it was written."""
        self._dropped = 0
        self._gather: Callable[[], None] = _nothing_waits

    @property
    def accepts(self) -> bool:
        """Whether statements may run."""
        if self._options.mode is AuditMode.BEST_EFFORT:
            return True
        return not self._is_failing and not self._is_full

    @property
    def waiting(self) -> int:
        """Records that wait to be written."""
        return len(self._queue)

    def gathers_by(self, gather: Callable[[], None]) -> None:
        """Call this before what waits is written: it adds the records of statements that have just ended."""
        self._gather = gather

    def add(self, statements: Sequence[EndedStatement]) -> None:
        """Queue the rows of statements that have ended.

        Made here, a few at a time: a thread that makes hundreds holds the interpreter's lock for as long.
        """
        options, queue = self._options, self._queue
        may_drop = options.mode is AuditMode.BEST_EFFORT
        for statement in statements:
            if may_drop and (len(queue) >= QUEUE_LIMIT or self._characters >= _MAX_CHARACTERS):
                self._dropped += 1
                self._metrics.audit_dropped.inc()
                continue
            row = audit_row(statement, options)
            if row.query is not None:
                self._characters += _characters(row)
            queue.append(row)
        self._note_arrival()

    def login_ended(self, end: LoginEnd) -> None:
        """Queue or count a login; counted where many come, and where the queue is full."""
        if end.is_single and not self._is_full:
            self._queue.append(single(end).row(self._options.gateway).to_write())
            self._note_arrival()
            return
        self._logins.add(end)
        due_s = self._logins.due_in_s
        if self._login_timer is None and due_s is not None:
            self._login_timer = asyncio.get_running_loop().call_later(due_s, self._arrived.set)

    def _note_arrival(self) -> None:
        self._arrived.set()
        if len(self._queue) >= BATCH_ROWS:
            self._full.set()

    def _take_logins(self) -> None:
        """Queue what is counted, unless the queue is full: then it is counted on."""
        if self._login_timer is not None:
            self._login_timer.cancel()
            self._login_timer = None
        if not self._is_full:
            self._queue.extend([login.row(self._options.gateway).to_write() for login in self._logins.take()])

    async def write(self) -> None:
        """Write for as long as the gateway runs; when it is cancelled, once more what still waits."""
        retry_s = _FIRST_RETRY_S
        try:
            while True:
                await self._arrived.wait()
                if not self._is_failing:
                    await _wait(self._full, _GATHER_S)
                self._arrived.clear()
                self._full.clear()
                if await self.flush():
                    retry_s = _FIRST_RETRY_S
                    continue
                self._arrived.set()
                await asyncio.sleep(retry_s)
                retry_s = min(retry_s * 2, _LONGEST_RETRY_S)
        finally:
            await self.flush()

    async def purge(self) -> None:
        """Delete rows that have outlived their retention, for as long as the gateway runs."""
        if not self._options.retention_s:
            return
        while True:
            before = datetime.now(UTC) - timedelta(seconds=self._options.retention_s)
            try:
                if deleted := await self._store.purge(before):
                    log.info("audit.purged", records=deleted)
            except MetastoreError:
                log.warning("audit.purge_failed")
            await asyncio.sleep(_PURGE_INTERVAL_S)

    async def flush(self) -> bool:
        """Write what waits now. False: it could not be written, and waits on.

        What comes meanwhile waits for others: under load, batches of what one write took would be all that
        the metastore does.
        """
        async with self._writing:
            self._gather()
            self._take_logins()
            due = len(self._queue)
            while due > 0:
                self._tried = self._tried or min(due, BATCH_ROWS)
                batch = list(islice(self._queue, self._tried))
                due -= len(batch)
                try:
                    await self._store.write(await self._readied(batch))
                except MetastoreError:
                    self._note_failure(len(self._queue))
                    return False
                self._tried = 0
                for row in batch:
                    self._queue.popleft()
                    self._characters -= _characters(row)
                self._note_success()
            return True

    @property
    def _is_full(self) -> bool:
        return len(self._queue) >= QUEUE_LIMIT or self._characters >= _MAX_CHARACTERS

    async def _readied(self, batch: list[AuditRow]) -> list[AuditRow]:
        if self._options.query_text is not AuditQueryText.REDACTED:
            return batch
        return await asyncio.to_thread(redacted, batch)

    def _note_failure(self, waiting: int) -> None:
        if not self._is_failing:
            log.error("audit.write_failed", waiting=waiting, mode=self._options.mode.value)
        self._is_failing = True
        self._metrics.audit_failures.inc()

    def _note_success(self) -> None:
        if self._is_failing:
            log.info("audit.written_again")
        self._is_failing = False
        if self._dropped:
            log.error("audit.records_dropped", records=self._dropped)
            self._dropped = 0


def _characters(row: AuditRow) -> int:
    return len(row.query or "") + len(row.engine_text)


def _nothing_waits() -> None:
    """Nothing to gather."""


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return
