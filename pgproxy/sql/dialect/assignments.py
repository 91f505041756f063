"""Values that are stored: their number and their types, by the columns that take them.

PostgreSQL docs, "INSERT", "UPDATE" and "Type Conversion", Value Storage.
"""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from pgproxy.sql.dialect.checks import category, check_constant
from pgproxy.sql.dialect.places import start_of
from pgproxy.sql.dialect.type_names import sql_name, type_of_engine_type
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState


def check_assignments(node: exp.Expr, types: KnownTypes) -> None:
    """Check a statement that is an INSERT or UPDATE.

    Raises:
        StatementError: 42601, 42701, 42804, 22P02 or 22007.
    """
    if not isinstance(node, (exp.Insert, exp.Update)):
        return
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    kinds = types.source.column_types(target) if types.source and isinstance(target, exp.Table) else None
    if not kinds:
        return
    if isinstance(node, exp.Update):
        for item in node.expressions:
            if isinstance(item, exp.EQ) and isinstance(item.this, exp.Column):
                _check_value(item.this.name, item.expression, kinds, types)
    elif not node.args.get("by_name") and node.expression is not None:
        named = node.this.expressions if isinstance(node.this, exp.Schema) else ()
        _check_insert(node.expression, list(named), kinds, types)


def _check_insert(
    source: exp.Expr, named: Sequence[exp.Expr], kinds: Mapping[str, str], types: KnownTypes
) -> None:
    columns = [column.name for column in named] or list(kinds)
    for at, one in enumerate(named):
        if one.name in columns[:at]:
            raise StatementError(
                f'column "{one.name}" specified more than once',
                sqlstate=SqlState.DUPLICATE_COLUMN,
                position=start_of(one),
            )
    for row in _rows(source):
        if len(row) > len(columns):
            place = start_of(row[len(columns)])
            raise StatementError("INSERT has more expressions than target columns", position=place)
        if named and len(row) < len(named):
            place = start_of(named[len(row)])
            raise StatementError("INSERT has more target columns than expressions", position=place)
        for column, value in zip(columns, row, strict=False):
            _check_value(column, value, kinds, types)


def _rows(source: exp.Expr) -> list[list[exp.Expr]]:
    """The rows of VALUES, or the one list of a SELECT; none where a star hides their number."""
    source = source.unnest() if isinstance(source, exp.Subquery) else source
    if isinstance(source, exp.Values):
        return [row.expressions if isinstance(row, exp.Tuple) else [row] for row in source.expressions]
    if not isinstance(source, exp.Select) or any(item.is_star for item in source.expressions):
        return []
    return [[item.unalias() for item in source.expressions]]


def _check_value(column: str, value: exp.Expr, kinds: Mapping[str, str], types: KnownTypes) -> None:
    """Everything may be stored as text; else it must be of the column's kind."""
    held = kinds.get(column.lower())
    if held is None:
        return  # an error of its own
    wanted = type_of_engine_type(held)
    given = types.of(value)
    one, other = category(given), category(wanted)
    if one and other and one != other and other not in ("text", "interval", "time"):
        raise StatementError(
            f'column "{column}" is of type {sql_name(wanted or "")} '
            f"but expression is of type {sql_name(given or '')}",
            sqlstate=SqlState.DATATYPE_MISMATCH,
            position=start_of(value),
            hint="You will need to rewrite or cast the expression.",
        )
    check_constant(value, wanted)
