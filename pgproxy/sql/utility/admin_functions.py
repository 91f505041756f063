"""CREATE FUNCTION … LANGUAGE sql and DROP FUNCTION. PostgreSQL docs, under these names."""

import re

from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility.reader import TokenReader
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_TYPE_STARTS = frozenset({"double", "character", "timestamp", "time", "bit", "national", "interval"})
_TYPE_GOES_ON = frozenset(
    {
        "precision",
        "varying",
        "with",
        "without",
        "character",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
    }
)
_ENDS_TYPE = frozenset(
    ["language", "as", "return", "immutable", "stable", "volatile", "strict", "called", "returns", "security",
     "external", "parallel", "cost", "rows", "support", "set", "window", "transform", "leakproof", "not",
     "default", "begin"]
)  # fmt: skip
_SELECT = re.compile(r"\s*SELECT\b(.*?);?\s*\Z", re.IGNORECASE | re.DOTALL)


def is_function(reader: TokenReader) -> bool:
    """Tell whether CREATE makes a function."""
    distance = 3 if reader.is_word("or", distance=1) else 1
    return reader.is_word("function", distance=distance)


def parse_create_function(reader: TokenReader) -> a.CreateFunction:
    """Take a whole CREATE FUNCTION."""
    reader.expect("create")
    is_replace = reader.accept("or", "replace")
    reader.expect("function")
    name = reader.dotted_name()
    parameters = _parameters(reader)
    reader.expect("returns")
    if reader.is_word("setof", "table"):
        raise FeatureNotSupported("functions that return rows are not supported")
    returns = _type(reader)
    options = _options(reader)
    if options.body is None:
        raise StatementError("no function body specified", sqlstate=SqlState.INVALID_FUNCTION_DEFINITION)
    if not options.has_language:
        raise StatementError("no language specified", sqlstate=SqlState.INVALID_FUNCTION_DEFINITION)
    return a.CreateFunction(
        name, parameters, returns, options.body, options.is_strict, options.volatility, is_replace
    )


def parse_drop_function(reader: TokenReader) -> a.DropFunction:
    """Take what follows DROP FUNCTION; there is one of a name, so what its arguments are is not asked."""
    if_exists = reader.accept("if", "exists")
    names = reader.list_of(lambda: function_signature(reader))
    reader.accept_any("cascade", "restrict")
    return a.DropFunction(names, if_exists)


def function_signature(reader: TokenReader) -> a.RelationParts:
    """Take a function's name, and its argument types where they are given."""
    name = reader.dotted_name()
    if reader.is_symbol("("):
        _parameters(reader)
    return name


class _Options:
    """What has been read of a function's options."""

    body: str | None = None
    has_language = False
    is_strict = False
    volatility = "v"


def _options(reader: TokenReader) -> _Options:
    found = _Options()
    while reader.current is not None:
        if reader.accept("return"):
            found.body, found.has_language = reader.rest(), True
            break
        _option(reader, found)
    return found


def _option(reader: TokenReader, found: _Options) -> None:  # noqa: C901  # one arm per option
    position = reader.position
    match reader.label():
        case "language":
            language = reader.word_or_string()
            if language.lower() != "sql":
                raise FeatureNotSupported("functions are supported in LANGUAGE sql only")
            found.has_language = True
        case "as":
            found.body = _body(reader)
        case "immutable" | "stable" | "volatile" as volatility:
            found.volatility = volatility[0]
        case "strict":
            found.is_strict = True
        case "returns":
            reader.expect("null", "on", "null", "input")
            found.is_strict = True
        case "called":
            reader.expect("on", "null", "input")
        case "external" | "security" as word:
            _security(reader, word)
        case "parallel":
            reader.label()
        case "cost":
            reader.number()
        case "begin":
            raise FeatureNotSupported("a function's body is one expression")
        case _:
            raise FeatureNotSupported("this option of a function is not supported", position=position)


def _security(reader: TokenReader, word: str) -> None:
    if word == "external":
        reader.expect("security")
    if reader.accept("definer"):
        raise FeatureNotSupported(
            "SECURITY DEFINER is not supported", hint="A function runs with the rights of its caller."
        )
    reader.expect("invoker")


def _body(reader: TokenReader) -> str:
    found = _SELECT.match(reader.string())
    if found is None:
        raise FeatureNotSupported("a function's body is one SELECT of one expression")
    return found[1].strip()


def _parameters(reader: TokenReader) -> tuple[tuple[str, str], ...]:
    reader.expect_symbol("(")
    if reader.accept_symbol(")"):
        return ()
    found = reader.list_of(lambda: _parameter(reader))
    reader.expect_symbol(")")
    return found


def _parameter(reader: TokenReader) -> tuple[str, str]:
    if reader.is_word("out", "inout", "variadic"):
        raise FeatureNotSupported("parameters are supported as IN only")
    reader.accept("in")
    name = "" if _is_type_alone(reader) else reader.name()
    kind = _type(reader)
    if reader.is_word("default") or reader.is_symbol("="):
        raise FeatureNotSupported("defaults of parameters are not supported")
    return name, kind


def _is_type_alone(reader: TokenReader) -> bool:
    following = reader.ahead(1)
    if following is None or following.value in {",", ")", "(", "[", "."}:
        return True
    return reader.is_word(*_TYPE_STARTS) and reader.is_word(*_TYPE_GOES_ON, distance=1)


def _type(reader: TokenReader) -> str:
    """Take a type's text: words, a modifier, brackets."""
    start = reader.offset
    reader.label()
    while (token := reader.current) is not None:
        if token.value in {",", ")"} or reader.is_word(*_ENDS_TYPE) or reader.is_string():
            break
        if reader.accept_symbol("("):
            reader.text_to_closing_parenthesis()
            reader.expect_symbol(")")
        else:
            reader.advance()
    return reader.text[start : reader.previous_end]
