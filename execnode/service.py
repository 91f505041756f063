"""The gRPC service: authorises, admits, calls the engine, streams. Decides nothing about policy; logs no SQL.

The two streaming calls are handlers of their own instead of betterproto's generators: a generator that is
suspended while its chunk waits for the client would be left behind when the call is cancelled, and its query
with it.
"""

import asyncio
import hmac
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

import duckdb
import structlog
from grpclib.const import Cardinality, Handler, Status
from grpclib.events import RecvRequest, listen
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from execnode.admission import AdmissionGate, NodeDraining
from execnode.call_context import note_call
from execnode.contract import CONTRACT_VERSION, MIN_CONTRACT_VERSION
from execnode.engine import DuckEngine, DuckSession, StatementStream
from execnode.engine.errors import engine_error
from execnode.limits import ResultLimits, ResultMeter
from execnode.messages import decode_generation, decode_statement, encode_chunk, encode_columns
from execnode.metrics import Mode, NodeMetrics
from execnode.queries import (
    FETCH_WINDOW_BYTES,
    QueryRegistry,
    QueryState,
    SpooledQuery,
    Submission,
    statement_timeout,
)
from execnode.row_staging import stage_rows
from execnode.rpc.execnode import v1
from execnode.sessions import SessionRegistry
from execnode.statement import RowChunk
from execnode.status import grpc_error_from
from execnode.transport import NodeServer
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

log = structlog.get_logger(__name__)

_Arguments = ParamSpec("_Arguments")
_Reply = TypeVar("_Reply")

_FIRST_ROWS_WAIT_S = 0.01
"""The columns wait so long for the first rows, to share a message with them."""
_PREFIX = "/execnode.v1.ExecNode/"


@dataclass(frozen=True, slots=True)
class NodeParts:
    """What the service drives."""

    engine: DuckEngine
    gate: AdmissionGate
    queries: QueryRegistry
    sessions: SessionRegistry
    metrics: NodeMetrics


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """query_timeout_s: 0 for none. memory_limit_bytes: as configured, 0 for DuckDB's own default.

    query_result_ttl_s, node_version: only told by health.
    spool_limit_bytes: what all results may hold on disk.
    """

    query_timeout_s: float = 0.0
    memory_limit_bytes: int = 0
    has_cursor_mode: bool = True
    query_result_ttl_s: float = 0.0
    node_version: str = ""
    spool_limit_bytes: int = 0
    results: ResultLimits = field(default_factory=ResultLimits)


@dataclass(slots=True)
class _DirectQuery:
    """One Execute call that runs now."""

    task: asyncio.Task[Any]
    stopped: asyncio.Event
    is_canceled: bool = False
    stream: StatementStream | None = None


_LONGEST_REFUSAL_S = 60.0
"""Whoever asks for more asks again."""


def _translating(
    call: Callable[_Arguments, Coroutine[Any, Any, _Reply]],
) -> Callable[_Arguments, Coroutine[Any, Any, _Reply]]:
    """Turn what a call raises into gRPC statuses."""

    @wraps(call)
    async def translated(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Reply:
        try:
            return await call(*args, **kwargs)
        except GatewayError as error:
            engine_class = getattr(error, "engine_class", "")
            log.info("call.refused", sqlstate=error.sqlstate.value, engine_class=engine_class)
            raise grpc_error_from(error) from error
        except ValueError as error:
            raise GRPCError(Status.INVALID_ARGUMENT, "the call is malformed") from error

    return translated


class ExecNodeService(v1.ExecNodeBase):
    """Implements schema.proto's ExecNode."""

    def __init__(
        self, node: NodeParts, limits: ServiceLimits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = node.engine
        self._gate = node.gate
        self._queries = node.queries
        self._sessions = node.sessions
        self._metrics = node.metrics
        self._limits = limits
        self._clock = clock
        self._started_s = clock()
        self._direct: dict[str, _DirectQuery] = {}
        self._instance_id = uuid4().hex

    def __mapping__(self) -> dict[str, Handler]:
        mapping: dict[str, Handler] = super().__mapping__()
        streams = {
            f"{_PREFIX}Execute": (self._serve_execute, v1.ExecuteRequest),
            f"{_PREFIX}FetchResults": (self._serve_fetch, v1.FetchResultsRequest),
        }
        for path, (serve, request) in streams.items():
            mapping[path] = Handler(serve, Cardinality.UNARY_STREAM, request, v1.ResultChunk)
        return mapping

    @_translating
    async def health(self, message: v1.HealthRequest) -> v1.HealthReply:
        if message.refuse_new_s > 0:
            self._gate.refuse_for(min(message.refuse_new_s, _LONGEST_REFUSAL_S))
        return await self.read_health()

    async def read_health(self) -> v1.HealthReply:
        """Run SELECT 1 and tell how things stand.

        Raises:
            GatewayError: the engine does not answer as it should.
        """
        await self._engine.check()
        return v1.HealthReply(
            contract_version=CONTRACT_VERSION,
            engine_version=duckdb.__version__,
            catalog_generation=self._engine.generation or 0,
            active_queries=self._gate.running,
            queued_queries=self._gate.queued,
            open_sessions=len(self._sessions),
            memory_used_bytes=await self._engine.memory_used_bytes(),
            memory_limit_bytes=self._limits.memory_limit_bytes,
            spool_bytes=self._queries.spool_bytes,
            draining=self._gate.is_draining,
            uptime_s=self._clock() - self._started_s,
            completed_jobs=self._queries.completed,
            stored_jobs=self._queries.stored,
            cleaned_jobs=self._queries.cleaned,
            query_result_ttl_s=self._limits.query_result_ttl_s,
            queued_jobs=self._queries.count(QueryState.QUEUED),
            running_jobs=self._queries.count(QueryState.RUNNING),
            node_version=self._limits.node_version,
            max_concurrent_queries=self._gate.max_running,
            max_queued_queries=self._gate.max_queued,
            min_contract_version=MIN_CONTRACT_VERSION,
            cursor_mode=self._limits.has_cursor_mode,
            open_cursors=self._queries.open_cursors,
            spool_limit_bytes=self._limits.spool_limit_bytes,
            instance_id=self._instance_id,
            wall_clock_s=time.time(),
            oldest_queued_s=self._gate.oldest_queued_s,
        )

    @_translating
    async def attach_catalogs(self, message: v1.AttachCatalogsRequest) -> v1.AttachCatalogsReply:
        if message.generation >= (self._engine.generation or 0):  # else another gateway has told of more
            await self._engine.attach(decode_generation(message))
            log.info("catalogs.attached", generation=message.generation, catalogs=len(message.catalogs))
        return v1.AttachCatalogsReply(
            generation=self._engine.generation or 0,
            contract_version=CONTRACT_VERSION,
            min_contract_version=MIN_CONTRACT_VERSION,
            instance_id=self._instance_id,
        )

    @_translating
    async def open_session(self, message: v1.OpenSessionRequest) -> v1.OpenSessionReply:
        self._check_generation(message.catalog_generation)
        if self._gate.is_draining:
            raise NodeDraining("the exec node is shutting down")
        session_id = self._sessions.add(await self._engine.open_session(), self._clock())
        return v1.OpenSessionReply(session_id=session_id)

    async def close_session(self, message: v1.CloseSessionRequest) -> v1.CloseSessionReply:
        await self._sessions.close(message.session_id)
        return v1.CloseSessionReply()

    @_translating
    async def stage_rows(self, message: v1.StageRowsRequest) -> v1.StageRowsReply:
        session = self._session(message.session_id)
        if session is None:
            raise ValueError("rows are staged in a session")
        async with self._gate.slot(is_pinned=True):
            await stage_rows(session, message)
        return v1.StageRowsReply()

    @_translating
    async def describe(self, message: v1.DescribeRequest) -> v1.DescribeReply:
        self._check_generation(message.catalog_generation)
        statement, session = decode_statement(message.statement), self._session(message.session_id)
        async with self._gate.slot(is_pinned=session is not None):
            columns = await self._engine.describe(statement, session)
        return v1.DescribeReply(columns=encode_columns(columns))

    @_translating
    async def submit_query(self, message: v1.SubmitQueryRequest) -> v1.SubmitQueryReply:
        self._check_cursor_mode()
        if message.instance_id not in {"", self._instance_id}:
            raise GRPCError(Status.NOT_FOUND, "another process was asked first")
        self._check_generation(message.catalog_generation)
        if self._gate.is_draining and not message.session_id:
            raise NodeDraining("the exec node is shutting down")
        submission = Submission(
            decode_statement(message.statement),
            message.retain,
            self._session(message.session_id),
            self._limits.query_timeout_s,
        )
        self._queries.submit(message.query_id, submission, self._clock())
        return v1.SubmitQueryReply(query_id=message.query_id)

    async def cancel_query(self, message: v1.CancelQueryRequest) -> v1.CancelQueryReply:
        direct = self._direct.get(message.query_id)
        if direct is None:
            return v1.CancelQueryReply(was_running=await self._queries.cancel(message.query_id))
        if not direct.is_canceled:
            direct.is_canceled = True
            direct.task.cancel()
        await direct.stopped.wait()
        return v1.CancelQueryReply(was_running=True)

    async def delete_query(self, message: v1.DeleteQueryRequest) -> v1.DeleteQueryReply:
        await self._queries.delete(message.query_id)
        return v1.DeleteQueryReply()

    @_translating
    async def get_progress(self, message: v1.GetProgressRequest) -> v1.GetProgressReply:
        direct = self._direct.get(message.query_id)
        if direct is not None:
            stream = direct.stream
            found = QueryState.RUNNING, await stream.read_progress() if stream is not None else None
        else:
            known = await self._queries.read_progress(message.query_id)
            if known is None:
                raise GRPCError(Status.NOT_FOUND, "no such query")
            found = known
        return v1.GetProgressReply(state=found[0].name, progress=found[1])

    @_translating
    async def _serve_execute(self, stream: "Stream[v1.ExecuteRequest, v1.ResultChunk]") -> None:
        request = await stream.recv_message()
        if request is None:
            return
        async with self._direct_query(request.query_id) as query:
            self._check_generation(request.catalog_generation)
            statement, session = decode_statement(request.statement), self._session(request.session_id)
            with self._metrics.statement(Mode.DIRECT) as counted:
                async with self._gate.slot(is_pinned=session is not None):
                    counted.started()
                    async with self._engine.execute(statement, session) as result:
                        query.stream = result
                        await _send_result(stream, result, ResultMeter(self._limits.results, counted.add))

    @_translating
    async def _serve_fetch(self, stream: "Stream[v1.FetchResultsRequest, v1.ResultChunk]") -> None:
        request = await stream.recv_message()
        if request is None:
            return
        self._check_cursor_mode()
        query = self._queries.get(request.query_id)
        if query is None:
            raise GRPCError(Status.NOT_FOUND, "no such query")
        with self._queries.reading(query):
            await self._queries.acknowledge(query, request.from_sequence)
            await self._send_spooled(stream, query, request.from_sequence)

    async def _send_spooled(
        self, stream: "Stream[Any, v1.ResultChunk]", query: SpooledQuery, sequence: int
    ) -> None:
        """Send chunks for one window. The last one of a result that succeeded is marked."""
        sent_bytes = 0
        while sent_bytes < FETCH_WINDOW_BYTES:
            chunk = await self._queries.next_chunk(query, sequence)
            if chunk is None and query.is_stalled:
                return  # the next call acknowledges what this one sent
            message = encode_chunk(sequence, chunk or RowChunk(b"", 0))
            if sequence == 0:
                message.columns = encode_columns(query.columns or ())
            is_at_end = sequence + 1 >= query.spool.next_sequence
            if is_at_end and query.has_ended and query.error is None:
                message.is_last = True
                message.affected_rows = query.affected_rows
            await stream.send_message(message)
            if message.is_last:
                return
            sequence += 1
            sent_bytes += len(message.rows)

    @asynccontextmanager
    async def _direct_query(self, query_id: str) -> AsyncGenerator[_DirectQuery, None]:
        """Make the call findable for CancelQuery, and end it at QUERY_TIMEOUT.

        Raises:
            GatewayError: it was cancelled by CancelQuery, or timed out.
        """
        task = asyncio.current_task()
        if task is None or query_id in self._direct:
            raise engine_error(SqlState.DUPLICATE_OBJECT, message="a query of that id runs already")
        query = self._direct[query_id] = _DirectQuery(task, asyncio.Event())
        try:
            async with asyncio.timeout(self._limits.query_timeout_s or None):
                yield query
        except TimeoutError:
            raise statement_timeout() from None
        except asyncio.CancelledError:
            if not query.is_canceled:
                raise
            task.uncancel()
            raise engine_error(SqlState.QUERY_CANCELED) from None
        finally:
            query.stream = None
            del self._direct[query_id]
            query.stopped.set()

    def _session(self, session_id: str) -> DuckSession | None:
        if not session_id:
            return None
        session = self._sessions.get(session_id, self._clock())
        if session is None:
            raise GRPCError(Status.NOT_FOUND, "no such session")
        return session

    def _check_generation(self, wanted: int) -> None:
        attached = self._engine.generation
        if attached is None or wanted > attached:
            raise GRPCError(Status.FAILED_PRECONDITION, "the catalogs are not attached")

    def _check_cursor_mode(self) -> None:
        if not self._limits.has_cursor_mode:
            raise GRPCError(Status.UNIMPLEMENTED, "cursor mode is switched off")


def build_server(service: ExecNodeService, tokens: tuple[bytes, ...]) -> NodeServer:
    """Make the server; every call is checked for one of `tokens` before its request is read."""
    server = NodeServer([service])

    async def authorise(event: RecvRequest) -> None:
        presented = str(event.metadata.get("authorization", "")).encode()
        # Every token is compared, in constant time: neither timing nor order tells which one is near.
        matches = [hmac.compare_digest(presented, b"Bearer " + token) for token in tokens]
        if not any(matches):
            raise GRPCError(Status.UNAUTHENTICATED, "the token is missing or wrong")
        note_call(event.metadata)

    listen(server, RecvRequest, authorise)
    return server


async def _send_result(
    stream: "Stream[Any, v1.ResultChunk]", result: StatementStream, meter: ResultMeter
) -> None:
    """Send a result: columns in the first message, with rows if they come at once; mark the last one."""
    await result.wait_first(_FIRST_ROWS_WAIT_S)
    columns = encode_columns(result.columns)
    sequence = 0
    if not result.is_ready:
        await stream.send_message(v1.ResultChunk(columns=columns))
        columns, sequence = [], 1
    is_last = False
    while not is_last:
        chunk = await result.read()
        if chunk is not None:
            meter.add(chunk)
        is_last = chunk is None or result.is_drained
        message = encode_chunk(sequence, chunk or RowChunk(b"", 0))
        message.columns, message.is_last = columns, is_last
        if is_last:
            message.affected_rows = result.affected_rows
        await stream.send_message(message)
        columns, sequence = [], sequence + 1
