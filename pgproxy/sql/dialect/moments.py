"""Arithmetic of times and intervals, and timestamps of fewer digits. PostgreSQL docs, "Date/Time Types"."""

from sqlglot import exp

from pgproxy.sql.dialect import literals
from pgproxy.sql.dialect.aggregates import aggregate_of
from pgproxy.sql.dialect.build import (
    call,
    cast,
    constant_integer,
    constant_text,
    macro,
    number,
    paren,
    string,
)
from pgproxy.sql.dialect.scales import with_core
from pgproxy.sql.dialect.type_names import type_of_data_type
from pgproxy.sql.dialect.types import KnownTypes

_MICROS = 6
_MICROS_OF_DAY = 86_400_000_000


def difference_of_times(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Time - time is an interval."""
    if not isinstance(node, exp.Sub) or not types.of(node.this) == types.of(node.expression) == "time":
        return node
    micros = exp.Sub(
        this=macro("micros_of_day", node.this), expression=macro("micros_of_day", node.expression)
    )
    return call("to_microseconds", cast(exp.Paren(this=micros), "BIGINT"))


def difference_of_instants(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Days of 24 hours and the rest; the engine counts the days of the session's calendar.

    PostgreSQL source: timestamp.c `timestamp_mi`.
    """
    is_ours = isinstance(node, exp.Sub) and types.of(node.this) == types.of(node.expression) == "timestamptz"
    if not is_ours:
        return node
    micros = exp.Paren(
        this=exp.Sub(this=call("epoch_us", node.this), expression=call("epoch_us", node.expression))
    )
    days = exp.IntDiv(this=micros, expression=number(_MICROS_OF_DAY))
    rest = exp.Mod(this=micros.copy(), expression=number(_MICROS_OF_DAY))
    return exp.Paren(
        this=exp.Add(
            this=call("to_days", cast(exp.Paren(this=days), "INTEGER")),
            expression=call("to_microseconds", rest),
        )
    )


def interval_beside_instant(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Months, days and time go one after the other; the engine begins with the time of a negative interval.

    PostgreSQL source: timestamp.c `timestamptz_pl_interval`.
    """
    if not isinstance(node, (exp.Add, exp.Sub)) or types.of(node.this) != "timestamptz":
        return node
    span = node.expression
    if types.of(span) != "interval" or _has_one_part(span):
        return node
    kind = type(node)
    made: exp.Expr = node.this
    for part, unit in (("months", "INTEGER"), ("days", "INTEGER"), ("micros", "BIGINT")):
        maker = {"micros": "to_microseconds"}.get(part, f"to_{part}")
        made = kind(this=made, expression=call(maker, cast(macro(f"interval_{part}", span.copy()), unit)))
    return exp.Paren(this=made)


def _has_one_part(span: exp.Expr) -> bool:
    """Whether an interval is a constant of one unit: then there is no order."""
    span = span.unnest()
    text = constant_text(span.this) if isinstance(span, (exp.Interval, exp.Cast)) else None
    found = literals.parse_interval(text, None) if text is not None else None
    if isinstance(span, exp.Interval) and span.args.get("unit") is not None:
        return True
    return found is not None and sum(part != 0 for part in found) <= 1


def time_of_day(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A date or timestamp + time is a timestamp."""
    if not isinstance(node, exp.Add):
        return node
    for key, other in (("expression", node.this), ("this", node.expression)):
        side = node.args[key]
        if types.of(side) == "time" and types.of(other) in ("date", "timestamp", "timestamptz"):
            node.set(key, call("to_microseconds", cast(macro("micros_of_day", side), "BIGINT")))
            return node
    return node


def interval_total(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """sum() and avg() of intervals: of their months, days and microseconds."""
    core = aggregate_of(node)
    if not isinstance(core, (exp.Sum, exp.Avg)) or types.of(core.this) != "interval":
        return node
    if isinstance(core.this, exp.Distinct):
        return node
    parts = [
        with_core(node, exp.Sum, macro(f"interval_{part}", core.this))
        for part in ("months", "days", "micros")
    ]
    total = macro("interval_of", *parts)
    if isinstance(core, exp.Sum):
        return total
    return macro("interval_div", total, cast(with_core(node, exp.Count), "DOUBLE"))


def precision(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """timestamp(p), time(p): rounded; the engine ignores the number."""
    if not isinstance(node, exp.Cast) or not node.args["to"].expressions:
        return node
    kind = type_of_data_type(node.args["to"])
    is_moment = kind in ("timestamp", "timestamptz", "time")
    digits = constant_integer(node.args["to"].expressions[0].this) if is_moment else None
    if digits is None or digits >= _MICROS or digits < 0:
        return node
    if kind == "time":
        text = constant_text(node.this)
        found = literals.parse_time(text) if text is not None else None
        whole = cast(string(found[0]) if found is not None else paren(node.this), "TIME")
    else:
        whole = cast(paren(node.this), "TIMESTAMP" if kind == "timestamp" else "TIMESTAMPTZ")
    unit = number(10 ** (_MICROS - digits))
    micros = exp.Mul(
        this=call("round", exp.Div(this=call("epoch_us", whole), expression=unit)), expression=unit.copy()
    )
    if kind == "time":
        since = call("to_microseconds", cast(exp.Paren(this=micros), "BIGINT"))
        return exp.Paren(this=exp.Add(this=cast(string("00:00:00"), "TIME"), expression=since))
    build = "make_timestamp" if kind == "timestamp" else "make_timestamptz"
    return call(build, cast(exp.Paren(this=micros), "BIGINT"))


def between_times_and_zones(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A moment's time of day, and a time's zone of today: both are the session's."""
    kind = type_of_data_type(node.args["to"]) if isinstance(node, exp.Cast) else None
    operand: exp.Expr = node.this
    if kind == "time" and types.of(operand) == "timestamptz":
        return cast(cast(operand, "TIMESTAMP"), "TIME")
    if kind == "time" and types.of(operand) == "interval":
        midnight = cast(string("00:00:00"), "TIME")
        since = call("to_microseconds", macro("interval_micros", operand))
        return exp.Paren(this=exp.Add(this=midnight, expression=since))
    if kind == "interval" and types.of(operand) == "time":
        return call("to_microseconds", cast(macro("micros_of_day", operand), "BIGINT"))
    if kind != "timetz":
        return node
    text = constant_text(operand)
    found = literals.parse_time(text) if text is not None else None
    if found is not None and found[1]:
        return cast(string(found[0] + found[1]), "TIMETZ")
    if found is None and types.of(operand) != "time":
        return node
    time = cast(string(found[0]), "TIME") if found is not None else operand
    today = exp.Paren(this=exp.Add(this=cast(call("now"), "DATE"), expression=time))
    return cast(cast(today, "TIMESTAMPTZ"), "TIMETZ")
