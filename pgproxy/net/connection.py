"""One client connection: bytes to messages, messages to effects, effects performed, outcomes fed back.

No decision is made here. One task runs a connection from its first byte to its last; what stops it from
outside goes through `Interrupts`. PostgreSQL docs, "Message Flow".
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias, assert_never

import structlog

from pgproxy.net.cancel import CancelRegistry
from pgproxy.net.handshake import Greeting, Handshake, HandshakePolicy
from pgproxy.net.interrupts import Activity, Interrupts
from pgproxy.net.output import ClientOutput
from pgproxy.net.session_client import SessionClient
from pgproxy.net.session_registry import SessionRegistry
from pgproxy.net.stream import ClientStream
from pgproxy.session.live_sessions import LiveSession, LiveSessions
from pgproxy.session.portal import Portal
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.services import SocketEnds
from pgproxy.session.sql_session import SqlSession
from pgproxy.session.statement_log import ClientGone
from pgwire.backend import BackendKeyData, ParameterStatus, ReadyForQuery, error_response
from pgwire.errors import GatewayError, InternalError, QueryCanceled, ShuttingDown
from pgwire.framing import FrameReader
from pgwire.frontend import decode_frontend
from pgwire.session import effects as e
from pgwire.session import outcomes as o
from pgwire.session.machine import Session
from pgwire.session.status import Phase, TransactionStatus

log = structlog.get_logger(__name__)
_Work: TypeAlias = (
    e.RunSimpleQuery | e.PlanStatement | e.BindPortal | e.ExecutePortal | e.EndPipeline | e.FailTransaction
)


_MESSAGES_PER_TURN = 32
"""How many messages that have already arrived are handled before other connections get their turn."""

_CLOSE_S = 60.0
"""How long stopping what runs and rolling back may take before the connection is given up."""


@dataclass(frozen=True, slots=True)
class ConnectionServices:
    """What every connection shares.

    open_session: makes the SQL session of a client that has proven who it is.
    open_session raises GatewayError to turn the client away. new_error_id: names a bug in the log and to the
    client.
    """

    handshake: HandshakePolicy
    cancels: CancelRegistry
    sessions: SessionRegistry
    live: LiveSessions
    open_session: Callable[[Greeting, Session, int, SocketEnds], Awaitable[SqlSession]]
    new_error_id: Callable[[], str]
    max_message_bytes: int
    max_held_bytes: int


class Connection:
    """A client connection, for its whole life."""

    def __init__(
        self, stream: ClientStream, services: ConnectionServices, on_let_in: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._services = services
        self._on_let_in = on_let_in
        self._output = ClientOutput(stream)
        self._frames = FrameReader(services.max_message_bytes)
        self._machine = Session(services.max_held_bytes)
        self._client = SessionClient(stream, self._output, self._frames, self._machine)
        self._sql: SqlSession | None = None
        self._places = ExitStack()
        self._is_in_pipeline = False
        self._cause: GatewayError = ClientGone("the client has gone")
        self.interrupts = Interrupts()

    async def serve(self) -> None:
        """Serve until the client leaves; errors of this connection never leave it."""
        self.interrupts.attach()
        self._stream.on_lost(self.interrupts.client_gone)
        try:
            if await self._let_in():
                await self._messages()
        except GatewayError as error:
            self._cause = error
            self._output.send(error_response(_as_fatal(error)))
        except ConnectionError:
            log.debug("connection.lost")
        except Exception:  # noqa: BLE001  # the connection shell is one of the two places that catch broadly
            self._cause = self._internal_error()
            self._output.send(error_response(_as_fatal(self._cause)))
        finally:
            await self._close()

    async def _let_in(self) -> bool:
        """Let the client in. False: it only wanted to cancel, has gone, or took too long."""
        try:
            with self.interrupts.during(Activity.LOGIN):
                async with asyncio.timeout(self._services.handshake.timeout_s or None):
                    return await self._log_in()
        except TimeoutError:
            return False  # as PostgreSQL does: the client learns nothing

    async def _log_in(self) -> bool:
        services = self._services
        handshake = Handshake(self._stream, self._output, self._frames, services.handshake, services.cancels)
        greeting = await handshake.run()
        if greeting is None:
            return False
        self._on_let_in()
        identity = greeting.identity
        place = services.sessions.place(identity.principal, self.interrupts.end_now, identity.key_id)
        self._places.enter_context(place)
        size = greeting.version.secret_key_bytes
        key = services.cancels.register(self.interrupts.cancel_statement, secret_key_bytes=size)
        self._places.callback(services.cancels.forget, key)
        ends = self._stream.ends
        self._sql = await services.open_session(greeting, self._machine, key.process_id, ends)
        live = LiveSession(self._sql, self.interrupts.cancel_statement, self.interrupts.end_now)
        self._places.enter_context(services.live.place(live))
        self._sql.notifications.wake = self._notified
        self._report_settings()
        self._output.send(BackendKeyData(key.process_id, key.secret_key))
        self._output.send(ReadyForQuery(TransactionStatus.IDLE.value))
        await self._output.drain()
        return True

    async def _messages(self) -> None:
        sql = self._session()
        for number in count(1):
            if number % _MESSAGES_PER_TURN == 0:
                await asyncio.sleep(0)
            frame = self._frames.next_frame()
            if frame is None:
                data = await self._read_more(sql)
                if not data:
                    return
                self._frames.feed(data)
                continue
            self._is_in_pipeline = True
            try:
                message = decode_frontend(frame.tag, frame.body)
            except GatewayError as error:
                if error.fatal:
                    raise
                effects = self._machine.reject(frame.tag, error)
            else:
                effects = self._machine.receive(message)
            if not await self._perform_all(effects, sql):
                return

    async def _read_more(self, sql: SqlSession) -> bytes:
        """Wait for the client, for as long as its settings let it be idle."""
        timeout_s = sql.idle_limit_s
        with self.interrupts.during(Activity.WAITING if self._is_in_pipeline else Activity.IDLE):
            if timeout_s is None:
                return await self._stream.read()
            try:
                async with asyncio.timeout(timeout_s):
                    return await self._stream.read()
            except TimeoutError:
                raise sql.idle_error() from None

    async def _close(self) -> None:
        self._stream.on_lost(None)
        try:
            self._output.flush()
            if self._sql is not None:
                async with asyncio.timeout(_CLOSE_S):
                    await self._sql.close(self._cause)
        except GatewayError as error:
            log.info("session.close_failed", sqlstate=str(error.sqlstate))
        except TimeoutError:
            log.error("session.close_timed_out", timeout_s=_CLOSE_S)  # noqa: TRY400  # a fact, not a bug's trace
        finally:
            self._places.close()
            await self._stream.close()

    async def _perform_all(self, effects: Sequence[e.Effect], sql: SqlSession) -> bool:
        """Perform effects and those that their outcomes lead to. False: the connection is to close."""
        pending = deque(effects)
        while pending:
            effect = pending.popleft()
            match effect:
                case e.Send(message=message):
                    if isinstance(message, ReadyForQuery):
                        self._is_in_pipeline = False
                        self._send_notifications()
                        self._report_settings()
                    self._output.send(message)
                case e.FlushOutput():
                    if not self._output.flushed():
                        with self.interrupts.during(Activity.SENDING):
                            await self._output.drain()
                case e.CloseConnection():
                    return False
                case e.ReleaseStatement() | e.CopyInData() | e.CopyInDone() | e.CopyInFailed():
                    pass
                case e.ReleasePortal(portal=portal):
                    held = _portal(portal.handle)
                    if not held.holds_nothing:
                        await sql.release(held)
                case _:
                    pending.extend(self._machine.resume(await self._outcome(effect, sql)))
        return True

    async def _outcome(self, effect: _Work, sql: SqlSession) -> o.Outcome:
        try:
            match effect:
                case e.BindPortal(statement=statement, message=bind):
                    bound = sql.bind_now(_prepared(statement.handle), bind)
                    if bound is not None:
                        return o.PortalBound(sql.columns(bound.prepared, bind.result_formats), bound)
                case e.EndPipeline():
                    if sql.end_pipeline_now():
                        return o.PipelineEnded(sql.status)
            return await self._interruptible(effect, sql)
        except ShuttingDown:
            raise
        except GatewayError as error:
            if self._machine.phase is Phase.CLOSED:
                raise  # the protocol was broken amid COPY data
            return o.Failed(error, await sql.fail(error))
        except ConnectionError:
            raise
        except Exception:  # noqa: BLE001  # the connection shell is one of the two places that catch broadly
            bug = self._internal_error()
            return o.Failed(bug, await sql.fail(bug))

    async def _act(self, effect: _Work, sql: SqlSession) -> o.Outcome:
        match effect:
            case e.RunSimpleQuery(query=query):
                ended = await sql.run_simple(query, self._client)
                return o.SimpleQueryDone(sql.status, ended)
            case e.PlanStatement(query=query, parameter_oids=oids):
                prepared = await sql.prepare(query, oids)
                return o.StatementPlanned(prepared.parameter_oids, sql.columns(prepared), prepared)
            case e.BindPortal(statement=statement, message=bind):
                bound = await sql.bind(_prepared(statement.handle), bind)
                return o.PortalBound(sql.columns(bound.prepared, bind.result_formats), bound)
            case e.ExecutePortal(portal=portal, max_rows=max_rows):
                done = await sql.execute(_portal(portal.handle), max_rows, self._client)
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

    async def _interruptible(self, effect: _Work, sql: SqlSession) -> o.Outcome:
        """Do what a statement does, as long as nobody cancels it and its time is not up."""
        timeout_ms = sql.settings.milliseconds("statement_timeout")
        if not timeout_ms:
            with self.interrupts.during(Activity.PERFORMING):
                return await self._act(effect, sql)
        limit = asyncio.timeout(timeout_ms / 1000)
        try:
            with self.interrupts.during(Activity.PERFORMING):
                async with limit:
                    return await self._act(effect, sql)
        except TimeoutError:
            if not limit.expired():
                raise
            raise QueryCanceled("canceling statement due to statement timeout") from None

    def _notified(self) -> None:
        """Something was notified: tell a client that waits for nothing now, others before ReadyForQuery."""
        if self.interrupts.is_idle:
            self._send_notifications()
            self._output.flush()

    def _send_notifications(self) -> None:
        """Send what was notified, unless a block is open. PostgreSQL docs, "Asynchronous Operations"."""
        if self._machine.status is TransactionStatus.IDLE:
            for notification in self._session().notifications.take():
                self._output.send(notification)

    def _report_settings(self) -> None:
        settings = self._session().settings
        if settings.has_unreported:
            for name, value in settings.changed_reports():
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


def _as_fatal(error: GatewayError) -> GatewayError:
    """An error that ends the connection says so, whatever it is elsewhere."""
    error.fatal = True  # type: ignore[misc]  # this instance
    return error


def _prepared(handle: object) -> PreparedQuery:
    if not isinstance(handle, PreparedQuery):
        raise TypeError("a prepared statement holds no query")
    return handle


def _portal(handle: object) -> Portal:
    if not isinstance(handle, Portal):
        raise TypeError("a portal holds no stream")
    return handle
