"""json_agg(), jsonb_agg() and their object forms, as joined texts. PostgreSQL docs, "Aggregate Functions"."""

from sqlglot import exp

from pgproxy.sql.dialect.aggregates import aggregate_of
from pgproxy.sql.dialect.build import call, cast, function_name, joined, string
from pgproxy.sql.dialect.documents import as_json
from pgproxy.sql.dialect.types import KnownTypes

_NAMES = frozenset({"json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg"})


def document_aggregates(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """The aggregate with its DISTINCT, ORDER BY and FILTER as they stand."""
    core = aggregate_of(node)
    name = function_name(core) if core is not None else ""
    if core is None or name not in _NAMES or not core.expressions:
        return node
    is_binary, is_object = name.startswith("jsonb"), "object" in name
    value, order = _without_order(core.expressions[-1])
    text = as_json(value, types.of(value))
    if is_object:
        key = cast(core.expressions[0].copy(), "VARCHAR")
        text = joined(cast(call("to_json", key), "VARCHAR"), string(":" if is_binary else " : "), text)
        if is_binary:
            order = [exp.Ordered(this=call("strlen", key.copy())), exp.Ordered(this=key.copy())]
    argument: exp.Expr = text
    if isinstance(value, exp.Distinct):
        inner = value.expressions[0]
        argument = exp.Distinct(expressions=[as_json(inner, types.of(inner))])
        order = [exp.Ordered(this=argument.expressions[0].copy())]
    kind = types.of(value.expressions[0] if isinstance(value, exp.Distinct) else value) or ""
    is_nested = not is_object and (kind == "record" or kind.endswith("[]"))
    last: exp.Expr = string("," if is_binary else ", \n " if is_nested else ", ")
    if order:
        last = exp.Order(this=last, expressions=order)
    core.set("this", "string_agg")
    core.set("expressions", [argument, last])
    left, right = ("{", "}") if is_object and is_binary else ("{ ", " }") if is_object else ("[", "]")
    return cast(joined(string(left), node, string(right)), "JSON")


def _without_order(argument: exp.Expr) -> tuple[exp.Expr, list[exp.Expr]]:
    if isinstance(argument, exp.Order):
        return argument.this, list(argument.expressions)
    return argument, []
