"""42883 in PostgreSQL's words: the engine has no function, or no operator, for these argument types.

Only a name that the client's own text calls is named, so nothing of what the gateway put beside it shows.
PostgreSQL docs, "Function Type Resolution".
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from pgproxy.sql.dialect.checks import FUNCTION_HINT, OPERATOR_HINT
from pgproxy.sql.utility.scan import Token, TokenKind, scan
from pgwire.types import format_type, postgres_type_of

UNARY_HINT = (
    "No operator matches the given name and argument type. You might need to add an explicit type cast."
)

_REFUSED = re.compile(
    r"No function matches the given name and argument types '(?P<name>[^'(]+)\((?P<types>.*?)\)'\."
)
_REFUSED_UNNEST = re.compile(r"UNNEST\(\) can only be applied to lists, structs and NULL, not (?P<types>.+)")
_TOP_LEVEL_COMMA = re.compile(r",(?![^()]*\))")
_OPERATORS = frozenset({TokenKind.OPERATOR, TokenKind.SYMBOL})
_SPELLINGS = {"substring": ("substring", "substr"), "date_part": ("date_part", "extract")}
"""What the client may have called the engine's function."""
_SHOWN = {"extract": "pg_catalog.extract"}
_LITERALS = {
    "INTEGER_LITERAL": "integer",
    "STRING_LITERAL": "unknown",
    '"NULL"': "unknown",
    "NULL": "unknown",
}


@dataclass(frozen=True, slots=True)
class UndefinedFunction:
    """What the client is told. position: 1-based, in characters; None where the text holds several."""

    message: str
    hint: str
    position: int | None


def find_undefined(engine_text: str, text: str) -> UndefinedFunction | None:
    """Read the engine's error; None: it is another one, or the client's text calls nothing of that name."""
    sentence = engine_text.split("\n", 1)[0]
    refused = _REFUSED.search(sentence)
    unnest = _REFUSED_UNNEST.search(sentence) if refused is None else None
    if refused is not None:
        name, types = refused["name"].lower(), _type_names(refused["types"])
    elif unnest is not None:
        name, types = "unnest", _type_names(unnest["types"])
    else:
        return None
    tokens = scan(text)
    names = _SPELLINGS.get(name, (name,))
    calls = [
        one for one, after in pairwise(tokens) if _is_name(one) and one.value in names and after.value == "("
    ]
    if calls:
        shown = _SHOWN.get(calls[0].value, calls[0].value)
        what = f"function {shown}({', '.join(types)}) does not exist"
        return UndefinedFunction(what, FUNCTION_HINT, _only(calls))
    operators = [one for one in tokens if one.kind in _OPERATORS and one.value == name]
    if operators and len(types) in (1, 2):
        what = f"operator does not exist: {' '.join([*types[:-1], name, types[-1]])}"
        hint = OPERATOR_HINT if len(types) == 2 else UNARY_HINT
        return UndefinedFunction(what, hint, _only(operators))
    return None


def _only(tokens: list[Token]) -> int | None:
    return tokens[0].start + 1 if len(tokens) == 1 else None


def _is_name(token: Token) -> bool:
    return token.kind in (TokenKind.WORD, TokenKind.QUOTED_NAME)


def _type_names(engine_types: str) -> list[str]:
    """PostgreSQL's names of a list of DuckDB's types; commas within parentheses divide nothing."""
    return [_type_name(one.strip()) for one in _TOP_LEVEL_COMMA.split(engine_types)] if engine_types else []


def _type_name(engine_type: str) -> str:
    return _LITERALS.get(engine_type) or format_type(postgres_type_of(engine_type)[0])
