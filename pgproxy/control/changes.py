"""Every change of the control plane as a pure function from one `ControlState` to the next.

Each refuses with PostgreSQL's SQLSTATE for the same mistake; what would break a reference is refused by
`pgproxy.control.integrity` afterwards.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from pgproxy.control.api_keys import ApiKey
from pgproxy.control.fleet import Assignment, Endpoint, EndpointState
from pgproxy.control.state import ControlState, merge_grants
from pgproxy.policy.model import ColumnMask, Grant, Principal, PrincipalKind, RowFilter, TableName
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def create_principal(state: ControlState, principal: Principal, verifier: str | None = None) -> ControlState:
    """Add a user or group. Raises: 42710 when the name is taken."""
    if principal.name in state.principals:
        raise _duplicate(f'role "{principal.name}" already exists')
    verifiers = state.verifiers if verifier is None else _with(state.verifiers, principal.name, verifier)
    return replace(state, principals=_with(state.principals, principal.name, principal), verifiers=verifiers)


def alter_principal(state: ControlState, principal: Principal) -> ControlState:
    """Replace a principal's definition. Raises: 42704 unknown; 42809 a user for a group or the reverse."""
    known = principal_named(state, principal.name)
    if known.kind is not principal.kind:
        raise _wrong_kind(principal.name, principal.kind)
    return replace(state, principals=_with(state.principals, principal.name, principal))


def set_verifier(state: ControlState, user: str, verifier: str | None) -> ControlState:
    """Give a user another SCRAM verifier; None: no password, so no login. Raises: 42704, 42809."""
    user_named(state, user)
    verifiers = _without(state.verifiers, user)
    return replace(state, verifiers=verifiers if verifier is None else _with(verifiers, user, verifier))


def drop_principal(state: ControlState, name: str) -> ControlState:
    """Remove a principal with its memberships and API keys.

    Raises: 42704; 2BP01 while grants, filters, … name it.
    """
    principal_named(state, name)
    dependent = _what_names(state, name)
    if dependent:
        raise StatementError(
            f'role "{name}" cannot be dropped because some objects depend on it',
            sqlstate=SqlState.DEPENDENT_OBJECTS_STILL_EXIST,
            detail=f"It is named by: {', '.join(dependent)}.",
        )
    rest = {
        other.name: replace(other, member_of=other.member_of - {name})
        for other in state.principals.values()
        if other.name != name
    }
    api_keys = {key_id: key for key_id, key in state.api_keys.items() if key.principal != name}
    return replace(state, principals=rest, verifiers=_without(state.verifiers, name), api_keys=api_keys)


def add_member(state: ControlState, group: str, member: str) -> ControlState:
    """Put a principal into a group; in it already: no change. Raises: 42704, 42809."""
    group_named(state, group)
    known = principal_named(state, member)
    return alter_principal(state, replace(known, member_of=known.member_of | {group}))


def remove_member(state: ControlState, group: str, member: str) -> ControlState:
    """Take a principal out of a group; not in it: no change. Raises: 42704, 42809."""
    group_named(state, group)
    known = principal_named(state, member)
    return alter_principal(state, replace(known, member_of=known.member_of - {group}))


def add_grants(state: ControlState, grants: Iterable[Grant]) -> ControlState:
    """Give privileges; held already: no change."""
    return replace(state, grants=merge_grants((*state.grants, *grants)))


def revoke_grants(state: ControlState, revoked: Iterable[Grant]) -> ControlState:
    """Take privileges away, exactly on the named securable; not held: no change.

    Revoking for all columns takes the single columns' privilege too, as in PostgreSQL.
    """
    remaining = state.grants
    for gone in revoked:
        remaining = frozenset(
            rest for grant in remaining if (rest := _without_grant(grant, gone)) is not None
        )
    return replace(state, grants=remaining)


def _without_grant(grant: Grant, gone: Grant) -> Grant | None:
    if replace(grant, columns=None) != replace(gone, columns=None):
        return grant
    if gone.columns is None:
        return None
    if grant.columns is None:
        return grant
    columns = grant.columns - gone.columns
    return replace(grant, columns=columns) if columns else None


def create_row_filter(state: ControlState, row_filter: RowFilter) -> ControlState:
    """Add a row filter. Raises: 42710 when the table has one of that name."""
    key = (row_filter.table, row_filter.name)
    if key in state.row_filters:
        raise _duplicate(f'policy "{row_filter.name}" for table "{row_filter.table.name}" already exists')
    return replace(state, row_filters=_with(state.row_filters, key, row_filter))


def alter_row_filter(state: ControlState, row_filter: RowFilter) -> ControlState:
    """Replace a row filter. Raises: 42704."""
    key = (row_filter.table, row_filter.name)
    return replace(drop_row_filter(state, *key), row_filters=_with(state.row_filters, key, row_filter))


def drop_row_filter(state: ControlState, table: TableName, name: str) -> ControlState:
    """Remove a row filter. Raises: 42704."""
    if (table, name) not in state.row_filters:
        raise undefined(f'policy "{name}" for table "{table.name}" does not exist')
    return replace(state, row_filters=_without(state.row_filters, (table, name)))


def create_column_mask(state: ControlState, mask: ColumnMask) -> ControlState:
    """Add a column mask. Raises: 42710 when the table has one of that name."""
    key = (mask.table, mask.name)
    if key in state.column_masks:
        raise _duplicate(f'column mask "{mask.name}" for table "{mask.table.name}" already exists')
    return replace(state, column_masks=_with(state.column_masks, key, mask))


def alter_column_mask(state: ControlState, mask: ColumnMask) -> ControlState:
    """Replace a column mask. Raises: 42704."""
    key = (mask.table, mask.name)
    return replace(drop_column_mask(state, *key), column_masks=_with(state.column_masks, key, mask))


def drop_column_mask(state: ControlState, table: TableName, name: str) -> ControlState:
    """Remove a column mask. Raises: 42704."""
    if (table, name) not in state.column_masks:
        raise undefined(f'column mask "{name}" for table "{table.name}" does not exist')
    return replace(state, column_masks=_without(state.column_masks, (table, name)))


def add_endpoint(state: ControlState, endpoint: Endpoint) -> ControlState:
    """Add an endpoint, or revive a retired one under its name. Raises: 42710."""
    known = state.endpoints.get(endpoint.name)
    if known is not None and known.state is not EndpointState.RETIRED:
        raise _duplicate(f'endpoint "{endpoint.name}" already exists')
    return replace(state, endpoints=_with(state.endpoints, endpoint.name, endpoint))


def alter_endpoint(state: ControlState, endpoint: Endpoint) -> ControlState:
    """Replace an endpoint's definition: another URL, a rotated token. Raises: 42704."""
    endpoint_named(state, endpoint.name)
    return replace(state, endpoints=_with(state.endpoints, endpoint.name, endpoint))


def assign(state: ControlState, assignment: Assignment) -> ControlState:
    """Bind a principal to an endpoint or pool; bound already: the rest changes. Raises: 42704."""
    principal_named(state, assignment.principal)
    key = (assignment.principal, assignment.endpoint)
    return replace(state, assignments=_with(state.assignments, key, assignment))


def unassign(state: ControlState, principal: str, endpoint: str) -> ControlState:
    """Undo `assign`. Raises: 42704."""
    if (principal, endpoint) not in state.assignments:
        raise undefined(f'"{principal}" is not assigned to endpoint "{endpoint}"')
    return replace(state, assignments=_without(state.assignments, (principal, endpoint)))


def add_api_key(state: ControlState, key: ApiKey) -> ControlState:
    """Give a user an API key. Raises: 42704, 42809."""
    user_named(state, key.principal)
    return replace(state, api_keys=_with(state.api_keys, key.key_id, key))


def drop_api_key(state: ControlState, key_id: str) -> ControlState:
    """Revoke an API key. Raises: 42704."""
    if key_id not in state.api_keys:
        raise undefined("there is no such API key")
    return replace(state, api_keys=_without(state.api_keys, key_id))


def principal_named(state: ControlState, name: str) -> Principal:
    """Look up a principal. Raises: 42704."""
    known = state.principals.get(name)
    if known is None:
        raise undefined(f'role "{name}" does not exist')
    return known


def user_named(state: ControlState, name: str) -> Principal:
    """Look up a user. Raises: 42704; 42809 when it is a group."""
    return _of_kind(principal_named(state, name), PrincipalKind.USER)


def group_named(state: ControlState, name: str) -> Principal:
    """Look up a group. Raises: 42704; 42809 when it is a user."""
    return _of_kind(principal_named(state, name), PrincipalKind.GROUP)


def endpoint_named(state: ControlState, name: str) -> Endpoint:
    """Look up an endpoint. Raises: 42704."""
    known = state.endpoints.get(name)
    if known is None:
        raise undefined(f'endpoint "{name}" does not exist')
    return known


def undefined(message: str) -> StatementError:
    """42704, undefined object."""
    return StatementError(message, sqlstate=SqlState.UNDEFINED_OBJECT)


def _duplicate(message: str) -> StatementError:
    return StatementError(message, sqlstate=SqlState.DUPLICATE_OBJECT)


def _of_kind(principal: Principal, kind: PrincipalKind) -> Principal:
    if principal.kind is not kind:
        raise _wrong_kind(principal.name, kind)
    return principal


def _wrong_kind(name: str, wanted: PrincipalKind) -> StatementError:
    return StatementError(f'role "{name}" is not a {wanted.value}', sqlstate=SqlState.WRONG_OBJECT_TYPE)


def _what_names(state: ControlState, name: str) -> list[str]:
    counts = {
        "grants": sum(grant.principal == name for grant in state.grants),
        "row filters": sum(name in f.principals for f in state.row_filters.values()),
        "column masks": sum(name in m.principals | m.exempt for m in state.column_masks.values()),
        "assignments": sum(a.principal == name for a in state.assignments.values()),
    }
    return [f"{count} {what}" for what, count in counts.items() if count]


def _with(mapping: Mapping[_Key, _Value], key: _Key, value: _Value) -> Mapping[_Key, _Value]:
    return {**mapping, key: value}


def _without(mapping: Mapping[_Key, _Value], key: _Key) -> Mapping[_Key, _Value]:
    return {other: value for other, value in mapping.items() if other != key}
