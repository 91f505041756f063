"""What CREATE FUNCTION and DROP FUNCTION mean. PostgreSQL docs, under these names."""

from dataclasses import replace

from pgproxy.control.administration import Administration
from pgproxy.control.state import ControlState
from pgproxy.policy.model import Privilege, StoredFunction, TableName
from pgproxy.sql.utility import admin_statements as a
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState


def create_function(state: ControlState, statement: a.CreateFunction, by: Administration) -> ControlState:
    """CREATE FUNCTION; there is one function of a name. Raises: 42723, and what `check_function` raises."""
    name = by.names.functions(statement.name)[0]
    if name in state.functions and not statement.is_replace:
        raise StatementError(
            f'function "{name.name}" already exists with same argument types',
            sqlstate=SqlState.DUPLICATE_FUNCTION,
        )
    function = StoredFunction(
        name,
        statement.parameters,
        statement.returns,
        statement.body,
        statement.is_strict,
        statement.volatility,
    )
    return replace(state, functions={**state.functions, name: function})


def drop_functions(state: ControlState, statement: a.DropFunction, by: Administration) -> ControlState:
    """DROP FUNCTION, with the privileges on it. Raises: 42883."""
    for parts in statement.names:
        name = find_function(state, parts, by)
        if name is None and statement.if_exists:
            by.tell(f"function {parts[-1]}() does not exist, skipping")
            continue
        if name is None:
            raise _undefined(parts)
        grants = frozenset(
            grant
            for grant in state.grants
            if grant.privilege is not Privilege.EXECUTE
            or (grant.catalog, grant.schema, grant.table) != tuple(name)
        )
        functions = {known: function for known, function in state.functions.items() if known != name}
        state = replace(state, functions=functions, grants=grants)
    return state


def function_named(state: ControlState, parts: a.RelationParts, by: Administration) -> TableName:
    """Find a function along the search path. Raises: 42883."""
    name = find_function(state, parts, by)
    if name is None:
        raise _undefined(parts)
    return name


def find_function(state: ControlState, parts: a.RelationParts, by: Administration) -> TableName | None:
    """Find a function along the search path."""
    return next((name for name in by.names.functions(parts) if name in state.functions), None)


def _undefined(parts: a.RelationParts) -> StatementError:
    return StatementError(
        f'could not find a function named "{parts[-1]}"', sqlstate=SqlState.UNDEFINED_FUNCTION
    )
