"""Columns of types that the engine does not have: kept where they are defined, held where they are written.

PostgreSQL docs, "Character Types": a value that is too long is an error, unless blanks are all that is too
much. The engine's column is text, so the length is checked by the statement that writes.
"""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from pgproxy.catalog.declared_types import is_padded, length_limit
from pgproxy.catalog.snapshot import ColumnInfo, TableInfo
from pgproxy.sql.comments import type_statement
from pgproxy.sql.dialect.build import call, case, cast, constant_integer, number, raise_error, string
from pgproxy.sql.dialect.names import output_names
from pgproxy.sql.dialect.result_types import MADE_TYPES_KEY
from pgproxy.sql.dialect.type_names import sql_name
from pgproxy.sql.draft import quoted
from pgproxy.sql.identities import is_default
from pgwire.errors import FeatureNotSupported

GIVEN = "pgproxy_given"
_ONCE = "pgproxy_once"
_PLAIN = (exp.Literal, exp.Column, exp.Parameter)

_NAMES = {
    exp.DType.VARCHAR: "varchar",
    exp.DType.CHAR: "bpchar",
    exp.DType.BPCHAR: "bpchar",
    exp.DType.JSONB: "jsonb",
}


def declared_type(kind: exp.Expr | None) -> str | None:
    """A type of a definition as it is kept; None where the engine has it, and of arrays."""
    name = _NAMES.get(kind.this) if isinstance(kind, exp.DataType) else None
    if kind is None or name is None or name == "jsonb":
        return name
    sizes = [constant_integer(size.this) for size in kind.expressions]
    if not sizes:
        return "bpchar(1)" if kind.this is exp.DType.CHAR else name
    return f"{name}({sizes[0]})" if sizes[0] is not None else name


def creation_types(tree: exp.Create, name: tuple[str, str, str]) -> tuple[exp.Expr, ...]:
    """What keeps the declared types of a new table. name: the engine's."""
    columns = tree.this.expressions if isinstance(tree.this, exp.Schema) else ()
    found = [(c.name, declared_type(c.args.get("kind"))) for c in columns if isinstance(c, exp.ColumnDef)]
    made = tree.meta.get(MADE_TYPES_KEY) or ()
    if made and isinstance(tree.expression, exp.Query):
        given = [item.name for item in columns if isinstance(item, exp.Identifier)]
        names = output_names(tree.expression) or ()
        found = list(zip([*given, *names[len(given) :]], made, strict=False))
    return tuple(type_statement(name, column, declared, None) for column, declared in found if declared)


def alteration_types(
    table: TableInfo, actions: Sequence[exp.Expr], name: tuple[str, str, str]
) -> tuple[exp.Expr, ...]:
    """What keeps the types of columns that ALTER TABLE adds, or gives another type."""
    known = {column.name.lower(): column for column in table.columns}
    statements: list[exp.Expr] = []
    for action in actions:
        if isinstance(action, exp.ColumnDef):
            declared = declared_type(action.args.get("kind"))
            if declared is not None:
                statements.append(type_statement(name, action.name, declared, None))
        elif isinstance(action, exp.AlterColumn) and action.args.get("dtype") is not None:
            column = known[action.this.name.lower()]
            declared = declared_type(action.args["dtype"])
            if declared is not None or column.declared is not None:
                statements.append(type_statement(name, column.name, declared, column.comment))
    return tuple(statements)


def fit(value: exp.Expr, declared: str) -> exp.Expr | None:
    """A value as a column of this type stores it; None: as it is. Raises, in the engine, 22001."""
    limit = length_limit(declared)
    if limit is None:
        return None
    text = cast(value, "VARCHAR")
    size = exp.Literal.number(limit)
    message = f"value too long for type {sql_name(declared.partition('(')[0])}({limit})"
    fits = exp.LTE(this=call("length", _rtrim(text.copy())), expression=size.copy())
    if is_padded(declared):
        return case((fits, _rtrim(text)), default=raise_error("22001", message))
    is_short = exp.LTE(this=call("length", text.copy()), expression=size.copy())
    cut = call("left", text.copy(), size)
    return case((is_short, text), (fits, cut), default=raise_error("22001", message))


def _rtrim(text: exp.Expr) -> exp.Expr:
    return call("rtrim", text, string(" "))


def fit_written(tree: exp.Expr, table: TableInfo, written: Sequence[str]) -> None:
    """Let an INSERT or UPDATE store what fits into its columns, in place. written: of an INSERT, in order."""
    limited = {c.name.lower(): c for c in table.columns if length_limit(c.declared) is not None}
    if not limited:
        return
    if isinstance(tree, exp.Update):
        _fit_assignments(tree.expressions, limited)
        return
    conflict = tree.args.get("conflict")
    if conflict is not None:
        _fit_assignments(conflict.expressions, limited)
    columns = [limited.get(name.lower()) for name in written]
    if tree.expression is None or not any(columns):
        return
    if tree.args.get("by_name"):
        raise FeatureNotSupported("INSERT BY NAME into columns of limited length is not supported")
    source = tree.expression.unnest()
    if isinstance(source, exp.Values):
        for row in source.expressions:
            values = row.expressions if isinstance(row, exp.Tuple) else [row]
            for column, value in zip(columns, list(values), strict=False):
                _fit_value(value, column)
        return
    tree.set("expression", _fitted_rows(source, columns, written))


def _fit_assignments(items: Sequence[exp.Expr], limited: Mapping[str, ColumnInfo]) -> None:
    for item in items:
        if isinstance(item, exp.EQ) and isinstance(item.this, exp.Column):
            _fit_value(item.expression, limited.get(item.this.name.lower()))


def _fit_value(value: exp.Expr, column: ColumnInfo | None) -> None:
    if column is None or column.declared is None or is_default(value) or isinstance(value, exp.Null):
        return
    is_plain = _is_plain(value)
    fitted = fit(value.copy() if is_plain else exp.column(_ONCE), column.declared)
    if fitted is not None:
        value.replace(fitted if is_plain else _computed_once(value.copy(), fitted))


def _is_plain(value: exp.Expr) -> bool:
    inner = value
    while isinstance(inner, (exp.Paren, exp.Cast)):
        inner = inner.this
    return isinstance(inner, _PLAIN)


def _computed_once(value: exp.Expr, fitted: exp.Expr) -> exp.Expr:
    """A value that is named several times and may be another one each time, as nextval() is."""
    each = exp.Lambda(this=fitted, expressions=[exp.to_identifier(_ONCE)])
    return call("list_extract", call("list_transform", exp.Array(expressions=[value]), each), number(1))


def _fitted_rows(
    source: exp.Expr, columns: Sequence[ColumnInfo | None], written: Sequence[str]
) -> exp.Select:
    """The rows of a query, each value as its column stores it."""
    alias = exp.TableAlias(this=quoted(GIVEN), columns=[quoted(name) for name in written])
    items: list[exp.Expr] = []
    for name, column in zip(written, columns, strict=True):
        value = exp.column(quoted(name), table=quoted(GIVEN))
        declared = column.declared if column is not None else None
        items.append((fit(value, declared) if declared is not None else None) or value)
    return exp.Select(expressions=items, from_=exp.From(this=exp.Subquery(this=source, alias=alias)))
