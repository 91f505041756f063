"""Numbers: division, remainder, rounding. PostgreSQL docs, "Mathematical Functions and Operators"."""

from sqlglot import exp

from pgproxy.sql.dialect.build import (
    call,
    case,
    cast,
    constant_integer,
    function_name,
    macro,
    number,
    paren,
    raise_error,
)
from pgproxy.sql.dialect.floats import checked
from pgproxy.sql.dialect.grammar import NAME_KEY
from pgproxy.sql.dialect.scales import MAX_DIGITS, approximate, declare, number_of, quotient
from pgproxy.sql.dialect.type_names import FLOATS, INTEGERS
from pgproxy.sql.dialect.type_rules import negated_type
from pgproxy.sql.dialect.types import KnownTypes, Number
from pgwire.errors import FeatureNotSupported

_POWER_SCALE = 16
_MAX_SQUARED = 19
"""Digits of a base whose square the engine computes in 128 bits, and so that it has room there."""
MAX_NESTED_DIVISORS = 6
"""A guarded divisor stands twice in the text, so each level of a / (b / (c / …)) doubles it."""


def divide(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`/`: integers truncate, numerics stay numeric, zero raises.

    The engine's `//` truncates integers and divides all else as `/` does: right for unknown types too.
    """
    if not isinstance(node, exp.Div):
        return node
    left, right = types.of(node.this), types.of(node.expression)
    if left == "interval":
        return macro("interval_div", node.this, cast(guarded(node.expression), "DOUBLE"))
    if types.of(node) == "numeric":
        exact = quotient(node.this, node.expression, types)
        if exact is not None:
            return exact
    divisor = guarded(node.expression)
    is_unknown = left is None or right is None
    if is_unknown or (left in INTEGERS and right in INTEGERS):
        return exp.IntDiv(this=paren(node.this), expression=paren(divisor))
    double = exp.Div(this=paren(node.this), expression=paren(divisor), typed=False, safe=False)
    if types.of(node) == "numeric":
        return approximate(double, types)
    if left == "float4" and right is not None and right != "float4":
        double.set("this", cast(node.this, "DOUBLE"))
    return checked(node, double, types)


def smallest_integer(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """The smallest integer of a type; the engine reads the digits alone, which need a wider one."""
    kind = negated_type(node) if isinstance(node, exp.Neg) else None
    return node if kind is None else cast(exp.Paren(this=node), "INTEGER" if kind == "int4" else "BIGINT")


def small_integers(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Smallint with an integer constant is integer; the engine keeps the smaller type."""
    if not isinstance(node, (exp.Add, exp.Sub, exp.Mul)) or types.of(node) != "int4":
        return node
    for key in ("this", "expression"):
        side, other = node.args[key], node.expression if key == "this" else node.this
        if types.of(side) == "int2" and isinstance(other.unnest(), exp.Literal):
            node.set(key, cast(side, "INTEGER"))
    return node


def remainder(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`%` and mod(): zero raises."""
    if not isinstance(node, exp.Mod):
        return node
    return exp.Mod(this=paren(node.this), expression=paren(guarded(node.expression)))


def whole_quotient(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """div(): numeric without a fraction."""
    if function_name(node) != "div" or len(node.expressions) != 2:
        return node
    left, right = node.expressions
    exact = quotient(left.copy(), right.copy(), types)  # the engine's `//` of decimals is one of doubles
    whole = exact or exp.IntDiv(this=paren(left), expression=paren(guarded(right)))
    return cast(call("trunc", whole), "DECIMAL(38, 0)")


def round_half_even(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A double is rounded to the even neighbour; a numeric away from zero, as the engine does."""
    if not isinstance(node, exp.Round) or node.args.get("decimals") is not None:
        return node
    kind = types.of(node.this)
    if kind in FLOATS or kind in INTEGERS:
        return call("round_even", cast(node.this, "DOUBLE"), number(0))
    return node


def sign_keeps_type(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """sign(), ceil(), floor(), trunc() of an integer are double precision; sign() of a numeric is numeric."""
    if (
        not isinstance(node, (exp.Sign, exp.Ceil, exp.Floor, exp.Trunc))
        or node.args.get("decimals") is not None
    ):
        return node
    kind = types.of(node.this)
    if kind in INTEGERS or kind in FLOATS:
        return cast(node, "DOUBLE")
    if isinstance(node, exp.Sign) and kind == "numeric":
        return cast(node, "DECIMAL(38, 0)")
    return node


def rounded_null(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """round() and the like of a numeric that may be the constant NULL, which the engine gives no type."""
    is_ours = isinstance(node, (exp.Round, exp.Trunc, exp.Ceil, exp.Floor)) and types.of(node) == "numeric"
    if not is_ours or node.this.find(exp.Null, exp.Parameter) is None:
        return node
    decimals = node.args.get("decimals")
    scale = 0 if decimals is None else constant_integer(decimals)
    return node if scale is None else cast(node, f"DECIMAL({MAX_DIGITS}, {min(max(scale, 0), MAX_DIGITS)})")


def power_of_numeric(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`^` and power() of numerics are numeric."""
    if isinstance(node, exp.Pow) and types.of(node) == "numeric":
        if (square := _square(node, types)) is not None:
            return square
        return approximate(macro("float8_power", node.this, node.expression), types)
    if isinstance(node, exp.Pow) and types.of(node) == "float8":
        return macro("float8_power", node.this, node.expression)
    return node


def _square(node: exp.Pow, types: KnownTypes) -> exp.Expr | None:
    """The exact square of a numeric, where there is room for PostgreSQL's 16 digits behind the point."""
    known = number_of(node.this, types)
    has_room = known is not None and 2 * known.scale <= _POWER_SCALE and known.precision <= _MAX_SQUARED
    if known is None or not has_room or constant_integer(node.expression) != 2:
        return None
    base = cast(node.this, f"DECIMAL({_MAX_SQUARED}, {known.scale})")
    made = cast(paren(exp.Mul(this=base, expression=base.copy())), f"DECIMAL({MAX_DIGITS}, {_POWER_SCALE})")
    return declare(made, Number(MAX_DIGITS, _POWER_SCALE, _POWER_SCALE), types)


def common_divisor(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """gcd() and lcm() of integers are integers."""
    is_ours = str(node.meta.get(NAME_KEY) or function_name(node)).lower() in ("gcd", "lcm")
    if is_ours and isinstance(node, exp.Anonymous) and types.all_of(node.expressions) == "int4":
        return cast(node, "INTEGER")
    return node


def days_between(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Date - date is an integer."""
    if isinstance(node, exp.Sub) and types.of(node.this) == types.of(node.expression) == "date":
        return cast(exp.Paren(this=node), "INTEGER")
    return node


def guarded(divisor: exp.Expr) -> exp.Expr:
    """A divisor that raises 22012 when it is zero, and only when it is evaluated.

    Raises:
        FeatureNotSupported: divisions nested in divisors beyond the limit.
    """
    inner = divisor.unnest()
    if isinstance(inner, exp.Literal) and not inner.is_string and float(inner.name) != 0:
        return divisor
    if sum(1 for _ in divisor.find_all(exp.Case)) >= 2**MAX_NESTED_DIVISORS:
        raise FeatureNotSupported(
            "divisions are nested too deeply", hint="Compute the divisor in a subquery."
        )
    is_zero = exp.EQ(this=paren(divisor.copy()), expression=number(0))
    return case((is_zero, raise_error("22012", "division by zero")), default=divisor)
