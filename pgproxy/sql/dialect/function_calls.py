"""Functions that PostgreSQL has and the engine has not, as calls of the macros that every engine has."""

from collections.abc import Callable

from sqlglot import exp

from pgproxy.sql.dialect.build import (
    call,
    case,
    cast,
    constant_integer,
    constant_text,
    function_name,
    macro,
    number,
    string,
)
from pgproxy.sql.dialect.grammar import NAME_KEY
from pgproxy.sql.dialect.scales import as_sql, declare, number_of, quotient
from pgproxy.sql.dialect.type_names import FLOATS
from pgproxy.sql.dialect.types import KnownTypes, Number
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_Builder = Callable[[list[exp.Expr], KnownTypes], exp.Expr | None]

_PLAIN: dict[str, tuple[str | None, ...]] = {
    "justify_hours": ("INTERVAL",),
    "justify_days": ("INTERVAL",),
    "justify_interval": ("INTERVAL",),
    "array_positions": (None, None),
    "array_replace": (None, None, None),
    "array_dims": (None,),
    "trim_array": (None, "INTEGER"),
    "get_byte": ("BLOB", "INTEGER"),
    "set_byte": ("BLOB", "INTEGER", "INTEGER"),
    "parse_ident": ("VARCHAR",),
}
"""Macros of the same name: the engine's type of each argument, None where any will do."""


def macro_call(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A function that is a macro of the engine's, or built of others."""
    name = function_name(node) or str(node.meta.get(NAME_KEY, "")).lower()
    kinds = _PLAIN.get(name)
    if kinds is None and name not in _BUILT:
        return node
    arguments = list(node.expressions) if function_name(node) else _arguments(node)
    if kinds is not None and len(kinds) == len(arguments):
        return macro(name, *(_typed(one, kind) for one, kind in zip(arguments, kinds, strict=True)))
    builder = _BUILT.get(name)
    built = builder(arguments, types) if builder is not None else None
    return node if built is None else built


def _arguments(node: exp.Expr) -> list[exp.Expr]:
    """The arguments of a function that sqlglot has a class for, in the order in which it reads them."""
    if not isinstance(node, exp.Func):
        return []
    held = [node.args.get(key) for key in node.arg_types]
    flat = [item for value in held for item in (value if isinstance(value, list) else [value])]
    return [item for item in flat if isinstance(item, exp.Expr)]


def _typed(argument: exp.Expr, kind: str | None) -> exp.Expr:
    is_typed = kind is None or isinstance(argument, exp.Cast) or constant_text(argument) is None
    return argument if is_typed or kind is None else cast(argument, kind)


def _count_nulls(*, counts_nulls: bool) -> _Builder:
    def build(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
        if not arguments:
            return None
        parts = []
        for argument in arguments:
            is_null: exp.Expr = exp.Is(this=exp.Paren(this=argument), expression=exp.Null())
            ends = (number(1), number(0)) if counts_nulls else (number(0), number(1))
            parts.append(case((is_null, ends[0]), default=ends[1]))
        total: exp.Expr = parts[0]
        for part in parts[1:]:
            total = exp.Add(this=total, expression=part)
        return cast(exp.Paren(this=total), "INTEGER")

    return build


def _scale(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    known = number_of(arguments[0], types) if len(arguments) == 1 else None
    if known is None:
        return None
    is_null = exp.Is(this=exp.Paren(this=arguments[0].copy()), expression=exp.Null())
    return cast(case((exp.Not(this=is_null), as_sql(known.shown))), "INTEGER")


def _min_scale(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    return cast(macro("numeric_min_scale", arguments[0]), "INTEGER") if len(arguments) == 1 else None


def _trim_scale(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    known = number_of(arguments[0], types) if len(arguments) == 1 else None
    if known is None:
        return None
    value = exp.Paren(this=arguments[0])
    shown = macro("numeric_min_scale", arguments[0].copy())
    return declare(value, Number(known.precision, known.scale, shown), types)


def _width_bucket(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    if len(arguments) == 2:
        is_reached = exp.LTE(this=exp.column("item"), expression=arguments[0])
        below = exp.Lambda(this=is_reached, expressions=[exp.to_identifier("item")])
        return cast(call("len", call("list_filter", arguments[1], below)), "INTEGER")
    if len(arguments) != 4:
        return None
    value, low, high, count = arguments
    way = exp.Paren(this=exp.Sub(this=value.copy(), expression=low.copy()))
    width: exp.Expr = exp.Paren(this=exp.Sub(this=high.copy(), expression=low.copy()))
    steps = exp.Mul(this=way, expression=exp.Paren(this=count.copy()))
    if any(types.of(one) in FLOATS for one in (value, low, high)):
        share: exp.Expr | None = exp.Div(
            this=exp.Paren(this=steps), expression=width, typed=False, safe=False
        )
    else:
        share = _exact_share(steps, width, [number_of(one, types) for one in (value, low, high)], types)
    if share is None:
        return None
    inside = exp.Add(this=cast(call("floor", share), "INTEGER"), expression=number(1))
    return cast(macro("bucket", value, low, high, count, inside), "INTEGER")


def _exact_share(
    steps: exp.Expr, width: exp.Expr, numbers: list[Number | None], types: KnownTypes
) -> exp.Expr | None:
    known = [one for one in numbers if one is not None]
    if len(known) != len(numbers):
        return None
    scale = max(one.scale for one in known)
    kind = f"DECIMAL(38, {scale})"
    return quotient(cast(steps, kind), cast(call("nullif", width, number(0)), kind), types)


def _array_fill(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    if len(arguments) != 2 or not isinstance(arguments[1], exp.Array) or len(arguments[1].expressions) != 1:
        raise FeatureNotSupported("array_fill() is supported for one dimension, ARRAY[n]")
    return macro("array_fill", arguments[0], arguments[1].expressions[0])


def _convert(name: str) -> _Builder:
    engine_name = {"convert_from": "decode", "convert_to": "encode"}[name]

    def build(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
        encoding = (constant_text(arguments[1]) or "").replace("-", "").upper() if len(arguments) == 2 else ""
        if encoding not in ("UTF8", "UNICODE"):
            raise FeatureNotSupported(f"{name}() is supported for the constant encoding UTF8")
        value = arguments[0]
        if name == "convert_from" and types.of(value) != "bytea":
            return None
        return call(engine_name, value)

    return build


def _digest(name: str) -> _Builder:
    def build(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
        return call("unhex", call(name, cast(arguments[0], "BLOB"))) if len(arguments) == 1 else None

    return build


def _truncate(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    """date_trunc() by century or millennium, or in a time zone."""
    unit = (constant_text(arguments[0]) or "").lower() if len(arguments) in (2, 3) else ""
    if len(arguments) == 3:
        if types.of(arguments[1]) not in ("timestamptz", "date") or not unit:
            raise FeatureNotSupported("date_trunc() with a time zone needs a timestamp with time zone")
        local = call("timezone", arguments[2].copy(), cast(arguments[1], "TIMESTAMPTZ"))
        return call("timezone", arguments[2], _truncated(unit, arguments[0], local))
    if unit not in ("century", "millennium"):
        return None
    operand = arguments[1]
    if types.of(operand) == "interval":
        raise FeatureNotSupported(f"date_trunc() of an interval by {unit} is not supported")
    return _truncated(
        unit, arguments[0], cast(operand, "TIMESTAMPTZ") if types.of(operand) == "date" else operand
    )


def _truncated(unit: str, field: exp.Expr, operand: exp.Expr) -> exp.Expr:
    if unit not in ("century", "millennium"):
        return call("date_trunc", field, operand)
    return macro("truncated_years", operand, number(100 if unit == "century" else 1000))


def _normalize(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    return call("nfc_normalize", arguments[0]) if len(arguments) == 1 else None


def _chr(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    value = constant_integer(arguments[0]) if len(arguments) == 1 else None
    if value == 0:
        raise StatementError("null character not permitted", sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED)
    return None


def _make_date(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    parts = [constant_integer(one) for one in arguments]
    year, month, day = parts if len(parts) == 3 else (None, None, None)
    if year is None or month is None or day is None:
        return None
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if is_leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (1 <= month <= 12 and 1 <= day <= days[month - 1]) or year == 0:
        raise StatementError("date field value out of range", sqlstate=SqlState.DATETIME_FIELD_OVERFLOW)
    return None


def _pad(name: str) -> _Builder:
    """lpad() and rpad(): without a text to fill with, nothing is filled; the engine raises."""

    def build(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
        if len(arguments) != 3:
            return call(name, *arguments, string(" ")) if len(arguments) == 2 else None
        if constant_text(arguments[2]):
            return None
        is_empty = exp.EQ(this=exp.Paren(this=arguments[2].copy()), expression=string(""))
        cut = call("left", arguments[0].copy(), arguments[1].copy())
        return case((is_empty, cut), default=call(name, *arguments))

    return build


_BUILT: dict[str, _Builder] = {
    "num_nulls": _count_nulls(counts_nulls=True),
    "num_nonnulls": _count_nulls(counts_nulls=False),
    "scale": _scale,
    "min_scale": _min_scale,
    "trim_scale": _trim_scale,
    "width_bucket": _width_bucket,
    "array_fill": _array_fill,
    "convert_from": _convert("convert_from"),
    "convert_to": _convert("convert_to"),
    "sha256": _digest("sha256"),
    "date_trunc": _truncate,
    "normalize": _normalize,
    "chr": _chr,
    "make_date": _make_date,
    "lpad": _pad("lpad"),
    "rpad": _pad("rpad"),
}
