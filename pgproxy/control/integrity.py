"""What must hold of every state of the control plane, whoever made the change. Pure."""

import re
from collections.abc import Iterable, Iterator

from pgproxy.control.changes import undefined
from pgproxy.control.duties import check_no_data, holds_admin
from pgproxy.control.expressions import ExpressionValidator, check_expression
from pgproxy.control.fleet_changes import check_fleet
from pgproxy.control.state import ControlState, TagMask
from pgproxy.policy.effective import transitive_groups
from pgproxy.policy.model import ColumnMask, Grant, Principal, PrincipalKind, Privilege
from pgproxy.sql.stored_functions import check_function
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

MAX_NAME_BYTES = 63
"""PostgreSQL's NAMEDATALEN - 1."""

_RESERVED = frozenset({"public", "none", "current_user", "session_user", "current_role", "user"})
_ATTRIBUTE_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_TAG = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*", re.ASCII)
_TABLE_PRIVILEGES = frozenset(
    {Privilege.SELECT, Privilege.INSERT, Privilege.UPDATE, Privilege.DELETE, Privilege.TRUNCATE}
)
_OBJECT_PRIVILEGES = _TABLE_PRIVILEGES | {Privilege.EXECUTE, Privilege.USAGE}
"""The last two are on functions and on sequences."""
_COLUMN_PRIVILEGES = frozenset({Privilege.SELECT, Privilege.INSERT, Privilege.UPDATE})


def check_integrity(before: ControlState, after: ControlState, validate: ExpressionValidator) -> None:
    """Refuse a state that dangles, loops, locks the administrators out or holds SQL that does not bind.

    Only what changed is checked where a check is dear. validate: see `pgproxy.control.expressions`.

    Raises:
        GatewayError: with the SQLSTATE that PostgreSQL has for the mistake.
    """
    for principal in after.principals.values():
        if before.principals.get(principal.name) != principal:
            _check_principal(after, principal)
    _check_names_exist(after)
    check_no_data(after)
    for grant in after.grants - before.grants:
        check_grant(grant)
    for name, function in after.functions.items():
        if before.functions.get(name) != function:
            check_function(function)
    check_fleet(before, after)
    _check_expressions(before, after, validate)
    _check_tags(before, after, validate)
    if _can_administer(before) and not _can_administer(after):
        raise StatementError(
            "at least one administrator who can log in must remain", sqlstate=SqlState.OBJECT_IN_USE
        )


def _can_administer(state: ControlState) -> bool:
    return any(holds_admin(state, name) for name in state.verifiers)


def _check_principal(state: ControlState, principal: Principal) -> None:
    name = principal.name
    if not name or "\0" in name or len(name.encode()) > MAX_NAME_BYTES:
        raise StatementError(f"a role name has 1 to {MAX_NAME_BYTES} bytes", sqlstate=SqlState.INVALID_NAME)
    if name.startswith("pg_") or name in _RESERVED:
        raise StatementError(f'role name "{name}" is reserved', sqlstate=SqlState.RESERVED_NAME)
    for group in principal.member_of:
        known = state.principals.get(group)
        if known is None:
            raise undefined(f'role "{group}" does not exist')
        if known.kind is not PrincipalKind.GROUP:
            raise StatementError(f'role "{group}" is not a group', sqlstate=SqlState.WRONG_OBJECT_TYPE)
    if name in transitive_groups(state.principals, principal):
        raise StatementError(
            f'role "{name}" would be a member of itself', sqlstate=SqlState.INVALID_GRANT_OPERATION
        )
    for attribute in principal.attributes:
        if _ATTRIBUTE_NAME.fullmatch(attribute) is None:
            raise StatementError(
                "an attribute's name is made of a-z, 0-9 and _", sqlstate=SqlState.INVALID_NAME
            )


def _check_names_exist(state: ControlState) -> None:
    for name in _named_principals(state):
        if name not in state.principals:
            raise undefined(f'role "{name}" does not exist')
    for name in (*state.verifiers, *(key.principal for key in state.api_keys.values())):
        if state.principals[name].kind is not PrincipalKind.USER:
            raise StatementError(f'role "{name}" is not a user', sqlstate=SqlState.WRONG_OBJECT_TYPE)


def _named_principals(state: ControlState) -> Iterator[str]:
    yield from state.verifiers
    yield from (key.principal for key in state.api_keys.values())
    yield from (grant.principal for grant in state.grants)
    for row_filter in state.row_filters.values():
        yield from row_filter.principals
    for mask in state.column_masks.values():
        yield from mask.principals | mask.exempt
    for tag_mask in state.tag_masks.values():
        yield from tag_mask.principals | tag_mask.exempt
    yield from (assignment.principal for assignment in state.assignments.values())


def check_grant(grant: Grant) -> None:
    """Refuse a privilege that its securable cannot have. Raises: 0LP01, 42602."""
    names: Iterable[str | None] = (grant.catalog, grant.schema, grant.table, *(grant.columns or ()))
    if any(name is not None and (not name or "\0" in name) for name in names):
        raise StatementError("a name in a grant is empty", sqlstate=SqlState.INVALID_NAME)
    is_misplaced = (
        (grant.table is not None and grant.schema is None)
        or (grant.table is not None and grant.privilege not in _OBJECT_PRIVILEGES)
        or (grant.privilege is Privilege.CONNECT and grant.schema is not None)
        or (grant.columns is not None and (grant.table is None or not grant.columns))
        or (grant.columns is not None and grant.privilege not in _COLUMN_PRIVILEGES)
    )
    if is_misplaced:
        raise StatementError(
            f"invalid privilege type {grant.privilege.value} for that securable",
            sqlstate=SqlState.INVALID_GRANT_OPERATION,
        )


def _check_expressions(before: ControlState, after: ControlState, validate: ExpressionValidator) -> None:
    for key, row_filter in after.row_filters.items():
        if before.row_filters.get(key) != row_filter:
            validate(row_filter.table, None, row_filter.using)
            if row_filter.check is not None:
                validate(row_filter.table, None, row_filter.check)
    for key, mask in after.column_masks.items():
        if before.column_masks.get(key) != mask:
            _check_both(mask)
            validate(mask.table, mask.column, mask.expression)


def _check_tags(before: ControlState, after: ControlState, validate: ExpressionValidator) -> None:
    known = set(before.tagged_masks())
    for tagged in after.tagged_masks():
        if tagged not in known:
            validate(tagged.table, tagged.column, tagged.expression)
    for tag_key, tag_mask in after.tag_masks.items():
        if before.tag_masks.get(tag_key) != tag_mask:
            _check_both(tag_mask)
            check_expression(tag_mask.expression, allow_subqueries=True)
    for tags in after.column_tags.values():
        if not all(_TAG.fullmatch(tag) for tag in tags):
            raise StatementError(
                "a tag is made of words of a-z, 0-9 and _ with dots between", sqlstate=SqlState.INVALID_NAME
            )


def _check_both(mask: ColumnMask | TagMask) -> None:
    if mask.principals & mask.exempt:
        raise StatementError(
            f'column mask "{mask.name}" both binds and exempts the same role',
            sqlstate=SqlState.INVALID_OBJECT_DEFINITION,
        )
