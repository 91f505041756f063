"""The connection's state machine after authentication: a message in, effects out, outcomes back in.

It knows no SQL, no engine, no socket and never waits. PostgreSQL docs, "Message Flow".
"""

from collections.abc import Sequence
from typing import TypeVar, assert_never

from pgwire.backend import (
    BackendMessage,
    BindComplete,
    CloseComplete,
    CommandComplete,
    EmptyQueryResponse,
    FieldDescription,
    NoData,
    ParameterDescription,
    ParseComplete,
    PortalSuspended,
    ReadyForQuery,
    RowDescription,
    error_response,
)
from pgwire.errors import (
    FailedTransaction,
    FeatureNotSupported,
    GatewayError,
    OutOfMemory,
    ProtocolViolation,
)
from pgwire.frontend import (
    MESSAGE_TYPES,
    Bind,
    Close,
    CopyData,
    CopyDone,
    CopyFail,
    Describe,
    Execute,
    Flush,
    FrontendMessage,
    FunctionCall,
    Parse,
    PasswordMessage,
    Query,
    Sync,
    Terminate,
)
from pgwire.session.checks import answer_rerun, check_bind, check_result_formats
from pgwire.session.effects import (
    BindPortal,
    CloseConnection,
    CopyInData,
    CopyInDone,
    CopyInFailed,
    Effect,
    EndPipeline,
    ExecutePortal,
    FailTransaction,
    FlushOutput,
    PlanStatement,
    ReleasePortal,
    ReleaseStatement,
    RunSimpleQuery,
    Send,
)
from pgwire.session.objects import (
    DEFAULT_HELD_BYTES,
    HeldMemory,
    Portal,
    Portals,
    PortalState,
    PreparedStatement,
    PreparedStatements,
)
from pgwire.session.outcomes import (
    CopyInStarted,
    Failed,
    Outcome,
    PipelineEnded,
    PortalBound,
    PortalCompleted,
    PortalSuspendedOutcome,
    SimpleQueryDone,
    StatementPlanned,
)
from pgwire.session.status import BUSY_PHASES, COPY_IN_PHASES, Phase, TransactionStatus
from pgwire.session.transitions import (
    TRANSITIONS,
    Event,
    FatalFailure,
    Reexecuted,
    Refused,
    RefusedSimple,
)

_Pending = TypeVar("_Pending", PlanStatement, BindPortal, ExecutePortal)
_IN_FAILED_TRANSACTION = "current transaction is aborted, commands ignored until end of transaction block"

# What every statement is answered with, made once.
_BIND_COMPLETE = (Send(BindComplete()),)
_END_PIPELINE = (EndPipeline(),)
_READY_FOR_QUERY = {
    status: (Send(ReadyForQuery(status.value)), FlushOutput()) for status in TransactionStatus
}


class Session:
    """One connection, from its first ReadyForQuery (which the shell sends) to its end."""

    def __init__(self, max_held_bytes: int = DEFAULT_HELD_BYTES) -> None:
        self._memory = HeldMemory(max_held_bytes)
        self.statements = PreparedStatements(self._memory)
        self.portals = Portals(self._memory)
        self._phase = Phase.READY
        self._status = TransactionStatus.IDLE
        self._pending: PlanStatement | BindPortal | ExecutePortal | None = None

    @property
    def phase(self) -> Phase:
        """What the session waits for."""
        return self._phase

    @property
    def status(self) -> TransactionStatus:
        """The status that the next ReadyForQuery would carry."""
        return self._status

    @property
    def is_busy(self) -> bool:
        """An outcome is awaited: `receive` only Terminate until `resume`. False while COPY data flows."""
        return self._phase in BUSY_PHASES

    @property
    def is_copying_in(self) -> bool:
        """COPY data flows: `receive` goes on, though the effect that began it still owes its outcome."""
        return self._phase in COPY_IN_PHASES

    def receive(self, message: FrontendMessage) -> Sequence[Effect]:
        """Take one message of the client.

        Raises:
            ProtocolViolation: the message is illegal in this phase; the session is then closed.
        """
        event = type(message)
        if (self._phase, event) not in TRANSITIONS:
            self._check_legal(event)
        if self._phase is Phase.SKIPPING and not isinstance(message, Sync | Terminate):
            return ()
        try:
            effects = self._dispatch(message)
        except GatewayError as error:
            return self._refuse(event, error)
        answered_here = event is Execute and self._pending is None
        self._phase = TRANSITIONS[self._phase, Reexecuted if answered_here else event]
        return effects

    def reject(self, tag: bytes, error: GatewayError) -> Sequence[Effect]:
        """Take the place of `receive` for a message that `decode_frontend` could not read (22021).

        Raises:
            GatewayError: `error` itself, if it is fatal.
            ProtocolViolation: the message is illegal in this phase; the session is then closed.
        """
        event = MESSAGE_TYPES[tag]
        self._check_legal(event)
        if self._phase is Phase.SKIPPING:
            return ()
        if event is CopyFail:
            return self.receive(CopyFail(error.message))
        return self._refuse(event, error)

    def resume(self, outcome: Outcome) -> Sequence[Effect]:
        """Take the outcome of the effect that is outstanding.

        Raises:
            RuntimeError: no effect with such an outcome is outstanding: a bug of the shell.
        """
        is_fatal = isinstance(outcome, Failed) and outcome.error.fatal
        event: Event = FatalFailure if is_fatal else type(outcome)
        before = self._phase
        after = TRANSITIONS.get((before, event))
        if after is None:
            raise RuntimeError(f"outcome {type(outcome).__name__} in phase {before.name}")
        self._phase = after
        if before is Phase.CLOSED:
            return ()
        return self._conclude(outcome)

    def _check_legal(self, event: Event) -> None:
        if (self._phase, event) in TRANSITIONS:
            return
        during = " during COPY from stdin" if self.is_copying_in else ""
        self._phase = Phase.CLOSED
        raise ProtocolViolation(f"unexpected {event.__name__} message{during}")

    def _move(self, event: Event) -> None:
        self._phase = TRANSITIONS[self._phase, event]

    def _refuse(self, event: Event, error: GatewayError) -> Sequence[Effect]:
        if error.fatal:
            self._phase = Phase.CLOSED
            raise error
        self._move(RefusedSimple if event in (Query, FunctionCall) else Refused)
        return (FailTransaction(error),)

    def _dispatch(self, message: FrontendMessage) -> Sequence[Effect]:  # noqa: C901, PLR0912  # a case a message
        match message:
            case Query(query=query):
                return (*self._drop_unnamed(), RunSimpleQuery(query))
            case Parse():
                return self._parse(message)
            case Bind():
                return self._bind(message)
            case Describe():
                return self._describe(message)
            case Execute():
                return self._execute(message)
            case Close():
                return self._close(message)
            case Sync():
                return () if self.is_copying_in else _END_PIPELINE
            case Flush():
                return () if self.is_copying_in else (FlushOutput(),)
            case Terminate():
                return (CloseConnection(),)
            case CopyData() | CopyDone() | CopyFail():
                return self._copy_in(message)
            case FunctionCall():
                raise FeatureNotSupported("function calls by OID are not supported", hint="Use SELECT.")
            case PasswordMessage():
                raise ProtocolViolation("unexpected PasswordMessage message")
            case _:
                assert_never(message)

    def _parse(self, message: Parse) -> Sequence[Effect]:
        released: tuple[Effect, ...] = ()
        if message.statement:
            self.statements.check_free(message.statement)
        else:
            released = self._drop_statement("")
        self._pending = PlanStatement(message.statement, message.query, message.parameter_oids)
        return (*released, self._pending)

    def _bind(self, message: Bind) -> Sequence[Effect]:
        statement = self.statements.resolve(message.statement)
        check_bind(statement, message)
        released: tuple[Effect, ...] = ()
        if message.portal:
            self.portals.check_free(message.portal)
        else:
            released = self._drop_portal("")
        self._pending = BindPortal(message.portal, statement, message)
        return (*released, self._pending)

    def _describe(self, message: Describe) -> Sequence[Effect]:
        if message.kind == b"P":
            return (Send(self._shape(self.portals.resolve(message.name).columns)),)
        statement = self.statements.resolve(message.name)
        shape = self._shape(statement.columns)
        return Send(ParameterDescription(statement.parameter_oids)), Send(shape)

    def _shape(self, columns: tuple[FieldDescription, ...] | None) -> BackendMessage:
        if columns is None:
            return NoData()
        if self._status is TransactionStatus.FAILED:
            raise FailedTransaction(_IN_FAILED_TRANSACTION)
        return RowDescription(columns)

    def _execute(self, message: Execute) -> Sequence[Effect]:
        portal = self.portals.resolve(message.portal)
        if portal.state in (PortalState.READY, PortalState.SUSPENDED):
            check_result_formats(portal)
            self._pending = ExecutePortal(portal, max(message.max_rows, 0))
            return (self._pending,)
        if self._status is TransactionStatus.FAILED:
            raise FailedTransaction(_IN_FAILED_TRANSACTION)
        return (Send(answer_rerun(portal)),)

    def _close(self, message: Close) -> Sequence[Effect]:
        drop = self._drop_portal if message.kind == b"P" else self._drop_statement
        return (*drop(message.name), Send(CloseComplete()))

    def _copy_in(self, message: CopyData | CopyDone | CopyFail) -> Sequence[Effect]:
        if not self.is_copying_in:
            return ()
        match message:
            case CopyData(data=data):
                return (CopyInData(data),)
            case CopyDone():
                return (CopyInDone(),)
            case CopyFail(reason=reason):
                return (CopyInFailed(reason),)

    def _conclude(self, outcome: Outcome) -> Sequence[Effect]:
        match outcome:
            case CopyInStarted():
                return ()
            case Failed():
                return self._fail(outcome)
            case SimpleQueryDone(status=status, closed_portals=closed):
                return self._ready_for_query(status, closed_portals=closed)
            case PipelineEnded(status=status):
                return self._ready_for_query(status, closed_portals=False)
            case StatementPlanned():
                return self._keep_statement(outcome)
            case PortalBound():
                return self._keep_portal(outcome)
            case PortalSuspendedOutcome():
                self._take_pending(ExecutePortal).portal.state = PortalState.SUSPENDED
                return (Send(PortalSuspended()),)
            case PortalCompleted():
                return self._complete(outcome)
            case _:
                assert_never(outcome)

    def _keep_statement(self, outcome: StatementPlanned) -> Sequence[Effect]:
        plan = self._take_pending(PlanStatement)
        statement = PreparedStatement(
            plan.name, outcome.parameter_oids, outcome.columns, outcome.handle, len(plan.query)
        )
        try:
            self.statements.add(statement)
        except OutOfMemory as error:
            return self._too_much(error)
        return (Send(ParseComplete()),)

    def _keep_portal(self, outcome: PortalBound) -> Sequence[Effect]:
        bind = self._take_pending(BindPortal)
        portal = Portal(bind.name, bind.statement, outcome.columns, outcome.handle)
        for value in bind.message.parameters:
            if value is not None:
                portal.value_bytes += len(value)
        try:
            self.portals.add(portal)
        except OutOfMemory as error:
            return ReleasePortal(portal), *self._too_much(error)
        return _BIND_COMPLETE

    def _too_much(self, error: OutOfMemory) -> Sequence[Effect]:
        self._move(Refused)
        return (FailTransaction(error),)

    def _take_pending(self, kind: type[_Pending]) -> _Pending:
        pending, self._pending = self._pending, None
        if not isinstance(pending, kind):
            raise TypeError(f"no {kind.__name__} is outstanding")  # the transition table leaves no way here
        return pending

    def _complete(self, outcome: PortalCompleted) -> Sequence[Effect]:
        portal = self._take_pending(ExecutePortal).portal
        portal.state = PortalState.COMPLETED
        portal.command_tag = outcome.command_tag
        self._status = outcome.status
        tag = outcome.command_tag
        completion = Send(EmptyQueryResponse() if tag is None else CommandComplete(tag))
        return completion, *(self._drop_all_portals() if outcome.transaction_ended else ())

    def _fail(self, outcome: Failed) -> Sequence[Effect]:
        pending, self._pending = self._pending, None
        report = Send(error_response(outcome.error))
        if outcome.error.fatal:
            return report, FlushOutput(), CloseConnection()
        if isinstance(pending, ExecutePortal):
            pending.portal.state = PortalState.FAILED
        if self._phase is Phase.READY:
            return report, *self._ready_for_query(outcome.status, closed_portals=False)
        self._status = outcome.status
        is_rolled_back = outcome.status is TransactionStatus.IDLE
        return report, FlushOutput(), *(self._drop_all_portals() if is_rolled_back else ())

    def _ready_for_query(self, status: TransactionStatus, *, closed_portals: bool) -> Sequence[Effect]:
        self._status = status
        ended = closed_portals or status is TransactionStatus.IDLE
        released = self._drop_all_portals() if ended else ()
        return *released, *_READY_FOR_QUERY[status]

    def _drop_unnamed(self) -> tuple[Effect, ...]:
        return *self._drop_portal(""), *self._drop_statement("")

    def _drop_statement(self, name: str) -> tuple[Effect, ...]:
        statement = self.statements.remove(name)
        return () if statement is None else (ReleaseStatement(statement),)

    def _drop_portal(self, name: str) -> tuple[Effect, ...]:
        portal = self.portals.remove(name)
        return () if portal is None else (ReleasePortal(portal),)

    def _drop_all_portals(self) -> tuple[Effect, ...]:
        return tuple([ReleasePortal(portal) for portal in self.portals.end_transaction()])
