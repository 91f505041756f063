"""Roots, logarithms and exponentials: their types and errors. PostgreSQL docs, "Mathematical Functions"."""

from sqlglot import exp

from pgproxy.sql.dialect.build import macro, number
from pgproxy.sql.dialect.grammar import NAME_KEY
from pgproxy.sql.dialect.scales import (
    QUOTIENT_SCALE,
    Scale,
    approximate,
    as_sql,
    declare,
    largest,
    number_of,
)
from pgproxy.sql.dialect.type_names import FLOATS, INTEGERS
from pgproxy.sql.dialect.types import KnownTypes, Number

_FLOAT_MACROS: dict[type[exp.Expr], str] = {
    exp.Sqrt: "float8_sqrt",
    exp.Exp: "float8_exp",
    exp.Ln: "float8_ln",
    exp.Log: "float8_log",
}


def root(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """sqrt(), exp(), ln() and log() of one number: numeric of a numeric, else double precision."""
    name = _FLOAT_MACROS.get(type(node))
    if isinstance(node, exp.Log) and isinstance(node.args.get("expression"), exp.Expr):
        if str(node.meta.get(NAME_KEY)).lower() != "log10":
            return _logarithm_of_base(node.this, node.expression, types)
        node = exp.Log(this=node.expression)
    if name is None:
        return node
    kind = types.of(node.this)
    if kind == "numeric":
        known = number_of(node.this, types)
        if isinstance(node, exp.Sqrt) and known is not None:
            return square_root(node.this, known, None, types)
        fewest = as_sql(known.shown) if known is not None else number(0)
        size = macro("float8_ln", node.this.copy()) if isinstance(node, (exp.Ln, exp.Log)) else node.this
        scale = macro("exponential_scale" if isinstance(node, exp.Exp) else "logarithm_scale", size, fewest)
        return approximate(macro(name, node.this.copy()), types, scale)
    return macro(name, node.this) if kind in (*INTEGERS, *FLOATS) else node


def _logarithm_of_base(base: exp.Expr, operand: exp.Expr, types: KnownTypes) -> exp.Expr:
    """log(b, x) is numeric; its two logarithms decide how many digits it shows."""
    known = [number_of(side, types) for side in (base, operand)]
    fewest: Scale = 0
    for one in known:
        fewest = largest(fewest, one.shown if one is not None else 0)
    sizes = [macro("float8_ln", side.copy()) for side in (operand, base)]
    scale = macro("logarithm_of_base_scale", *sizes, as_sql(fewest))
    quotient = exp.Div(
        this=macro("float8_ln", operand), expression=macro("float8_ln", base), typed=False, safe=False
    )
    return approximate(quotient, types, scale)


def square_root(operand: exp.Expr, known: Number, digits: exp.Expr | None, types: KnownTypes) -> exp.Expr:
    """An exact root. digits: how many behind the point; by the operand's size if not said."""
    shown = digits or macro("numeric_sqrt_scale", operand.copy(), as_sql(known.shown))
    made = macro("numeric_sqrt", operand, shown)
    return declare(made, Number(38, QUOTIENT_SCALE, shown.copy()), types)
