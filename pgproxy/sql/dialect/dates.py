"""Dates and times. PostgreSQL docs, "Date/Time Functions and Operators", "Data Type Formatting Functions"."""

import re

from sqlglot import exp

from pgproxy.sql.dialect.build import call, cast, constant_text, function_name, string
from pgproxy.sql.dialect.constants import give_type
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_WHOLE_FIELDS = frozenset(
    [
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "quarter",
        "week",
        "dow",
        "isodow",
        "doy",
        "isoyear",
        "century",
        "decade",
        "millennium",
        "microseconds",
        "timezone",
        "timezone_hour",
        "timezone_minute",
    ]
)
_UNITS = frozenset(
    ["microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year",
     "decade", "century", "millennium"]
)  # fmt: skip
_CLOCK_FIELDS = frozenset(
    [
        "hour",
        "minute",
        "second",
        "milliseconds",
        "microseconds",
        "timezone",
        "timezone_hour",
        "timezone_minute",
    ]
)
_FIELD_NAMES = {"years": "year", "months": "month", "days": "day", "hours": "hour", "minutes": "minute",
                "seconds": "second", "weeks": "week", "msec": "milliseconds", "usec": "microseconds",
                "millisecond": "milliseconds", "microsecond": "microseconds"}  # fmt: skip
_POSIX_ZONE = re.compile(
    r"(?:[a-z]{3,})?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?", re.IGNORECASE
)
_CLOCKS = {
    "now": "now",
    "transaction_timestamp": "now",
    "statement_timestamp": "now",
    "clock_timestamp": "now",
}


def extract_field(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """The field is numeric with its own scale, of date_part() double precision; the fraction stays."""
    if isinstance(node, exp.Extract):
        return _field(node.this.name, node.expression, types)
    if function_name(node) == "date_part" and len(node.expressions) == 2:
        field = constant_text(node.expressions[0])
        if field is None:
            raise FeatureNotSupported("date_part() needs a constant field")
        operand = node.expressions[1]
        if types.of(operand) == "date" and field.lower() in _CLOCK_FIELDS:
            operand = cast(operand, "TIMESTAMP")  # as which PostgreSQL takes it, here alone
        return cast(_field(field, operand, types), "DOUBLE")
    return node


def _field(name: str, operand: exp.Expr, types: KnownTypes) -> exp.Expr:
    field = _FIELD_NAMES.get(name.lower(), name.lower())
    if field.startswith("timezone") and types.of(operand) == "timestamp":
        raise FeatureNotSupported(f'unit "{field}" not supported for type timestamp without time zone')
    if types.of(operand) == "date":
        if field in _CLOCK_FIELDS:
            raise FeatureNotSupported(f'unit "{field}" not supported for type date')
        if field in ("epoch", "julian"):
            return cast(call("date_part", string(field), operand), "DECIMAL(38, 0)")
        operand = cast(operand, "TIMESTAMP")
    if field in _WHOLE_FIELDS:
        return cast(call("date_part", string(field), operand), "DECIMAL(38, 0)")
    if field in ("second", "milliseconds"):
        factor, kind = ("0.000001", "DECIMAL(18, 6)") if field == "second" else ("0.001", "DECIMAL(18, 3)")
        micros = call("date_part", string("microseconds"), operand)
        return cast(exp.Mul(this=micros, expression=exp.Literal.number(factor)), kind)
    if field == "epoch":
        if types.of(operand) == "interval":
            return cast(call("date_part", string("epoch"), operand), "DECIMAL(38, 6)")
        micros = call("epoch_us", operand)
        return cast(exp.Mul(this=micros, expression=exp.Literal.number("0.000001")), "DECIMAL(38, 6)")
    if field == "julian":
        return cast(call("date_part", string("julian"), operand), "DECIMAL(38, 15)")
    raise StatementError("unit not recognized", sqlstate=SqlState.INVALID_PARAMETER_VALUE)


def overlaps(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Two periods, each of two moments or a moment and a length, share a moment."""
    if not isinstance(node, exp.Overlaps):
        return node
    left, right = node.this.unnest(), node.expression.unnest()
    if not all(isinstance(side, exp.Tuple) and len(side.expressions) == 2 for side in (left, right)):
        raise FeatureNotSupported("OVERLAPS needs two pairs")
    (first, last), (start, end) = (_period(side.expressions, types) for side in (left, right))

    # A period that is one moment lies in the other if it is not behind its end.
    def reaches(one: exp.Expr, other: exp.Expr, beyond: exp.Expr) -> exp.Expr:
        is_before = exp.LT(this=one.copy(), expression=beyond.copy())
        is_same = exp.EQ(this=one.copy(), expression=other.copy())
        return exp.Paren(this=exp.Or(this=is_before, expression=is_same))

    return exp.Paren(this=exp.And(this=reaches(first, start, end), expression=reaches(start, first, last)))


def _period(pair: list[exp.Expr], types: KnownTypes) -> tuple[exp.Expr, exp.Expr]:
    one, other = pair
    if types.of(other) == "interval":
        other = exp.Paren(this=exp.Add(this=one.copy(), expression=other))
    return call("least", one.copy(), other.copy()), call("greatest", one.copy(), other.copy())


def fixed_offset_zone(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """AT TIME ZONE an interval, `+3` or `UTC-5`: in the last two, as POSIX has it, plus is west."""
    if not isinstance(node, exp.AtTimeZone):
        return node
    zone = node.args["zone"]
    match = _POSIX_ZONE.fullmatch(constant_text(zone) or "")
    if types.of(zone) == "interval":
        east = zone
    elif match is not None:
        minutes = int(match["hours"]) * 60 + int(match["minutes"] or 0)
        east = cast(string(f"{minutes if match['sign'] == '-' else -minutes} minutes"), "INTERVAL")
    else:
        return node
    kind = types.of(node.this)
    if kind not in ("timestamp", "timestamptz"):
        raise FeatureNotSupported("AT TIME ZONE of this value is not supported", hint="Cast the value.")
    utc = string("UTC")
    if kind == "timestamptz":
        at_utc = exp.Paren(this=exp.AtTimeZone(this=exp.Paren(this=node.this), zone=utc))
        return exp.Paren(this=exp.Add(this=at_utc, expression=exp.Paren(this=east)))
    shifted = exp.Paren(this=exp.Sub(this=exp.Paren(this=node.this), expression=exp.Paren(this=east)))
    return exp.Paren(this=exp.AtTimeZone(this=shifted, zone=utc))


def bin_moments(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """date_bin() with constants of no type: an interval, and moments of one type."""
    if function_name(node) != "date_bin" or len(node.expressions) != 3:
        return node
    stride, *moments = node.expressions
    if constant_text(stride) is not None:
        give_type(stride, "interval")
    kinds = {types.of(moment) for moment in moments if constant_text(moment) is None}
    for moment in moments:
        if constant_text(moment) is not None:
            give_type(moment, "timestamp" if kinds == {"timestamp"} else "timestamptz")
    return call("time_bucket", *node.expressions)


def truncate(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """date_trunc() of a date acts on a timestamp with time zone."""
    if function_name(node) != "date_trunc" or len(node.expressions) != 2:
        return node
    field, operand = node.expressions
    unit = (constant_text(field) or "day").lower()
    if unit not in _UNITS and unit.removesuffix("s") not in _UNITS:
        raise StatementError("unit not recognized", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
    if types.of(operand) == "date":
        operand = cast(operand, "TIMESTAMPTZ")
    if unit.removesuffix("s") == "week" and types.of(operand) == "interval":
        raise FeatureNotSupported('unit "week" not supported for type interval')
    return call("date_trunc", field, operand)


def clock(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """The transaction's start; the engine's own clock does not move within a transaction either."""
    name = function_name(node)
    if name in _CLOCKS and not node.expressions:
        return call("now")
    if isinstance(node, exp.CurrentTimestamp):
        return call("now")
    if isinstance(node, exp.Localtimestamp):
        return cast(call("now"), "TIMESTAMP")
    if isinstance(node, exp.Localtime):
        return cast(cast(call("now"), "TIMESTAMP"), "TIME")
    if isinstance(node, exp.CurrentDate):
        return cast(call("now"), "DATE")
    if name == "age" and len(node.expressions) == 1:
        midnight = cast(cast(call("now"), "DATE"), "TIMESTAMP")
        return call("age", midnight, cast(node.expressions[0], "TIMESTAMP"))
    if name == "age":
        return call(
            "age",
            *(cast(item, "TIMESTAMP") if types.of(item) == "date" else item for item in node.expressions),
        )
    return node


_INTERVAL_BUILDERS = {"years": "to_years", "months": "to_months", "weeks": "to_weeks", "days": "to_days",
                      "hours": "to_hours", "mins": "to_minutes", "secs": "to_seconds"}  # fmt: skip


def build_interval(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """make_interval(), positional or by name."""
    if function_name(node) != "make_interval":
        return node
    total: exp.Expr | None = None
    for position, argument in enumerate(node.expressions):
        name = (
            argument.this.name.lower()
            if isinstance(argument, exp.Kwarg)
            else tuple(_INTERVAL_BUILDERS)[position]
        )
        builder = _INTERVAL_BUILDERS.get(name)
        if builder is None:
            raise StatementError(
                "function make_interval does not exist", sqlstate=SqlState.UNDEFINED_FUNCTION
            )
        value = argument.expression if isinstance(argument, exp.Kwarg) else argument
        part = call(builder, value if name == "secs" else cast(value, "INTEGER"))
        total = part if total is None else exp.Add(this=total, expression=part)
    return exp.Paren(this=total) if total is not None else cast(string("0 days"), "INTERVAL")
