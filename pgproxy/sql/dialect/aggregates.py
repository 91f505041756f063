"""Aggregates: the types of sum and avg, names the engine lacks. PostgreSQL docs, "Aggregate Functions"."""

from sqlglot import exp

from pgproxy.sql.dialect.build import call, cast, function_name, macro, number, string
from pgproxy.sql.dialect.roots import square_root
from pgproxy.sql.dialect.scales import (
    QUOTIENT_SCALE,
    WRAPPERS,
    approximate,
    number_of,
    quotient,
    with_core,
)
from pgproxy.sql.dialect.type_names import INTEGERS
from pgproxy.sql.dialect.types import KnownTypes, Number
from pgwire.errors import FeatureNotSupported

_MAX_SQUARED_DIGITS = 12
_SPREADS = (exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop)


def exact_sum(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """sum() of int2 and int4 is bigint, of bigint numeric; the engine gives HUGEINT for all."""
    core = aggregate_of(node)
    if not isinstance(core, exp.Sum):
        return node
    argument = types.of(core.this)
    if argument in ("int2", "int4"):
        return cast(node, "BIGINT")
    if argument == "float4":
        return cast(node, "FLOAT")
    return cast(node, "DECIMAL(38, 0)") if argument == "int8" else node


def exact_average(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """avg() of integers and numerics is the quotient of their sum and count."""
    core = aggregate_of(node)
    if not isinstance(core, exp.Avg) or types.of(core.this) not in (*INTEGERS, "numeric"):
        return node
    known = number_of(core.this, types)
    if known is None:
        return approximate(node, types)
    total, count = with_core(node, exp.Sum), with_core(node, exp.Count)
    types.numbers[id(total)] = (total, Number(38, known.scale, 0))
    types.numbers[id(count)] = (count, Number(19, 0, 0))
    fewest = known.shown
    if isinstance(fewest, exp.Expr):
        fewest = with_core(node, exp.Max, fewest)
    made = quotient(total, count, types, fewest)
    return made if made is not None else approximate(node, types)


def numeric_spread(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """stddev() and variance() of integers and numerics are numeric; exact while the squares have room."""
    core = aggregate_of(node)
    if not isinstance(core, _SPREADS) or types.of(core.this) not in (*INTEGERS, "numeric"):
        return node
    known = number_of(core.this, types)
    if (
        known is None
        or not isinstance(known.shown, int)
        or known.precision > _MAX_SQUARED_DIGITS
        or isinstance(core.this, exp.Distinct)
    ):
        return approximate(node, types)
    variance = _variance(node, core, known, types)
    if variance is None or isinstance(core, (exp.Variance, exp.VariancePop)):
        return variance or approximate(node, types)
    held = number_of(variance, types)
    digits = held.shown if held is not None and isinstance(held.shown, exp.Expr) else None
    return square_root(variance, Number(38, QUOTIENT_SCALE, 0), digits, types)


def _variance(node: exp.Expr, core: exp.Expr, known: Number, types: KnownTypes) -> exp.Expr | None:
    """(n * sum of squares - square of the sum) / (n * (n - 1)), or by n * n of a population."""
    value = cast(core.this.copy(), f"DECIMAL({known.precision}, {known.scale})")
    count = cast(with_core(node, exp.Count), "DECIMAL(19, 0)")
    total = with_core(node, exp.Sum, value)
    squares = with_core(node, exp.Sum, exp.Mul(this=value, expression=value.copy()))
    of_all = cast(squares, f"DECIMAL(38, {2 * known.scale})")
    of_sum = cast(total, f"DECIMAL(38, {known.scale})")
    above = macro("sum_of_deviations", count, of_all, of_sum)
    less = number(0 if isinstance(core, (exp.VariancePop, exp.StddevPop)) else 1)
    below = macro("degrees_of_freedom", count.copy(), less)
    types.numbers[id(above)] = (above, Number(38, 2 * known.scale, 0))
    types.numbers[id(below)] = (below, Number(38, 0, 0))
    return quotient(above, below, types, 0)


def percentile(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """percentile_cont() of numbers is double precision; the engine would round to the numeric's scale."""
    if not isinstance(node, exp.WithinGroup) or not isinstance(node.expression, exp.Order):
        return node
    if isinstance(node.this, (exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist)):
        raise FeatureNotSupported(
            "hypothetical-set aggregates are not supported", hint="Count the rows below."
        )
    if isinstance(node.this, exp.PercentileCont):
        for ordered in node.expression.expressions:
            if types.of(ordered.this) in (*INTEGERS, "numeric", "float4"):
                ordered.set("this", cast(ordered.this, "DOUBLE"))
    return node


def integer_ranks(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """ntile() and grouping() are integers."""
    return cast(node, "INTEGER") if isinstance(aggregate_of(node), (exp.Ntile, exp.Grouping)) else node


def every(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """The standard's name of bool_and()."""
    return call("bool_and", *node.expressions) if function_name(node) == "every" else node


def string_agg_null_delimiter(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """string_agg(x, NULL) joins without a delimiter."""
    if isinstance(node, exp.GroupConcat) and isinstance(node.args.get("separator"), exp.Null):
        node.set("separator", string(""))
    return node


def distinct_in_order(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """DISTINCT inside array_agg() and string_agg() sorts, unless an ORDER BY is given."""
    if (
        isinstance(node, exp.ArrayAgg)
        and isinstance(node.this, exp.Distinct)
        and len(node.this.expressions) == 1
    ):
        value = node.this.expressions[0].copy()
        return exp.ArrayAgg(this=exp.Order(this=node.this, expressions=[exp.Ordered(this=value)]))
    return node


def aggregate_of(node: exp.Expr) -> exp.Expr | None:
    """The aggregate in `f(x) FILTER (…) OVER (…)`, asked of the outermost of these only."""
    if isinstance(node.parent, WRAPPERS) and node.arg_key == "this":
        return None
    core = node
    while isinstance(core, WRAPPERS):
        core = core.this
    return core
