"""`DuckEngine`: what the exec node serves over gRPC and what the gateway embeds."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb

from execnode.engine.alarm import Alarm
from execnode.engine.cursor import EngineCursor
from execnode.engine.describe import describe_statement
from execnode.engine.errors import ENGINE_EXCEPTIONS, EngineOutOfMemory, engine_error, translate_error
from execnode.engine.instance import EngineInstance, PrepareInstance, build_instance
from execnode.engine.jobs import run_job
from execnode.engine.runs import SessionRun, StatementRun
from execnode.engine.sandbox import EngineLimits
from execnode.engine.session import DuckSession
from execnode.engine.stream import SLOW_START_S, StatementStream
from execnode.engine.threads import EngineThreads
from execnode.runtime import usable_cores
from execnode.spool import SpoolBudget, SpoolLimits
from execnode.statement import CatalogGeneration, EngineStatement
from pgwire.sqlstate import SqlState
from pgwire.types import ResultColumn

_Result = TypeVar("_Result")
DRAIN_TIMEOUT_S = 30.0
"""How long `attach` waits for statements that keep a file open which the new generation opens to write."""


class DuckEngine:
    """A sandboxed DuckDB with the catalogs of one generation.

    All methods belong to one event loop. Spill files live in a private folder under `limits.temp_directory`,
    made here and removed by `close`.
    """

    def __init__(
        self,
        limits: EngineLimits,
        *,
        prepare_instance: PrepareInstance | None = None,
        release_instance: Callable[[], None] | None = None,
        extensions: tuple[str, ...] = (),
        max_threads: int = 16,
    ) -> None:
        """release_instance: called before an instance is closed for another; drops what `prepare` kept of it.

        max_threads: how many statements may be inside DuckDB at once; more wait for a thread.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="engine-", dir=limits.temp_directory))
        self._limits = replace(limits, temp_directory=self._folder)
        self._spool_limits = SpoolLimits(self._folder, budget=SpoolBudget(sys.maxsize))
        self._prepare = prepare_instance
        self._release = release_instance or _keep_nothing
        self._extensions = extensions
        self._executor = EngineThreads(max_threads, "duckdb", usable_cores(), _call_later)
        self._slow = Alarm(SLOW_START_S, _call_later)
        self._instance: EngineInstance | None = None
        self._memory_used_bytes = 0
        self._generation: CatalogGeneration | None = None
        self._attaching = asyncio.Lock()
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._is_closed = False

    @property
    def generation(self) -> int | None:
        """The number of the attached generation, or None before the first."""
        return self._generation.number if self._generation is not None else None

    @property
    def spool_limits(self) -> SpoolLimits:
        """Where results may wait, in the private folder, and how much one may take."""
        return self._spool_limits

    @property
    def executor(self) -> EngineThreads:
        """The threads that may block in DuckDB or on spool files."""
        return self._executor

    async def attach(self, generation: CatalogGeneration) -> None:
        """Attach exactly these catalogs; statements begun before keep the older instance until they end.

        The same catalogs under a newer number cost nothing. Where a file is open to write, the older instance
        has to be closed first: new statements then wait, and running ones and sessions have DRAIN_TIMEOUT_S
        to end.

        Raises:
            GatewayError: a catalog cannot be attached (the older generation stays), an older number is given
            with
                other catalogs, or running work did not end in time (55006).
        """
        async with self._attaching:
            current = self._generation
            if current is not None and generation.catalogs == current.catalogs:
                self._generation = max(current, generation, key=lambda g: g.number)
                return
            if current is not None and generation.number <= current.number:
                raise engine_error(
                    SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
                    message="a newer generation of catalogs is attached",
                )
            await self._replace(current, generation)

    async def open_session(self) -> DuckSession:
        """Open a pinned session.

        Raises:
            GatewayError: no catalogs are attached, or the engine is closed.
        """
        return DuckSession(await self._current(), self._executor, self._spool_limits)

    async def describe(
        self, statement: EngineStatement, session: DuckSession | None = None
    ) -> tuple[ResultColumn, ...]:
        """Bind without executing; `statement.sql` holds typed samples in place of parameters.

        Raises:
            GatewayError: it does not bind.
        """
        if session is None:
            return await self.run(partial(describe_statement, statement=statement))
        await session.claim(None)
        return await self._guarded(session.cursor, partial(describe_statement, statement=statement))

    def execute(
        self, statement: EngineStatement, session: DuckSession | None = None
    ) -> AbstractAsyncContextManager[StatementStream]:
        """Run a statement; entering returns once its columns are known.

        Leaving early, or cancelling the task that waits inside, interrupts DuckDB and returns when its thread
        has stopped. Without a session the statement has a connection to itself.

        Raises:
            GatewayError: translated engine error, by exception type.
        """
        if session is not None:
            return SessionRun(statement, session, self._executor, self._slow)
        return StatementRun(statement, self._current, self._executor, self._slow)

    async def run(self, work: Callable[[duckdb.DuckDBPyConnection], _Result]) -> _Result:
        """Run blocking `work` on a fresh connection in a thread: catalog reads, scratch tables, health.

        Raises:
            GatewayError: what DuckDB raised, translated.
        """
        instance = await self._current()
        cursor = EngineCursor(instance.lease())  # a fresh one: nobody knows what the work leaves on it
        try:
            return await self._guarded(cursor, work)
        finally:
            cursor.connection.close()
            instance.release()

    async def check(self) -> None:
        """Run SELECT 1: real health. An engine without catalogs is healthy.

        So is one whose memory is full: it has answered, and goes on when a statement has ended.
        """
        if self._instance is not None:
            with suppress(EngineOutOfMemory):
                await self.run(lambda connection: connection.execute("SELECT 1").fetchall())

    async def memory_used_bytes(self) -> int:
        """What DuckDB's buffer manager holds; 0 without catalogs; its cap where none is left to ask with."""
        if self._instance is None:
            return 0
        sql = "SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT FROM duckdb_memory()"
        try:
            rows = await self.run(lambda connection: connection.execute(sql).fetchall())
        except EngineOutOfMemory:
            return self._limits.memory_limit_bytes or self._memory_used_bytes
        self._memory_used_bytes = int(rows[0][0])
        return self._memory_used_bytes

    async def close(self) -> None:
        """Close the instance once idle users have left, end the threads, remove the spill folder. Idempotent.

        The caller ends statements and sessions first; what still runs is not waited for.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._is_open.set()
        instance, self._instance = self._instance, None
        loop = asyncio.get_running_loop()
        if instance is not None:
            await loop.run_in_executor(None, instance.close)
        await loop.run_in_executor(None, partial(self._executor.shutdown, wait=True, cancel_futures=True))
        await loop.run_in_executor(None, partial(shutil.rmtree, self._folder, ignore_errors=True))

    async def _current(self) -> EngineInstance:
        if not self._is_open.is_set():
            await self._is_open.wait()
        if self._is_closed:
            raise engine_error(SqlState.ADMIN_SHUTDOWN, message="the engine is closed")
        if self._instance is None:
            raise engine_error(SqlState.CANNOT_CONNECT_NOW, message="the engine has no catalogs attached")
        return self._instance

    async def _guarded(
        self, cursor: EngineCursor, work: Callable[[duckdb.DuckDBPyConnection], _Result]
    ) -> _Result:
        def translated() -> _Result:
            try:
                return work(cursor.connection)
            except ENGINE_EXCEPTIONS as error:
                raise cursor.translate(error) from error

        return await run_job(self._executor, translated, cursor.connection.interrupt)

    async def _replace(self, old: CatalogGeneration | None, new: CatalogGeneration) -> None:
        instance = self._instance
        if old is None or instance is None or not instance.conflicts_with(new.catalogs):
            self._install(await self._build(new), new)
            if instance is not None:
                instance.retire(self._executor)
            return
        self._is_open.clear()
        try:
            await self._wait_idle(instance)
            await self._blocking(self._release)
            await self._blocking(instance.close)
            try:
                self._install(await self._build(new), new)
            except BaseException:
                self._install(await self._build(old), old)
                raise
        finally:
            self._is_open.set()

    async def _wait_idle(self, instance: EngineInstance) -> None:
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                await instance.wait_idle()
        except TimeoutError:
            raise engine_error(
                SqlState.OBJECT_IN_USE, message="the attached catalogs are still in use"
            ) from None

    def _install(self, instance: EngineInstance, generation: CatalogGeneration) -> None:
        self._instance = instance
        self._generation = generation

    async def _build(self, generation: CatalogGeneration) -> EngineInstance:
        return await self._blocking(
            partial(build_instance, generation, self._limits, self._extensions, self._prepare)
        )

    async def _blocking(self, work: Callable[[], _Result]) -> _Result:
        def translated() -> _Result:
            try:
                return work()
            except ENGINE_EXCEPTIONS as error:
                raise translate_error(error) from error

        return await asyncio.get_running_loop().run_in_executor(self._executor, translated)


def _call_later(delay_s: float, call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(delay_s, call)


def _keep_nothing() -> None:
    """Nobody keeps anything of an instance."""
