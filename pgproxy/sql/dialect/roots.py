"""Roots, logarithms and exponentials: their types and errors. PostgreSQL docs, "Mathematical Functions"."""

from sqlglot import exp

from pgproxy.sql.dialect.build import macro
from pgproxy.sql.dialect.scales import QUOTIENT_SCALE, approximate, as_sql, declare, number_of
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
    if name is None or node.args.get("expression") is not None:
        return node
    kind = types.of(node.this)
    if kind == "numeric":
        known = number_of(node.this, types)
        if isinstance(node, exp.Sqrt) and known is not None:
            return square_root(node.this, known, None, types)
        return approximate(macro(name, node.this), types)
    return macro(name, node.this) if kind in (*INTEGERS, *FLOATS) else node


def square_root(operand: exp.Expr, known: Number, digits: exp.Expr | None, types: KnownTypes) -> exp.Expr:
    """An exact root. digits: how many behind the point; by the operand's size if not said."""
    shown = digits or macro("numeric_sqrt_scale", operand.copy(), as_sql(known.shown))
    made = macro("numeric_sqrt", operand, shown)
    return declare(made, Number(38, QUOTIENT_SCALE, shown.copy()), types)
