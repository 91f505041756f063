"""Drives a Session for tests: brings one into each phase, and plays a shell that always succeeds."""

from collections.abc import Callable, Sequence

from pgwire.backend import BackendMessage, FieldDescription
from pgwire.errors import GatewayError, ShuttingDown, StatementError
from pgwire.frontend import Bind, Execute, FrontendMessage, Parse, Query, Sync, Terminate
from pgwire.session.effects import Effect, Send
from pgwire.session.machine import Session
from pgwire.session.outcomes import (
    CopyInStarted,
    Failed,
    PipelineEnded,
    PortalBound,
    PortalCompleted,
    SimpleQueryDone,
    StatementPlanned,
)
from pgwire.session.status import Phase, TransactionStatus

IDLE, IN_TRANSACTION, FAILED = TransactionStatus
COLUMNS = (FieldDescription("a", 0, 0, 23, 4, -1),)
ERROR = StatementError("syntax error")
FATAL: GatewayError = ShuttingDown("terminating connection due to administrator command")


def sent(effects: Sequence[Effect]) -> list[BackendMessage]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def parse(
    session: Session,
    name: str = "",
    oids: tuple[int, ...] = (),
    columns: tuple[FieldDescription, ...] | None = COLUMNS,
) -> Sequence[Effect]:
    session.receive(Parse(name, "select", oids))
    return session.resume(StatementPlanned(oids, columns, f"plan {name}"))


def bind(session: Session, portal: str = "", statement: str = "") -> Sequence[Effect]:
    session.receive(Bind(portal, statement))
    columns = session.statements.resolve(statement).columns
    return session.resume(PortalBound(columns, f"stream {portal}"))


def execute(
    session: Session,
    portal: str = "",
    tag: str | None = "SELECT 1",
    status: TransactionStatus = IDLE,
    *,
    ended: bool = False,
) -> Sequence[Effect]:
    session.receive(Execute(portal))
    return session.resume(PortalCompleted(tag, status, ended))


def sync(session: Session, status: TransactionStatus = IDLE) -> Sequence[Effect]:
    session.receive(Sync())
    return session.resume(PipelineEnded(status))


def query(session: Session, status: TransactionStatus = IDLE, *, closed: bool = False) -> Sequence[Effect]:
    session.receive(Query("select"))
    return session.resume(SimpleQueryDone(status, closed))


def begin(session: Session) -> None:
    query(session, IN_TRANSACTION)


def prepared() -> Session:
    """A session in READY with unnamed statement and portal."""
    session = Session()
    parse(session)
    bind(session)
    return session


def _after(*messages: FrontendMessage) -> Callable[[], Session]:
    def build() -> Session:
        session = prepared()
        for message in messages:
            session.receive(message)
        return session

    return build


def _skipping() -> Session:
    session = _after(Parse("", "selct"))()
    session.resume(Failed(ERROR, IDLE))
    return session


def _copying(message: FrontendMessage) -> Callable[[], Session]:
    def build() -> Session:
        session = _after(message)()
        session.resume(CopyInStarted())
        return session

    return build


SESSION_IN: dict[Phase, Callable[[], Session]] = {
    Phase.READY: prepared,
    Phase.BUSY_SIMPLE: _after(Query("select")),
    Phase.PLANNING: _after(Parse("", "select")),
    Phase.BINDING: _after(Bind("", "")),
    Phase.EXECUTING: _after(Execute("")),
    Phase.REFUSING: _after(Execute("unknown")),
    Phase.ENDING_PIPELINE: _after(Sync()),
    Phase.SKIPPING: _skipping,
    Phase.COPY_IN_SIMPLE: _copying(Query("copy")),
    Phase.COPY_IN_EXTENDED: _copying(Execute("")),
    Phase.CLOSED: _after(Terminate()),
}
