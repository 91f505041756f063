"""String constants of no type, which take the type of what stands beside them.

The engine has rules of its own: it rounds `'1.2504'` to the scale of the decimal that it is compared with,
and adds texts to decimals in doubles. PostgreSQL docs, "Type Conversion", Operators and UNION, CASE and
Related Constructs.
"""

import re
from collections.abc import Iterator, Sequence

from sqlglot import exp

from pgproxy.sql.dialect.build import constant_text
from pgproxy.sql.dialect.type_names import FLOATS, INTEGERS, sql_name
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.node_kinds import classes_below

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_COMBINING = (
    *_ARITHMETIC, *_COMPARISONS, exp.In, exp.Between, exp.Case, exp.Coalesce, exp.Greatest, exp.Least,
    exp.Nullif, exp.DPipe, exp.ArrayContainsAll, exp.ArrayContainedBy, exp.ArrayOverlaps, exp.SetOperation,
)  # fmt: skip
_OF_ARRAYS = (exp.DPipe, exp.ArrayContainsAll, exp.ArrayContainedBy, exp.ArrayOverlaps)
_UNITED = frozenset({*INTEGERS, *FLOATS, "date", "timestamp", "timestamptz", "bool"})
_COMBINING_KINDS = classes_below(*_COMBINING)
_CONSTANTS = classes_below(exp.Literal, exp.ByteString)
_NUMBERS = frozenset({*INTEGERS, *FLOATS, "numeric"})
_MOMENTS = frozenset({"date", "timestamp", "timestamptz"})
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


def read_constants(nodes: Sequence[exp.Expr], types: KnownTypes) -> bool:
    """Cast each such constant, in place; gives whether there was one."""
    if not any(type(node) in _CONSTANTS and constant_text(node) is not None for node in nodes):
        return False
    with types.steady():
        found = [pair for node in nodes if type(node) in _COMBINING_KINDS for pair in _constants(node, types)]
    for constant, kind in found:
        give_type(constant, kind)
    return bool(found)


def give_type(constant: exp.Expr, kind: str) -> None:
    """Cast a constant to one of PostgreSQL's types, in place."""
    target = exp.DataType.build(sql_name(kind), dialect="postgres")
    constant.replace(exp.Cast(this=constant.copy(), to=target))


def _constants(node: exp.Expr, types: KnownTypes) -> Iterator[tuple[exp.Expr, str]]:
    """The constants that `node` combines, with the type that they take."""
    if isinstance(node, _ARITHMETIC):
        yield from _operands(node, types)
    elif isinstance(node, _OF_ARRAYS):
        yield from _beside_arrays(node, types)
    elif isinstance(node, exp.SetOperation):
        yield from _united(node, types)
    else:
        yield from _alike(node, types)


def _operands(node: exp.Binary, types: KnownTypes) -> Iterator[tuple[exp.Expr, str]]:
    for side, other in ((node.this, node.expression), (node.expression, node.this)):
        if constant_text(side) is not None and constant_text(other) is None:
            kind = _operand_kind(node, types.of(other))
            if kind is not None and _is_form_of(side, kind):
                yield side, kind


def _beside_arrays(node: exp.Expr, types: KnownTypes) -> Iterator[tuple[exp.Expr, str]]:
    for side, other in ((node.this, node.expression), (node.expression, node.this)):
        kind = types.of(other) or ""
        if kind.endswith("[]") and (constant_text(side) or "").lstrip().startswith("{"):
            yield side, kind


def _alike(node: exp.Expr, types: KnownTypes) -> Iterator[tuple[exp.Expr, str]]:
    together = list(_together(node))
    constants = [item for item in together if constant_text(item) is not None]
    if constants and len(constants) < len(together):
        kinds = {types.of(item) for item in together if constant_text(item) is None and not _is_null(item)}
        array = next(iter(kinds)) if len(kinds) == 1 else None
        if array is not None and array.endswith("[]"):
            yield from ((item, array) for item in constants)
        elif "numeric" in kinds and kinds <= {*INTEGERS, "numeric"}:
            yield from ((item, "numeric") for item in constants if _is_form_of(item, "numeric"))


def _united(node: exp.SetOperation, types: KnownTypes) -> Iterator[tuple[exp.Expr, str]]:
    """Constants that are outputs of one side, beside outputs of a type on the other."""
    sides = [side for side in (node.this, node.expression) if isinstance(side, exp.Select)]
    if len(sides) != 2 or any(item.is_star for side in sides for item in side.expressions):
        return
    for pair in zip(sides[0].expressions, sides[1].expressions, strict=False):
        values = [item.unalias() for item in pair]
        for side, other in (values, reversed(values)):
            kind, is_constant = types.of(other), isinstance(side, exp.Literal) and side.is_string
            if kind in _UNITED and is_constant and _is_form_of(side, str(kind)):
                yield side, str(kind)


def _operand_kind(node: exp.Expr, beside: str | None) -> str | None:
    if beside in _NUMBERS:
        return beside
    if isinstance(node, exp.Sub) and beside in _MOMENTS:
        return beside
    return "float8" if beside == "interval" and isinstance(node, (exp.Mul, exp.Div)) else None


def _together(node: exp.Expr) -> Iterator[exp.Expr]:
    """What comes to one type."""
    if isinstance(node, _COMPARISONS):
        yield from (node.this, node.expression)
    elif isinstance(node, exp.In):
        yield from (node.this, *node.expressions)
    elif isinstance(node, exp.Between):
        yield from (node.this, node.args["low"], node.args["high"])
    elif isinstance(node, exp.Case):
        yield from (branch.args["true"] for branch in node.args["ifs"])
        if node.args.get("default") is not None:
            yield node.args["default"]
    elif isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least)):
        yield from (node.this, *node.expressions)
    elif isinstance(node, exp.Nullif):
        yield from (node.this, node.expression)


def _is_null(node: exp.Expr) -> bool:
    return isinstance(node, exp.Null)


def _is_form_of(constant: exp.Expr, kind: str) -> bool:
    """Where it is none, `checks` says so, or the cast does."""
    text = constant_text(constant) or ""
    form = _INTEGER if kind in INTEGERS else _NUMBER if kind in _NUMBERS else None
    return form is None or form.fullmatch(text) is not None
