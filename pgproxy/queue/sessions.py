"""The queue as SQL sessions use it: pgproxy.submit, pgproxy.cancel and pgproxy.result, as streams of rows.

A stored result is encoded here as an engine would have encoded it for this client: any format, COPY, cursors.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

import pyarrow as pa

from execnode.durations import parse_duration_s
from execnode.engine.chunks import ChunkBuilder
from execnode.engine.encoding import batch_encoding
from execnode.engine.errors import ENGINE_EXCEPTIONS, as_gateway_error
from execnode.statement import EngineStatement, RowChunk
from pgproxy.policy.current import CurrentPolicies
from pgproxy.queue.model import QueryState, Statement
from pgproxy.queue.service import AsyncQueue, Request, Viewer
from pgproxy.routing.attempts import RouteOutcome
from pgproxy.routing.resolve import RouteReason
from pgproxy.session.services import BoundCall, Identity
from pgproxy.sql.utility.query_calls import QueryFunction
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import ResultColumn, result_column


class StoredStream:
    """Rows that are stored here, as a portal reads them."""

    def __init__(self, queue: AsyncQueue, columns: tuple[ResultColumn, ...], chunks: ChunkBuilder) -> None:
        self._queue = queue
        self._columns = columns
        self._chunks = chunks

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        return self._columns

    @property
    def affected_rows(self) -> int:
        return 0

    @property
    def outcome(self) -> RouteOutcome:
        """Nothing ran anywhere."""
        return RouteOutcome("local", RouteReason.STORED)

    async def read(self) -> RowChunk | None:
        """Give the next chunk, or None at the end.

        Raises:
            GatewayError: the file cannot be read, or a value does not fit the format asked for.
        """
        return await self._queue.run_in_thread(self._next)

    async def read_progress(self) -> float | None:
        return None

    def _next(self) -> RowChunk | None:
        if self._chunks.is_exhausted:
            return None
        try:
            return self._chunks.next_chunk()
        except ENGINE_EXCEPTIONS as error:
            raise as_gateway_error(error) from error


class SessionQueries:
    """See `pgproxy.session.services.AsyncQueries`."""

    def __init__(self, queue: AsyncQueue, policies: CurrentPolicies) -> None:
        self._queue = queue
        self._policies = policies

    async def columns(self, caller: Identity, call: BoundCall) -> tuple[ResultColumn, ...]:
        match call.function:
            case QueryFunction.SUBMIT:
                return (result_column("submit", "VARCHAR"),)
            case QueryFunction.CANCEL:
                return (result_column("cancel", "BOOLEAN"),)
            case QueryFunction.RESULT:
                query, _ = await self._queue.result(self._viewer(caller), call.argument or "")
                return query.facts.columns

    @asynccontextmanager
    async def open(
        self, caller: Identity, call: BoundCall, statement: EngineStatement
    ) -> AsyncIterator[StoredStream]:
        if call.function is not QueryFunction.RESULT:
            value = await self._act(caller, call)
            batch = pa.RecordBatch.from_arrays([pa.array([value])], names=[call.function.value])
            yield self._stream(statement, batch.schema, [batch])
            return
        query, result = await self._queue.result(self._viewer(caller), call.argument or "")
        if query.facts.columns != statement.result_columns:
            raise StatementError(
                "cached plan must not change result type", sqlstate=SqlState.FEATURE_NOT_SUPPORTED
            )
        batches = result.batches()
        try:
            yield self._stream(statement, result.schema, batches)
        finally:
            await self._queue.run_in_thread(partial(_close, batches))

    async def _act(self, caller: Identity, call: BoundCall) -> str | bool:
        """Submit or cancel; gives the one value of the answer."""
        viewer = self._viewer(caller)
        if call.argument is None:
            raise StatementError("the argument is NULL", sqlstate=SqlState.NULL_VALUE_NOT_ALLOWED)
        if call.function is QueryFunction.CANCEL:
            return (await self._queue.cancel(viewer, call.argument)).state is QueryState.CANCELED
        statement = Statement(call.argument, (), caller.database, call.settings)
        query, _ = await self._queue.submit(viewer, _request(statement, call))
        return query.id

    def _stream(
        self, statement: EngineStatement, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
    ) -> StoredStream:
        encoding = batch_encoding(statement, statement.result_columns, schema)
        return StoredStream(self._queue, statement.result_columns, ChunkBuilder(iter(batches), encoding))

    def _viewer(self, caller: Identity) -> Viewer:
        policy = self._policies.effective(caller.principal, caller.scope)
        return Viewer(caller.principal, policy.is_admin, caller.scope)


def _request(statement: Statement, call: BoundCall) -> Request:
    ttl, priority = call.options.get("ttl"), call.options.get("priority")
    try:
        ttl_s = parse_duration_s(ttl) if ttl is not None else None
        number = int(priority) if priority is not None else 0
    except ValueError:
        raise StatementError(
            "priority is a number, ttl a duration such as 10m", sqlstate=SqlState.INVALID_PARAMETER_VALUE
        ) from None
    if not -100 <= number <= 100:
        raise StatementError(
            "priority is a number from -100 to 100", sqlstate=SqlState.INVALID_PARAMETER_VALUE
        )
    return Request(statement, ttl_s, number, call.options.get("idempotency_key"))


def _close(batches: Iterable[pa.RecordBatch]) -> None:
    close = getattr(batches, "close", None)
    if close is not None:
        close()
