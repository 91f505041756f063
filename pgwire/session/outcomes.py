"""What the shell answers to the effects that have an outcome."""

from dataclasses import dataclass
from typing import TypeAlias

from pgwire.backend import FieldDescription
from pgwire.errors import GatewayError
from pgwire.session.status import TransactionStatus


@dataclass(frozen=True, slots=True)
class StatementPlanned:
    """PlanStatement succeeded. columns: None where no rows come back. handle: the shell's own."""

    parameter_oids: tuple[int, ...]
    columns: tuple[FieldDescription, ...] | None
    handle: object


@dataclass(frozen=True, slots=True)
class PortalBound:
    """BindPortal succeeded. columns: with Bind's formats. handle: the shell's own, kept for it."""

    columns: tuple[FieldDescription, ...] | None
    handle: object


@dataclass(frozen=True, slots=True)
class SimpleQueryDone:
    """All statements of a simple query ran. closed_portals: a transaction ended on the way."""

    status: TransactionStatus
    closed_portals: bool


@dataclass(frozen=True, slots=True)
class PortalSuspendedOutcome:
    """ExecutePortal wrote `max_rows` rows and there may be more."""


@dataclass(frozen=True, slots=True)
class PortalCompleted:
    """ExecutePortal ran to the end. command_tag: None for an empty query.

    status: as the client would see it. transaction_ended: the statement was COMMIT, ROLLBACK or the like.
    """

    command_tag: str | None
    status: TransactionStatus
    transaction_ended: bool


@dataclass(frozen=True, slots=True)
class PipelineEnded:
    """EndPipeline succeeded."""

    status: TransactionStatus


@dataclass(frozen=True, slots=True)
class CopyInStarted:
    """The shell has sent and flushed CopyInResponse; COPY data now flows."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The effect failed. status: after the failure, IDLE where an implicit block was rolled back."""

    error: GatewayError
    status: TransactionStatus


Outcome: TypeAlias = (
    StatementPlanned
    | PortalBound
    | SimpleQueryDone
    | PortalSuspendedOutcome
    | PortalCompleted
    | PipelineEnded
    | CopyInStarted
    | Failed
)
