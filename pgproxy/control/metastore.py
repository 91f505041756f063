"""The metastore's contract: where the control plane's content lives, who changed it when, and who is told.

One implementation a database: `pgproxy.control.sqlite` (a file). What is written and whether it may be is
decided elsewhere; a metastore only makes a change whole, numbered, attributed and durable.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from pgproxy.control.audit import AuditStore
from pgproxy.control.difference import Difference
from pgproxy.control.fleet import Assignment, Endpoint
from pgproxy.control.notes import NoteStore
from pgproxy.control.state import ControlState
from pgproxy.policy.model import PolicySet
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

if TYPE_CHECKING:
    from pgproxy.control.secret_box import SecretBox

Transform = Callable[[ControlState], ControlState]
"""A change as a pure function, called in a thread. It raises GatewayError to refuse: nothing is written."""


Scalar = str | int | float | bytes | None
"""A parameter of a statement."""


class MetastoreError(Exception):
    """The metastore cannot be opened or read.

    A wrong URL, key or schema version. No secret is in the text.
    """


class ControlPlaneUnavailable(GatewayError):
    """The control plane cannot be read or changed now; a connection that needed it closes."""

    default_sqlstate = SqlState.CANNOT_CONNECT_NOW
    fatal = True


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What a change did.

    epoch: the one that now holds. No differences: it was in force already, nothing written.
    """

    epoch: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One entry of the history: who changed what, when. Secrets in `differences` are redacted."""

    epoch: int
    changed_at: datetime
    actor: str
    before: str
    after: str


class Metastore(Protocol):
    """The control plane's content. Every method is safe to call from several tasks at once."""

    async def epoch(self) -> int:
        """The number of the last change of any kind; read from the database."""
        ...

    async def state(self) -> ControlState:
        """Everything, as of one epoch."""
        ...

    async def policy_set(self) -> PolicySet:
        """Who may see what.

        Its epoch moves only with principals, grants, filters and masks, not with endpoints.
        """
        ...

    async def current(self) -> tuple[ControlState, PolicySet]:
        """Give both, as of one epoch."""
        ...

    @property
    def server_secret(self) -> bytes:
        """The secret behind `mock_verifier`: 32 bytes, the same for every gateway of the metastore."""
        ...

    @property
    def secret_box(self) -> "SecretBox":
        """What seals secrets that are kept in the metastore outside of its administered content."""
        ...

    @property
    def clock_sql(self) -> str:
        """For `run_statement`: the seconds since 1970 by the one clock that all gateways share."""
        ...

    async def run_statement(self, sql: str, parameters: Sequence[Scalar] = ()) -> list[tuple[Any, ...]]:
        """Run one statement of this program, alone in its transaction. Moves no epoch.

        sql: parameters are `$1`, `$2`, …, each cast to its type where PostgreSQL could not tell it.

        Raises:
            MetastoreError: the database refused it.
        """
        ...

    async def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint, by name, retired ones too."""
        ...

    async def assignments(self) -> tuple[Assignment, ...]:
        """Every assignment, by principal, priority and endpoint."""
        ...

    async def change(self, actor: str, transform: Transform) -> ChangeResult:
        """Apply `transform` to the current state in one transaction: all or nothing, also after kill -9.

        Raises:
            GatewayError: what `transform` raised.
            MetastoreError: the database could not be written.
        """
        ...

    def watch(self, since: int | None = None) -> AsyncIterator[int]:
        """Yield each new epoch within a second of its commit by any process; epochs between may be skipped.

        since: the epoch that the caller knows already; None: the one at the first step.
        """
        ...

    async def state_at(self, epoch: int) -> ControlState:
        """Who existed and who might see what after a change; all else, and every credential, as of now.

        Raises:
            StatementError: 42704, there was no such change, or what came after it cannot be undone.
        """
        ...

    async def history(self, limit: int = 100) -> tuple[PolicyVersion, ...]:
        """The last changes, newest first."""
        ...

    @property
    def audit(self) -> AuditStore:
        """The audit log."""
        ...

    async def record_figures(self, rollout: str, since: float, gateway: str, figures: str) -> None:
        """Replace what one gateway has seen of the stage that began at `since`. figures: JSON."""
        ...

    async def figures(self, rollout: str, since: float) -> tuple[str, ...]:
        """Every gateway's figures of that stage."""
        ...

    @property
    def notes(self) -> NoteStore:
        """What gateways tell each other."""
        ...
