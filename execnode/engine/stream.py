"""One running statement as a stream of chunks with read-ahead bounded in bytes.

A thread of the executor is held only while DuckDB works, never while a reader pauses: a job makes chunks
while the window has room, and the next is submitted when it has room again. That is the whole back-pressure.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import duckdb
import pyarrow as pa

from execnode.engine.alarm import Alarm
from execnode.engine.chunks import BATCH_ROWS, BatchEncoding, ChunkBuilder
from execnode.engine.cursor import EngineCursor
from execnode.engine.encoding import decode_parameters
from execnode.engine.errors import ENGINE_EXCEPTIONS, as_gateway_error, engine_error
from execnode.engine.inserts import insert_returning, must_return, note_insert
from execnode.engine.jobs import finish_job, interrupt_until
from execnode.engine.threads import EngineThreads
from execnode.spool import ChunkSpool
from execnode.statement import EngineStatement, RowChunk
from execnode.wakeup import Wakeup
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState
from pgwire.types import ResultColumn, result_column

READ_AHEAD_BYTES = 2 << 20
"""Chunks are made ahead of the reader until so many bytes wait; the one in the making comes on top."""


SLOW_START_S = 0.1
"""A statement that has no rows by then is slow: its reader goes on with the declared columns."""


@dataclass(slots=True)
class _Progress:
    """What the reader's side knows. `changed` wakes it.

    made_bytes: of all chunks, counted by the thread that makes them. taken_bytes: of those that were read.
    """

    columns: tuple[ResultColumn, ...] | None = None
    chunks: deque[RowChunk] = field(default_factory=deque)
    made_bytes: int = 0
    taken_bytes: int = 0
    error: GatewayError | None = None
    has_ended: bool = False
    changed: Wakeup = field(default_factory=Wakeup)

    def add(self, step: "_Step") -> None:
        """Take in what one job gave."""
        self.has_ended = step.is_last
        if self.columns is None:
            self.columns = step.columns
        if step.chunk is not None:
            self.chunks.append(step.chunk)

    @property
    def has_room(self) -> bool:
        """Whether another chunk may be made. In any thread: each of the two counts has one that writes it."""
        return self.made_bytes - self.taken_bytes < READ_AHEAD_BYTES


@dataclass(frozen=True, slots=True)
class _Step:
    """What a job in the executor gives at a time."""

    chunk: RowChunk | None
    is_last: bool = False
    columns: tuple[ResultColumn, ...] | None = None


class _Job:
    """Work of a stream in a thread, which wakes the loop once, by the last thing that it does."""

    __slots__ = ("_loop", "_tell", "_work", "gives_way")

    def __init__(
        self,
        work: Callable[[], _Step],
        loop: asyncio.AbstractEventLoop,
        tell: Callable[["_Step | GatewayError"], None],
        *,
        gives_way: bool,
    ) -> None:
        self.gives_way = gives_way
        self._work = work
        self._loop = loop
        self._tell = tell

    def run(self) -> None:
        try:
            found: _Step | GatewayError = self._work()
        except BaseException as error:  # noqa: BLE001  # it is told to whoever reads
            found = as_gateway_error(error)
        self._wake(found)

    def drop(self) -> None:
        self._wake(engine_error(SqlState.QUERY_CANCELED))

    def _wake(self, found: "_Step | GatewayError") -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._tell, found)


class StatementStream:
    """A statement that runs on one cursor. Use through `DuckEngine.execute`.

    Methods without underscore belong to the event loop; `_begin` and `_fetch` run in the executor, one at a
    time.
    """

    def __init__(
        self, cursor: EngineCursor, statement: EngineStatement, threads: EngineThreads, slow: Alarm
    ) -> None:
        """slow: rings SLOW_START_S after it was set."""
        self._slow = slow
        self._cursor = cursor
        self._statement = statement
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._progress = _Progress()
        self._job: _Job | None = None
        self._is_closing = False
        self._builder: ChunkBuilder | None = None
        self._encoding: tuple[BatchEncoding, tuple[ResultColumn, ...]] | None = None
        self._reader: pa.RecordBatchReader | None = None
        self._spool: ChunkSpool | None = None
        self._affected_rows = 0
        self._is_declared = bool(statement.result_columns) or not statement.returns_rows

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        """The shape of the rows; none for a statement that returns no rows."""
        return self._progress.columns or ()

    @property
    def affected_rows(self) -> int:
        """Rows written, once `read` has returned None."""
        return self._affected_rows

    @property
    def has_succeeded(self) -> bool:
        """Whether all has been done without an error, and nothing is held that `close` would let go."""
        progress = self._progress
        is_over = self._job is None and progress.has_ended and progress.error is None
        return is_over and self._reader is None and self._spool is None

    @property
    def is_finished(self) -> bool:
        """Whether the engine has nothing more to give; chunks may still wait for the reader."""
        return self._job is None and (self._progress.has_ended or self._progress.error is not None)

    @property
    def is_ready(self) -> bool:
        """Whether `read` would not wait."""
        progress = self._progress
        return bool(progress.chunks) or progress.has_ended or progress.error is not None

    @property
    def is_drained(self) -> bool:
        """Whether `read` would give None at once: lets a server mark the chunk before as the last."""
        spooled = self._spool is not None and not self._spool.is_empty
        return self.is_finished and self._progress.error is None and not self._progress.chunks and not spooled

    async def open(self) -> None:
        """Start the statement and return once its columns are known.

        DuckDB tells them only when a sort or an aggregate has its first rows, and a write when it is done. If
        that takes longer than SLOW_START_S, the declared columns are taken; an error then shows in `read`.

        Raises:
            GatewayError: the engine refused it.
        """
        self._submit(self._begin, gives_way=True)
        slow = self._slow.set(self._tell_declared) if self._is_declared else None
        progress = self._progress
        try:
            while progress.columns is None:
                if progress.error is not None:
                    raise progress.error
                await progress.changed.sleep()
        finally:
            if slow is not None:
                slow.cancel()

    async def read_progress(self) -> float | None:
        """How far the statement is, from 0 to 1, by DuckDB's own estimate; None where it has none."""
        if not self._statement.tracks_progress:
            return None
        try:
            percent = await finish_job(self._threads, self._cursor.connection.query_progress)
        except ENGINE_EXCEPTIONS:  # the statement has just ended, and its connection is closed
            return None
        return min(percent / 100, 1.0) if percent >= 0 else None

    async def wait_first(self, timeout_s: float) -> None:
        """Return when `read` would not wait, or after `timeout_s`: tells a small result from a slow one."""
        progress = self._progress
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not self.is_ready:
                    await progress.changed.sleep()

    async def read(self) -> RowChunk | None:
        """Give the next chunk, or None at the end.

        Raises:
            GatewayError: what the engine raised, translated.
        """
        if self._spool is not None and not self._spool.is_empty:
            return await finish_job(self._threads, self._spool.take)
        return await self._next_from_engine()

    async def detach(self, spool: ChunkSpool) -> None:
        """Move the rows that are still to come into `spool`, so that the cursor is free again.

        DuckDB ends an open result without a word when its connection runs the next statement. An error among
        the rows is kept for the reader who gets so far.
        """
        self._spool = spool
        with suppress(GatewayError):
            while (chunk := await self._next_from_engine()) is not None:
                await finish_job(self._threads, partial(spool.append, chunk))

    async def _next_from_engine(self) -> RowChunk | None:
        progress = self._progress
        while not progress.chunks:
            if progress.error is not None:
                raise progress.error
            if progress.has_ended:
                return None
            await progress.changed.sleep()
        chunk = progress.chunks.popleft()
        progress.taken_bytes += len(chunk.rows)
        self._pump()
        return chunk

    async def close(self, grace_s: float = 0.0) -> None:
        """Interrupt what runs and return once it has stopped; the cursor is then idle.

        grace_s: how long the chunk in the making may take to end by itself, because an interrupt aborts the
            transaction.
        """
        self._is_closing = True
        try:
            if grace_s:
                await self._wait_job(grace_s)
        finally:
            await self._stop()

    async def _wait_job(self, timeout_s: float) -> None:
        progress = self._progress
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._job is not None:
                    await progress.changed.sleep()

    async def _stop(self) -> None:
        try:
            if self._job is not None:
                await self._stop_job(self._job)
        finally:
            if self._reader is not None:
                await finish_job(self._threads, self._drop_reader)
            if self._spool is not None:
                await finish_job(self._threads, self._spool.close)

    async def _stop_job(self, job: "_Job") -> None:
        """Return once it runs no more.

        Raises:
            asyncio.CancelledError: the caller was cancelled meanwhile; raised only after it has stopped.
        """
        if self._threads.withdraw(job):
            self._finished(engine_error(SqlState.QUERY_CANCELED))
            return
        await interrupt_until(self._has_stopped, self._progress.changed, self._cursor.connection.interrupt)

    def _has_stopped(self) -> bool:
        return self._job is None

    def _submit(self, work: Callable[[], _Step], *, gives_way: bool = False) -> None:
        job = _Job(work, self._loop, self._finished, gives_way=gives_way)
        self._threads.start(job)
        self._job = job

    def _finished(self, found: "_Step | GatewayError") -> None:
        self._job = None
        if isinstance(found, _Step):
            self._take_in(found)
        else:
            self._progress.error = found
            self._progress.changed.wake()
        self._pump()

    def _take_in(self, step: "_Step") -> None:
        self._progress.add(step)
        self._progress.changed.wake()

    def _pump(self) -> None:
        progress = self._progress
        if self._job is not None or self._is_closing or progress.has_ended or progress.error is not None:
            return
        if progress.has_room:
            self._submit(self._fetch)

    def _begin(self) -> _Step:
        """Start the statement, tell the columns, make the first chunk."""
        try:
            if self._is_closing:
                raise engine_error(SqlState.QUERY_CANCELED)
            cursor, statement = self._cursor, self._statement
            cursor.set_time_zone(statement.output.time_zone)
            if statement.tracks_progress:
                cursor.is_clean = False
                cursor.track_progress()
            self._start()
            columns = self._shape()
            if statement.returns_rows:
                self._reader = cursor.connection.to_arrow_reader(BATCH_ROWS)
                encoding = cursor.encoders.take(statement, columns, self._reader.schema)
                self._encoding = encoding, columns
                self._builder = ChunkBuilder(iter(self._reader), encoding)
        except ENGINE_EXCEPTIONS as error:
            raise self._cursor.translate(error) from error
        if not self._is_declared:
            self._loop.call_soon_threadsafe(self._tell_columns, columns)
        # Where they are declared nobody waits long for them, and one waking of the loop does for both.
        first = self._next_step()
        return _Step(first.chunk, first.is_last, columns)

    def _start(self) -> None:
        cursor, statement = self._cursor, self._statement
        if cursor.plans is not None and not statement.parameters:
            name = cursor.plans.named(cursor.connection, statement.sql, cursor.time_zone)
            if name is not None:
                cursor.connection.execute(f"EXECUTE {name}")
                return
        parsed = cursor.statements.parsed(cursor.connection, statement.sql)
        cursor.is_clean = cursor.is_clean and parsed.type == duckdb.StatementType.SELECT
        parameters = decode_parameters(statement.parameters)
        if statement.returns_rows:
            cursor.connection.execute(parsed, parameters)
        else:
            self._write(parsed, parameters)

    def _write(self, parsed: duckdb.Statement, parameters: Sequence[object]) -> None:
        cursor, count = self._cursor, None
        if must_return(cursor, parsed.type):
            count = insert_returning(cursor.connection, self._statement.sql, parameters)
        if count is None:
            cursor.connection.execute(parsed, parameters)
            count = self._counted()
        self._affected_rows = count or 0
        note_insert(cursor, parsed.type, count)

    def _tell_declared(self) -> None:
        self._tell_columns(self._statement.result_columns)

    def _tell_columns(self, columns: tuple[ResultColumn, ...]) -> None:
        self._progress.columns = columns
        self._progress.changed.wake()

    def _shape(self) -> tuple[ResultColumn, ...]:
        if not self._statement.returns_rows:
            return ()
        if self._statement.result_columns:
            return self._statement.result_columns
        return tuple(result_column(c[0], str(c[1])) for c in self._cursor.connection.description or ())

    def _counted(self) -> int | None:
        """How many rows the engine says that it wrote; None: it says nothing."""
        description = self._cursor.connection.description
        row = self._cursor.connection.fetchone() if description else None
        is_count = row is not None and len(row) == 1 and isinstance(row[0], int)
        return row[0] if is_count and row is not None else None

    def _fetch(self) -> _Step:
        """Make chunks while there is room for them and nobody waits for the thread; give the last one."""
        step = self._next_step()
        while not step.is_last and self._may_go_on():
            self._loop.call_soon_threadsafe(self._take_in, step)
            step = self._next_step()
        return step

    def _may_go_on(self) -> bool:
        return self._progress.has_room and not self._is_closing and not self._threads.is_wanted

    def _next_step(self) -> _Step:
        if self._builder is None:
            return _Step(None, is_last=True)
        try:
            chunk = self._builder.next_chunk()
        except ENGINE_EXCEPTIONS as error:
            raise self._cursor.translate(error) from error
        if chunk is not None:
            self._progress.made_bytes += len(chunk.rows)
        if self._builder.is_exhausted:
            self._drop_reader()
            self._leave_encoding()
            return _Step(chunk, is_last=True)
        return _Step(chunk)

    def _leave_encoding(self) -> None:
        used, self._encoding = self._encoding, None
        if used is not None:
            encoding, columns = used
            self._cursor.encoders.give_back(encoding, self._statement, columns, self._progress.made_bytes)

    def _drop_reader(self) -> None:
        reader, self._reader, self._builder = self._reader, None, None
        if reader is not None:
            reader.close()
