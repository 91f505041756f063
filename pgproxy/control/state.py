"""The whole content of the control plane as one frozen value; a change is a pure function between two.

Storage, policy files, history and the policy that the planner sees are all derived from `ControlState`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from pgproxy.policy.model import ColumnMask, Grant, PolicySet, Principal, RowFilter, TableName


class EndpointState(StrEnum):
    """The life of an exec node as the administrator and the health checks see it."""

    REGISTERED = "REGISTERED"
    ACTIVE = "ACTIVE"
    DRAINING = "DRAINING"
    UNHEALTHY = "UNHEALTHY"
    RETIRED = "RETIRED"


class Fallback(StrEnum):
    """What an assignment wants when its endpoint cannot run a statement."""

    AUTOMATIC = "automatic"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An exec node. url: grpc://HOST:PORT or grpcs://HOST:PORT. token: its AGENT_TOKEN; encrypted at rest."""

    name: str
    url: str
    token: str = field(repr=False)
    state: EndpointState = EndpointState.ACTIVE


@dataclass(frozen=True, slots=True)
class Assignment:
    """The binding of a principal, user or group, to an endpoint. Lower `priority` is tried first."""

    principal: str
    endpoint: str
    priority: int = 100
    fallback: Fallback = Fallback.DISABLED


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line of the audit log. facts: JSON values; no SQL text, bind value or row."""

    event: str
    principal: str
    occurred_at: datetime
    connection_id: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


BoundName = tuple[TableName, str]
"""A row filter or column mask: its table and its own name, unique on that table."""


@dataclass(frozen=True, slots=True)
class ControlState:
    """Everything that is administered.

    verifiers: SCRAM verifiers in PostgreSQL's text format, by user; a user without one cannot log in.
    grants: at most one for all columns and one for single columns per principal, privilege and securable.
    assignments: keyed by (principal, endpoint).
    """

    principals: Mapping[str, Principal] = field(default_factory=dict)
    verifiers: Mapping[str, str] = field(default_factory=dict, repr=False)
    grants: frozenset[Grant] = frozenset()
    row_filters: Mapping[BoundName, RowFilter] = field(default_factory=dict)
    column_masks: Mapping[BoundName, ColumnMask] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    assignments: Mapping[tuple[str, str], Assignment] = field(default_factory=dict)

    def policy_set(self, epoch: int) -> PolicySet:
        """Give the part that decides who may see what, in a stable order."""
        return PolicySet(
            epoch=epoch,
            principals=self.principals,
            grants=tuple(sorted(self.grants, key=grant_key)),
            row_filters=tuple(self.row_filters[key] for key in sorted(self.row_filters)),
            column_masks=tuple(self.column_masks[key] for key in sorted(self.column_masks)),
        )


def grant_key(grant: Grant) -> tuple[str, str, str, str, str, bool]:
    """Identify a grant: all of it but the columns, and whether it is for single columns."""
    return (
        grant.principal,
        grant.privilege.value,
        grant.catalog,
        grant.schema or "",
        grant.table or "",
        grant.columns is not None,
    )


def merge_grants(grants: Iterable[Grant]) -> frozenset[Grant]:
    """Join grants of one key: their columns are added up."""
    merged: dict[tuple[str, str, str, str, str, bool], Grant] = {}
    for grant in grants:
        key = grant_key(grant)
        known = merged.get(key)
        if known is None or grant.columns is None or known.columns is None:
            merged[key] = grant
        else:
            merged[key] = replace(grant, columns=known.columns | grant.columns)
    return frozenset(merged.values())
