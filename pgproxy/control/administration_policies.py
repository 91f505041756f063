"""What CREATE POLICY, CREATE MASK, SECURITY LABEL and row level security mean for the state.

PostgreSQL docs, "CREATE POLICY" and "Row Security Policies". A policy holds as soon as it exists; ENABLE ROW
LEVEL SECURITY besides lets a table deny everything while it has no policy.
"""

from dataclasses import replace

from pgproxy.control import changes
from pgproxy.control.administration import Administration
from pgproxy.control.mask_library import expand_masks
from pgproxy.control.state import ControlState, TagMask
from pgproxy.policy.model import ColumnMask, PolicyCommand, RowFilter, TableName
from pgproxy.sql.utility import admin_statements as a
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState


def create_policy(state: ControlState, statement: a.CreatePolicy, by: Administration) -> ControlState:
    """CREATE POLICY; without USING a permissive one shows nothing, a restrictive one hides nothing.

    Raises:
        StatementError: 42710, 42704, 42P01; 42703 and the like for the expressions.
    """
    table = by.names.table(statement.table)
    _check_clauses(statement.command, statement.using, statement.check)
    using = statement.using or ("true" if statement.is_restrictive else "false")
    row_filter = RowFilter(
        statement.name,
        table,
        using,
        _known(state, statement.roles, by),
        statement.is_restrictive,
        statement.check,
        statement.command,
    )
    return changes.create_row_filter(state, row_filter)


def alter_policy(state: ControlState, statement: a.AlterPolicy, by: Administration) -> ControlState:
    """ALTER POLICY. Raises: 42704; 42710 for a new name that is taken."""
    table = by.names.table(statement.table, must_exist=False)
    known = _policy(state, table, statement.name)
    if statement.new_name is not None:
        state = changes.drop_row_filter(state, table, statement.name)
        return changes.create_row_filter(state, replace(known, name=statement.new_name))
    if statement.roles is not None:
        known = replace(known, principals=_known(state, statement.roles, by))
    _check_clauses(known.command, statement.using, statement.check)
    if statement.using is not None:
        known = replace(known, using=statement.using)
    if statement.check is not None:
        known = replace(known, check=statement.check)
    return changes.alter_row_filter(state, known)


def drop_policy(state: ControlState, statement: a.DropPolicy, by: Administration) -> ControlState:
    """DROP POLICY. Raises: 42704."""
    table = by.names.table(statement.table, must_exist=False)
    if statement.if_exists and (table, statement.name) not in state.row_filters:
        by.tell(f'policy "{statement.name}" for relation "{table.name}" does not exist, skipping')
        return state
    return changes.drop_row_filter(state, table, statement.name)


def set_row_security(state: ControlState, statement: a.SetRowSecurity, by: Administration) -> ControlState:
    """ENABLE, DISABLE, FORCE. Raises: 42P01; 55000 to disable it while policies hold."""
    table = by.names.table(statement.table)
    if statement.enable is None:  # nobody owns a table here, so nobody but administrators escapes anyway
        return state
    if statement.enable:
        return replace(state, row_security=state.row_security | {table})
    if any(bound == table for bound, _ in state.row_filters):
        raise StatementError(
            f'table "{table.name}" has policies, which hold as long as they exist',
            sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
            hint="Drop its policies first.",
        )
    return replace(state, row_security=state.row_security - {table})


def create_mask(state: ControlState, statement: a.CreateMask, by: Administration) -> ControlState:
    """CREATE MASK. Raises: 42710, 42704, 42P01, 42703; 42883 for an unknown `mask.` function."""
    expression = expand_masks(statement.using)
    principals = _known(state, statement.roles, by)
    exempt = _known(state, statement.exempt, by)
    if statement.tag is not None:
        key = (statement.tag, statement.name)
        if key in state.tag_masks and not statement.replace:
            raise _duplicate_mask(statement.name, f'tag "{statement.tag}"')
        tag_mask = TagMask(
            statement.name, statement.tag, expression, principals, exempt, statement.strictness
        )
        return replace(state, tag_masks={**state.tag_masks, key: tag_mask})
    table = by.names.table(statement.table or ())
    column = by.names.column(table, statement.column)
    mask = ColumnMask(statement.name, table, column, expression, principals, exempt, statement.strictness)
    if statement.replace and (table, statement.name) in state.column_masks:
        return changes.alter_column_mask(state, mask)
    return changes.create_column_mask(state, mask)


def drop_mask(state: ControlState, statement: a.DropMask, by: Administration) -> ControlState:
    """DROP MASK. Raises: 42704."""
    if statement.tag is not None:
        key = (statement.tag, statement.name)
        if key in state.tag_masks:
            return replace(state, tag_masks={k: v for k, v in state.tag_masks.items() if k != key})
        where = f'tag "{statement.tag}"'
    else:
        table = by.names.table(statement.table or (), must_exist=False)
        if (table, statement.name) in state.column_masks:
            return changes.drop_column_mask(state, table, statement.name)
        where = f'table "{table.name}"'
    message = f'mask "{statement.name}" for {where} does not exist'
    if not statement.if_exists:
        raise changes.undefined(message)
    by.tell(f"{message}, skipping")
    return state


def label_column(state: ControlState, statement: a.SecurityLabel, by: Administration) -> ControlState:
    """SECURITY LABEL ON COLUMN: the column's tags, all of them. Raises: 42P01, 42703."""
    *relation, name = statement.column
    table = by.names.table(tuple(relation))
    key = (table, by.names.column(table, name))
    tags = {other: held for other, held in state.column_tags.items() if other != key}
    return replace(state, column_tags={**tags, key: frozenset(statement.tags)} if statement.tags else tags)


def _check_clauses(command: PolicyCommand, using: str | None, check: str | None) -> None:
    """Which expressions a command has. PostgreSQL docs, "CREATE POLICY", the parameters."""
    if using is not None and command is PolicyCommand.INSERT:
        raise StatementError("only WITH CHECK expression allowed for INSERT")
    if check is not None and command in (PolicyCommand.SELECT, PolicyCommand.DELETE):
        raise StatementError("WITH CHECK cannot be applied to SELECT or DELETE")


def _policy(state: ControlState, table: TableName, name: str) -> RowFilter:
    known = state.row_filters.get((table, name))
    if known is None:
        raise changes.undefined(f'policy "{name}" for table "{table.name}" does not exist')
    return known


def _known(state: ControlState, names: tuple[str, ...], by: Administration) -> frozenset[str]:
    return frozenset(changes.principal_named(state, name).name for name in by.roles(names))


def _duplicate_mask(name: str, where: str) -> StatementError:
    return StatementError(f'mask "{name}" for {where} already exists', sqlstate=SqlState.DUPLICATE_OBJECT)
