"""Casts: constants of a type, numeric without a scale, text forms. PostgreSQL docs, "Type Casts"."""

import re
from calendar import monthrange

from sqlglot import exp

from pgproxy.sql.dialect import literals
from pgproxy.sql.dialect.build import (
    call,
    case,
    cast,
    constant_integer,
    constant_text,
    macro,
    paren,
    raise_error,
    string,
)
from pgproxy.sql.dialect.common_scales import common_scale
from pgproxy.sql.dialect.places import PlacelessError
from pgproxy.sql.dialect.scales import declare
from pgproxy.sql.dialect.type_names import FLOATS, INTEGERS, TEXTS, sql_name, type_of_data_type
from pgproxy.sql.dialect.types import KnownTypes, Number
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_INTEGER_NAMES = {"int2": "smallint", "int4": "integer", "int8": "bigint"}
_DOUBLE = re.compile(
    r"\s*[+-]?(?:(?P<digits>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|nan|inf(?:inity)?)\s*", re.IGNORECASE
)
_DOUBLE_RANGE = {"float8": (5e-324, 1.7976931348623157e308), "float4": (1.4e-45, 3.4028235677973366e38)}
_MAX_DIGITS = 38
TEXT_VALUE_SCALE = 18
"""Digits behind the point of what was text or a double before the run."""


def literal_cast(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """A constant of a type, in the form that the engine reads."""
    if not isinstance(node, exp.Cast):
        return node
    text = constant_text(node.this)
    kind = type_of_data_type(node.args["to"])
    if text is None or kind is None:
        _check_number(node.this, kind)
        return node
    if kind.endswith("[]"):
        return _array_literal(text, node.args["to"], types)
    if kind == "bytea":
        return _bytes_literal(text)
    if kind == "interval":
        return interval_constant(text, None)
    if kind in _INTEGER_NAMES:
        if not re.fullmatch(r"\s*[+-]?\d+\s*", text):
            raise invalid_text(_INTEGER_NAMES[kind])
        _check_range(int(text), kind)
    if kind in FLOATS:
        _check_double(text, kind)
    if kind == "bool":
        return exp.Boolean(this=_known(literals.parse_boolean(text), "boolean") == "true")
    return _date_time_literal(node, text, kind)


def _bytes_literal(text: str) -> exp.Expr:
    digits = literals.parse_bytea(text)
    if digits is None and text.startswith("\\x"):
        raise StatementError("invalid hexadecimal data", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
    return call("unhex", string(_known(digits, "bytea")))


def _check_double(text: str, kind: str, error: type[StatementError] = StatementError) -> None:
    """A constant of a float type: no number at all, or one that is too large or too small."""
    match = _DOUBLE.fullmatch(text)
    if match is None:
        raise invalid_text(sql_name(kind))
    if match["digits"] is None:
        return
    value = abs(float(match["digits"]))
    smallest, largest = _DOUBLE_RANGE[kind]
    has_digit = re.search(r"[1-9]", re.split("[eE]", match["digits"])[0]) is not None
    if value > largest or (value < smallest and has_digit):
        raise error(
            f'"{text}" is out of range for type {sql_name(kind)}',
            sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE,
        )


def _check_number(node: exp.Expr, kind: str | None) -> None:
    value = constant_integer(node)
    if value is not None and kind in _INTEGER_NAMES:
        _check_range(value, str(kind), PlacelessError)
    digits = node.this if isinstance(node, exp.Neg) else node
    if kind in FLOATS and isinstance(digits, exp.Literal):
        _check_double(digits.name, str(kind), PlacelessError)


def _check_range(value: int, kind: str, error: type[StatementError] = StatementError) -> None:
    limit = 2 ** (8 * int(kind[3:]) - 1)
    if not -limit <= value < limit:
        raise error(f"{_INTEGER_NAMES[kind]} out of range", sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE)


def interval_constant(text: str, unit: str | None) -> exp.Expr:
    """An interval of months, days and microseconds.

    Raises:
        StatementError: 22007.
    """
    found = literals.parse_interval(text, unit)
    if found is None:
        raise StatementError(
            "invalid input syntax for type interval", sqlstate=SqlState.INVALID_DATETIME_FORMAT
        )
    months, days, micros = found
    return cast(string(f"{months} months {days} days {micros} microseconds"), "INTERVAL")


def plain_interval(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`INTERVAL '…' [unit]` as one constant."""
    if not isinstance(node, exp.Interval):
        return node
    text = constant_text(node.this)
    unit = node.args.get("unit")
    if text is None:
        raise FeatureNotSupported("this form of interval is not supported", hint="Write interval '…'.")
    if isinstance(unit, exp.IntervalSpan):
        return interval_constant(_in_span(text, unit.this.name, unit.expression.name), None)
    return interval_constant(text, unit.name.lower().removesuffix("s") if unit is not None else None)


def _in_span(text: str, largest: str, smallest: str) -> str:
    """`'5:06' DAY TO MINUTE`: a bare number counts the smallest field, a clock of two is what they are."""
    words = text.split()
    if len(words) == 1 and re.fullmatch(r"[+-]?\d+", words[0]):
        return f"{text} {smallest}"
    if (largest.upper(), smallest.upper()) == ("MINUTE", "SECOND") and words and words[-1].count(":") == 1:
        sign, clock = re.fullmatch(r"([+-]?)(.*)", words[-1], re.DOTALL).groups()  # type: ignore[union-attr]  # it matches all
        return " ".join([*words[:-1], f"{sign}0:{clock}"])
    if smallest.upper() == "HOUR" and len(words) == 2 and all(re.fullmatch(r"[+-]?\d+", w) for w in words):
        return f"{words[0]} days {words[1]} hours"
    return text


def text_to_bytes(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    r"""Text as bytea is its bytes, or `\x` and digits; the engine refuses what is not ASCII."""
    is_ours = isinstance(node, exp.Cast) and type_of_data_type(node.args["to"]) == "bytea"
    if not is_ours or constant_text(node.this) is not None or types.of(node.this) not in TEXTS:
        return node
    text = node.this
    digits = call("unhex", call("substr", text.copy(), exp.Literal.number(3)))
    escaped = raise_error("0A000", "escapes in a text that becomes bytea are not supported")
    return paren(
        case(
            (call("starts_with", text.copy(), string("\\x")), digits),
            (call("contains", text.copy(), string("\\")), cast(escaped, "BLOB")),
            default=call("encode", text.copy()),
        )
    )


def text_to_integer(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Text with a fraction is no integer; the engine would round it."""
    if not isinstance(node, exp.Cast) or constant_text(node.this) is not None:
        return node
    kind = type_of_data_type(node.args["to"])
    if kind not in _INTEGER_NAMES or types.of(node.this) not in TEXTS:
        return node
    is_integer = call("regexp_full_match", node.this.copy(), string(r"\s*[+-]?[0-9]+\s*"))
    is_good = exp.Or(this=is_integer, expression=exp.Is(this=paren(node.this.copy()), expression=exp.Null()))
    wrong = raise_error("22P02", f"invalid input syntax for type {_INTEGER_NAMES[kind]}")
    node.set("this", case((is_good, node.this), default=wrong))
    return node


def text_to_double(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Text of a number that is too large for a double; the engine reads infinity."""
    kind = type_of_data_type(node.args["to"]) if isinstance(node, exp.Cast) else None
    if kind not in FLOATS or constant_text(node.this) is not None or types.of(node.this) not in TEXTS:
        return node
    is_word = call("contains", call("lower", node.this.copy()), string("inf"))
    is_wrong = exp.And(this=call("isinf", node.copy()), expression=exp.Not(this=is_word))
    wrong = raise_error("22003", f"value is out of range for type {sql_name(kind)}")
    return exp.Paren(this=case((is_wrong, wrong), default=node.copy()))


def bare_numeric(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`::numeric` without a scale keeps every digit; the engine's default is DECIMAL(18, 3)."""
    if not isinstance(node, exp.Cast):
        return node
    target = node.args["to"]
    if target.this != exp.DType.DECIMAL or target.expressions:
        return node
    constant = _constant_numeric(node.this)
    if constant is not None:
        return constant
    kind = types.of(node.this)
    operand: exp.Expr = node.this
    if kind == "numeric":
        return operand
    if kind in INTEGERS:
        return cast(operand, "DECIMAL(38, 0)")
    return _variable_numeric(operand, kind, types)


def _variable_numeric(operand: exp.Expr, kind: str | None, types: KnownTypes) -> exp.Expr:
    """A float has 15 digits, or 6; a text as many behind the point as it is written with."""
    if kind in TEXTS:
        made, shown = macro("text_numeric", operand), macro("text_numeric_scale", operand.copy())
    elif kind in FLOATS:
        made = macro(f"{kind}_numeric", operand)
        shown = macro("numeric_min_scale", made.copy())
    else:
        made = cast(operand, f"DECIMAL(38, {TEXT_VALUE_SCALE})")
        shown = macro("numeric_min_scale", made.copy())
    return declare(made, Number(38, TEXT_VALUE_SCALE, shown), types)


def limited_numeric(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """numeric(p, s) of a number that is too large: 22003, where the engine only says that it cannot cast."""
    if not isinstance(node, exp.Cast) or node.args["to"].this != exp.DType.DECIMAL:
        return node
    if not node.args["to"].expressions or types.of(node.this) not in (*INTEGERS, *FLOATS, "numeric"):
        return node
    tried = exp.TryCast(this=node.this.copy(), to=node.args["to"].copy())
    is_null = exp.Is(this=paren(node.this.copy()), expression=exp.Null())
    failed = case((exp.Not(this=is_null), raise_error("22003", "numeric field overflow")))
    made = exp.Coalesce(this=tried, expressions=[failed])
    sizes = [constant_integer(size.this) for size in node.args["to"].expressions]
    precision, scale = sizes[0] or 38, sizes[1] if len(sizes) > 1 else 0
    return declare(made, Number(precision, scale or 0, scale or 0), types)


def exponent_constant(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`1.5e3` is numeric; the engine reads a double."""
    if not isinstance(node, exp.Literal) or node.is_string or "e" not in node.name.lower():
        return node
    if _is_beside_double(node, types):
        return cast(string(node.name), "DOUBLE")  # which may have more digits than a numeric
    signed = node.parent if isinstance(node.parent, exp.Neg) else node
    is_text = isinstance(signed.parent, exp.Cast) and type_of_data_type(signed.parent.args["to"]) in TEXTS
    if isinstance(signed.parent, (exp.Cast, exp.Limit)) and not is_text:
        return node
    return _constant_numeric(node) or node


def _is_beside_double(node: exp.Expr, types: KnownTypes) -> bool:
    """Whether a constant is an operand beside a double, which makes it one."""
    operand: exp.Expr = node
    while isinstance(operand.parent, (exp.Neg, exp.Paren)):
        operand = operand.parent
    holder = operand.parent
    if not isinstance(holder, exp.Binary):
        return False
    return types.of(holder.expression if operand is holder.this else holder.this) in FLOATS


def _constant_numeric(operand: exp.Expr) -> exp.Expr | None:
    """A constant with as many digits behind the point as it is written with."""
    inner = operand.this if isinstance(operand, exp.Neg) else operand
    if not isinstance(inner, exp.Literal):
        return None
    match = re.fullmatch(r"\s*[+-]?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?\s*", inner.name)
    if match is None or not (match[1] or match[2]):
        if inner.name.strip().lower() in ("nan", "infinity", "-infinity", "inf", "-inf"):
            raise FeatureNotSupported(
                "numeric NaN and infinity are not supported", hint="Use double precision."
            )
        raise invalid_text("numeric")
    exponent = int(match[3] or 0)
    scale = max(len(match[2]) - exponent, 0)
    whole = len(match[1].lstrip("0")) + max(exponent, 0)
    if scale > _MAX_DIGITS or whole + scale > _MAX_DIGITS:
        raise FeatureNotSupported("numeric values of more than 38 digits are not supported")
    # Through text: as a number the engine would first read an exponent form as a double.
    sign = "-" if isinstance(operand, exp.Neg) else ""
    return cast(string(sign + inner.name.strip()), f"DECIMAL(38, {scale})")


def limited_text(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """varchar(n) and char(n) cut; the engine ignores the length."""
    if not isinstance(node, exp.Cast) or node.args["to"].this not in (exp.DType.VARCHAR, exp.DType.CHAR):
        return node
    target = node.args["to"]
    length = constant_integer(target.expressions[0].this) if target.expressions else None
    if target.this == exp.DType.CHAR and not target.expressions:
        length = 1
    if length is None:
        return node
    is_blank_padded = target.this == exp.DType.CHAR
    target.set("expressions", [])
    target.set("this", exp.DType.TEXT)
    kept = call("left", node, exp.Literal.number(length))
    # Blanks at the end of char(n) mean nothing; outputs are padded where they leave.
    return cast(call("rtrim", kept, string(" ")) if is_blank_padded else kept, "VARCHAR")


def compared(node: exp.Expr) -> list[exp.Expr]:
    """The values that a comparison, IN or BETWEEN compares."""
    sides = [node.this, *(node.args.get(key) for key in ("expression", "low", "high")), *node.expressions]
    return [side for side in sides if isinstance(side, exp.Expr)]


def blank_padded(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Blanks at the end count for nothing where a char(n) is compared with a constant or a parameter."""
    values = compared(node)
    if not any(types.of(value) == "bpchar" for value in values):
        return node
    for value in values:
        if isinstance(value, exp.Literal) and value.is_string:
            value.set("this", value.name.rstrip(" "))
        elif isinstance(value, exp.Cast) and isinstance(value.this, exp.Parameter):
            value.replace(call("rtrim", value.copy(), string(" ")))
    return node


def _array_literal(text: str, target: exp.DataType, types: KnownTypes) -> exp.Expr:
    items = literals.parse_array(text)
    if items is None:
        raise StatementError("malformed array literal", sqlstate=SqlState.INVALID_TEXT_REPRESENTATION)
    if any(isinstance(item, list) for item in items):
        raise FeatureNotSupported("constants of multidimensional arrays are not supported")
    if items and type_of_data_type(target) == "numeric[]" and not target.expressions[0].expressions:
        numbers = [exp.Null() if item is None else _constant_numeric(string(str(item))) for item in items]
        constants = exp.Array(expressions=[number for number in numbers if number is not None])
        return common_scale(constants, types)
    elements = [exp.Null() if item is None else string(str(item)) for item in items]
    return exp.Cast(this=exp.Array(expressions=elements), to=target)


def _date_time_literal(node: exp.Cast, text: str, kind: str) -> exp.Expr:
    word = text.strip().lower()
    if kind in ("date", "timestamp", "timestamptz") and word in (
        "now",
        "today",
        "tomorrow",
        "yesterday",
        "epoch",
    ):
        return _date_word(word, node)
    found: str | None = None
    text, is_before_christ = literals.without_era(text)
    if kind == "date":
        found = _date_alone(text)
    elif kind in ("timestamp", "timestamptz"):
        found = literals.parse_timestamp(text, with_zone=kind == "timestamptz")
    elif kind == "time":
        time = literals.parse_time(text)
        found = time[0] if time else None
    if found is not None:
        _check_moment(found, kind)
        node.set("this", string(f"{found[:10]} (BC){found[10:]}" if is_before_christ else found))
    elif kind in ("date", "timestamp", "timestamptz", "time") and not re.search(
        r"\d|infinity|allballs", word
    ):
        raise StatementError(
            f"invalid input syntax for type {kind}", sqlstate=SqlState.INVALID_DATETIME_FORMAT
        )
    return node


def _date_alone(text: str) -> str | None:
    """The date of a constant, which may have a time behind it."""
    date = literals.parse_date(text)
    if date is None or not date[1]:
        return date[0] if date else None
    if literals.parse_timestamp(text, with_zone=False) is None:
        raise invalid_moment("date")
    return date[0]


def invalid_moment(kind: str) -> StatementError:
    """22007, without the text."""
    return StatementError(
        f"invalid input syntax for type {sql_name(kind)}", sqlstate=SqlState.INVALID_DATETIME_FORMAT
    )


def _check_moment(text: str, kind: str) -> None:
    """A date that is not in the calendar, or a time that is not on the clock."""
    date, _, time = text.partition(" ") if kind != "time" else ("", "", text)
    year, month, day = (int(part) for part in date.split("-")) if date else (2000, 1, 1)
    hour, minute, second = (time[:8] or "00:00:00").split(":")
    is_date = 1 <= month <= 12 and 1 <= day <= monthrange(min(max(year, 1), 9999), month)[1]
    is_midnight = hour == "24" and minute == second == "00"
    if not is_date or not (int(hour) < 24 or is_midnight) or int(minute) > 59 or int(second) > 60:
        raise StatementError("date/time field value out of range", sqlstate=SqlState.DATETIME_FIELD_OVERFLOW)


def _date_word(word: str, node: exp.Cast) -> exp.Expr:
    if word == "epoch":
        node.set("this", string("1970-01-01 00:00:00"))
        return node
    if word == "now":
        return exp.Cast(this=call("now"), to=node.args["to"])
    days = {"today": 0, "tomorrow": 1, "yesterday": -1}[word]
    day = exp.Add(this=cast(call("now"), "DATE"), expression=exp.Paren(this=exp.convert(days)))
    return exp.Cast(this=exp.Paren(this=day), to=node.args["to"])


def _known(value: str | None, type_name: str) -> str:
    if value is None:
        raise invalid_text(type_name)
    return value


def invalid_text(type_name: str) -> StatementError:
    """22P02, without the text."""
    return StatementError(
        f"invalid input syntax for type {type_name}", sqlstate=SqlState.INVALID_TEXT_REPRESENTATION
    )
