"""Strings. PostgreSQL docs, "String Functions and Operators", "Binary String Functions and Operators"."""

import re

from sqlglot import exp

from pgproxy.sql.dialect import literals
from pgproxy.sql.dialect.build import (
    call,
    case,
    cast,
    constant_integer,
    constant_text,
    function_name,
    macro,
    number,
    paren,
    raise_error,
    string,
)
from pgproxy.sql.dialect.patterns import engine_pattern
from pgproxy.sql.dialect.places import start_of
from pgproxy.sql.dialect.text_forms import element_texts, output_text
from pgproxy.sql.dialect.types import KnownTypes
from pgproxy.sql.utility.keywords import COLUMN_NAME, RESERVED, TYPE_OR_FUNCTION_NAME
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_SIZES = frozenset(
    {"length", "char_length", "character_length", "octet_length", "bit_length", "ascii", "strpos"}
)
_NEEDS_QUOTES = tuple(sorted(RESERVED | TYPE_OR_FUNCTION_NAME | COLUMN_NAME))


def integer_results(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Lengths and positions are integers; of bytea they count bytes."""
    is_size = isinstance(node, (exp.Length, exp.BitLength, exp.Ascii, exp.StrPosition))
    name = function_name(node)
    if not is_size and name not in _SIZES:
        return node
    operand = node.expressions[0] if name else node.this
    if types.of(operand) == "bytea" and (isinstance(node, exp.Length) or name in ("length", "octet_length")):
        return cast(call("octet_length", operand), "INTEGER")
    if name == "octet_length":
        return cast(call("strlen", operand), "INTEGER")
    return cast(node, "INTEGER")


def substring(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """By position, which may lie before the text, or by regular expression."""
    if not isinstance(node, exp.Substring):
        return node
    start, length = node.args.get("start"), node.args.get("length")
    pattern = constant_text(start)
    if pattern is not None and length is None:
        return _substring_by_pattern(node.this, pattern)
    if types.of(node.this) == "bytea":
        count = length or number(2**28)
        return macro("bytea_substring", node.this, start or number(1), count)
    first = constant_integer(start) if start is not None else 1
    if first is None and start is not None:
        return _substring_at(node.this, start, length)
    if first is None or first >= 1:
        return _checked_length(node, length)
    # Before the text: the length counts from there.
    if length is None:
        return call("substring", node.this, number(1))
    shortened = exp.Add(this=paren(length), expression=exp.Paren(this=number(first - 1)))
    return call("substring", node.this, number(1), call("greatest", shortened, number(0)))


def _checked_length(node: exp.Substring, length: exp.Expr | None) -> exp.Expr:
    count = constant_integer(length)
    if count is not None and count < 0:
        raise StatementError("negative substring length not allowed", sqlstate=SqlState.SUBSTRING_ERROR)
    if length is not None and count is None:
        node.set("length", _non_negative(length))
    return node


def _non_negative(length: exp.Expr) -> exp.Expr:
    is_negative = exp.LT(this=paren(length.copy()), expression=number(0))
    return case((is_negative, raise_error("22011", "negative substring length not allowed")), default=length)


def _substring_at(text: exp.Expr, start: exp.Expr, length: exp.Expr | None) -> exp.Expr:
    is_before = exp.LT(this=paren(start.copy()), expression=number(1))
    first = case((is_before, number(1)), default=start.copy())
    if length is None:
        return call("substring", text, first)
    length = _non_negative(length)
    shortened = exp.Sub(
        this=exp.Add(this=paren(length.copy()), expression=paren(start.copy())), expression=number(1)
    )
    in_reach = case(
        (exp.LT(this=exp.Paren(this=shortened.copy()), expression=number(0)), number(0)), default=shortened
    )
    return call("substring", text, first, case((is_before.copy(), in_reach), default=length))


def _substring_by_pattern(text: exp.Expr, pattern: str) -> exp.Expr:
    converted, groups = engine_pattern(pattern)
    found = call("regexp_matches", text.copy(), string(converted), string("s"))
    piece = call("regexp_extract", text, string(converted), number(1 if groups else 0), string("s"))
    return case((found, piece))


def overlay(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """The text before the start, the new text, the text behind what it covers."""
    if not isinstance(node, exp.Overlay):
        return node
    text, new, start = node.this, node.expression, node.args["from_"]
    count = node.args.get("for_") or call("length", new.copy())
    before = call("substring", text, number(1), exp.Sub(this=paren(start), expression=number(1)))
    behind = call("substring", text.copy(), exp.Add(this=paren(start.copy()), expression=paren(count)))
    joined = exp.DPipe(this=before, expression=paren(new), safe=True)
    return exp.Paren(this=exp.DPipe(this=joined, expression=behind, safe=True))


def quoting(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """quote_literal(), quote_nullable() and quote_ident()."""
    name = function_name(node)
    if name not in ("quote_literal", "quote_nullable", "quote_ident") or len(node.expressions) != 1:
        return node
    operand = node.expressions[0]
    if name == "quote_ident":
        return quoted_identifier(operand)
    literal = quoted_literal(operand)
    return call("coalesce", literal, string("NULL")) if name == "quote_nullable" else literal


def quoted_literal(operand: exp.Expr) -> exp.Expr:
    """A value as a string constant; one with a backslash as E'…'."""
    text = cast(operand, "VARCHAR")
    doubled = call("replace", text, string("'"), string("''"))
    plain = _joined(string("'"), doubled, string("'"))
    has_backslash = call("contains", text.copy(), string("\\"))
    escaped = call("replace", doubled.copy(), string("\\"), string("\\\\"))
    return case((has_backslash, _joined(string("E'"), escaped, string("'"))), default=plain)


def quoted_identifier(operand: exp.Expr) -> exp.Expr:
    """A name, quoted where it must be."""
    is_plain = call("regexp_full_match", operand.copy(), string("[a-z_][a-z0-9_]*"))
    is_keyword = exp.In(this=paren(operand.copy()), expressions=[string(word) for word in _NEEDS_QUOTES])
    quoted = _joined(string('"'), call("replace", operand, string('"'), string('""')), string('"'))
    return case((exp.And(this=is_plain, expression=exp.Not(this=is_keyword)), operand.copy()), default=quoted)


def _joined(*pieces: exp.Expr) -> exp.Expr:
    joined = pieces[0]
    for piece in pieces[1:]:
        joined = exp.DPipe(this=joined, expression=piece, safe=True)
    return exp.Paren(this=joined)


def split(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """split_part(), string_to_array() and array_to_string() at their edges."""
    name, arguments = function_name(node), node.expressions
    if name == "split_part" and len(arguments) == 3:
        if constant_integer(arguments[2]) == 0:
            raise StatementError("field position must not be zero", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
        is_empty = exp.EQ(this=paren(arguments[1].copy()), expression=string(""))
        whole = case(
            (
                exp.In(this=paren(arguments[2].copy()), expressions=[number(1), number(-1)]),
                arguments[0].copy(),
            ),
            default=string(""),
        )
        plain = call("split_part", *arguments)
        return plain if constant_text(arguments[1]) else case((is_empty, whole), default=plain)
    if name == "string_to_array" and 2 <= len(arguments) <= 3:
        return string_to_array(*arguments)
    if name == "array_to_string" and len(arguments) in (2, 3):
        texts = element_texts(arguments[0], types)
        if len(arguments) == 2:
            # The engine makes NULL of an array that holds nothing else.
            is_there = exp.Not(this=exp.Is(this=exp.column("item"), expression=exp.Null()))
            held = exp.Lambda(this=is_there, expressions=[exp.to_identifier("item")])
            return call(name, call("list_filter", texts, held), arguments[1])
        filled = exp.Lambda(
            this=call("coalesce", exp.column("item"), arguments[2]), expressions=[exp.to_identifier("item")]
        )
        return call("array_to_string", call("list_transform", texts, filled), arguments[1])
    return node


def string_to_array(text: exp.Expr, delimiter: exp.Expr, null_text: exp.Expr | None = None) -> exp.Expr:
    """A text split at a delimiter, with its edges: no text, no delimiter, a text that means NULL."""
    if isinstance(delimiter, exp.Null):
        parts: exp.Expr = call("string_split", text, string(""))
    elif constant_text(delimiter) == "":
        parts = exp.Array(expressions=[text])
    else:
        parts = call("string_split", text, delimiter)
    is_empty = exp.EQ(this=paren(text.copy()), expression=string(""))
    parts = case((is_empty, cast(exp.Array(expressions=[]), "VARCHAR[]")), default=parts)
    if null_text is None or isinstance(null_text, exp.Null):
        return parts
    emptied = exp.Lambda(
        this=call("nullif", exp.column("item"), null_text), expressions=[exp.to_identifier("item")]
    )
    return call("list_transform", parts, emptied)


def encodings(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """encode(), decode() and to_hex()."""
    name, arguments = function_name(node), node.expressions
    if name == "to_hex" and len(arguments) == 1:
        return _hex_of_integer(arguments[0], types.of(arguments[0]))
    if name not in ("encode", "decode") or len(arguments) != 2:
        return node
    form = (constant_text(arguments[1]) or "").lower()
    unknown = constant_text(arguments[0]) if isinstance(arguments[0], exp.Literal) else None
    if name == "encode" and unknown is not None:
        arguments = [call("unhex", string(_bytes_of(arguments[0]))), arguments[1]]
    if name == "encode" and form == "hex":
        return call("lower", call("hex", arguments[0]))
    if name == "encode" and form == "base64":
        # Lines of 76 characters, as in RFC 2045.
        lines = call(
            "regexp_replace", call("base64", arguments[0]), string("(.{76})"), string("\\1\n"), string("g")
        )
        return call("rtrim", lines, string("\n"))
    if name == "decode" and form in ("hex", "base64"):
        return call("unhex" if form == "hex" else "from_base64", arguments[0])
    if name == "encode" and form == "escape":
        return macro("bytea_escape", arguments[0])
    text = constant_text(arguments[0])
    digits = (
        literals.parse_bytea(text) if name == "decode" and form == "escape" and text is not None else None
    )
    if digits is not None:
        return call("unhex", string(digits))
    raise FeatureNotSupported(f"{name}() is supported with the constant formats hex and base64")


def _bytes_of(constant: exp.Literal) -> str:
    """The hex digits of a constant that stands for bytea."""
    digits = literals.parse_bytea(constant.name)
    if digits is not None:
        return digits
    if constant.name.startswith("\\x"):
        problem, sqlstate = "invalid hexadecimal data", SqlState.INVALID_PARAMETER_VALUE
    else:
        problem, sqlstate = "invalid input syntax for type bytea", SqlState.INVALID_TEXT_REPRESENTATION
    raise StatementError(problem, sqlstate=sqlstate, position=start_of(constant))


def _hex_of_integer(operand: exp.Expr, kind: str | None) -> exp.Expr:
    value = cast(operand, "BIGINT")
    if kind != "int8":
        wrapped = exp.Add(this=cast(operand.copy(), "BIGINT"), expression=exp.Literal.number(2**32))
        is_negative = exp.LT(this=paren(operand.copy()), expression=number(0))
        return call("lower", call("hex", case((is_negative, wrapped), default=value)))
    return call("lower", call("hex", value))


def initcap(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """Every run of letters and digits is a word."""
    if function_name(node) != "initcap" or len(node.expressions) != 1:
        return node
    words = call(
        "regexp_extract_all", call("lower", node.expressions[0]), string(r"[\p{L}\p{N}]+|[^\p{L}\p{N}]+")
    )
    word = exp.column("word")
    capital = _joined(call("upper", call("left", word, number(1))), call("substring", word.copy(), number(2)))
    each = exp.Lambda(this=capital, expressions=[exp.to_identifier("word")])
    return call("array_to_string", call("list_transform", words, each), string(""))


_FORMAT_CODE = re.compile(r"%(?:(\d+)\$)?(-)?(\d+)?([sIL%])")


def format_call(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """format() with a constant pattern of %s, %I, %L, %% and %n$-ws."""
    if function_name(node) != "format" or not node.expressions:
        return node
    pattern = constant_text(node.expressions[0])
    if pattern is None or "%" in _FORMAT_CODE.sub("", pattern):
        raise FeatureNotSupported("format() needs a constant pattern of %s, %I, %L and %%")
    arguments = node.expressions[1:]
    pieces: list[exp.Expr] = []
    at = taken = 0
    for match in _FORMAT_CODE.finditer(pattern):
        if at < match.start():
            pieces.append(string(pattern[at : match.start()]))
        at = match.end()
        if match[4] == "%":
            pieces.append(string("%"))
            continue
        taken = int(match[1]) if match[1] else taken + 1
        if not 1 <= taken <= len(arguments):
            raise StatementError("too few arguments for format()", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
        piece = _formatted(match[4], output_text(arguments[taken - 1], types))
        if match[3]:
            piece = macro("format_padded", piece, number(match[3]), exp.Boolean(this=bool(match[2])))
        pieces.append(piece)
    pieces.append(string(pattern[at:]))
    return call("concat", *pieces)


def _formatted(code: str, argument: exp.Expr) -> exp.Expr:
    if code == "I":
        return quoted_identifier(argument)
    return call("coalesce", quoted_literal(argument), string("NULL")) if code == "L" else argument
