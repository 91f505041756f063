"""A pinned engine session: one connection with its transaction, temporary tables and settings."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from uuid import uuid4

import duckdb
import pyarrow as pa

from execnode.engine.cursor import EngineCursor
from execnode.engine.errors import ENGINE_EXCEPTIONS, engine_error
from execnode.engine.instance import EngineInstance
from execnode.engine.jobs import finish_job, run_job
from execnode.engine.staging import append_staging, create_staging, drop_staging
from execnode.engine.stream import StatementStream
from execnode.engine.threads import EngineThreads
from execnode.spool import ChunkSpool, SpoolLimits
from pgwire.sqlstate import SqlState

_Result = TypeVar("_Result")
_BEGINS = frozenset({"BEGIN", "START"})
_ENDS = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT"})


class DuckSession:
    """A pinned connection from `DuckEngine.open_session`. Earlier open results stay readable."""

    def __init__(self, instance: EngineInstance, executor: EngineThreads, spool_limits: SpoolLimits) -> None:
        self._instance = instance
        self._executor = executor
        self._spool_limits = spool_limits
        self._active: StatementStream | None = None
        self._is_closed = False
        self.cursor = EngineCursor(instance.lease())

    async def execute_utility(self, sql: str) -> None:
        """Run a gateway-made statement without rows (BEGIN, COMMIT, ROLLBACK, SET TimeZone).

        Raises:
            GatewayError: the engine refused it.
        """
        await self.claim(None)
        await run_job(self._executor, partial(self._run_utility, sql), self.cursor.connection.interrupt)

    async def run(self, work: Callable[[duckdb.DuckDBPyConnection], _Result]) -> _Result:
        """Run blocking `work` on the session's connection: reading what its transaction has defined.

        Raises:
            GatewayError: what DuckDB raised, translated.
        """
        await self.claim(None)
        return await run_job(
            self._executor, partial(self._translated, work), self.cursor.connection.interrupt
        )

    async def claim(self, stream: StatementStream | None) -> None:
        """Make the connection free for `stream`: what an open result still has to give moves to a spool.

        Raises:
            GatewayError: the session is closed, or the spool is full.
        """
        if self._is_closed:
            raise engine_error(SqlState.CONNECTION_DOES_NOT_EXIST, message="the engine session is closed")
        active, self._active = self._active, stream
        if active is not None and not active.is_finished:
            await active.detach(ChunkSpool(f"portal-{uuid4().hex}", self._spool_limits))

    def leave(self, stream: StatementStream) -> None:
        """`stream` is closed; the connection is free."""
        if self._active is stream:
            self._active = None

    async def create_staging(self, table: str, schema: pa.Schema) -> None:
        """Make a temporary table for the rows of a COPY.

        Raises:
            GatewayError: the engine refused it.
        """
        await self.run(partial(create_staging, table=table, schema=schema))

    async def append_staging(self, table: str, batch: pa.RecordBatch) -> None:
        """Append rows to it; a cancelled caller interrupts the engine.

        Raises:
            GatewayError: the engine refused them.
        """
        await self.run(partial(append_staging, table=table, batch=batch))

    async def drop_staging(self, table: str) -> None:
        """Drop it.

        Raises:
            GatewayError: the engine refused it.
        """
        await self.run(partial(drop_staging, table=table))

    async def close(self) -> None:
        """Roll back what is open and release the connection. Never raises; idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        active, self._active = self._active, None
        try:
            if active is not None:
                await active.close()
        finally:
            self.cursor.connection.interrupt()
            try:
                await finish_job(self._executor, self.cursor.connection.close)
            finally:
                self._instance.release()

    def _translated(self, work: Callable[[duckdb.DuckDBPyConnection], _Result]) -> _Result:
        try:
            return work(self.cursor.connection)
        except ENGINE_EXCEPTIONS as error:
            raise self.cursor.translate(error) from error

    def _run_utility(self, sql: str) -> None:
        first_word = sql.split(maxsplit=1)[0].rstrip(";").upper()
        cursor = self.cursor
        try:
            cursor.connection.execute(sql)
        except ENGINE_EXCEPTIONS as error:
            raise cursor.translate(error) from error
        finally:
            if first_word in _ENDS:
                cursor.in_transaction = cursor.has_failed = cursor.has_inserted_nothing = False
        if first_word in _BEGINS:
            cursor.in_transaction = True
        cursor.time_zone = ""
