"""Administrative statements as values: who exists, who may what, which rows and values are shown.

Names of tables keep their parts as written; what they mean is found where the statement runs. PostgreSQL
docs, CREATE ROLE, GRANT, REVOKE, CREATE POLICY, SECURITY LABEL; masks are ours, in the same words.
"""

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TypeAlias

from pgproxy.policy.model import PolicyCommand

RelationParts = tuple[str, ...]


class RoleWord(StrEnum):
    """The word after CREATE: USER logs in, ROLE and GROUP do not unless LOGIN is said."""

    ROLE = "ROLE"
    USER = "USER"
    GROUP = "GROUP"


class Unchanged(Enum):
    """A clause that was not written, where None has a meaning of its own."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class RoleOptions:
    """What CREATE ROLE and ALTER ROLE say; None or UNCHANGED: not said.

    password: a password or a verifier; None: PASSWORD NULL. valid_until: as written. in_roles: groups that
    it joins; members: roles that join it. security_officer: CREATEROLE.
    """

    login: bool | None = None
    superuser: bool | None = None
    password: str | Unchanged | None = field(default=UNCHANGED, repr=False)
    valid_until: str | Unchanged = UNCHANGED
    connection_limit: int | None = None
    in_roles: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    security_officer: bool | None = None
    auditor: bool | None = None


@dataclass(frozen=True, slots=True)
class CreateRole:
    """CREATE ROLE, USER or GROUP."""

    name: str
    word: RoleWord
    options: RoleOptions


@dataclass(frozen=True, slots=True)
class AlterRole:
    """ALTER ROLE name options."""

    name: str
    options: RoleOptions


@dataclass(frozen=True, slots=True)
class AlterRoleSetting:
    """ALTER ROLE name SET setting = value; value None: RESET; setting None: RESET ALL."""

    name: str
    setting: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class AlterGroup:
    """ALTER GROUP name ADD USER … or DROP USER …."""

    name: str
    members: tuple[str, ...]
    is_drop: bool


@dataclass(frozen=True, slots=True)
class DropRole:
    """DROP ROLE names."""

    names: tuple[str, ...]
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropOwned:
    """DROP OWNED BY roles: the privileges granted to them go."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleMembership:
    """GRANT roles TO members, or REVOKE."""

    roles: tuple[str, ...]
    members: tuple[str, ...]
    is_revoke: bool = False


@dataclass(frozen=True, slots=True)
class PrivilegeItem:
    """One privilege with the columns that it is for; name None: ALL."""

    name: str | None
    columns: tuple[str, ...] = ()
    position: int = 0


class SecurableKind(StrEnum):
    """What a privilege is on. FUTURE_TABLES: all tables of schemas, the coming ones too."""

    TABLE = "table"
    TABLES_IN_SCHEMA = "tables in schema"
    FUTURE_TABLES = "future tables"
    SCHEMA = "schema"
    DATABASE = "database"
    FUNCTION = "function"
    FUNCTIONS_IN_SCHEMA = "functions in schema"
    SEQUENCE = "sequence"


@dataclass(frozen=True, slots=True)
class GrantPrivileges:
    """GRANT privileges ON securables TO grantees, or REVOKE. grantees: `public` for PUBLIC."""

    privileges: tuple[PrivilegeItem, ...]
    kind: SecurableKind
    names: tuple[RelationParts, ...]
    grantees: tuple[str, ...]
    is_revoke: bool = False
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    """CREATE POLICY. roles: none for PUBLIC. using, check: the expressions' text."""

    name: str
    table: RelationParts
    roles: tuple[str, ...] = ()
    is_restrictive: bool = False
    using: str | None = None
    check: str | None = None
    command: PolicyCommand = PolicyCommand.ALL


@dataclass(frozen=True, slots=True)
class AlterPolicy:
    """ALTER POLICY: new_name, or any of the clauses; None: as it is. roles (): PUBLIC."""

    name: str
    table: RelationParts
    new_name: str | None = None
    roles: tuple[str, ...] | None = None
    using: str | None = None
    check: str | None = None


@dataclass(frozen=True, slots=True)
class DropPolicy:
    """DROP POLICY name ON table."""

    name: str
    table: RelationParts
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class SetRowSecurity:
    """ALTER TABLE … ENABLE, DISABLE, FORCE or NO FORCE ROW LEVEL SECURITY. enable None: FORCE, no effect."""

    table: RelationParts
    enable: bool | None
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class CreateMask:
    """CREATE MASK name ON table (column), or ON TAG tag. Exactly one of table and tag is set."""

    name: str
    using: str
    table: RelationParts | None = None
    column: str = ""
    tag: str | None = None
    roles: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    strictness: int = 0
    replace: bool = False


@dataclass(frozen=True, slots=True)
class DropMask:
    """DROP MASK name ON table, or ON TAG tag."""

    name: str
    table: RelationParts | None = None
    tag: str | None = None
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class SecurityLabel:
    """SECURITY LABEL ON COLUMN: the column's tags, with commas between; none: IS NULL."""

    column: RelationParts
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """CREATE API KEY FOR role. databases (): all. interface None: both. valid_until: as written."""

    role: str
    label: str = ""
    is_read_only: bool = False
    databases: tuple[str, ...] = ()
    interface: str | None = None
    valid_until: str | Unchanged = UNCHANGED


@dataclass(frozen=True, slots=True)
class DropApiKey:
    """DROP API KEY id."""

    key_id: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class RollbackPolicy:
    """ROLLBACK POLICY TO VERSION n: who exists and who may see what become as they were then."""

    version: int


@dataclass(frozen=True, slots=True)
class CreateFunction:
    """CREATE FUNCTION name (parameters) RETURNS returns … LANGUAGE sql. body: one expression's text.

    parameters: (name or empty, type). volatility: i, s or v.
    """

    name: RelationParts
    parameters: tuple[tuple[str, str], ...]
    returns: str
    body: str
    is_strict: bool
    volatility: str
    is_replace: bool


@dataclass(frozen=True, slots=True)
class DropFunction:
    """DROP FUNCTION names."""

    names: tuple[RelationParts, ...]
    if_exists: bool = False


AdminStatement: TypeAlias = (
    CreateRole
    | AlterRole
    | AlterRoleSetting
    | AlterGroup
    | DropRole
    | DropOwned
    | RoleMembership
    | GrantPrivileges
    | CreatePolicy
    | AlterPolicy
    | DropPolicy
    | SetRowSecurity
    | CreateMask
    | DropMask
    | SecurityLabel
    | CreateApiKey
    | DropApiKey
    | RollbackPolicy
    | CreateFunction
    | DropFunction
)
