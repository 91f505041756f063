"""One client connection: bytes to messages, messages to effects, effects performed, outcomes fed back.

No decision is made here. One task runs a connection from its first byte to its last; CancelRequest, a
vanished client and a shutdown reach it by cancelling that task with a cause. PostgreSQL docs, "Message Flow".
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias, TypeVar, assert_never

import structlog

from pgproxy.net.cancel import BackendKey, CancelRegistry
from pgproxy.net.handshake import Greeting, Handshake, HandshakePolicy
from pgproxy.net.output import ClientOutput
from pgproxy.net.stream import ClientStream
from pgproxy.session.portal import Portal
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.sql_session import SqlSession
from pgwire.backend import BackendKeyData, ParameterStatus, ReadyForQuery, error_response
from pgwire.errors import GatewayError, InternalError, QueryCanceled, ShuttingDown
from pgwire.framing import FrameReader
from pgwire.frontend import decode_frontend
from pgwire.session import effects as e
from pgwire.session import outcomes as o
from pgwire.session.machine import Session
from pgwire.session.status import TransactionStatus

log = structlog.get_logger(__name__)
_Result = TypeVar("_Result")
_Work: TypeAlias = (
    e.RunSimpleQuery | e.PlanStatement | e.BindPortal | e.ExecutePortal | e.EndPipeline | e.FailTransaction
)


class Cause(Enum):
    """Why the connection's task was cancelled by the gateway itself."""

    CANCEL_REQUEST = auto()
    CLIENT_GONE = auto()
    SHUTDOWN = auto()


@dataclass(frozen=True, slots=True)
class ConnectionServices:
    """What every connection shares.

    open_session: makes the SQL session of a client that has proven who it is.
    open_session raises GatewayError to turn the client away. new_error_id: names a bug in the log and to the
    client.
    """

    handshake: HandshakePolicy
    cancels: CancelRegistry
    open_session: Callable[[Greeting, Session, int, str], Awaitable[SqlSession]]
    new_error_id: Callable[[], str]
    max_message_bytes: int


class Connection:
    """A client connection, for its whole life."""

    def __init__(self, stream: ClientStream, services: ConnectionServices) -> None:
        self._stream = stream
        self._services = services
        self._output = ClientOutput(stream)
        self._frames = FrameReader(services.max_message_bytes)
        self._machine = Session()
        self._sql: SqlSession | None = None
        self._key: BackendKey | None = None
        self._task: asyncio.Task[None] | None = None
        self._cause: Cause | None = None
        self._is_performing = False

    async def serve(self) -> None:
        """Serve until the client leaves; errors of this connection never leave it."""
        self._task = asyncio.current_task()
        self._stream.on_lost(self._client_gone)
        try:
            await self._serve()
        except GatewayError as error:
            self._output.send(error_response(error))
        except ConnectionError:
            log.debug("connection.lost")
        except asyncio.CancelledError:
            if self._cause is None:
                raise
        except Exception:  # noqa: BLE001  # the connection shell is one of the two places that catch broadly
            self._output.send(error_response(self._internal_error()))
        finally:
            await self._close()

    def cancel_statement(self) -> None:
        """CancelRequest: stop what runs; nothing happens while nothing runs."""
        if self._is_performing:
            self._interrupt(Cause.CANCEL_REQUEST)

    def shut_down(self) -> None:
        """Tell an idle client 57P01 now, and a busy one as soon as its statement is stopped."""
        self._interrupt(Cause.SHUTDOWN)

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs for this client now."""
        return not self._is_performing

    async def _serve(self) -> None:
        greeting = await self._let_in()
        if greeting is None:
            return
        try:
            await self._messages()
        except asyncio.CancelledError:
            if self._cause is not Cause.SHUTDOWN:
                raise
            self._uncancel()
            raise ShuttingDown("terminating connection due to administrator command") from None

    async def _let_in(self) -> Greeting | None:
        services = self._services
        handshake = Handshake(self._stream, self._output, self._frames, services.handshake, services.cancels)
        try:
            async with asyncio.timeout(services.handshake.timeout_s or None):
                greeting = await handshake.run()
        except TimeoutError:
            return None  # as PostgreSQL does: the client learns nothing
        if greeting is None:
            return None
        has_long_keys = greeting.version.secret_key_bytes > 4
        self._key = services.cancels.register(self.cancel_statement, has_long_keys=has_long_keys)
        process_id = self._key.process_id
        host = self._stream.peer_host
        self._sql = await services.open_session(greeting, self._machine, process_id, host)
        self._report_settings()
        self._output.send(BackendKeyData(process_id, self._key.secret_key))
        self._output.send(ReadyForQuery(TransactionStatus.IDLE.value))
        await self._output.drain()
        return greeting

    async def _messages(self) -> None:
        while True:
            frame = self._frames.next_frame()
            if frame is None:
                data = await self._read_more()
                if not data:
                    return
                self._frames.feed(data)
                continue
            try:
                message = decode_frontend(frame.tag, frame.body)
            except GatewayError as error:
                if error.fatal:
                    raise
                effects = self._machine.reject(frame.tag, error)
            else:
                effects = self._machine.receive(message)
            if not await self._perform_all(effects):
                return

    async def _read_more(self) -> bytes:
        """Wait for the client, for as long as its settings let it be idle."""
        sql = self._session()
        timeout_s, error = sql.idle_limit()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._stream.read()
        except TimeoutError:
            raise error from None

    async def _close(self) -> None:
        self._stream.on_lost(None)
        if self._key is not None:
            self._services.cancels.forget(self._key)
        try:
            if self._sql is not None:
                await self._sql.close()
        except GatewayError as error:
            log.info("session.close_failed", sqlstate=str(error.sqlstate))
        finally:
            self._output.flush()
            await self._stream.close()

    async def _perform_all(self, effects: Sequence[e.Effect]) -> bool:
        """Perform effects and those that their outcomes lead to. False: the connection is to close."""
        pending = deque(effects)
        while pending:
            effect = pending.popleft()
            match effect:
                case e.Send(message=message):
                    if isinstance(message, ReadyForQuery):
                        self._report_settings()
                    self._output.send(message)
                case e.FlushOutput():
                    await self._output.drain()
                case e.CloseConnection():
                    return False
                case e.ReleaseStatement() | e.CopyInData() | e.CopyInDone() | e.CopyInFailed():
                    pass
                case e.ReleasePortal(portal=portal):
                    await self._session().release(_portal(portal.handle))
                case _:
                    pending.extend(self._machine.resume(await self._outcome(effect)))
        return True

    async def _outcome(self, effect: _Work) -> o.Outcome:
        sql = self._session()
        try:
            return await self._interruptible(self._act(effect, sql), sql)
        except GatewayError as error:
            return o.Failed(error, await sql.fail(error))
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001  # the connection shell is one of the two places that catch broadly
            bug = self._internal_error()
            return o.Failed(bug, await sql.fail(bug))

    async def _act(self, effect: _Work, sql: SqlSession) -> o.Outcome:
        match effect:
            case e.RunSimpleQuery(query=query):
                ended = await sql.run_simple(query, self._output)
                return o.SimpleQueryDone(sql.status, ended)
            case e.PlanStatement(query=query, parameter_oids=oids):
                prepared = await sql.prepare(query, oids)
                return o.StatementPlanned(prepared.parameter_oids, sql.columns(prepared), prepared)
            case e.BindPortal(statement=statement, message=bind):
                bound = sql.bind(_prepared(statement.handle), bind)
                return o.PortalBound(sql.columns(bound.prepared, bind.result_formats), bound)
            case e.ExecutePortal(portal=portal, max_rows=max_rows):
                done = await sql.execute(_portal(portal.handle), max_rows, self._output)
                if done.is_suspended:
                    return o.PortalSuspendedOutcome()
                return o.PortalCompleted(done.tag, sql.status, done.transaction_ended)
            case e.EndPipeline():
                await sql.end_pipeline()
                return o.PipelineEnded(sql.status)
            case e.FailTransaction(error=error):
                raise error
            case _:
                assert_never(effect)

    async def _interruptible(self, work: Coroutine[object, object, _Result], sql: SqlSession) -> _Result:
        """Await what a statement does, as long as nobody cancels it and its time is not up."""
        timeout_ms = sql.settings.milliseconds("statement_timeout")
        self._is_performing = True
        limit = asyncio.timeout(timeout_ms / 1000 if timeout_ms else None)
        try:
            async with limit:
                return await work
        except TimeoutError:
            if not limit.expired():
                raise
            raise QueryCanceled("canceling statement due to statement timeout") from None
        except asyncio.CancelledError:
            if self._cause is not Cause.CANCEL_REQUEST:
                raise
            self._uncancel()
            raise QueryCanceled("canceling statement due to user request") from None
        finally:
            self._is_performing = False

    def _interrupt(self, cause: Cause) -> None:
        if self._task is None or self._task.done() or self._cause is not None:
            return
        self._cause = cause
        self._task.cancel()

    def _uncancel(self) -> None:
        self._cause = None
        if self._task is not None:
            self._task.uncancel()

    def _client_gone(self) -> None:
        if self._is_performing:
            self._interrupt(Cause.CLIENT_GONE)

    def _report_settings(self) -> None:
        for name, value in self._session().settings.changed_reports():
            self._output.send(ParameterStatus(name, value))

    def _session(self) -> SqlSession:
        if self._sql is None:
            raise RuntimeError("no session before authentication")
        return self._sql

    def _internal_error(self) -> InternalError:
        """Log the bug that is being handled and give the client its number."""
        error_id = self._services.new_error_id()
        log.exception("connection.bug", error_id=error_id)
        return InternalError(
            f"internal error {error_id}", hint="The server's log has the details under this number."
        )


def _prepared(handle: object) -> PreparedQuery:
    if not isinstance(handle, PreparedQuery):
        raise TypeError("a prepared statement holds no query")
    return handle


def _portal(handle: object) -> Portal:
    if not isinstance(handle, Portal):
        raise TypeError("a portal holds no stream")
    return handle
