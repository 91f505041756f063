"""Queries that outlive one call: submitted into a spool, fetched by sequence, cancelled, forgotten.

`SpooledQuery` is a guarded state machine, `TRANSITIONS` its whole table. A cancelled query stays cancelled.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from types import MappingProxyType, TracebackType
from typing import TypeVar
from uuid import uuid4

from prometheus_client import CollectorRegistry

from execnode.admission import AdmissionGate
from execnode.engine import DuckEngine, DuckSession, StatementStream
from execnode.engine.errors import as_gateway_error, engine_error
from execnode.engine.jobs import finish_job
from execnode.limits import ResultLimits, ResultMeter
from execnode.metrics import Mode, NodeMetrics, StatementMeter
from execnode.spool import ChunkSpool, SpoolFull, SpoolLimits
from execnode.statement import EngineStatement, RowChunk
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState
from pgwire.types import ResultColumn

_Result = TypeVar("_Result")

FETCH_WINDOW_BYTES = 16 << 20
"""One fetch gives so much and ends; the next one acknowledges it. Nothing is trimmed that could be lost."""

CURSOR_MEMORY_BYTES = 8 << 20
CURSOR_DISK_BYTES = 64 << 20
"""An interactive cursor's producer stalls when so much is unacknowledged."""

_FORGOTTEN_IDS = 1000
"""So many queries that nobody ever read are remembered, so that none of them is started again, or late."""

_NO_ROWS_OFFSETS = (0).to_bytes(4, "little")
# Sequence 0 of a spool is always a chunk without rows: it carries the columns as soon as they are known.


class QueryState(Enum):
    """Where a query stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


TRANSITIONS: MappingProxyType[QueryState, frozenset[QueryState]] = MappingProxyType(
    {
        QueryState.QUEUED: frozenset({QueryState.RUNNING, QueryState.FAILED, QueryState.CANCELED}),
        QueryState.RUNNING: frozenset({QueryState.SUCCEEDED, QueryState.FAILED, QueryState.CANCELED}),
        QueryState.SUCCEEDED: frozenset(),
        QueryState.FAILED: frozenset(),
        QueryState.CANCELED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class Submission:
    """What to run. is_retained: nothing is trimmed until the time to live. timeout_s: 0 for none."""

    statement: EngineStatement
    is_retained: bool
    session: DuckSession | None = None
    timeout_s: float = 0.0


class SpooledQuery:
    """One submitted query: its state, its spool and who waits for either.

    is_stalled: it goes on only when its reader acknowledges what it has. readers: calls that wait for it now.
    was_read: whether its submitter knows that it was taken.
    """

    def __init__(self, query_id: str, spool: ChunkSpool, *, is_retained: bool, now_s: float) -> None:
        self.query_id = query_id
        self.spool = spool
        self.is_retained = is_retained
        self.state = QueryState.QUEUED
        self.columns: tuple[ResultColumn, ...] | None = None
        self.affected_rows = 0
        self.error: GatewayError | None = None
        self.last_used_s = now_s
        self.readers = 0
        self.was_read = False
        self.is_stalled = False
        self.task: asyncio.Task[None] | None = None
        self.disk = asyncio.Lock()
        self.stream: StatementStream | None = None
        self._changed = asyncio.Event()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return not TRANSITIONS[self.state]

    def is_expired(self, now_s: float, ttl_s: float) -> bool:
        """Whether its time to live is over: nobody reads it, and it has ended or is a cursor."""
        is_idle = not self.readers and (self.has_ended or not self.is_retained)
        return is_idle and now_s - self.last_used_s > ttl_s

    def move(self, state: QueryState, error: GatewayError | None = None) -> bool:
        """Go to `state` if the table allows it; an end, once reached, stays. Give whether it moved."""
        if state not in TRANSITIONS[self.state]:
            return False
        self.state = state
        self.error = error
        self.wake()
        return True

    def wake(self) -> None:
        """Tell all who wait that something has changed."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait_change(self) -> None:
        """Return at the next `wake`."""
        await self._changed.wait()


class QueryRegistry(AbstractAsyncContextManager["QueryRegistry"]):
    """All submitted queries of a node. Leaving this context cancels what runs and drops every spool."""

    def __init__(  # noqa: PLR0913, PLR0917  # what a query is run, kept and counted by
        self,
        engine: DuckEngine,
        gate: AdmissionGate,
        spool_limits: SpoolLimits,
        result_limits: ResultLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        metrics: NodeMetrics | None = None,
    ) -> None:
        """spool_limits: of one retained result; a cursor's are smaller."""
        self._metrics = metrics or NodeMetrics(CollectorRegistry())
        self._result_limits = result_limits or ResultLimits()
        self._engine = engine
        self._clock = clock
        self.completed = 0
        self.cleaned = 0
        self._gate = gate
        self._limits = spool_limits
        self._queries: dict[str, SpooledQuery] = {}
        self._forgotten: deque[str] = deque(maxlen=_FORGOTTEN_IDS)
        self._has_no_cursor = asyncio.Event()
        self._has_no_cursor.set()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> "QueryRegistry":
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for query_id in list(self._queries):
            await self.delete(query_id)
        await self._tasks.__aexit__(None, None, None)

    @property
    def open_cursors(self) -> int:
        """Results that somebody has still to fetch or to give up."""
        return sum(not query.is_retained for query in self._queries.values())

    async def wait_fetched(self) -> None:
        """Return once no cursor is open: every result has been fetched, given up or forgotten."""
        await self._has_no_cursor.wait()

    @property
    def spool_bytes(self) -> int:
        """What all spools hold, memory and disk."""
        return sum(q.spool.memory_bytes + q.spool.disk_bytes for q in self._queries.values())

    def count(self, *states: QueryState) -> int:
        """How many queries are in one of these states."""
        return sum(query.state in states for query in self._queries.values())

    @property
    def stored(self) -> int:
        """How many queries are held, whatever their state."""
        return len(self._queries)

    async def read_progress(self, query_id: str) -> tuple[QueryState, float | None] | None:
        """Where a query stands, and how far it is, from 0 to 1, where the engine can tell; None: unknown."""
        query = self._queries.get(query_id)
        if query is None:
            return None
        stream = query.stream
        return query.state, await stream.read_progress() if stream is not None else None

    def get(self, query_id: str) -> SpooledQuery | None:
        """Find a query; None if there is no such query, or it is forgotten."""
        return self._queries.get(query_id)

    def submit(self, query_id: str, submission: Submission, now_s: float) -> SpooledQuery:
        """Start a query into a spool. An id that is already there is the same query: nothing starts twice.

        Raises:
            GatewayError: 42704, it was here before, nobody read it, and it is forgotten; or it was deleted
                before it came.
        """
        known = self._queries.get(query_id)
        if known is not None:
            return known
        if query_id in self._forgotten:
            raise _forgotten()
        limits = self._limits
        if not submission.is_retained:
            limits = replace(limits, memory_bytes=CURSOR_MEMORY_BYTES, disk_bytes=CURSOR_DISK_BYTES)
        spool = ChunkSpool(f"query-{uuid4().hex}", limits)
        query = SpooledQuery(query_id, spool, is_retained=submission.is_retained, now_s=now_s)
        self._queries[query_id] = query
        if not query.is_retained:
            self._has_no_cursor.clear()
        query.task = self._tasks.create_task(self._guard(query, submission))
        return query

    @contextmanager
    def reading(self, query: SpooledQuery) -> Iterator[None]:
        """Keep a query while a call reads it; its time to live counts from the end of the last one."""
        query.readers += 1
        query.was_read = True
        try:
            yield
        finally:
            query.readers -= 1
            query.last_used_s = self._clock()

    async def acknowledge(self, query: SpooledQuery, before: int) -> None:
        """Drop what the reader has, unless all is retained.

        Raises:
            GatewayError: it was cancelled; the reader has more than there was, or less than is held.
        """
        if query.state is QueryState.CANCELED and query.error is not None:
            raise query.error
        if not query.is_retained:
            async with query.disk:
                await self._blocking(partial(query.spool.acknowledge, before))
            query.is_stalled = False  # until its producer finds that there is still no room
            query.wake()
        if not query.spool.first_sequence <= before <= query.spool.next_sequence:
            raise engine_error(SqlState.INVALID_CURSOR_STATE, message="these rows are not held")

    async def next_chunk(self, query: SpooledQuery, sequence: int) -> RowChunk | None:
        """Give the chunk of that number, waiting for it.

        None: the query has succeeded before it, or waits for an acknowledgement.

        Raises:
            GatewayError: why the query failed or was cancelled; the chunks before were given.
        """
        while sequence >= query.spool.next_sequence:
            if query.error is not None:
                raise query.error
            if query.has_ended or query.is_stalled:
                return None
            await query.wait_change()
        async with query.disk:
            if query.error is not None and query.spool.is_closed:  # while this call waited for the disk
                raise query.error
            return await self._blocking(partial(query.spool.get, sequence))

    async def cancel(self, query_id: str, reason: GatewayError | None = None) -> bool:
        """Cancel and return once nothing runs any more; give whether something did.

        reason: what its readers are told; None: that it was cancelled.
        """
        query = self._queries.get(query_id)
        if query is None or query.has_ended:
            return False
        query.move(QueryState.CANCELED, reason or engine_error(SqlState.QUERY_CANCELED))
        if query.task is not None:
            query.task.cancel()
            await asyncio.wait({query.task})
        return True

    async def delete(self, query_id: str, reason: GatewayError | None = None) -> None:
        """Cancel and forget. Idempotent. reason: see `cancel`."""
        await self.cancel(query_id, reason)
        query = self._queries.pop(query_id, None)
        if query is None:
            self._forgotten.append(query_id)  # its submission may still be on its way, on a lost connection
            return
        if not query.was_read:
            self._forgotten.append(query_id)
        if not self.open_cursors:
            self._has_no_cursor.set()
        async with query.disk:
            await self._blocking(query.spool.close)

    async def delete_expired(self, now_s: float, ttl_s: float) -> int:
        """Forget what ended, or an unretained cursor that nobody fetched from, more than `ttl_s` ago.

        A retained query that runs is never forgotten: its time counts from its end. Nor is one that a call
        waits for, however long its next rows take: its time counts from the end of that call.
        """
        expired = 0
        for query in tuple(self._queries.values()):
            if query.is_expired(now_s, ttl_s):  # asked only now: deleting the one before took its time
                await self.delete(query.query_id, _forgotten())  # nobody has cancelled it
                expired += 1
        self.cleaned += expired
        return expired

    async def _guard(self, query: SpooledQuery, submission: Submission) -> None:
        try:
            await self._run_to_an_end(query, submission)
        finally:
            if query.state is QueryState.CANCELED or (query.is_retained and query.error is not None):
                async with query.disk:
                    await self._blocking(query.spool.close)

    async def _run_to_an_end(self, query: SpooledQuery, submission: Submission) -> None:
        try:
            async with asyncio.timeout(submission.timeout_s or None):
                await self._run(query, submission)
        except TimeoutError:
            query.move(QueryState.FAILED, statement_timeout())
        except asyncio.CancelledError:
            query.move(QueryState.CANCELED, engine_error(SqlState.QUERY_CANCELED))
            raise
        except Exception as error:  # noqa: BLE001  # the task guard: one query's bug must not end the others
            query.move(QueryState.FAILED, as_gateway_error(error))
        finally:
            query.stream = None
            query.last_used_s = self._clock()
            self.completed += 1

    async def _run(self, query: SpooledQuery, submission: Submission) -> None:
        with self._metrics.statement(Mode.CURSOR) as counted:
            await self._run_counted(query, submission, counted)

    async def _run_counted(
        self, query: SpooledQuery, submission: Submission, counted: StatementMeter
    ) -> None:
        session = submission.session
        async with self._gate.slot(is_pinned=session is not None):
            counted.started()
            if not query.move(QueryState.RUNNING):
                return
            async with self._engine.execute(submission.statement, session) as stream:
                query.columns, query.stream = stream.columns, stream
                await self._append(query, RowChunk(b"", 0, _NO_ROWS_OFFSETS))
                meter = ResultMeter(self._result_limits, counted.add)
                while (chunk := await stream.read()) is not None:
                    meter.add(chunk)
                    await self._append_when_it_fits(query, chunk)
                query.affected_rows = stream.affected_rows
            query.move(QueryState.SUCCEEDED)

    async def _append_when_it_fits(self, query: SpooledQuery, chunk: RowChunk) -> None:
        """Append; a cursor stalls until its reader has taken enough.

        Raises:
            SpoolFull: the result is retained, so there is no reader to wait for.
        """
        while True:
            try:
                if query.is_retained or query.spool.can_take(chunk):
                    await self._append(query, chunk)
                    return
            except SpoolFull:  # another spool took the room, or the disk is full
                if query.is_retained or query.spool.is_empty:
                    raise
            query.is_stalled = True
            query.wake()
            await query.wait_change()
            query.is_stalled = False

    async def _append(self, query: SpooledQuery, chunk: RowChunk) -> None:
        async with query.disk:
            await self._blocking(partial(query.spool.append, chunk))
        query.wake()

    async def _blocking(self, work: Callable[[], _Result]) -> _Result:
        return await finish_job(self._engine.executor, work)


def _forgotten() -> GatewayError:
    return engine_error(SqlState.UNDEFINED_OBJECT, message="the query is forgotten")


def statement_timeout() -> GatewayError:
    """The error of QUERY_TIMEOUT, in PostgreSQL's words."""
    return engine_error(SqlState.QUERY_CANCELED, message="canceling statement due to statement timeout")
