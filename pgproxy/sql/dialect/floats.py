"""Arithmetic of doubles that leaves their range: PostgreSQL raises, the engine gives Infinity or 0.

What overflows anywhere in `+ - * /` is infinite or not a number at the end, so a whole expression is looked
at once; it is an error only where every operand was finite. PostgreSQL source: float.h `float8_mul`.
"""

import math
from collections.abc import Iterator, Mapping

from sqlglot import exp

from pgproxy.sql.dialect.build import (
    call,
    case,
    constant_integer,
    function_name,
    number,
    paren,
    raise_error,
)
from pgproxy.sql.dialect.type_names import FLOATS
from pgproxy.sql.dialect.types import KnownTypes

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div)
_LIMITS = {"float8": (-330.0, 308.2), "float4": (-52.0, 38.5)}
"""Powers of ten within which nothing is lost; the lower ones let a factor lose digits, as PostgreSQL does."""
_REACH = {
    "int2": (0.0, 5.0), "int4": (0.0, 10.0), "int8": (0.0, 19.0), "numeric": (-38.0, 38.0),
    "float4": (-45.0, 38.6), "float8": (-324.0, 308.3),
}  # fmt: skip
"""The powers of ten between which a value of a type is that is not zero."""
_SMALL = (-20.0, 20.0)
_REACH_OF_CALL = {
    "sin": _SMALL, "cos": _SMALL, "asin": _SMALL, "acos": _SMALL, "atan": _SMALL, "atan2": _SMALL,
    "rand": _SMALL, "random": _SMALL, "pi": _SMALL, "date_part": _SMALL, "float8_ln": _SMALL,
    "float8_log": _SMALL, "float8_sqrt": (-162.0, 154.2), "cbrt": (-108.0, 102.8),
}  # fmt: skip
"""The same for what these give."""
_MOST_NODES = 40
"""Operands are written three times; larger ones are computed once, in a list that SQL takes apart."""


def in_range(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`+ - *` of doubles: 22003 where the result has no place between the largest and the smallest."""
    return checked(node, node, types) if isinstance(node, (exp.Add, exp.Sub, exp.Mul)) else node


def checked(node: exp.Expr, written: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Guard the arithmetic written for `node`, unless it is part of more, or cannot leave its range."""
    kind = types.of(node)
    if kind not in FLOATS or _is_operand(node, types) or _is_of_grouped_columns(node):
        return written
    low, high = _reach(written, types)
    smallest, largest = _LIMITS[str(kind)]
    may_vanish = low < smallest and not any(isinstance(one, (exp.Add, exp.Sub)) for one in _parts(written))
    if high <= largest and not may_vanish:
        return written
    operands = list(_operands(written))
    variables = [operand for operand in operands if not isinstance(operand.unnest(), exp.Literal)]
    if sum(1 for one in variables for _ in one.walk()) > _MOST_NODES or _reads_more(variables):
        return _computed_once(written, variables, may_vanish)
    return exp.Paren(this=_guard(written, variables, may_vanish))


def _guard(result: exp.Expr, operands: list[exp.Expr], may_vanish: bool) -> exp.Expr:
    """The result where it is finite; an error where it is not though all operands are."""
    is_good: exp.Expr = call("isfinite", result.copy())
    all_finite = exp.and_(*(call("isfinite", operand.copy()) for operand in operands), copy=False)
    overflow = raise_error("22003", "value out of range: overflow")
    if not may_vanish:
        return case((is_good, result.copy()), (all_finite, overflow), default=result)
    is_zero = exp.EQ(this=paren(result.copy()), expression=number(0))
    none_is_zero = [exp.NEQ(this=paren(operand.copy()), expression=number(0)) for operand in operands]
    underflow = raise_error("22003", "value out of range: underflow")
    return case(
        (exp.And(this=is_good, expression=exp.Not(this=is_zero)), result.copy()),
        (exp.and_(is_zero.copy(), all_finite.copy(), *none_is_zero, copy=False), underflow),
        (exp.And(this=exp.Not(this=is_zero.copy()), expression=all_finite), overflow),
        default=result,
    )


def _computed_once(written: exp.Expr, operands: list[exp.Expr], may_vanish: bool) -> exp.Expr:
    """The same with the operands as a list's one element: the engine computes what a lambda gets once."""
    names = {id(operand): f"x{at}" for at, operand in enumerate(operands)}
    entries = [
        exp.PropertyEQ(this=exp.to_identifier(names[id(one)]), expression=one.copy()) for one in operands
    ]
    fields = {key: exp.Bracket(this=exp.column("p"), expressions=[exp.Literal.string(name)])
              for key, name in names.items()}  # fmt: skip
    result = _with(written, fields)
    guarded = _guard(result, [fields[id(operand)] for operand in operands], may_vanish)
    each = exp.Lambda(this=guarded, expressions=[exp.to_identifier("p")])
    listed = call("list_transform", exp.Array(expressions=[exp.Struct(expressions=entries)]), each)
    return call("list_extract", listed, number(1))


def _with(node: exp.Expr, fields: Mapping[int, exp.Expr]) -> exp.Expr:
    """A copy of arithmetic with its operands replaced."""
    held = fields.get(id(node))
    if held is not None:
        return held.copy()
    if isinstance(node, exp.Paren | exp.Neg):
        return type(node)(this=_with(node.this, fields))
    if isinstance(node, _ARITHMETIC):
        made = node.copy()
        made.set("this", _with(node.this, fields))
        divisor = isinstance(node, exp.Div)
        made.set("expression", _with(node.expression.unnest() if divisor else node.expression, fields))
        return made
    return node.copy()


def _is_operand(node: exp.Expr, types: KnownTypes) -> bool:
    """Whether it is part of more arithmetic, which is looked at as a whole; a divisor hides what it was."""
    operand = node
    while isinstance(operand.parent, (exp.Paren, exp.Neg)):
        operand = operand.parent
    holder = operand.parent
    if isinstance(holder, exp.Div) and operand is holder.expression:
        return False
    return isinstance(holder, _ARITHMETIC) and types.of(holder) in FLOATS


def _is_of_grouped_columns(node: exp.Expr) -> bool:
    """Whether it names columns outside of aggregates in a grouped query, where it may be, or hold, a key."""
    select = node.find_ancestor(exp.Select)
    if (
        select is None
        or select.args.get("group") is None
        or node.find_ancestor(exp.AggFunc, exp.Select) is not select
    ):
        return False
    return any(
        column.find_ancestor(exp.AggFunc, exp.Select) is select for column in node.find_all(exp.Column)
    )


def _parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """The operations of an expression, and its operands; a divisor, which has a check, is one of these."""
    yield node
    if isinstance(node, (exp.Paren, exp.Neg)):
        yield from _parts(node.this)
    elif isinstance(node, _ARITHMETIC):
        yield from _parts(node.this)
        if isinstance(node, exp.Div):
            yield node.expression.unnest()
        else:
            yield from _parts(node.expression)


def _operands(node: exp.Expr) -> Iterator[exp.Expr]:
    return (part for part in _parts(node) if not isinstance(part, (*_ARITHMETIC, exp.Paren, exp.Neg)))


def _divisor(node: exp.Expr) -> exp.Expr:
    """A divisor without the check that it is not zero."""
    inner = node.unnest()
    is_checked = isinstance(inner, exp.Case) and function_name(inner.args["ifs"][0].args["true"]) == "error"
    default = inner.args.get("default") if is_checked else None
    return default if isinstance(default, exp.Expr) else node


def _reads_more(operands: list[exp.Expr]) -> bool:
    """Whether an operand reads rows of its own, or is another value each time."""
    return any(
        isinstance(found, exp.Query) or function_name(found) == "random"
        for one in operands
        for found in one.walk()
    )


def _reach(node: exp.Expr, types: KnownTypes) -> tuple[float, float]:
    """The powers of ten between which the values of arithmetic are, zero left out."""
    if isinstance(node, (exp.Paren, exp.Neg)):
        return _reach(node.this, types)
    if not isinstance(node, _ARITHMETIC):
        return _reach_of_operand(node, types)
    low, high = _reach(node.this, types)
    other_low, other_high = _reach(_divisor(node.expression), types)
    if isinstance(node, exp.Mul):
        return low + other_low, high + other_high
    if isinstance(node, exp.Div):
        return low - other_high, high - other_low
    return min(low, other_low), max(high, other_high) + 0.31


def _reach_of_operand(node: exp.Expr, types: KnownTypes) -> tuple[float, float]:
    if isinstance(node, exp.Literal) or (isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal)):
        text = node.name if isinstance(node, exp.Literal) else node.this.name
        return _reach_of_constant(text)
    if isinstance(node, exp.Cast):
        inner = types.of(node.this) or ""
        return _REACH.get(inner, _REACH["float8"])
    called = node.expression if isinstance(node, exp.Dot) else node
    name = function_name(called) or str(node.key)
    if name == "float8_power" and (power := constant_integer(called.expressions[1])) is not None:
        return _reach_of_power(_reach(called.expressions[0], types), power)
    return _REACH_OF_CALL.get(name) or _REACH.get(types.of(node) or "", _REACH["float8"])


def _reach_of_power(base: tuple[float, float], power: int) -> tuple[float, float]:
    ends = (base[0] * power, base[1] * power)
    return min(ends), min(max(ends), 308.3)


def _reach_of_constant(text: str) -> tuple[float, float]:
    try:
        value = abs(float(text))
    except ValueError:
        return _REACH["float8"]
    power = math.log10(value) if value and math.isfinite(value) else 0.0
    return power, power
