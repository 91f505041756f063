"""What GRANT … ON and REVOKE … ON mean. PostgreSQL docs, "GRANT", "REVOKE", "ALTER DEFAULT PRIVILEGES"."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pgproxy.control import changes
from pgproxy.control.administration import PUBLIC, Administration
from pgproxy.control.administration_functions import function_named
from pgproxy.control.state import ControlState
from pgproxy.policy.model import Grant, Privilege
from pgproxy.sql.utility import admin_statements as a
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_ON_TABLES = (Privilege.SELECT, Privilege.INSERT, Privilege.UPDATE, Privilege.DELETE, Privilege.TRUNCATE)
_ON_COLUMNS = (Privilege.SELECT, Privilege.INSERT, Privilege.UPDATE)
_ALLOWED: dict[a.SecurableKind, tuple[Privilege, ...]] = {
    a.SecurableKind.TABLE: _ON_TABLES,
    a.SecurableKind.TABLES_IN_SCHEMA: _ON_TABLES,
    a.SecurableKind.FUTURE_TABLES: _ON_TABLES,
    a.SecurableKind.SCHEMA: (Privilege.USAGE, Privilege.CREATE),
    a.SecurableKind.DATABASE: (Privilege.CONNECT,),
    a.SecurableKind.FUNCTION: (Privilege.EXECUTE,),
    a.SecurableKind.FUNCTIONS_IN_SCHEMA: (Privilege.EXECUTE,),
    a.SecurableKind.SEQUENCE: (Privilege.USAGE,),
}
_KNOWN_ELSEWHERE = frozenset(
    {"references", "trigger", "temp", "temporary", "set", "alter system", "maintain"}
)


@dataclass(frozen=True, slots=True)
class _Securable:
    catalog: str
    schema: str | None = None
    table: str | None = None


def change_privileges(state: ControlState, statement: a.GrantPrivileges, by: Administration) -> ControlState:
    """GRANT or REVOKE privileges.

    Raises:
        StatementError: 42704, 42P01, 3F000, 3D000; 0LP01 for a privilege that the securable does not have, or
            for a REVOKE that would change nothing because a wider grant still gives the privilege.
        FeatureNotSupported: GRANT to PUBLIC of anything but CONNECT.
    """
    state = _with_public(state, statement, by)
    grantees = _grantees(state, statement, by)
    wanted = [
        Grant(grantee, privilege, securable.catalog, securable.schema, securable.table, columns)
        for securable in _securables(state, statement, by)
        for privilege, columns in _privileges(statement, securable, by)
        for grantee in grantees
    ]
    if not statement.is_revoke:
        if statement.kind is a.SecurableKind.FUTURE_TABLES and wanted:
            by.tell("the privileges hold on the schema's existing tables, too")
        return changes.add_grants(state, wanted)
    if statement.kind in (a.SecurableKind.TABLES_IN_SCHEMA, a.SecurableKind.FUNCTIONS_IN_SCHEMA):
        wanted += list(_on_single_tables(state, wanted))
    after = changes.revoke_grants(state, wanted)
    if statement.kind in (a.SecurableKind.TABLE, a.SecurableKind.TABLES_IN_SCHEMA, a.SecurableKind.FUNCTION):
        _check_effect(after, wanted)
    return after


def _grantees(state: ControlState, statement: a.GrantPrivileges, by: Administration) -> Sequence[str]:
    found = []
    for name in by.roles(statement.grantees):
        if name != PUBLIC:
            found.append(changes.principal_named(state, name).name)
        elif not statement.is_revoke and statement.kind is not a.SecurableKind.DATABASE:
            raise FeatureNotSupported(
                "privileges for PUBLIC are not supported", hint="Make a group of those who are meant."
            )
    return found


def _with_public(state: ControlState, statement: a.GrantPrivileges, by: Administration) -> ControlState:
    """Open databases to everybody, or close them: CONNECT is all that PUBLIC can hold."""
    if statement.kind is not a.SecurableKind.DATABASE or PUBLIC not in by.roles(statement.grantees):
        return state
    named = frozenset(
        securable.catalog
        for securable in _securables(state, statement, by)
        for privilege, _ in _privileges(statement, securable, by)
        if privilege is Privilege.CONNECT
    )
    closed = state.closed_databases
    return replace(state, closed_databases=closed | named if statement.is_revoke else closed - named)


def _securables(
    state: ControlState, statement: a.GrantPrivileges, by: Administration
) -> Iterator[_Securable]:
    for parts in statement.names:
        match statement.kind:
            case a.SecurableKind.TABLE:
                yield _Securable(*by.names.table(parts))
            case a.SecurableKind.SEQUENCE:
                yield _Securable(*by.names.sequence(parts))
            case a.SecurableKind.FUNCTION:
                yield _Securable(*function_named(state, parts, by))
            case a.SecurableKind.DATABASE:
                yield _Securable(by.names.database(parts[0]))
            case a.SecurableKind.TABLES_IN_SCHEMA if not statement.is_revoke:
                for table in by.names.tables_in(*by.names.schema(parts)):
                    yield _Securable(*table)
            case _:
                yield _Securable(*by.names.schema(parts))


def _privileges(
    statement: a.GrantPrivileges, securable: _Securable, by: Administration
) -> Iterator[tuple[Privilege, frozenset[str] | None]]:
    for item in statement.privileges:
        columns = None
        if item.columns:
            columns = frozenset(_columns(item, securable, by))
        for privilege in _named(item, statement.kind, has_columns=columns is not None):
            yield privilege, columns


def _columns(item: a.PrivilegeItem, securable: _Securable, by: Administration) -> Iterator[str]:
    if securable.schema is None or securable.table is None:
        raise StatementError(
            "column privileges are only valid for relations", sqlstate=SqlState.INVALID_GRANT_OPERATION
        )
    table = by.names.table((securable.catalog, securable.schema, securable.table))
    for name in item.columns:
        yield by.names.column(table, name)


def _named(item: a.PrivilegeItem, kind: a.SecurableKind, *, has_columns: bool) -> Sequence[Privilege]:
    if item.name is None:
        return _ON_COLUMNS if has_columns else _ALLOWED[kind]
    if item.name in _KNOWN_ELSEWHERE:
        raise FeatureNotSupported(f"privilege {item.name.upper()} is not supported")
    try:
        privilege = Privilege(item.name.upper())
    except ValueError:
        raise StatementError(f'unrecognized privilege type "{item.name}"', position=item.position) from None
    if kind is a.SecurableKind.SEQUENCE and privilege in (Privilege.SELECT, Privilege.UPDATE):
        raise FeatureNotSupported(
            f"privilege {privilege.value} on sequences is not supported", hint="USAGE allows nextval()."
        )
    if privilege not in (_ON_COLUMNS if has_columns else _ALLOWED[kind]):
        on = "column" if has_columns else kind.value.split()[0].replace("future", "table").rstrip("s")
        raise StatementError(
            f"invalid privilege type {privilege.value} for {on}",
            sqlstate=SqlState.INVALID_GRANT_OPERATION,
        )
    return (privilege,)


def _on_single_tables(state: ControlState, of_schemas: Sequence[Grant]) -> Iterator[Grant]:
    """What REVOKE ON ALL TABLES takes besides the schema's own grant: those on each of its tables."""
    revoked = {(g.principal, g.privilege, g.catalog, g.schema) for g in of_schemas}
    for grant in state.grants:
        key = (grant.principal, grant.privilege, grant.catalog, grant.schema)
        if grant.table is not None and key in revoked:
            yield replace(grant, columns=None)


def _check_effect(after: ControlState, revoked: Sequence[Grant]) -> None:
    """Refuse a REVOKE that leaves the privilege in force through a grant on the schema or the database."""
    wider = {(g.principal, g.privilege, g.catalog, g.schema) for g in after.grants if g.table is None}
    for gone in revoked:
        for schema in (gone.schema, None):
            if (gone.principal, gone.privilege, gone.catalog, schema) in wider:
                what = "its whole database" if schema is None else f'all tables of schema "{schema}"'
                raise StatementError(
                    f'role "{gone.principal}" holds {gone.privilege.value} on {what}: '
                    "revoking it on less changes nothing",
                    sqlstate=SqlState.INVALID_GRANT_OPERATION,
                    hint="Revoke it ON ALL TABLES IN SCHEMA and grant it on the other tables.",
                )
