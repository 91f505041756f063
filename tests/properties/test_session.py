"""Random conversations: whatever the client sends and the shell answers, the session keeps its promises."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pgwire.backend import (
    ErrorResponse,
    FieldDescription,
    ReadyForQuery,
)
from pgwire.errors import GatewayError, ProtocolViolation, ShuttingDown, StatementError
from pgwire.frontend import (
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
from pgwire.session.effects import (
    BindPortal,
    CloseConnection,
    CopyInDone,
    CopyInFailed,
    Effect,
    EndPipeline,
    ExecutePortal,
    FailTransaction,
    PlanStatement,
    ReleasePortal,
    ReleaseStatement,
    RunSimpleQuery,
    Send,
)
from pgwire.session.machine import Session
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
from pgwire.session.status import Phase, TransactionStatus

AWAITED = (RunSimpleQuery, PlanStatement, BindPortal, ExecutePortal, FailTransaction, EndPipeline)
COLUMNS = (FieldDescription("a", 0, 0, 23, 4, -1),)
names = st.sampled_from(["", "a", "b"])
kinds = st.sampled_from([b"S", b"P"])
messages: st.SearchStrategy[FrontendMessage] = st.one_of(
    st.builds(Query, st.just("select")),
    st.builds(Parse, names, st.just("select")),
    st.builds(Bind, names, names),
    st.builds(Bind, names, names, st.just((0, 1, 7)), st.just((None,)), st.just((2, 1))),
    st.builds(Describe, kinds, names),
    st.builds(Execute, names, st.integers(-1, 3)),
    st.builds(Close, kinds, names),
    st.sampled_from([Sync(), Sync(), Flush(), CopyData(b"1\n"), CopyDone(), CopyFail("no"), FunctionCall(1)]),
)
rare_messages: st.SearchStrategy[FrontendMessage] = st.sampled_from([Terminate(), PasswordMessage(b"x\0")])
statuses = st.sampled_from(TransactionStatus)
errors: st.SearchStrategy[GatewayError] = st.sampled_from(
    [StatementError("a"), StatementError("b"), StatementError("c"), ShuttingDown("d")]
)
columns = st.sampled_from([None, COLUMNS])


def outcome_of(draw: st.DrawFn, running: Effect) -> Outcome:
    """Answer an effect as some shell might; mostly well."""
    if isinstance(running, FailTransaction):
        return Failed(running.error, draw(statuses))
    if draw(st.integers(0, 5)) == 0:
        return Failed(draw(errors), draw(statuses))
    match running:
        case RunSimpleQuery():
            if draw(st.integers(0, 2)) == 0:
                return CopyInStarted()
            return SimpleQueryDone(draw(statuses), draw(st.booleans()))
        case PlanStatement():
            return StatementPlanned((), draw(columns), None)
        case BindPortal():
            return PortalBound(running.statement.columns, None)
        case ExecutePortal():
            tag = draw(st.sampled_from([None, "SELECT 2", "INSERT 0 1", "COMMIT"]))
            others: list[Outcome] = [PortalSuspendedOutcome(), CopyInStarted()]
            done: Outcome = PortalCompleted(tag, draw(statuses), tag == "COMMIT")
            return draw(st.sampled_from([done, *others]))
        case EndPipeline():
            return PipelineEnded(draw(statuses))
        case _:
            raise AssertionError(running)


class Conversation:
    """Plays client and shell, and watches."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.session = Session()
        self.running: Effect | None = None
        self.ready_count = 0
        self.owed = 0
        self.held: set[int] = set()
        self.is_closed = False
        self.log: list[Effect] = []

    def perform(self, effects: object) -> None:
        assert isinstance(effects, tuple)
        for index, effect in enumerate(effects):
            assert not self.is_closed, "nothing may follow CloseConnection"
            if isinstance(effect, AWAITED):
                assert index == len(effects) - 1, "an effect with an outcome comes last"
                assert self.running is None, "one effect at a time"
                self.running = effect
            if isinstance(effect, Send) and isinstance(effect.message, ReadyForQuery):
                self.ready_count += 1
            if isinstance(effect, ReleasePortal):
                self.held.remove(id(effect.portal))
            if isinstance(effect, ReleaseStatement):
                self.held.remove(id(effect.statement))
            if isinstance(effect, CloseConnection):
                self.is_closed = True
        self.log.extend(effects)
        self.watch_objects()

    def watch_objects(self) -> None:
        kept = {id(kept) for kept in (*self.session.statements, *self.session.portals)}
        assert self.held <= kept, "what is forgotten was released"
        self.held = kept

    def say(self, message: FrontendMessage) -> None:
        phase = self.session.phase
        owes = isinstance(message, Sync | Query | FunctionCall)
        ignored = phase in (Phase.COPY_IN_SIMPLE, Phase.COPY_IN_EXTENDED) or (
            phase is Phase.SKIPPING and not isinstance(message, Sync)
        )
        self.perform(self.session.receive(message))
        self.owed += owes and not ignored

    def answer(self) -> None:
        """Let the running effect end, unless it is a COPY that waits for data."""
        if self.running is None or self.session.is_copying_in:
            return
        running = self.running
        outcome = outcome_of(self.draw, running)
        self.running = running if isinstance(outcome, CopyInStarted) else None
        self.perform_outcome(outcome)

    def perform_outcome(self, outcome: Outcome) -> None:
        self.perform(self.session.resume(outcome))

    def end(self) -> None:
        """Bring the conversation to rest: end a COPY, then Sync."""
        if self.session.is_copying_in:
            self.perform(self.session.receive(CopyDone()))
            self.running = None
            self.perform_outcome(Failed(StatementError("end"), TransactionStatus.IDLE))
        if not self.is_closed:
            self.say(Sync())
            self.running = None
            self.perform_outcome(PipelineEnded(TransactionStatus.IDLE))


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    conversation = Conversation(draw)
    for _ in range(draw(st.integers(1, 25))):
        message: FrontendMessage = draw(rare_messages if draw(st.integers(0, 30)) == 0 else messages)
        try:
            conversation.say(message)
        except ProtocolViolation:
            assert conversation.session.phase is Phase.CLOSED
            conversation.is_closed = True
        while conversation.session.is_busy:
            conversation.answer()
        if conversation.is_closed or conversation.session.phase is Phase.CLOSED:
            conversation.is_closed = True
            break
    return conversation


@given(conversations())
@settings(max_examples=300)
def test_ready_for_query_comes_once_for_each_sync_and_query(conversation: Conversation) -> None:
    if not conversation.is_closed:
        conversation.end()
        assert conversation.ready_count == conversation.owed
        assert conversation.session.phase is Phase.READY
    else:
        assert conversation.ready_count <= conversation.owed


@given(conversations())
@settings(max_examples=200)
def test_after_an_error_nothing_but_ready_for_query_is_said_until_it(conversation: Conversation) -> None:
    said = [effect.message for effect in conversation.log if isinstance(effect, Send)]
    failed = False
    for message in said:
        if isinstance(message, ReadyForQuery):
            failed = False
        else:
            # In the simple protocol ReadyForQuery follows ErrorResponse at once, so this holds for both.
            assert not failed or isinstance(message, ErrorResponse)
            failed = isinstance(message, ErrorResponse)


@given(conversations())
@settings(max_examples=200)
def test_no_portal_is_open_outside_a_transaction_once_ready(conversation: Conversation) -> None:
    if not conversation.is_closed:
        conversation.end()
        assert list(conversation.session.portals) == []


@given(conversations())
@settings(max_examples=200)
def test_copy_ends_are_told_to_a_running_statement_only(conversation: Conversation) -> None:
    running = 0
    for effect in conversation.log:
        if isinstance(effect, RunSimpleQuery | ExecutePortal):
            running += 1
        if isinstance(effect, CopyInDone | CopyInFailed):
            assert running > 0
