"""to_char() of dates, times and intervals, to_date() and to_timestamp(), by constant patterns.

PostgreSQL docs, "Data Type Formatting Functions"; source, formatting.c `DCH_keywords`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from pgproxy.sql.dialect.build import (
    call,
    case,
    cast,
    constant_text,
    function_name,
    joined,
    macro,
    number,
    raise_error,
    string,
)
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_NUMBER_CODES = [
    "SSSSS",
    "SSSS",
    "HH24",
    "HH12",
    "HH",
    "MI",
    "SS",
    "MS",
    "US",
    "FF1",
    "FF2",
    "FF3",
    "FF4",
    "FF5",
    "FF6",
    "Y,YYY",
    "YYYY",
    "YYY",
    "YY",
    "Y",
    "IYYY",
    "IYY",
    "IY",
    "I",
    "IDDD",
    "DDD",
    "DD",
    "ID",
    "D",
    "MM",
    "IW",
    "WW",
    "W",
    "CC",
    "J",
    "Q",
    "TZH",
    "TZM",
]
_NAME_CODES = [
    "MONTH",
    "Month",
    "month",
    "MON",
    "Mon",
    "mon",
    "DAY",
    "Day",
    "day",
    "DY",
    "Dy",
    "dy",
    "AM",
    "PM",
    "am",
    "pm",
    "A.M.",
    "P.M.",
    "a.m.",
    "p.m.",
]
_OTHER_CODES = ["AD", "BC", "ad", "bc", "A.D.", "B.C.", "a.d.", "b.c.", "RM", "rm", "TZ", "tz", "OF"]
_ALTERNATIVES = "|".join(
    f"(?i:{re.escape(code)})" if code in _NUMBER_CODES else re.escape(code)
    for code in sorted((*_NUMBER_CODES, *_NAME_CODES, *_OTHER_CODES), key=len, reverse=True)
)
_PIECE = re.compile(
    rf'(?P<fill>FM|fm|TM|tm)?(?P<code>{_ALTERNATIVES})(?P<th>TH|th)?|"(?P<quoted>(?:[^"\\]|\\.)*)"?|FX|(?P<plain>.)',
    re.DOTALL,
)
_STRFTIME = {
    "YYYY": "%Y", "MM": "%m", "DD": "%d", "DDD": "%j", "HH24": "%H", "HH12": "%I", "HH": "%I", "MI": "%M",
    "SS": "%S", "MS": "%g", "US": "%f", "IYYY": "%G", "IW": "%V", "ID": "%u", "YY": "%y",
    "Mon": "%b", "Dy": "%a",
}  # fmt: skip
_OF_INTERVALS = frozenset(
    {
        "AM",
        "PM",
        "am",
        "pm",
        "HH24",
        "HH12",
        "HH",
        "MI",
        "SS",
        "MS",
        "US",
        "DD",
        "MM",
        "YYYY",
        "SSSS",
        "SSSSS",
    }
)
_STRPTIME = {
    **{code: directive for code, directive in _STRFTIME.items() if code not in ("MS", "US")},
    "MS": "%g", "US": "%f", "MONTH": "%B", "MON": "%b", "DAY": "%A", "DY": "%a",
    "AM": "%p", "PM": "%p",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Code:
    """One code of a pattern. name: in upper case, but names keep their letters' case."""

    name: str
    is_filled: bool
    suffix: str


def _pieces(pattern: str) -> Iterator[_Code | str]:
    """The codes of a pattern, and the text between them."""
    for match in _PIECE.finditer(pattern):
        code = match["code"]
        if code is not None:
            name = code if code in _NAME_CODES or code in _OTHER_CODES else code.upper()
            yield _Code(name, match["fill"] is None, match["th"] or "")
        elif match["quoted"] is not None:
            yield re.sub(r"\\(.)", r"\1", match["quoted"])
        elif match["plain"] is not None:
            yield match["plain"]


def format_moment(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """to_char() of a date, a timestamp or an interval."""
    if function_name(node) != "to_char" or len(node.expressions) != 2:
        return node
    operand, pattern = node.expressions[0], constant_text(node.expressions[1])
    kind = types.of(operand)
    if kind is None and pattern is not None and not re.search("[09]", pattern):
        kind = "timestamp"
    if kind not in ("date", "timestamp", "timestamptz", "interval", "time"):
        return node
    if pattern is None:
        raise FeatureNotSupported("to_char() needs a constant pattern")
    if kind == "date":
        operand = cast(operand, "TIMESTAMP")
    if kind == "time":
        micros = cast(macro("micros_of_day", operand), "BIGINT")
        kind, operand = "interval", call("to_microseconds", micros)
    return _text_of(list(_pieces(pattern)), operand, kind)


def _text_of(codes: list[_Code | str], operand: exp.Expr, kind: str) -> exp.Expr:
    pieces: list[exp.Expr] = []
    simple = ""
    for code in codes:
        if isinstance(code, str):
            simple += code.replace("%", "%%")
            continue
        directive = _STRFTIME.get(code.name)
        if (
            directive
            and kind != "interval"
            and not code.suffix
            and (code.is_filled or code.name in ("Mon", "Dy"))
        ):
            simple += directive
            continue
        if simple:
            pieces.append(_simple(simple, operand))
            simple = ""
        pieces.append(_code_text(code, operand, kind))
    if simple or not pieces:
        pieces.append(_simple(simple, operand))
    return pieces[0] if len(pieces) == 1 else joined(*pieces)


def _simple(directives: str, operand: exp.Expr) -> exp.Expr:
    if "%" not in directives.replace("%%", ""):
        return string(directives.replace("%%", "%"))
    return call("strftime", operand.copy(), string(directives))


def _code_text(code: _Code, operand: exp.Expr, kind: str) -> exp.Expr:
    if kind == "interval" and code.name not in _OF_INTERVALS:
        raise FeatureNotSupported(f'to_char() of an interval with "{code.name}" is not supported')
    if code.name in _NAME_CODES:
        return _name(code, operand)
    if code.name in _OTHER_CODES or code.name in ("TZH", "TZM"):
        return _other(code, operand, kind)
    value, width = _value(code.name, operand, kind)
    if code.name == "Y,YYY":
        return macro("year_with_comma", value)
    text = macro("padded_number", value, number(width if code.is_filled else 0))
    if not code.suffix:
        return text
    ordinal = macro("ordinal_suffix", value.copy())
    return joined(text, call("upper", ordinal) if code.suffix == "TH" else ordinal)


def _name(code: _Code, operand: exp.Expr) -> exp.Expr:
    word = code.name.upper()
    if word in ("AM", "PM", "A.M.", "P.M."):
        first, second = ("am", "pm") if "." not in word else ("a.m.", "p.m.")
        hour = exp.Mod(this=_part("hour", operand), expression=number(24))
        is_first = exp.LT(this=exp.Paren(this=hour), expression=number(12))
        half = case((is_first, string(first)), default=string(second))
        return call("upper", half) if code.name.isupper() else half
    directive = {"MONTH": "%B", "DAY": "%A", "MON": "%b", "DY": "%a"}[word]
    name: exp.Expr = call("strftime", operand.copy(), string(directive))
    if code.name.isupper() or code.name.islower():
        name = call("upper" if code.name.isupper() else "lower", name)
    is_padded = code.is_filled and word in ("MONTH", "DAY")
    return call("rpad", name, number(9), string(" ")) if is_padded else name


def _other(code: _Code, operand: exp.Expr, kind: str) -> exp.Expr:
    word = code.name.upper()
    if word == "RM":
        roman = macro("roman_month", _part("month", operand), number(1 if code.is_filled else 0))
        return call("lower", roman) if code.name.islower() else roman
    if word in ("AD", "BC", "A.D.", "B.C."):
        first, second = ("AD", "BC") if "." not in word else ("A.D.", "B.C.")
        is_first = exp.GT(this=_part("year", operand), expression=number(0))
        era = case((is_first, string(first)), default=string(second))
        return call("lower", era) if code.name.islower() else era
    if kind != "timestamptz":
        return string({"TZ": "", "OF": "+00", "TZH": "+00", "TZM": "00"}[word])
    if word == "TZ":
        # The engine knows the names of zones only, and a zone has an abbreviation for each of its offsets.
        zone = call("upper", call("strftime", operand.copy(), string("%Z")))
        is_plain = exp.In(this=zone, expressions=[string("UTC"), string("GMT")])
        unknown = raise_error("0A000", "to_char's TZ is not supported in this time zone")
        known = case((is_plain, zone.copy()), default=unknown)
        return call("lower", known) if code.name.islower() else known
    return macro("zone_offset", _part("timezone", operand), string(word))


def _part(field: str, operand: exp.Expr) -> exp.Expr:
    return call("date_part", string(field), operand.copy())


def _value(code: str, operand: exp.Expr, kind: str) -> tuple[exp.Expr, int]:
    """A number and how many digits it is filled up to."""
    if code == "J":
        return call("floor", _part("julian", operand)), 0
    if code in _PLAIN_PARTS:
        field, width = _PLAIN_PARTS[code]
        return _part(field, operand), width
    if code.startswith("Y") or (code.startswith("I") and code.strip("IY") == ""):
        field = "isoyear" if code.startswith("I") else "year"
        digits = 1 if code == "I" else len(code)
        year = _part(field, operand)
        if code in ("YYYY", "IYYY", "Y,YYY"):
            return year, 4
        return exp.Mod(this=year, expression=number(10**digits)), digits
    if code in ("HH12", "HH"):
        hour = exp.Add(this=_part("hour", operand), expression=number(11))
        return exp.Paren(
            this=exp.Add(this=exp.Mod(this=exp.Paren(this=hour), expression=number(12)), expression=number(1))
        ), 2
    if code in ("MS", "US") or code.startswith("FF"):
        digits = {"MS": 3, "US": 6}.get(code) or int(code[2:])
        micros = exp.Mod(this=_part("microseconds", operand), expression=number(1_000_000))
        return exp.IntDiv(this=exp.Paren(this=micros), expression=number(10 ** (6 - digits))), digits
    if code in ("SSSS", "SSSSS"):
        return exp.Paren(
            this=exp.IntDiv(this=macro("micros_of_day", operand.copy()), expression=number(1_000_000))
        ), 0
    return macro("date_code", operand.copy(), string(code)), {"IDDD": 3, "WW": 2, "CC": 2}.get(code, 1)


_PLAIN_PARTS = {
    "HH24": ("hour", 2), "MI": ("minute", 2), "SS": ("second", 2), "DD": ("day", 2), "MM": ("month", 2),
    "DDD": ("doy", 3), "ID": ("isodow", 1), "IW": ("week", 2), "Q": ("quarter", 1),
}  # fmt: skip


def parse_moment(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """to_date(text, pattern), to_timestamp(text, pattern) and to_timestamp(seconds)."""
    name = function_name(node)
    if name == "to_timestamp" and len(node.expressions) == 1:
        return call("to_timestamp", cast(node.expressions[0], "DOUBLE"))
    if name not in ("to_date", "to_timestamp") or len(node.expressions) != 2:
        return node
    pattern = constant_text(node.expressions[1])
    if pattern is None:
        raise FeatureNotSupported(f"{name}() needs a constant pattern")
    directives = ""
    for code in _pieces(pattern):
        if isinstance(code, str):
            directives += code.replace("%", "%%")
            continue
        known = _STRPTIME.get(code.name) or _STRPTIME.get(code.name.upper())
        if known is None or code.suffix:
            raise FeatureNotSupported(f"this {name}() pattern is not supported")
        directives += known
    if not re.search("%[YyG]", directives):
        raise FeatureNotSupported(f"{name}() without a year is not supported", hint="Put a year before it.")
    text = constant_text(node.expressions[0])
    if text is not None and not text.strip():
        raise StatementError("invalid value for to_date()", sqlstate=SqlState.INVALID_DATETIME_FORMAT)
    parsed = macro("parsed_moment", node.expressions[0], string(directives))
    return cast(parsed, "DATE" if name == "to_date" else "TIMESTAMPTZ")
