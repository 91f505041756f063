"""Operators as sqlglot's classes say them, and types between their names and OIDs."""

from collections.abc import Mapping

from sqlglot import exp

from pgwire.types import type_by_name, type_by_oid

OPERATORS: Mapping[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.Pow: "^",
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "=", exp.NullSafeNEQ: "=", exp.Nullif: "=",
    exp.Like: "~~", exp.ILike: "~~*", exp.RegexpLike: "~", exp.RegexpILike: "~*", exp.StartsWith: "^@",
    exp.DPipe: "||", exp.BitwiseAnd: "&", exp.BitwiseOr: "|", exp.BitwiseXor: "#",
    exp.BitwiseLeftShift: "<<", exp.BitwiseRightShift: ">>",
    exp.ArrayContainsAll: "@>", exp.ArrayContainedBy: "<@", exp.ArrayOverlaps: "&&",
    exp.JSONExtract: "->", exp.JSONExtractScalar: "->>", exp.JSONBExtract: "#>",
    exp.JSONBExtractScalar: "#>>", exp.JSONBContainsTopKey: "?", exp.JSONBContainsAnyTopKeys: "?|",
    exp.JSONBContainsAllTopKeys: "?&", exp.JSONBDeleteAtPath: "#-",
}  # fmt: skip
"""Of two operands, in `this` and `expression`."""
PREFIXES: Mapping[type[exp.Expr], str] = {exp.Neg: "-", exp.BitwiseNot: "~"}
TRUTHS = (exp.And, exp.Or, exp.Xor, exp.Not, exp.Where, exp.Having, exp.Qualify)
"""What takes truth values only."""


def oid_of(name: str | None) -> int | None:
    """The OID of a type by its name here (`int4`, `int4[]`); None where it is not known."""
    if name is None:
        return None
    found = type_by_name(name.removesuffix("[]"))
    if found is None:
        return None
    return (found.array_oid or None) if name.endswith("[]") else found.oid


def name_of(oid: int) -> str | None:
    """A type's name here by its OID; None where it is not known."""
    found = type_by_oid(oid)
    if found is None:
        return None
    element = type_by_oid(found.element_oid) if found.name.startswith("_") else None
    return f"{element.name}[]" if element is not None else found.name
