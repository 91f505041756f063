"""to_char() of numbers and to_number(), by constant patterns.

PostgreSQL docs, "Template Patterns for Numeric Formatting"; source, formatting.c `NUM_processor`.
"""

import re
from dataclasses import dataclass, field

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
    string,
)
from pgproxy.sql.dialect.scales import MAX_DIGITS, declare
from pgproxy.sql.dialect.type_names import FLOATS, INTEGERS
from pgproxy.sql.dialect.types import KnownTypes, Number
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_PIECE = re.compile(
    r'(?P<code>(?i:FM|EEEE|RN|PR|PL|SG|MI|TH|[90.,DGLSVCB]))|"(?P<quoted>(?:[^"\\]|\\.)*)"?|(?P<plain>.)',
    re.DOTALL,
)
_PARSED_SCALE = 18


@dataclass(slots=True)
class _Pattern:
    """A pattern taken apart. digits: the codes before the point, with commas. decimals: those behind it."""

    digits: str = ""
    decimals: str = ""
    has_point: bool = False
    fills: bool = False
    sign: str = ""
    ordinal: str = ""
    shift: int = 0
    is_shifted: bool = False
    prefix: str = ""
    suffix: str = ""
    others: set[str] = field(default_factory=set)

    @property
    def has_begun(self) -> bool:
        return bool(self.digits) or self.has_point


def format_number(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """to_char() of an integer, a numeric or a float."""
    if function_name(node) != "to_char" or len(node.expressions) != 2:
        return node
    operand, pattern = node.expressions[0], constant_text(node.expressions[1])
    kind = types.of(operand)
    if pattern is None:
        raise FeatureNotSupported("to_char() needs a constant pattern")
    if kind not in (*INTEGERS, *FLOATS, "numeric"):
        raise FeatureNotSupported(
            "to_char() needs a value whose type is known before the run", hint="Cast the value."
        )
    parts = _read(pattern)
    if "EEEE" in parts.others:
        raise FeatureNotSupported("to_char() with EEEE is not supported")
    value = macro(f"{kind}_numeric", operand) if kind in FLOATS else operand
    if "RN" in parts.others:
        roman = macro("roman_number", value)
        return roman if parts.fills else call("lpad", roman, number(15), string(" "))
    return _formatted(parts, value)


def _formatted(parts: _Pattern, value: exp.Expr) -> exp.Expr:
    whole = parts.digits.replace(",", "")
    scale = len(parts.decimals)
    if parts.is_shifted:
        value = exp.Mul(this=exp.Paren(this=value), expression=number(10**parts.shift))
    if len(whole) + scale > MAX_DIGITS - 1:
        raise FeatureNotSupported("to_char() of more than 37 digits is not supported")
    rounded = cast(value, f"DECIMAL({MAX_DIGITS}, {scale})")
    text = macro(
        "number_to_char",
        rounded,
        number(len(whole)),
        _groups(parts.digits),
        number(_blank(parts)),
        string("." if parts.has_point else ""),
        number(parts.decimals.rfind("0") + 1 if parts.fills else scale),
        exp.Boolean(this=parts.fills),
        string(_mode(parts)),
    )
    pieces: list[exp.Expr] = [string(parts.prefix)] if parts.prefix else []
    pieces.append(text)
    if parts.ordinal:
        suffix = macro("ordinal_suffix", cast(rounded.copy(), "HUGEINT"))
        is_plain = exp.Between(this=rounded.copy(), low=number(0), high=number(10 ** len(whole) - 1))
        suffix = call("upper", suffix) if parts.ordinal == "TH" else suffix
        pieces.append(case((is_plain, suffix), default=string("")))
    if parts.suffix:
        pieces.append(string(parts.suffix))
    return pieces[0] if len(pieces) == 1 else joined(*pieces)


def _mode(parts: _Pattern) -> str:
    return f"fill {parts.sign}".strip() if parts.fills else parts.sign or "plain"


def _groups(digits: str) -> exp.Expr:
    """Where each run of digits between commas begins and how long it is."""
    at, found = 1, []
    for run in digits.split(","):
        found.append(exp.Array(expressions=[number(at), number(len(run))]))
        at += len(run)
    return exp.Array(expressions=found)


def _blank(parts: _Pattern) -> int:
    """How many characters before the point show only behind a digit: those before the first 0."""
    first_zero = parts.digits.find("0")
    if first_zero >= 0:
        return first_zero
    return len(parts.digits) if parts.has_point else max(len(parts.digits) - 1, 0)


def _read(pattern: str) -> _Pattern:
    parts = _Pattern()
    for match in _PIECE.finditer(pattern):
        code = match["code"]
        if code is None:
            _literal(parts, re.sub(r"\\(.)", r"\1", match["quoted"] or "") or match["plain"] or "")
        else:
            _take(parts, code.upper(), code)
    return parts


def _literal(parts: _Pattern, text: str) -> None:
    if not parts.has_begun:
        parts.prefix += text
    else:
        parts.suffix += text


def _take(parts: _Pattern, code: str, written: str) -> None:
    if parts.suffix and code in ("9", "0", ".", ",", "D", "G"):
        raise FeatureNotSupported("to_char() with text between digits is not supported")
    if code in ("9", "0"):
        _digit(parts, code)
    elif code in (",", "G", ".", "D"):
        _mark(parts, is_point=code in (".", "D"))
    elif code in ("S", "MI", "SG", "PR", "PL"):
        _sign(parts, code)
    elif code == "L":
        _literal(parts, " ")
    else:
        _option(parts, code, written)


def _option(parts: _Pattern, code: str, written: str) -> None:
    if code == "FM":
        parts.fills = True
    elif code == "TH":
        parts.ordinal = written
    elif code == "V":
        parts.is_shifted = True
    elif code in ("RN", "EEEE"):
        parts.others.add(code)
    else:
        raise FeatureNotSupported(f'to_char() with "{code}" is not supported')


def _mark(parts: _Pattern, *, is_point: bool) -> None:
    if is_point and parts.has_point:
        raise StatementError("multiple decimal points", sqlstate=SqlState.SYNTAX_ERROR)
    if is_point:
        parts.has_point = True
    elif parts.has_point or not parts.digits:
        raise FeatureNotSupported("to_char() with a separator there is not supported")
    else:
        parts.digits += ","


def _digit(parts: _Pattern, code: str) -> None:
    if parts.has_point:
        parts.decimals += code
        return
    parts.digits += code
    parts.shift += parts.is_shifted


def _sign(parts: _Pattern, code: str) -> None:
    if parts.sign:
        raise StatementError('cannot use "S" and "MI" together', sqlstate=SqlState.SYNTAX_ERROR)
    is_end = parts.has_begun
    if code == "PL" or (code == "MI" and not is_end) or (code == "SG" and is_end):
        raise FeatureNotSupported(f"to_char() with {code} there is not supported", hint="Use S.")
    parts.sign = f"end {code}" if is_end and code != "PR" else code


def parse_number(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """to_number(): the digits of a text, as many as its pattern has."""
    if function_name(node) != "to_number" or len(node.expressions) != 2:
        return node
    pattern = constant_text(node.expressions[1])
    if pattern is None:
        raise FeatureNotSupported("to_number() needs a constant pattern")
    parts = _read(pattern)
    if parts.others or parts.is_shifted:
        raise FeatureNotSupported("this to_number() pattern is not supported")
    digits = macro(
        "text_to_number",
        cast(node.expressions[0], "VARCHAR"),
        number(len(parts.digits.replace(",", ""))),
        number(len(parts.decimals)),
    )
    made = cast(digits, f"DECIMAL({MAX_DIGITS}, {_PARSED_SCALE})")
    shown = macro("text_numeric_scale", digits.copy())
    return declare(made, Number(MAX_DIGITS, _PARSED_SCALE, shown), types)
