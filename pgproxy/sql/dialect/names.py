"""PostgreSQL's names for output columns that have no alias, from the source tree.

The rules are those of the server's `FigureColname`: a column's name, a function's name, a cast's operand or
else its type, and `?column?` for all that has neither. PostgreSQL docs, SELECT, "SELECT List".
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from sqlglot import exp

from pgproxy.sql.dialect.grammar import NAME_KEY
from pgproxy.sql.utility.scan import fold_identifier

UNNAMED = "?column?"

StarColumns = Callable[[exp.Expr, exp.Query], tuple[str, ...] | None]
"""Gives the columns that a star (`*` or `t.*`) of a query stands for; None where it cannot tell."""

_CLASS_NAMES: Mapping[type[exp.Expr], str] = MappingProxyType(
    {
        exp.Array: "array",
        exp.Case: "case",
        exp.Coalesce: "coalesce",
        exp.Greatest: "greatest",
        exp.Least: "least",
        exp.Nullif: "nullif",
        exp.Exists: "exists",
        exp.Extract: "extract",
        exp.Substring: "substring",
        exp.StrPosition: "position",
        exp.Overlay: "overlay",
        exp.Overlaps: "overlaps",
        exp.AtTimeZone: "timezone",
        exp.GroupConcat: "string_agg",
        exp.Explode: "unnest",
        exp.Unnest: "unnest",
        exp.CurrentDate: "current_date",
        exp.CurrentTime: "current_time",
        exp.CurrentTimestamp: "current_timestamp",
        exp.CurrentUser: "current_user",
        exp.SessionUser: "session_user",
        exp.CurrentSchema: "current_schema",
        exp.CurrentCatalog: "current_catalog",
        exp.CurrentRole: "current_role",
        exp.Localtime: "localtime",
        exp.Localtimestamp: "localtimestamp",
        exp.Interval: "interval",
        exp.Grouping: "grouping",
        exp.Tuple: "row",
        exp.ParseJSON: "json",
        exp.JSONObject: "json_object",
    }
)

_TYPE_NAMES: Mapping[exp.DType, str] = MappingProxyType(
    {
        exp.DType.SMALLINT: "int2",
        exp.DType.INT: "int4",
        exp.DType.BIGINT: "int8",
        exp.DType.DECIMAL: "numeric",
        exp.DType.FLOAT: "float4",
        exp.DType.DOUBLE: "float8",
        exp.DType.BOOLEAN: "bool",
        exp.DType.CHAR: "bpchar",
        exp.DType.VARCHAR: "varchar",
        exp.DType.TEXT: "text",
        exp.DType.VARBINARY: "bytea",
        exp.DType.TIMESTAMPTZ: "timestamptz",
        exp.DType.TIMETZ: "timetz",
        exp.DType.BIT: "bit",
    }
)
# `^@`, `|/`, `||/`: written as calls, these carry their name.
_OPERATOR_CLASSES = (exp.StartsWith, exp.Sqrt, exp.Cbrt)
_TRIMS = {"LEADING": "ltrim", "TRAILING": "rtrim"}


def output_names(expression: exp.Expr, star_columns: StarColumns | None = None) -> tuple[str, ...] | None:
    """Give the names of a query's output columns; of RETURNING's for a statement that writes.

    expression: the source tree, before `to_engine`. None where a star cannot be expanded or no columns are.
    """
    if isinstance(expression, exp.SetOperation):
        return output_names(expression.this, star_columns)
    if isinstance(expression, exp.Subquery):
        return output_names(expression.this, star_columns)
    if isinstance(expression, exp.Values):
        return _values_names(expression)
    if isinstance(expression, exp.Select):
        return _select_names(expression, star_columns)
    returning = expression.args.get("returning")
    if isinstance(returning, exp.Returning) and not any(item.is_star for item in returning.expressions):
        return tuple(column_name(item) for item in returning.expressions)
    return None


def column_name(expression: exp.Expr) -> str:
    """Give the name of one output column: its alias, or what PostgreSQL makes up."""
    if isinstance(expression, exp.Alias):
        return _identifier(expression.args["alias"])
    return _figure(expression)[0] or UNNAMED


def _select_names(select: exp.Select, star_columns: StarColumns | None) -> tuple[str, ...] | None:
    names: list[str] = []
    for item in select.expressions:
        if not item.is_star or isinstance(item, (exp.Alias, exp.Count)):
            names.append(column_name(item))
            continue
        expanded = star_columns(item, select) if star_columns is not None else None
        if expanded is None:
            return None
        names.extend(expanded)
    return tuple(names)


def _values_names(values: exp.Values) -> tuple[str, ...] | None:
    alias = values.args.get("alias")
    if isinstance(alias, exp.TableAlias) and alias.columns:
        return tuple(_identifier(column) for column in alias.columns)
    first = values.expressions[0] if values.expressions else None
    if first is None:
        return None
    width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
    return tuple(f"column{number}" for number in range(1, width + 1))


def _identifier(node: object) -> str:
    if isinstance(node, exp.Identifier):
        name: str = node.this
        return name if node.args.get("quoted") else fold_identifier(name)
    return fold_identifier(str(getattr(node, "name", node)))


def _figure(node: exp.Expr) -> tuple[str | None, int]:
    """A name and its strength, as in the server: 2 is a real name, 1 one that a better may replace."""
    if isinstance(node, exp.Column):
        return _identifier(node.this), 2
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return _figure_cast(node)
    if isinstance(node, exp.Case):
        default = node.args.get("default")
        name, strength = _figure(default) if default is not None else (None, 0)
        return (name, strength) if strength == 2 else ("case", 1)
    if isinstance(node, (exp.Paren, exp.Bracket, exp.Collate, exp.Filter, exp.Window, exp.WithinGroup)):
        return _figure(node.this)
    if isinstance(node, (exp.IgnoreNulls, exp.RespectNulls)):
        return _figure(node.this)
    if isinstance(node, exp.Subquery):
        names = output_names(node.this)
        return (names[0], 2) if names else (None, 0)
    if isinstance(node, exp.Dot):
        return _figure_dot(node)
    return _figure_call(node)


def _figure_cast(node: exp.Expr) -> tuple[str | None, int]:
    name, strength = _figure(node.this)
    if strength == 2:
        return name, strength
    return _type_name(node.args["to"]), 1


def _type_name(kind: exp.DataType) -> str:
    if kind.this == exp.DType.ARRAY and kind.expressions:
        return _type_name(kind.expressions[0])
    if kind.this == exp.DType.USERDEFINED:
        return fold_identifier(str(kind.args.get("kind") or "").rpartition(".")[2].strip('"'))
    return _TYPE_NAMES.get(kind.this, str(kind.this.value).lower())


def _figure_dot(node: exp.Dot) -> tuple[str | None, int]:
    """A field of a composite value, or a function in a schema."""
    last = node.expression
    if isinstance(last, (exp.Identifier, exp.Star)):
        return _identifier(last), 2
    return _figure(last)


@cache
def _class_name(kind: type[exp.Expr]) -> tuple[str, int] | None:
    for known, name in _CLASS_NAMES.items():
        if issubclass(kind, known):
            return name, 1 if known in (exp.Case, exp.Interval) else 2
    return None


def _figure_call(node: exp.Expr) -> tuple[str | None, int]:
    written = node.meta.get(NAME_KEY)
    if written:
        return fold_identifier(written), 2
    if isinstance(node, exp.Anonymous):
        return (
            _identifier(node.this) if isinstance(node.this, exp.Identifier) else fold_identifier(node.name)
        ), 2
    if isinstance(node, exp.Trim):
        return _TRIMS.get(str(node.args.get("position")), "btrim"), 2
    known = _class_name(type(node))  # type: ignore[arg-type]  # classes hash, whatever instances do
    if known is not None:
        return known
    if isinstance(node, _OPERATOR_CLASSES):
        return None, 0
    # Operators are functions to sqlglot, but have no name of their own.
    if isinstance(node, exp.Func) and not isinstance(node, (exp.Binary, exp.Connector, exp.Unary)):
        return fold_identifier(node.sql_name()), 2
    return None, 0
