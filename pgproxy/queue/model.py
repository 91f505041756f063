"""What a queued query is, as the metastore keeps it, and the rules of its life. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from pgproxy.policy.model import WHOLE_SCOPE, CredentialScope
from pgwire.types import ResultColumn


class QueryState(StrEnum):
    """Where a query stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"

    @property
    def has_ended(self) -> bool:
        """Whether it never changes again."""
        return not TRANSITIONS[self]


TRANSITIONS: Mapping[QueryState, frozenset[QueryState]] = MappingProxyType(
    {
        QueryState.QUEUED: frozenset({QueryState.RUNNING, QueryState.FAILED, QueryState.CANCELED}),
        QueryState.RUNNING: frozenset(
            {QueryState.QUEUED, QueryState.SUCCEEDED, QueryState.FAILED, QueryState.CANCELED}
        ),
        QueryState.SUCCEEDED: frozenset(),
        QueryState.FAILED: frozenset(),
        QueryState.CANCELED: frozenset(),
    }
)
"""RUNNING → QUEUED: a read whose gateway was lost waits for another one."""

MAX_ATTEMPTS = 3
"""How often a read is tried, over all gateways and nodes."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What was submitted, and with which credential.

    parameters: values as text, None for NULL. settings: of the session it runs in. key_id: of the API key.
    """

    sql: str
    parameters: tuple[str | None, ...] = ()
    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    scope: CredentialScope = WHOLE_SCOPE
    key_id: str | None = None

    def to_json(self) -> str:
        """Write it down; equal statements give equal text."""
        facts = {
            "sql": self.sql,
            "parameters": self.parameters,
            "database": self.database,
            "settings": dict(sorted(self.settings.items())),
            "scope": scope_text(self.scope),
            "key_id": self.key_id,
        }
        return json.dumps(facts, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Statement":
        """Read what `to_json` wrote."""
        found = json.loads(text)
        parameters, scope = tuple(found["parameters"]), parse_scope(found["scope"])
        return cls(**{**found, "parameters": parameters, "scope": scope})


def scope_text(scope: CredentialScope) -> str:
    """Write a credential's scope; empty for the whole of a principal's rights."""
    if scope.is_whole:
        return ""
    return json.dumps([scope.is_read_only, None if scope.catalogs is None else sorted(scope.catalogs)])


def parse_scope(text: str) -> CredentialScope:
    """Read what `scope_text` wrote."""
    if not text:
        return WHOLE_SCOPE
    is_read_only, catalogs = json.loads(text)
    return CredentialScope(is_read_only, None if catalogs is None else frozenset(catalogs))


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a query besides its state; JSON in the metastore.

    progress: from 0 to 1, the engine's own estimate. tag: the command tag. retries: why each attempt before
    this one ended. sqlstate, message: why it failed, as a client may see it. place: which of the query's
    files is its result. scope: of the credential that submitted it.
    """

    progress: float | None = None
    tag: str = ""
    rows: int = 0
    bytes: int = 0
    columns: tuple[ResultColumn, ...] = ()
    route: str = ""
    route_reason: str = ""
    retries: tuple[str, ...] = ()
    sqlstate: str = ""
    message: str = ""
    place: str = ""
    scope: str = ""

    def to_json(self) -> str:
        """Write them down."""
        found = {name: getattr(self, name) for name in self.__slots__ if name != "columns"}
        found["columns"] = [
            [c.name, c.type_oid, c.typmod, c.engine_type, c.shown_typmod] for c in self.columns
        ]
        return json.dumps(found, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Facts":
        """Read what `to_json` wrote."""
        found = json.loads(text)
        columns = tuple(
            ResultColumn(name, oid, typmod, engine_type, shown_typmod=shown)
            for name, oid, typmod, engine_type, shown in found.pop("columns")
        )
        return cls(**{**found, "columns": columns, "retries": tuple(found["retries"])})


@dataclass(frozen=True, slots=True)
class QueuedQuery:
    """One query. Times in seconds since 1970. attempts: begun so far. may_write: more than a read."""

    id: str
    principal: str
    priority: int
    ttl_s: float
    may_write: bool
    state: QueryState
    attempts: int
    submitted_at: float
    idempotency_key: str | None = None
    started_at: float | None = None
    ended_at: float | None = None
    expires_at: float | None = None
    facts: Facts = field(default_factory=Facts)

    def at(self, progress: float | None) -> "QueuedQuery":
        """The same query, as far as it is now."""
        return replace(self, facts=replace(self.facts, progress=progress))


@dataclass(frozen=True, slots=True)
class Submission:
    """A request to run a statement later. priority: higher is sooner, among its principal's own."""

    principal: str
    statement: Statement
    ttl_s: float
    may_write: bool
    priority: int = 0
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A free place to run a query in. owner: whose. limit: who has fewer running may take it."""

    owner: str
    lease_s: float
    limit: int
