"""The policy as it is stored: principals, grants, row filters, column masks. Frozen values, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class TableName(NamedTuple):
    """A fully qualified relation. `schema` is the PostgreSQL spelling: `public`, not DuckDB's `main`."""

    catalog: str
    schema: str
    name: str


def folded_name(name: TableName) -> TableName:
    """The same for every spelling of one relation: the engine's names match whatever the case of ASCII."""
    return TableName(*map(_folded, name))


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


class Privilege(StrEnum):
    """PostgreSQL docs, "Privileges"."""

    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    TRUNCATE = "TRUNCATE"
    USAGE = "USAGE"
    CREATE = "CREATE"
    CONNECT = "CONNECT"
    EXECUTE = "EXECUTE"


class PrincipalKind(StrEnum):
    """A user logs in; a group only has members."""

    USER = "user"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user or group.

    member_of: direct memberships only. attributes: set by the control plane, never by the user.
    valid_until: when the password stops working, as in CREATE ROLE; it ends no open session.
    connection_limit: sessions at once; -1: no limit of its own.
    is_security_officer: may change policy, and holds no privilege on data. is_auditor: sees what everybody
    does. Both, as is_admin, hold for a group's members too.
    """

    name: str
    kind: PrincipalKind
    is_admin: bool = False
    can_login: bool = True
    member_of: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict)
    valid_until: datetime | None = None
    connection_limit: int = -1
    is_security_officer: bool = False
    is_auditor: bool = False


@dataclass(frozen=True, slots=True)
class CredentialScope:
    """What of its principal's rights a credential carries.

    catalogs None: all of them. groups: memberships that it adds; never an administrator's rights.
    """

    is_read_only: bool = False
    catalogs: frozenset[str] | None = None
    groups: frozenset[str] = frozenset()

    def allows(self, privilege: Privilege, catalog: str) -> bool:
        """Whether a privilege in a catalog is within the scope."""
        is_within = self.catalogs is None or catalog in self.catalogs
        return is_within and not (self.is_read_only and privilege in _WRITING)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return not self.is_read_only and self.catalogs is None


_WRITING = frozenset(
    {Privilege.INSERT, Privilege.UPDATE, Privilege.DELETE, Privilege.TRUNCATE, Privilege.CREATE}
)
WHOLE_SCOPE = CredentialScope()


@dataclass(frozen=True, slots=True)
class Grant:
    """A privilege given to a principal on a securable.

    schema None: the whole catalog. table None: every table of the schema, present and future.
    columns None: every column.
    """

    principal: str
    privilege: Privilege
    catalog: str
    schema: str | None = None
    table: str | None = None
    columns: frozenset[str] | None = None


class PolicyCommand(StrEnum):
    """For which statements a row filter holds. PostgreSQL docs, "CREATE POLICY"."""

    ALL = "ALL"
    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A predicate over the raw columns of a table. PostgreSQL docs, "CREATE POLICY".

    principals: to whom it applies; empty: to everyone. using: SQL text in PostgreSQL's dialect, over column
    names, `current_user`, `session_user`, `is_member('group')`, `current_setting('pgproxy.attr.NAME')`.
    check: what must hold for a row written; None: the same as `using`. command: one of INSERT has a check
    only, one of SELECT or DELETE none.
    """

    name: str
    table: TableName
    using: str
    principals: frozenset[str] = frozenset()
    is_restrictive: bool = False
    check: str | None = None
    command: PolicyCommand = PolicyCommand.ALL

    def holds_for(self, command: PolicyCommand) -> bool:
        """Whether it decides the rows of this command."""
        return self.command in (PolicyCommand.ALL, command)


@dataclass(frozen=True, slots=True)
class ColumnMask:
    """An expression that replaces a column's value.

    principals: to whom it applies; empty: to everyone who is not exempt.
    expression: SQL text over the raw columns of the table; `NULL` hides the value. exempt: who sees the raw
    value. strictness: among several group masks the highest wins; 0 is the weakest.
    """

    name: str
    table: TableName
    column: str
    expression: str
    principals: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()
    strictness: int = 0


@dataclass(frozen=True, slots=True)
class StoredFunction:
    """A function that is one expression over its arguments, run with the rights of its caller.

    PostgreSQL docs, "CREATE FUNCTION", LANGUAGE sql. name: catalog, schema, name; there is one of a name.
    parameters: (name or empty, type). body: SQL text in PostgreSQL's dialect. volatility: i, s or v.
    """

    name: TableName
    parameters: tuple[tuple[str, str], ...]
    returns: str
    body: str
    is_strict: bool = False
    volatility: str = "v"


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All that decides who may see what, as of one epoch.

    row_security: tables that show nothing to whom no row filter shows something, even while none exists.
    closed_databases: those that only holders of CONNECT connect to; PUBLIC holds it on all others.
    """

    epoch: int
    principals: Mapping[str, Principal] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    row_filters: tuple[RowFilter, ...] = ()
    column_masks: tuple[ColumnMask, ...] = ()
    row_security: frozenset[TableName] = frozenset()
    closed_databases: frozenset[str] = frozenset()
    functions: Mapping[TableName, StoredFunction] = field(default_factory=dict)
