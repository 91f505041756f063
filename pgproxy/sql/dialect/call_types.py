"""The types of calls, by their names and those of their arguments.

PostgreSQL docs, "Functions and Operators".
"""

from typing import TYPE_CHECKING

from sqlglot import exp

from pgproxy.sql.dialect.function_types import (
    AVERAGES,
    LOGARITHMS,
    RESULTS,
    ROUNDING,
    SAME_ARRAY,
    SAME_AS_ARGUMENT,
)
from pgproxy.sql.dialect.grammar import NAME_KEY
from pgproxy.sql.dialect.names import column_name
from pgproxy.sql.dialect.type_rules import are_texts, average_type, is_unknown, rounded_type, series_type

if TYPE_CHECKING:
    from pgproxy.sql.dialect.types import KnownTypes


def call_type(node: exp.Func, types: "KnownTypes") -> str | None:
    """Give the type of a call, by its name and arguments."""
    name = str(node.meta.get(NAME_KEY) or column_name(node)).lower()
    arguments = [
        argument
        for argument in (node.args.get("this"), *node.expressions, _base(node))
        if isinstance(argument, exp.Expr)
    ]
    argument = types.of(arguments[0]) if arguments else None
    if name in RESULTS:
        return RESULTS[name]
    if isinstance(node, (exp.GenerateSeries, exp.ExplodingGenerateSeries)):
        return series_type([types.of(end) for end in (node.args["start"], node.args["end"])])
    if name.startswith("array_") or name == "trim_array":
        return _array_call(name, arguments, types)
    if name in SAME_AS_ARGUMENT:
        return _argument(name, arguments, argument, types)
    if name == "sum":
        return {"int2": "int8", "int4": "int8", "int8": "numeric"}.get(argument or "", argument)
    if name in AVERAGES:
        return average_type(argument)
    if name in ROUNDING or name in LOGARITHMS:
        return rounded_type(argument, is_exact=name == "log" and len(arguments) > 1)
    if name == "unnest":
        return argument.removesuffix("[]") if argument and argument.endswith("[]") else None
    if name in ("date_trunc", "date_bin") and len(arguments) > 1:
        kind = types.of(arguments[1])
        return "timestamptz" if kind == "date" else kind
    return None


def _argument(name: str, arguments: list[exp.Expr], first: str | None, types: "KnownTypes") -> str | None:
    if name in ("nullif", "max", "min") and first == "varchar":
        return "text"  # as which it is compared
    if name not in ("coalesce", "greatest", "least"):
        return first
    return types.all_of(_known_first(arguments)) or ("text" if are_texts(arguments) else None)


def _array_call(name: str, arguments: list[exp.Expr], types: "KnownTypes") -> str | None:
    kinds = [types.of(argument) for argument in arguments]
    if name in ("array_agg", "array_fill"):
        return f"{kinds[0]}[]" if kinds and kinds[0] else None
    if name == "array_positions":
        return "int4[]"
    if name == "array_prepend":
        return kinds[1] if len(kinds) > 1 else None
    return kinds[0] if kinds and name in SAME_ARRAY else None


def _base(call: exp.Func) -> exp.Expr | None:
    """The second argument of log()."""
    base = call.args.get("expression") if isinstance(call, exp.Log) else None
    return base if isinstance(base, exp.Expr) else None


def _known_first(values: list[exp.Expr]) -> list[exp.Expr]:
    """Without constants of unknown type, where others decide: `coalesce(name, '')` is what the name is."""
    return [value for value in values if not is_unknown(value)] or values
