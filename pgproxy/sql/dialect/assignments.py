"""Values that are stored: their number and their types, by the columns that take them.

PostgreSQL docs, "INSERT", "UPDATE" and "Type Conversion", Value Storage.
"""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from pgproxy.sql.dialect.build import constant_text
from pgproxy.sql.dialect.checks import category, check_constant
from pgproxy.sql.dialect.constants import give_type
from pgproxy.sql.dialect.places import start_of
from pgproxy.sql.dialect.type_names import sql_name, type_of_data_type, type_of_engine_type
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_READ_BY_INPUT = frozenset(
    {"bool", "bytea", "date", "time", "timestamp", "timestamptz", "interval", "uuid", "json", "jsonb", "bit"}
)
"""A string constant that is stored in one of these is read as PostgreSQL's input function reads it."""


def read_stored_constants(node: exp.Expr, types: KnownTypes) -> bool:
    """Give string constants that an INSERT, UPDATE or DEFAULT stores the type of their column, in place.

    The engine would cast their text by its own rules: of arrays and bytea they are others. Gives whether the
    statement may hold such.
    """
    if isinstance(node, exp.Create):
        for column in node.find_all(exp.ColumnDef):
            _read_default(column)
        return True
    kinds = _column_kinds(node, types)
    if not kinds:
        return False
    if isinstance(node, exp.Update):
        for item in node.expressions:
            if isinstance(item, exp.EQ) and isinstance(item.this, exp.Column):
                _read_constant(item.expression, _kind_of(item.this.name, kinds))
    elif not node.args.get("by_name") and node.expression is not None:
        named = node.this.expressions if isinstance(node.this, exp.Schema) else ()
        columns = [column.name for column in named] or list(kinds)
        for row in _rows(node.expression):
            for column, value in zip(columns, row, strict=False):
                _read_constant(value, _kind_of(column, kinds))
    return True


def _kind_of(column: str, kinds: Mapping[str, str]) -> str | None:
    held = kinds.get(column.lower())
    return type_of_engine_type(held) if held is not None else None


def _read_default(column: exp.ColumnDef) -> None:
    kind = column.args.get("kind")
    wanted = type_of_data_type(kind) if isinstance(kind, exp.DataType) else None
    for constraint in column.args.get("constraints") or ():
        if isinstance(constraint.args.get("kind"), exp.DefaultColumnConstraint):
            _read_constant(constraint.args["kind"].this, wanted)


def _read_constant(value: exp.Expr, wanted: str | None) -> None:
    if wanted is None or not (wanted.endswith("[]") or wanted in _READ_BY_INPUT):
        return
    if constant_text(value) is not None:
        give_type(value, wanted)


def _column_kinds(node: exp.Expr, types: KnownTypes) -> Mapping[str, str] | None:
    """The engine's types of the columns of the relation that a statement writes."""
    if not isinstance(node, (exp.Insert, exp.Update)):
        return None
    target = node.this.this if isinstance(node.this, exp.Schema) else node.this
    return types.source.column_types(target) if types.source and isinstance(target, exp.Table) else None


def check_assignments(node: exp.Expr, types: KnownTypes) -> None:
    """Check a statement that is an INSERT or UPDATE.

    Raises:
        StatementError: 42601, 42701, 42804, 22P02 or 22007.
    """
    kinds = _column_kinds(node, types)
    if not kinds:
        return
    if isinstance(node, exp.Update):
        _check_columns_once(node)
        for item in node.expressions:
            if isinstance(item, exp.EQ) and isinstance(item.this, exp.Column):
                _check_value(item.this.name, item.expression, kinds, types)
    elif not node.args.get("by_name") and node.expression is not None:
        named = node.this.expressions if isinstance(node.this, exp.Schema) else ()
        _check_insert(node.expression, list(named), kinds, types)


def _check_columns_once(node: exp.Update) -> None:
    seen: set[str] = set()
    for item in node.expressions:
        if not isinstance(item, exp.EQ):
            continue
        if isinstance(item.this, exp.Bracket):
            raise FeatureNotSupported(
                "assigning to an element of an array is not supported", position=start_of(item)
            )
        name = item.this.name
        if name in seen:
            raise StatementError(f'multiple assignments to same column "{name}"')
        seen.add(name)


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
