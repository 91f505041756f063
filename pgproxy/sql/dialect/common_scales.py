"""One scale for numerics that become one. PostgreSQL docs, "UNION, CASE, and Related Constructs".

Where 38 digits cannot hold the whole part of one and the fraction of the other, the engine drops digits of
the fraction (or computes `%` in doubles). Here the fraction stays, and a value with more than 18 digits
before the point beside a quotient is an error. `=`, `<`, `+` and their like do so by themselves.
"""

from collections.abc import Iterator, Sequence

from sqlglot import exp

from pgproxy.sql.dialect.build import cast, put
from pgproxy.sql.dialect.scales import MAX_DIGITS, declare, number_of
from pgproxy.sql.dialect.types import KnownTypes, Number

COMBINING = (
    exp.Case, exp.Coalesce, exp.Greatest, exp.Least, exp.Array, exp.Mod, exp.SetOperation, exp.Values, exp.In,
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE,
)  # fmt: skip


def common_scale(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Give all that `node` combines the widest of their scales, where the engine would choose less."""
    for values in _combined(node):
        numbers = [number_of(value, types) for value in values]
        known = [one for one in numbers if one is not None]
        if len(known) == len(values) > 1:
            _widen(values, known, types)
    return node


def _widen(values: Sequence[exp.Expr], numbers: Sequence[Number], types: KnownTypes) -> None:
    scale = max(one.scale for one in numbers)
    if scale + max(one.precision - one.scale for one in numbers) <= MAX_DIGITS:
        return
    for value, one in zip(values, numbers, strict=True):
        if one.scale == scale:
            continue
        parent, key, index = value.parent, value.arg_key, value.index
        made = cast(value, f"DECIMAL({MAX_DIGITS}, {scale})")
        declare(made, Number(MAX_DIGITS, scale, one.shown), types)
        is_named = isinstance(value, exp.Column) and isinstance(parent, exp.Select) and key == "expressions"
        new = exp.alias_(made, value.name, quoted=True) if is_named else made
        if parent is not None and key is not None:
            put(parent, key, index, new)


def _combined(node: exp.Expr) -> Iterator[list[exp.Expr]]:
    """The expressions that become one, without NULLs."""
    for values in _alternatives(node):
        yield [value for value in values if not isinstance(value, exp.Null)]


def _alternatives(node: exp.Expr) -> Iterator[Sequence[exp.Expr]]:
    if isinstance(node, exp.Case):
        default = node.args.get("default")
        ends = [branch.args["true"] for branch in node.args["ifs"]]
        yield [*ends, default] if default is not None else ends
    elif isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least)):
        yield [node.this, *node.expressions]
    elif isinstance(node, exp.Array):
        yield node.expressions
    elif isinstance(node, exp.Mod):
        yield [node.this, node.expression]
    elif isinstance(node, exp.SetOperation):
        yield from _columns(node)
    elif isinstance(node, exp.Values):
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
        yield from zip(*rows, strict=False)
    else:
        yield from _with_query(node)


def _with_query(node: exp.Expr) -> Iterator[Sequence[exp.Expr]]:
    """`x IN (SELECT …)`, `x = ANY (SELECT …)`: the engine compares in the type that a column of both has."""
    quantified = node.args.get("expression")
    query = quantified.this if isinstance(quantified, (exp.Any, exp.All)) else node.args.get("query")
    while isinstance(query, (exp.Subquery, exp.Paren)):
        query = query.this
    if not isinstance(query, (exp.Select, exp.SetOperation)):
        return
    left = node.this.unnest()
    of_row = left.expressions if isinstance(left, exp.Tuple) else [node.this]
    for value, column in zip(of_row, _columns(query), strict=False):
        yield [value, *column]


def _columns(query: exp.Expr) -> Iterator[list[exp.Expr]]:
    """The outputs of a query by place, of all of its sides; none where a side has a star."""
    sides = list(_sides(query))
    if not any(item.is_star for side in sides for item in side.expressions):
        for items in zip(*(side.expressions for side in sides), strict=False):
            yield [item.unalias() for item in items]


def _sides(query: exp.Expr) -> Iterator[exp.Select]:
    if isinstance(query, exp.SetOperation):
        yield from _sides(query.this)
        yield from _sides(query.expression)
    elif isinstance(query, exp.Subquery):
        yield from _sides(query.this)
    elif isinstance(query, exp.Select):
        yield query
