"""What administrative statements mean: each a pure change from one `ControlState` to the next.

Refusals carry PostgreSQL's SQLSTATE and words. PostgreSQL docs, CREATE ROLE, ALTER ROLE, GRANT, CREATE POLICY
and so on; a ROLE that can log in is a user here, one that cannot is a group.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from pgproxy.control import changes
from pgproxy.control.api_keys import KeyDraft
from pgproxy.control.state import ControlState
from pgproxy.policy.model import Principal, PrincipalKind, TableName
from pgproxy.sql.utility import admin_statements as a
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

ATTRIBUTE_SETTING = "pgproxy.attr."
PUBLIC = "public"

_SELF = frozenset({"current_user", "session_user", "current_role"})


class Names(Protocol):
    """What the names in a statement mean, in the session that it came from."""

    def table(self, parts: a.RelationParts, *, must_exist: bool = True) -> TableName:
        """Find a table. Raises: 42P01."""
        ...

    def sequence(self, parts: a.RelationParts) -> TableName:
        """Find a sequence. Raises: 42P01."""
        ...

    def column(self, table: TableName, name: str) -> str:
        """Give a column's name as the table spells it. Raises: 42703."""
        ...

    def schema(self, parts: a.RelationParts) -> tuple[str, str]:
        """Find a schema: (catalog, schema). Raises: 3F000."""
        ...

    def database(self, name: str) -> str:
        """Find a catalog. Raises: 3D000."""
        ...

    def functions(self, parts: a.RelationParts) -> Sequence[TableName]:
        """What a function's name may mean, along the search path; the first is where one would be made."""
        ...

    def tables_in(self, catalog: str, schema: str) -> Sequence[TableName]:
        """Every table and view of a schema that exists now."""
        ...

    def owns_something(self, role: str) -> bool:
        """Whether a relation or schema that exists now is the role's."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell the client besides the answer."""

    message: str
    sqlstate: SqlState = SqlState.SUCCESSFUL_COMPLETION
    is_warning: bool = False


@dataclass(slots=True)
class Administration:
    """Who asks, what names mean, and what there is to tell.

    verifier: made from the statement's password. key_draft: for CREATE API KEY. target: the state that a
    rollback goes back to.
    """

    actor: str
    names: Names
    verifier: str | None = field(default=None, repr=False)
    key_draft: KeyDraft | None = None
    target: ControlState | None = None
    notices: list[Notice] = field(default_factory=list)

    def role(self, name: str) -> str:
        """Read CURRENT_USER and its like."""
        return as_role(name, self.actor)

    def roles(self, names: Iterable[str]) -> tuple[str, ...]:
        """Read several."""
        return tuple(self.role(name) for name in names)

    def tell(self, message: str, sqlstate: SqlState = SqlState.SUCCESSFUL_COMPLETION) -> None:
        """Add a notice."""
        self.notices.append(Notice(message, sqlstate))


def as_role(name: str, actor: str) -> str:
    """Read CURRENT_USER and its like."""
    return actor if name in _SELF else name


def create_role(state: ControlState, statement: a.CreateRole, by: Administration) -> ControlState:
    """CREATE ROLE. Raises: 42710; 42704, 42809 for the roles that it names."""
    options = statement.options
    can_login = options.login if options.login is not None else statement.word is a.RoleWord.USER
    is_user = statement.word is a.RoleWord.USER or can_login or _is_for_users(options)
    role = Principal(
        statement.name,
        PrincipalKind.USER if is_user else PrincipalKind.GROUP,
        is_admin=bool(options.superuser),
        is_security_officer=bool(options.security_officer),
        is_auditor=bool(options.auditor),
        can_login=can_login,
        member_of=frozenset(by.roles(options.in_roles)),
        valid_until=moment(options.valid_until),
        connection_limit=-1 if options.connection_limit is None else options.connection_limit,
    )
    state = changes.create_principal(state, role, by.verifier)
    if options.password == "":  # PostgreSQL takes it for NULL, and says so
        by.tell("empty string is not a valid password, clearing password")
    for member in by.roles(options.members):
        state = changes.add_member(state, statement.name, member)
    return state


def alter_role(state: ControlState, statement: a.AlterRole, by: Administration) -> ControlState:
    """ALTER ROLE. Raises: 42704; 0A000 to make a user of a group that has members."""
    name, options = by.role(statement.name), statement.options
    role = changes.principal_named(state, name)
    if role.kind is PrincipalKind.GROUP and (options.login or _is_for_users(options)):
        if any(name in other.member_of for other in state.principals.values()):
            raise FeatureNotSupported(
                f'role "{name}" has members, so it cannot become one that logs in',
                hint="Create another role with LOGIN and make it a member.",
            )
        role = replace(role, kind=PrincipalKind.USER)
    if options.login is not None:
        role = replace(role, can_login=options.login)
    if options.superuser is not None:
        role = replace(role, is_admin=options.superuser)
    if options.security_officer is not None:
        role = replace(role, is_security_officer=options.security_officer)
    if options.auditor is not None:
        role = replace(role, is_auditor=options.auditor)
    if options.valid_until is not a.UNCHANGED:
        role = replace(role, valid_until=moment(options.valid_until))
    if options.connection_limit is not None:
        role = replace(role, connection_limit=options.connection_limit)
    state = replace(state, principals={**state.principals, name: role})
    if options.password is not a.UNCHANGED and role.kind is PrincipalKind.USER:
        state = changes.set_verifier(state, name, by.verifier)
    return state


def alter_role_setting(
    state: ControlState, statement: a.AlterRoleSetting, by: Administration
) -> ControlState:
    """ALTER ROLE … SET pgproxy.attr.NAME. Raises: 42704; 0A000 for every other setting."""
    name = by.role(statement.name)
    role = changes.principal_named(state, name)
    if statement.setting is None:
        return changes.alter_principal(state, replace(role, attributes={}))
    attribute = statement.setting.removeprefix(ATTRIBUTE_SETTING)
    if attribute == statement.setting:
        raise FeatureNotSupported(
            "only attributes can be set for a role",
            hint=f"An attribute is a setting whose name begins with {ATTRIBUTE_SETTING}",
        )
    attributes = {key: value for key, value in role.attributes.items() if key != attribute}
    if statement.value is not None:
        attributes[attribute] = statement.value
    return changes.alter_principal(state, replace(role, attributes=attributes))


def alter_group(state: ControlState, statement: a.AlterGroup, by: Administration) -> ControlState:
    """ALTER GROUP … ADD USER, DROP USER: the same as GRANT and REVOKE."""
    membership = a.RoleMembership((statement.name,), statement.members, statement.is_drop)
    return change_membership(state, membership, by)


def drop_role(state: ControlState, statement: a.DropRole, by: Administration) -> ControlState:
    """DROP ROLE. Raises: 42704; 55006 oneself; 2BP01 while something names it."""
    for name in by.roles(statement.names):
        if statement.if_exists and name not in state.principals:
            by.tell(f'role "{name}" does not exist, skipping')
            continue
        if name == by.actor:
            raise StatementError("current user cannot be dropped", sqlstate=SqlState.OBJECT_IN_USE)
        if by.names.owns_something(name):
            raise StatementError(
                f'role "{name}" cannot be dropped because some objects depend on it',
                sqlstate=SqlState.DEPENDENT_OBJECTS_STILL_EXIST,
                detail="It owns tables, views or schemas.",
            )
        state = changes.drop_principal(state, name)
    return state


def drop_owned(state: ControlState, statement: a.DropOwned, by: Administration) -> ControlState:
    """DROP OWNED: the privileges go; filters and masks stay, since without them more would be seen.

    Raises: 42704; 0A000, a role owns something.
    """
    names = frozenset(changes.principal_named(state, name).name for name in by.roles(statement.names))
    if any(by.names.owns_something(name) for name in names):
        raise FeatureNotSupported(
            "dropping what a role owns is not supported", hint="Drop it, or use REASSIGN OWNED, first."
        )
    return replace(state, grants=frozenset(g for g in state.grants if g.principal not in names))


def change_membership(state: ControlState, statement: a.RoleMembership, by: Administration) -> ControlState:
    """GRANT role TO role, REVOKE role FROM role. Raises: 42704, 42809, 0LP01 for a loop."""
    for group in by.roles(statement.roles):
        for member in by.roles(statement.members):
            if member == PUBLIC:
                raise changes.undefined(f'role "{PUBLIC}" does not exist')
            is_member = group in changes.principal_named(state, member).member_of
            if statement.is_revoke:
                if not is_member:
                    text = f'role "{member}" is not a member of role "{group}"'
                    by.notices.append(Notice(text, SqlState.WARNING, is_warning=True))
                state = changes.remove_member(state, group, member)
                continue
            if is_member:
                by.tell(f'role "{member}" is already a member of role "{group}"')
            state = changes.add_member(state, group, member)
    return state


def _is_for_users(options: a.RoleOptions) -> bool:
    """Whether the options make sense only for a role that may log in some day."""
    return (
        isinstance(options.password, str)
        or options.valid_until is not a.UNCHANGED
        or options.connection_limit not in (None, -1)
    )


def moment(text: str | a.Unchanged) -> datetime | None:
    """Read VALID UNTIL; without a zone it is UTC. Raises: 22007."""
    if text is a.UNCHANGED or text.strip().lower() == "infinity":
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise StatementError(
            "invalid input syntax for type timestamp with time zone",
            sqlstate=SqlState.INVALID_DATETIME_FORMAT,
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
