"""What a session needs of the gateway: narrow Protocols, so that a session can be built without a socket."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakSet

from execnode.spool import SpoolLimits
from execnode.statement import EngineStatement, RowChunk
from pgproxy.catalog.private import PrivateObjects
from pgproxy.catalog.snapshot import CatalogSnapshot
from pgproxy.control.api_keys import KeyDraft
from pgproxy.control.metastore import Transform
from pgproxy.control.state import ControlState
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import WHOLE_SCOPE, CredentialScope
from pgproxy.routing.attempts import RouteOutcome
from pgproxy.routing.router import Router
from pgproxy.session.notification_hub import NotificationHub
from pgproxy.session.telemetry import StatementRecord
from pgproxy.sql.cache import PlanCache
from pgproxy.sql.plan import EngineParser
from pgproxy.sql.utility.query_calls import QueryFunction
from pgwire.types import ResultColumn


class Policies(Protocol):
    """The policy of the current epoch."""

    def effective(self, principal: str, scope: CredentialScope = WHOLE_SCOPE) -> EffectivePolicy:
        """Resolve a principal's policy within a credential's scope; cached per epoch."""
        ...


class Catalogs(Protocol):
    """The catalog of the current generation."""

    @property
    def snapshot(self) -> CatalogSnapshot:
        """What exists now."""
        ...

    replacing: WeakSet[object]
    """Whoever now drops or replaces something that the engine may have taken up before `snapshot` has."""

    @property
    def catalogs_of_files(self) -> frozenset[str]:
        """Those whose views are shown as tables."""
        ...

    async def publish_viewer(self, policy: EffectivePolicy, private: PrivateObjects | None = None) -> int:
        """Make the system relations show this principal's view; cheap when already done.

        Gives a number: what is not live stays as it is for this principal while that is the same.
        """
        ...

    def published(self, policy: EffectivePolicy, private: PrivateObjects | None = None) -> int | None:
        """Give the number that `publish_viewer` gave, if it still stands."""
        ...

    async def forget_private(self, session: int) -> None:
        """Take out what existed for one session alone."""
        ...

    async def refresh(self) -> CatalogSnapshot:
        """Read the catalog anew after DDL."""
        ...


class Activity(Protocol):
    """Relations of what happens now."""

    async def refresh(self, relations: Iterable[tuple[str, str]]) -> None:
        """Fill relations, as `Plan.live_relations` names them."""
        ...


class Recorder(Protocol):
    """Takes one record per statement, for metrics, the log and the audit; never blocks."""

    @property
    def accepts(self) -> bool:
        """Whether statements may run: False while the audit must be written and cannot be."""
        ...

    def statement_began(self, record: StatementRecord) -> None:
        """Note a statement that has arrived."""
        ...

    def statement_ended(self, record: StatementRecord) -> None:
        """Note a finished statement."""
        ...


class ControlPlane(Protocol):
    """Where administrators' changes are made; each authorises `actor` against the state that it changes."""

    async def verifier_of(self, password: str) -> str:
        """Make a SCRAM verifier, or take one as it is. Raises: 22023."""
        ...

    async def draft_api_key(self) -> KeyDraft:
        """Make an API key that belongs to nobody yet."""
        ...

    async def state_at(self, version: int) -> ControlState:
        """Give the control plane as a version left it. Raises: 42704."""
        ...

    async def check(self, actor: str, change: Transform, may_be_self: str | None) -> None:
        """Make a change without keeping it. Raises: what the change would raise."""
        ...

    async def make(self, actor: str, change: Transform, may_be_self: str | None) -> None:
        """Make a change; when this returns it holds in this gateway."""
        ...


@dataclass(frozen=True, slots=True)
class BoundCall:
    """A call of pgproxy.submit, cancel or result with its values. settings: of the session that calls."""

    function: QueryFunction
    argument: str | None
    options: Mapping[str, str]
    settings: Mapping[str, str]


class PortalStream(Protocol):
    """The rows of a portal, wherever they come from."""

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        """The shape of the rows."""
        ...

    @property
    def affected_rows(self) -> int:
        """Rows written, once `read` has returned None."""
        ...

    @property
    def outcome(self) -> RouteOutcome:
        """Where it runs."""
        ...

    async def read(self) -> RowChunk | None:
        """Give the next chunk, or None at the end."""
        ...

    async def read_progress(self) -> float | None:
        """How far it is, from 0 to 1; None where nobody can tell."""
        ...


PortalStreamContext = AbstractAsyncContextManager[PortalStream]


class AsyncQueries(Protocol):
    """The queue of queries that outlive their session. What is not the caller's is not there."""

    async def columns(self, caller: "Identity", call: BoundCall) -> tuple[ResultColumn, ...]:
        """Give the shape of a call's rows. Raises: no such query, or it has no result."""
        ...

    def open(self, caller: "Identity", call: BoundCall, statement: EngineStatement) -> PortalStreamContext:
        """Do what the call asks for and give its rows, encoded as `statement` asks."""
        ...


@dataclass(frozen=True, slots=True)
class SessionServices:
    """The gateway's parts that every session shares. described: result shapes by the describing SQL.

    spool_limits: of what one cursor keeps. queries: None where the queue is switched off. long_plans: held
    while a long text is planned beside the event loop.
    """

    policies: Policies
    catalogs: Catalogs
    router: Router
    plan_cache: PlanCache
    parse_engine_sql: EngineParser
    recorder: Recorder
    described: dict[str, tuple[ResultColumn, ...]]
    notifications: NotificationHub
    spool_limits: SpoolLimits
    control: ControlPlane
    activity: Activity
    queries: AsyncQueries | None = None
    long_plans: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class SocketEnds:
    """Both ends of a session's TCP connection; empty and None where there is none."""

    client_host: str = ""
    client_port: int | None = None
    server_host: str = ""
    server_port: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is connected, and to which catalog. scope: of the credential that opened the session."""

    principal: str
    database: str
    connection_id: int
    socket: SocketEnds = SocketEnds()
    scope: CredentialScope = WHOLE_SCOPE

    @property
    def client_host(self) -> str:
        """The client's address without its port."""
        return self.socket.client_host
