"""What the session asks of the shell, in order.

At most one effect of a sequence has an outcome, and it comes last; the shell answers it by `Session.resume`.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from pgwire.backend import BackendMessage
from pgwire.errors import GatewayError
from pgwire.frontend import Bind
from pgwire.session.objects import Portal, PreparedStatement


@dataclass(frozen=True, slots=True)
class Send:
    """Queue a message for the client; nothing need leave before FlushOutput."""

    message: BackendMessage


@dataclass(frozen=True, slots=True)
class FlushOutput:
    """Send everything that is queued."""


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Flush, then close. The shell also releases whatever is left and stops what runs."""


@dataclass(frozen=True, slots=True)
class RunSimpleQuery:
    """Run a simple Query.

    The shell writes RowDescription, rows, CommandComplete and EmptyQueryResponse itself.
    Outcome: SimpleQueryDone, CopyInStarted (any number of times) or Failed.
    """

    query: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlanStatement:
    """Plan the statement of a Parse. Outcome: StatementPlanned or Failed."""

    name: str
    query: str = field(repr=False)
    parameter_oids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BindPortal:
    """Bind parameters. Counts and format codes are already checked. Outcome: PortalBound or Failed."""

    name: str
    statement: PreparedStatement
    message: Bind


@dataclass(frozen=True, slots=True)
class ExecutePortal:
    """Run or continue a portal; the shell writes its rows. max_rows: 0 means all.

    Outcome: PortalCompleted, PortalSuspendedOutcome, CopyInStarted or Failed.
    """

    portal: Portal
    max_rows: int


@dataclass(frozen=True, slots=True)
class FailTransaction:
    """The session itself refused a message: the transaction fails as after any other error.

    An implicit block is rolled back, an explicit one becomes failed. Outcome: Failed(the same error, status).
    """

    error: GatewayError


@dataclass(frozen=True, slots=True)
class EndPipeline:
    """Sync: commit the implicit transaction block, if one is open. Outcome: PipelineEnded or Failed."""


@dataclass(frozen=True, slots=True)
class ReleaseStatement:
    """Free what the statement's handle holds. No outcome; portals made from it may live on."""

    statement: PreparedStatement


@dataclass(frozen=True, slots=True)
class ReleasePortal:
    """Cancel the portal's stream and free it. No outcome."""

    portal: Portal


@dataclass(frozen=True, slots=True)
class CopyInData:
    """A piece of COPY data for the running COPY. No outcome of its own."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CopyInDone:
    """The data ended well; the outcome is that of the statement that runs."""


@dataclass(frozen=True, slots=True)
class CopyInFailed:
    """The client gave up: the statement fails, 57014 `COPY from stdin failed: <reason>`. Outcome: Failed."""

    reason: str


Effect: TypeAlias = (
    Send
    | FlushOutput
    | CloseConnection
    | RunSimpleQuery
    | PlanStatement
    | BindPortal
    | ExecutePortal
    | FailTransaction
    | EndPipeline
    | ReleaseStatement
    | ReleasePortal
    | CopyInData
    | CopyInDone
    | CopyInFailed
)
