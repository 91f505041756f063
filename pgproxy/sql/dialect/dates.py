"""Dates and times. PostgreSQL docs, "Date/Time Functions and Operators", "Data Type Formatting Functions"."""

import re

from sqlglot import exp

from pgproxy.sql.dialect.build import call, cast, constant_text, function_name, paren, string
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
_CLOCKS = {
    "now": "now",
    "transaction_timestamp": "now",
    "statement_timestamp": "now",
    "clock_timestamp": "now",
}
_TO_CHAR = re.compile(
    r"(FM)?(YYYY|YY|MM|DDD|DD|HH24|HH12|HH|MI|SSSSS?|SS|MS|US|MONTH|MON|DAY|DY|AM|PM|IYYY|IW|ID|D|Q|TZ|CC|WW|W|J)(?!TH)"
    r"|\"([^\"]*)\"|([^A-Za-z\"]+|T(?![HZM]))",
    re.IGNORECASE,
)
_NAME_CODES = frozenset({"month", "mon", "day", "dy", "am", "pm"})
"""Codes whose letter case decides that of the result."""
_STRFTIME = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "DDD": "%j", "HH24": "%H", "HH12": "%I",
             "HH": "%I", "MI": "%M", "SS": "%S", "MS": "%g", "US": "%f",
             "Mon": "%b", "Dy": "%a", "AM": "%p", "PM": "%p",
             "IYYY": "%G", "IW": "%V", "ID": "%u"}  # fmt: skip
_UNPADDED = {"MM": "%-m", "DD": "%-d", "DDD": "%-j", "HH24": "%-H", "HH12": "%-I", "HH": "%-I", "MI": "%-M",
             "SS": "%-S", "YYYY": "%-Y", "Mon": "%b", "Dy": "%a", "Month": "%B", "Day": "%A"}  # fmt: skip


def extract_field(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """The field is numeric with its own scale, of date_part() double precision; the fraction stays."""
    if isinstance(node, exp.Extract):
        return _field(node.this.name, node.expression, types)
    if function_name(node) == "date_part" and len(node.expressions) == 2:
        field = constant_text(node.expressions[0])
        if field is None:
            raise FeatureNotSupported("date_part() needs a constant field")
        return cast(_field(field, node.expressions[1], types), "DOUBLE")
    return node


def _field(name: str, operand: exp.Expr, types: KnownTypes) -> exp.Expr:
    field = _FIELD_NAMES.get(name.lower(), name.lower())
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


def truncate(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """date_trunc() of a date acts on a timestamp with time zone."""
    if function_name(node) != "date_trunc" or len(node.expressions) < 2:
        return node
    if len(node.expressions) == 3:
        raise FeatureNotSupported("date_trunc() with a time zone is not supported", hint="Use AT TIME ZONE.")
    field, operand = node.expressions
    unit = (constant_text(field) or "day").lower()
    if unit not in _UNITS and unit.removesuffix("s") not in _UNITS:
        raise StatementError("unit not recognized", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
    if unit in ("century", "millennium"):
        raise FeatureNotSupported("date_trunc() by century or millennium is not supported")
    if types.of(operand) == "date":
        operand = cast(operand, "TIMESTAMPTZ")
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


def format_date(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """to_char() of a date or time, by a constant pattern."""
    if function_name(node) != "to_char" or len(node.expressions) != 2:
        return node
    operand, pattern = node.expressions[0], constant_text(node.expressions[1])
    kind = types.of(operand)
    if pattern is None or kind not in ("date", "timestamp", "timestamptz", None):
        raise FeatureNotSupported("to_char() is supported for dates and times with a constant pattern")
    if kind is None and re.search(r"[09]", pattern):
        raise FeatureNotSupported(
            "to_char() of a number is not supported", hint="Use round() and a cast to text."
        )
    pieces = _pattern_pieces(pattern, operand)
    if len(pieces) == 1:
        return pieces[0]
    joined = pieces[0] if pieces else string("")
    for piece in pieces[1:]:
        joined = exp.DPipe(this=joined, expression=piece, safe=True)
    return exp.Paren(this=joined)


def _pattern_pieces(pattern: str, operand: exp.Expr) -> list[exp.Expr]:
    pieces: list[exp.Expr] = []
    simple = ""
    at = 0
    while at < len(pattern):
        match = _TO_CHAR.match(pattern, at)
        if match is None:
            raise FeatureNotSupported("this to_char() pattern is not supported")
        at = match.end()
        fill, code, quoted, plain = match.groups()
        code = code.upper() if code and code.lower() not in _NAME_CODES else code
        directive = (_UNPADDED if fill else _STRFTIME).get(code or "")
        if code is None:
            simple += (quoted if quoted is not None else plain).replace("%", "%%")
        elif directive:
            simple += directive
        else:
            if simple:
                pieces.append(call("strftime", operand.copy(), string(simple)))
                simple = ""
            pieces.append(_special_piece(code, bool(fill), operand))
    if simple:
        pieces.append(call("strftime", operand.copy(), string(simple)))
    return pieces


def _special_piece(code: str, fill: bool, operand: exp.Expr) -> exp.Expr:
    """Codes that strftime lacks. Names of months and days are padded to nine letters, unless FM is given."""
    if code.lower() in ("month", "day", "mon", "dy"):
        name: exp.Expr = call(
            "strftime",
            operand.copy(),
            string({"month": "%B", "day": "%A", "mon": "%b", "dy": "%a"}[code.lower()]),
        )
        if code.isupper() or code.islower():
            name = call("upper" if code.isupper() else "lower", name)
        is_long = code.lower() in ("month", "day")
        return call("rpad", name, exp.Literal.number(9), string(" ")) if is_long and not fill else name
    if code in ("am", "pm"):
        return call("lower", call("strftime", operand.copy(), string("%p")))
    if code in ("Q", "D"):
        field = call("date_part", string("quarter" if code == "Q" else "dow"), operand.copy())
        value: exp.Expr = exp.Add(this=field, expression=exp.Literal.number(1)) if code == "D" else field
        return cast(paren(value), "VARCHAR")
    raise FeatureNotSupported("this to_char() pattern is not supported")


def parse_date(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """to_date(text, pattern), to_timestamp(text, pattern) and to_timestamp(seconds)."""
    name = function_name(node)
    if name == "to_timestamp" and len(node.expressions) == 1:
        return call("to_timestamp", cast(node.expressions[0], "DOUBLE"))
    if name == "to_number":
        raise FeatureNotSupported("to_number() is not supported", hint="Use a cast to numeric.")
    if name not in ("to_date", "to_timestamp") or len(node.expressions) != 2:
        return node
    pattern = constant_text(node.expressions[1])
    if pattern is None:
        raise FeatureNotSupported(f"{name}() needs a constant pattern")
    directives = ""
    at = 0
    while at < len(pattern):
        match = _TO_CHAR.match(pattern, at)
        code = (_STRFTIME.get(match[2]) or _STRFTIME.get(match[2].upper())) if match and match[2] else None
        if match is None or match[1] or (match[2] and code is None):
            raise FeatureNotSupported(f"this {name}() pattern is not supported")
        directives += code or (match[3] if match[3] is not None else match[4]).replace("%", "%%")
        at = match.end()
    parsed = call("strptime", node.expressions[0], string(directives))
    return cast(parsed, "DATE" if name == "to_date" else "TIMESTAMPTZ")


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
