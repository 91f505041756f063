"""Numeric: how many digits the engine keeps of a value, and how many of them PostgreSQL shows.

A numeric of PostgreSQL has a scale of its own in every row; a column of the engine has one for all. So
the engine computes with a scale that is wide enough, and where a value leaves as text, SQL tells how much
of it is written. Asked of trees that are translated already. PostgreSQL source: numeric.c.
"""

import re
from collections.abc import Sequence

from sqlglot import exp

from pgproxy.sql.dialect.build import case, cast, constant_integer, copied, macro, number
from pgproxy.sql.dialect.scopes import cte_of, enclosing_queries, sources, typing_query
from pgproxy.sql.dialect.type_names import INTEGERS, type_of_data_type, type_of_engine_type
from pgproxy.sql.dialect.types import KnownTypes, Number

MAX_DIGITS = 38
QUOTIENT_SCALE = 20
_MAX_PLAIN_SCALE = 6
"""Operands of a division with more digits behind the point than this need the macro for wide ones."""
APPROXIMATE_SCALE = 16
_MAX_PRODUCT_SCALE = 26
_DIGITS = {"int2": 5, "int4": 10, "int8": 19}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_TRANSPARENT = (
    exp.Paren,
    exp.Alias,
    exp.Neg,
    exp.Abs,
    exp.Max,
    exp.Min,
    exp.AnyValue,
    exp.Distinct,
    exp.Order,
)
_NULLS = (exp.Null,)
WRAPPERS = (exp.Filter, exp.Window, exp.WithinGroup)
"""What may stand around an aggregate."""

Scale = int | exp.Expr


def declare(node: exp.Expr, number_of_node: Number, types: KnownTypes) -> exp.Expr:
    """Remember what is known of an expression that a rule made; gives it back."""
    if isinstance(number_of_node.shown, exp.Expr):
        types.make_room(number_of_node.shown)
    types.numbers[id(node)] = (node, number_of_node)
    return node


def number_of(node: exp.Expr, types: KnownTypes) -> Number | None:
    """Tell what is known of a numeric or an integer; None of all else."""
    held = types.numbers.get(id(node))
    if held is not None and held[0] is node:
        return held[1]
    if isinstance(node, exp.Column):
        return _of_column(node, types)
    if isinstance(node, exp.Literal):
        return _of_literal(node)
    if isinstance(node, exp.Cast):
        return _of_cast(node)
    if isinstance(node, (exp.Filter, exp.Window)) and isinstance(node.this, exp.Expr):
        return _around(node, types)
    if isinstance(node, _TRANSPARENT):
        inner = node.expressions[0] if isinstance(node, exp.Distinct) and node.expressions else node.this
        found = number_of(inner, types) if isinstance(inner, exp.Expr) else None
        is_aggregate = isinstance(node, (exp.Max, exp.Min, exp.AnyValue))
        return _guessed(found, node) if is_aggregate and found is not None else found
    return _of_operation(node, types)


def _of_operation(node: exp.Expr, types: KnownTypes) -> Number | None:
    if isinstance(node, (exp.Add, exp.Sub, exp.Mod)):
        pair = _both(node, types)
        return _sum(*pair) if pair else None
    if isinstance(node, exp.Mul):
        pair = _both(node, types)
        return _product(*pair) if pair else None
    if isinstance(node, exp.Sum):
        return _total(node, node, types)
    if isinstance(node, exp.Case):
        default = node.args.get("default")
        ends = [branch.args["true"] for branch in node.args["ifs"]]
        return _chosen(node, [*ends, *([default] if default is not None else [])], types)
    if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least)):
        return _chosen(node, [node.this, *node.expressions], types)
    if isinstance(node, exp.Nullif):
        return number_of(node.this, types)
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select) and node.this.expressions:
        inner = number_of(node.this.expressions[0].unalias(), types)
        return _guessed(inner, node) if inner is not None else None
    if isinstance(node, (exp.Round, exp.Trunc)):
        return _rounded(node, types)
    kind = types.of(node)
    return Number(_DIGITS[kind], 0, 0) if kind in INTEGERS else None


def _guessed(inner: Number, node: exp.Expr) -> Number:
    """The same where each row's scale is not known any more: what a quotient of that size would have."""
    shown = inner.shown if isinstance(inner.shown, int) else quotient_scale(node)
    return Number(inner.precision, inner.scale, shown)


def quotient_scale(node: exp.Expr) -> exp.Expr:
    """The scale that a quotient has, by its own size: right unless it is just above a power of 10,000."""
    return macro("numeric_quotient_scale", copied(node))


def _of_column(column: exp.Column, types: KnownTypes) -> Number | None:
    if id(column) in types.asked:
        return None  # a column that (wrongly) refers to itself
    types.asked.add(id(column))
    try:
        return _of_origin(origin(column, types), column, types)
    finally:
        types.asked.discard(id(column))


def _of_origin(found: str | list[exp.Expr] | None, column: exp.Column, types: KnownTypes) -> Number | None:
    if isinstance(found, str):
        match = _DECIMAL.fullmatch(found)
        if match is not None:
            return Number(int(match[1]), int(match[2]), int(match[2]))
        kind = type_of_engine_type(found)
        return Number(_DIGITS[kind], 0, 0) if kind in INTEGERS else None
    numbers = [number_of(item, types) for item in found or () if not isinstance(item, _NULLS)]
    if not numbers or any(one is None for one in numbers):
        return None
    return _united([one for one in numbers if one is not None], column)


def _united(numbers: Sequence[Number], node: exp.Expr) -> Number:
    """One column for all: the engine's widest; what is shown where it is not the same is guessed."""
    scale = max(one.scale for one in numbers)
    whole = max(one.precision - one.scale for one in numbers)
    shown = {one.shown if isinstance(one.shown, int) else -1 for one in numbers}
    return Number(
        min(whole + scale, MAX_DIGITS),
        min(scale, MAX_DIGITS),
        quotient_scale(node) if -1 in shown else max(shown),
    )


def _of_literal(node: exp.Literal) -> Number | None:
    match = re.fullmatch(r"(\d*)\.?(\d*)", node.name)
    if node.is_string or match is None:
        return None
    return Number(max(len(match[1]) + len(match[2]), 1), len(match[2]), len(match[2]))


def _of_cast(node: exp.Cast) -> Number | None:
    target = node.args["to"]
    kind = type_of_data_type(target)
    if kind in INTEGERS:
        return Number(_DIGITS[kind], 0, 0)
    if target.this != exp.DType.DECIMAL or len(target.expressions) != 2:
        return None
    precision, scale = (constant_integer(size.this) for size in target.expressions)
    if precision is None or scale is None:
        return None
    if not isinstance(node.this, exp.Parameter):
        return Number(precision, scale, scale)
    # What is bound has the scale that it came with; the cast gives it the widest.
    return Number(precision, scale, macro("text_numeric_scale", cast(copied(node.this), "VARCHAR")))


def _around(node: exp.Expr, types: KnownTypes) -> Number | None:
    """FILTER and OVER around an aggregate."""
    core = node
    while isinstance(core, WRAPPERS):
        core = core.this
    if isinstance(core, exp.Sum):
        return _total(node, core, types)
    inner = number_of(core, types)
    return _guessed(inner, node) if inner is not None else None


def _total(node: exp.Expr, core: exp.Sum, types: KnownTypes) -> Number | None:
    """A sum has the largest scale of what it adds."""
    inner = number_of(core.this, types)
    if inner is None:
        return None
    shown = inner.shown if isinstance(inner.shown, int) else with_core(node, exp.Max, inner.shown)
    return Number(MAX_DIGITS, inner.scale, shown)


def _both(node: exp.Expr, types: KnownTypes) -> tuple[Number, Number] | None:
    left, right = number_of(node.this, types), number_of(node.expression, types)
    return (left, right) if left is not None and right is not None else None


def _sum(left: Number, right: Number) -> Number:
    scale = max(left.scale, right.scale)
    whole = max(left.precision - left.scale, right.precision - right.scale) + 1
    return Number(min(whole + scale, MAX_DIGITS), scale, largest(left.shown, right.shown))


def _product(left: Number, right: Number) -> Number:
    shown = (
        left.shown + right.shown
        if isinstance(left.shown, int) and isinstance(right.shown, int)
        else exp.Add(this=as_sql(left.shown), expression=as_sql(right.shown))
    )
    return Number(min(left.precision + right.precision, MAX_DIGITS), left.scale + right.scale, shown)


def as_sql(scale: Scale) -> exp.Expr:
    """A scale as SQL."""
    return number(scale) if isinstance(scale, int) else copied(scale)


def largest(left: Scale, right: Scale) -> Scale:
    """The larger of two scales."""
    if isinstance(left, int) and isinstance(right, int):
        return max(left, right)
    return exp.Greatest(this=as_sql(left), expressions=[as_sql(right)])


def _rounded(node: exp.Expr, types: KnownTypes) -> Number | None:
    inner = number_of(node.this, types)
    decimals = node.args.get("decimals")
    count = constant_integer(decimals) if decimals is not None else 0
    if inner is None or types.of(node) != "numeric" or count is None:
        return None
    kept = max(count, 0)
    return Number(inner.precision, min(kept, inner.scale), kept)


def _chosen(node: exp.Expr, ends: list[exp.Expr], types: KnownTypes) -> Number | None:
    """CASE and the like: each row has the scale of the value that it takes."""
    values = [end for end in ends if not isinstance(end, _NULLS)]
    numbers = [number_of(value, types) for value in values]
    known = [one for one in numbers if one is not None]
    if not known or len(known) != len(values) or types.of(node) != "numeric":
        return None
    united = _united(known, node)
    shown = {one.shown if isinstance(one.shown, int) else -1 for one in known}
    if len(shown) == 1 and -1 not in shown:
        return united
    return Number(united.precision, united.scale, _choice(node, values, known))


def _choice(node: exp.Expr, values: list[exp.Expr], known: list[Number]) -> exp.Expr:
    """The scale of the value that is taken, chosen as the value is."""
    scales = [as_sql(one.shown) for one in known]
    if isinstance(node, exp.Case):
        return _case_of_scales(node, values, scales)
    if isinstance(node, exp.Coalesce):
        tests: list[exp.Expr] = [
            exp.Not(this=exp.Is(this=exp.Paren(this=copied(value)), expression=exp.Null()))
            for value in values
        ]
    else:
        tests = [
            exp.EQ(this=exp.Paren(this=copied(value)), expression=exp.Paren(this=copied(node)))
            for value in values
        ]
    return case(*zip(tests, scales, strict=True))


def _case_of_scales(node: exp.Case, values: list[exp.Expr], scales: list[exp.Expr]) -> exp.Expr:
    by_value = {id(value): scale for value, scale in zip(values, scales, strict=True)}
    ends = [
        (copied(branch.this), by_value.get(id(branch.args["true"]), number(0))) for branch in node.args["ifs"]
    ]
    chosen = case(*ends, default=by_value.get(id(node.args.get("default"))))
    if node.this is not None:
        chosen.set("this", copied(node.this))
    return chosen


def with_core(node: exp.Expr, kind: type[exp.Expr], operand: exp.Expr | None = None) -> exp.Expr:
    """A copy of `f(x) FILTER (…) OVER (…)` with another aggregate, of `x` or of another operand."""
    made = copied(node)
    core = made
    while isinstance(core, WRAPPERS):
        core = core.this
    inner = kind(this=core.this if operand is None else copied(operand))
    if core is made:
        return inner
    core.replace(inner)
    return made


def quotient(
    left: exp.Expr, right: exp.Expr, types: KnownTypes, fewest: Scale | None = None
) -> exp.Expr | None:
    """The exact quotient of two numerics or integers; None where their scale is not known.

    fewest: the digits that it has at least behind the point; those of the operands if not said.
    """
    one, other = number_of(left, types), number_of(right, types)
    if one is None or other is None:
        return None
    scale = max(one.scale, other.scale)
    fewest = largest(one.shown, other.shown) if fewest is None else fewest
    if scale > _MAX_PLAIN_SCALE:
        wide = f"DECIMAL({MAX_DIGITS}, {min(scale, QUOTIENT_SCALE)})"
        made = macro("numeric_div_wide", cast(left, wide), cast(right, wide), as_sql(fewest))
    else:
        made = macro(
            "numeric_div",
            _with_room(left, one, scale, types),
            _with_room(right, other, scale, types),
            number(10**scale),
            as_sql(fewest),
        )
    shown = macro("numeric_div_scale", copied(left), copied(right), as_sql(fewest))
    return declare(made, Number(MAX_DIGITS, QUOTIENT_SCALE, shown), types)


def approximate(node: exp.Expr, types: KnownTypes, shown: Scale | None = None) -> exp.Expr:
    """A double as numeric: right to about 15 digits. shown: of those behind the point, else by its size."""
    made = cast(node, f"DECIMAL({MAX_DIGITS}, {APPROXIMATE_SCALE})")
    shown = quotient_scale(made) if shown is None else shown
    return declare(made, Number(MAX_DIGITS, APPROXIMATE_SCALE, shown), types)


def product(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`*` of numerics that have so many digits behind the point that the exact product has no room."""
    pair = _both(node, types) if isinstance(node, exp.Mul) and types.of(node) == "numeric" else None
    if pair is None or pair[0].scale + pair[1].scale <= _MAX_PRODUCT_SCALE:
        return node
    doubles = exp.Mul(this=cast(node.this, "DOUBLE"), expression=cast(node.expression, "DOUBLE"))
    return approximate(doubles, types)


def text_of(node: exp.Expr, types: KnownTypes) -> exp.Expr | None:
    """A numeric as PostgreSQL writes it; None where the engine writes the same."""
    known = number_of(node, types) if types.of(node) == "numeric" else None
    if known is None or known.shown == known.scale:
        return None
    return macro("numeric_text", copied(node), as_sql(known.shown))


def _with_room(operand: exp.Expr, known: Number, scale: int, types: KnownTypes) -> exp.Expr:
    """An operand that the macro can multiply by 10^scale.

    The engine caps such products at 18 digits, and those of integers at the integer's own.
    """
    if known.precision + scale + 1 > 18 and known.precision < MAX_DIGITS:
        return cast(operand, f"DECIMAL({MAX_DIGITS}, {known.scale})")
    return cast(operand, "BIGINT") if scale and types.of(operand) in INTEGERS else operand


def origin(column: exp.Column, types: KnownTypes) -> str | list[exp.Expr] | None:
    """Where a column comes from: the engine's type of a relation's, or the expressions that give it."""
    stored = types.stored_type(column)
    if stored is not None:
        return stored
    name = column.name if column.this.args.get("quoted") else column.name.lower()
    for query in enclosing_queries(column):
        found = [
            held
            for source in sources(query, column.table)
            if (held := _origin_in(source, name, types)) is not None
        ]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _origin_in(source: exp.Expr, name: str, types: KnownTypes) -> str | list[exp.Expr] | None:
    if isinstance(source, exp.Table):
        definition = cte_of(source)
        if definition is not None:
            return _items(typing_query(definition), name, definition.args.get("alias"), types)
        columns = types.source.column_types(source) if types.source is not None else None
        return columns.get(name) if columns else None
    if isinstance(source, exp.Subquery):
        return _items(source.this, name, source.args.get("alias"), types)
    if isinstance(source, exp.Values):
        return _cells(source, name)
    return None


def _cells(values: exp.Values, name: str) -> list[exp.Expr] | None:
    alias = values.args.get("alias")
    given = [column.name.lower() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
    for at, cells in enumerate(zip(*rows, strict=False)):
        if name == (given[at] if at < len(given) else f"column{at + 1}"):
            return list(cells)
    return None


def _items(
    query: exp.Expr, name: str, alias: exp.Expr | None, types: KnownTypes
) -> str | list[exp.Expr] | None:
    while isinstance(query, exp.Subquery):
        query = query.this
    if isinstance(query, exp.SetOperation):
        left = _items(query.this, name, alias, types)
        right = _items(query.expression, name, alias, types)
        return [*left, *right] if isinstance(left, list) and isinstance(right, list) else None
    if not isinstance(query, exp.Select):
        return None
    given = [column.name.lower() for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    for at, item in enumerate(query.expressions):
        own = given[at] if at < len(given) else item.alias_or_name
        if not item.is_star and own == name:
            return [item.unalias()]
    if any(item.is_star for item in query.expressions):
        held = [
            found for source in sources(query, "") if (found := _origin_in(source, name, types)) is not None
        ]
        return held[0] if len(held) == 1 else None
    return None
