"""LIKE, SIMILAR TO and regular expressions. PostgreSQL docs, "Pattern Matching".

The engine's expressions are RE2's. A constant pattern is converted, or refused where RE2 cannot say it; a
pattern that is computed runs as it is, which docs/compatibility.md says.
"""

import re

from sqlglot import exp

from pgproxy.sql.dialect import literals
from pgproxy.sql.dialect.build import (
    call,
    case,
    constant_integer,
    constant_text,
    function_name,
    joined,
    macro,
    number,
    string,
)
from pgproxy.sql.dialect.type_names import INTEGERS
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_BEYOND_RE2 = re.compile(r"\(\?(?:=|!|<)|\\[1-9]|\\[yYmM<>]|\[\[[.=]|\[\[:[<>]:\]\]|^\*\*\*")
_CLASSES = {
    "[:alpha:]": r"\p{L}",
    "[:alnum:]": r"\p{L}\p{N}",
    "[:upper:]": r"\p{Lu}",
    "[:lower:]": r"\p{Ll}",
}
_WHOLE_WORD = re.compile(
    r"(?P<before>\\[ym<])?(?P<inner>(?(before)\w|[^\\|])(?:[^\\|]|\\[^yYmM<>])*)(?P<behind>(?<=\w)\\[yM>])?"
)
"""A pattern with word boundaries at its ends alone, next to a letter: there they can be asked of the
characters around. RE2's own boundary knows ASCII letters only."""
_NO_WORD_BEFORE = r"(?:^|[^\p{L}\p{M}\p{N}_])"
_NO_WORD_BEHIND = r"(?:$|[^\p{L}\p{M}\p{N}_])"
_TOKEN = re.compile(r"\[:[a-z]+:\]|\\.|\[\^?\]?|\]|.", re.DOTALL)


def engine_pattern(pattern: str) -> tuple[str, int]:
    """Give a constant pattern as RE2 reads it, and the number of its capturing groups.

    Raises:
        FeatureNotSupported: RE2 has no such construct.
    """
    if _BEYOND_RE2.search(pattern):
        raise FeatureNotSupported(
            "look-around, back-references and word boundaries in regular expressions are not supported"
        )
    converted: list[str] = []
    in_brackets = False
    groups = 0
    parts = _TOKEN.findall(pattern)
    for index, part in enumerate(parts):
        if in_brackets:
            in_brackets = part != "]"
            converted.append(_CLASSES.get(part, r"\p{L}\p{M}\p{N}_" if part == r"\w" else part))
            continue
        in_brackets = part.startswith("[") and not part.startswith("[:")
        if part == "(":
            groups += parts[index + 1 : index + 2] != ["?"]
        converted.append(
            {r"\w": r"[\p{L}\p{M}\p{N}_]", r"\W": r"[^\p{L}\p{M}\p{N}_]", r"\Z": r"\z"}.get(part, part)
        )
    return "".join(converted), groups


def like_escape(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """LIKE's escape character is the backslash; the engine has none unless it is given."""
    if isinstance(node, exp.Escape) and isinstance(node.this, (exp.Like, exp.ILike)):
        return node
    if not isinstance(node, (exp.Like, exp.ILike)) or isinstance(node.parent, exp.Escape):
        return node
    if isinstance(node.expression, (exp.Any, exp.All)):
        return _like_each(node)
    pattern = constant_text(node.expression)
    if pattern is not None and "\\" not in pattern:
        # Without ESCAPE the engine turns prefixes and the like into range checks.
        return node
    escaped = type(node)(this=node.this, expression=node.expression, negate=node.args.get("negate"))
    return exp.Escape(this=escaped, expression=string("\\"))


def _like_each(node: exp.Expr) -> exp.Expr:
    """LIKE ANY (ARRAY[…]) as one comparison each."""
    patterns = node.expression.this.unnest()
    if isinstance(patterns, exp.Cast) and isinstance(patterns.this, (exp.Array, exp.Literal)):
        patterns = patterns.this
    text = constant_text(patterns)
    items = literals.parse_array(text) if text is not None else None
    if items and all(isinstance(item, str) for item in items):
        patterns = exp.Array(expressions=[string(str(item)) for item in items])
    if not isinstance(patterns, exp.Array) or not patterns.expressions:
        raise FeatureNotSupported(
            "LIKE ANY and LIKE ALL need ARRAY[...]", hint="Write the comparisons with OR."
        )
    joined: exp.Expr | None = None
    connect = exp.Or if isinstance(node.expression, exp.Any) else exp.And
    for pattern in patterns.expressions:
        one: exp.Expr = exp.Escape(
            this=type(node)(this=node.this.copy(), expression=pattern.copy()), expression=string("\\")
        )
        if node.args.get("negate"):
            one = exp.Not(this=exp.Paren(this=one))
        joined = one if joined is None else connect(this=joined, expression=one)
    return exp.Paren(this=joined)


def regular_expression(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`~` and `~*`: a dot matches a newline too."""
    if not isinstance(node, (exp.RegexpLike, exp.RegexpILike)):
        return node
    flags = "is" if isinstance(node, exp.RegexpILike) else "s"
    text = constant_text(node.expression)
    bounded = _WHOLE_WORD.fullmatch(text) if text is not None else None
    if bounded is not None and (bounded["before"] or bounded["behind"]):
        inner = engine_pattern(bounded["inner"])[0]
        before = _NO_WORD_BEFORE if bounded["before"] else ""
        behind = _NO_WORD_BEHIND if bounded["behind"] else ""
        return call("regexp_matches", node.this, string(f"{before}(?:{inner}){behind}"), string(flags))
    return call("regexp_matches", node.this, _converted(node.expression), string(flags))


def regular_expression_call(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """regexp_replace(), regexp_match(), regexp_like(), regexp_count(), regexp_substr() and regexp_instr()."""
    built = _CALLS.get(function_name(node))
    return built(list(node.expressions), types) or node if built is not None else node


def _flagged(arguments: list[exp.Expr], at: int, allowed: str = "") -> tuple[str, str]:
    """RE2's option group for the flags at a place, and those of `allowed` that are set."""
    flags = constant_text(arguments[at]) if len(arguments) > at else ""
    if flags is None or set(flags) - set(f"icsnpwm{allowed}"):
        raise FeatureNotSupported("regular expressions take constant flags of i, c, s, n, m, p, w and g")
    dot, lines, is_blind = "s", "", ""
    for flag in flags:
        if flag in "nmspw":
            dot, lines = {"n": ("", "m"), "m": ("", "m"), "s": ("s", ""), "p": ("", ""), "w": ("s", "m")}[
                flag
            ]
        elif flag in "ic":
            is_blind = "i" if flag == "i" else ""
    group = "".join((is_blind, dot, lines))
    return (f"(?{group})" if group else ""), "".join(flag for flag in flags if flag in allowed)


def _pattern(pattern: exp.Expr, options: str, name: str) -> tuple[exp.Expr, int]:
    """A constant pattern with its options, and how many groups it captures."""
    text = constant_text(pattern)
    if text is None:
        raise FeatureNotSupported(f"{name}() needs a constant pattern")
    converted, groups = engine_pattern(text)
    return string(options + converted), groups


def _replace(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    if len(arguments) not in (3, 4, 5, 6):
        return None
    with_start = len(arguments) > 4 or (len(arguments) == 4 and types.of(arguments[3]) in INTEGERS)
    options, is_global = _flagged(arguments, 5 if with_start else 3, "g")
    if constant_text(arguments[1]) is None:
        if options != "(?s)":
            raise FeatureNotSupported("regexp_replace() with flags needs a constant pattern")
        pattern = arguments[1]
    else:
        pattern, _ = _pattern(arguments[1], options, "regexp_replace")
    new = constant_text(arguments[2])
    replacement = string(new.replace("\\&", "\\0")) if new is not None else arguments[2]
    count = constant_integer(arguments[4]) if len(arguments) > 4 else (0 if is_global else 1)
    if count not in (0, 1):
        raise FeatureNotSupported("regexp_replace() is supported for the first match and for all")
    dot = "" if constant_text(arguments[1]) is not None else "s"
    how = string(("g" if count == 0 else "") + dot)
    if not with_start:
        return call("regexp_replace", arguments[0], pattern, replacement, how)
    start = _start(arguments, 3)
    if start < 1 or (start > 1 and "^" in (constant_text(arguments[1]) or "^")):
        raise FeatureNotSupported("regexp_replace() needs a constant start and a pattern without ^")
    before = call("left", arguments[0], number(start - 1))
    behind = call("substring", arguments[0].copy(), number(start))
    return joined(before, call("regexp_replace", behind, pattern, replacement, how))


def _start(arguments: list[exp.Expr], at: int) -> int:
    """A position that is given as a constant; 1 where none is, 0 where it is no constant."""
    if len(arguments) <= at:
        return 1
    value = constant_integer(arguments[at])
    if value is not None and value < 1:
        raise StatementError("invalid value for the start", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
    return value or 0


def _checked_start(arguments: list[exp.Expr], at: int, name: str) -> exp.Expr:
    """Where the search begins: `^` would match there, which it does not in PostgreSQL."""
    start = _start(arguments, at)
    if start != 1 and (start == 0 or "^" in (constant_text(arguments[1]) or "^")):
        raise FeatureNotSupported(f"{name}() needs a constant start and a pattern without ^")
    return number(start)


def _first_match(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    if len(arguments) not in (2, 3):
        return None
    options, _ = _flagged(arguments, 2)
    pattern, groups = _pattern(arguments[1], options, "regexp_match")
    numbers = range(1, groups + 1) if groups else (0,)
    parts: list[exp.Expr] = [
        call("regexp_extract", arguments[0].copy(), pattern.copy(), number(group)) for group in numbers
    ]
    return case((call("regexp_matches", arguments[0], pattern), exp.Array(expressions=parts)))


def _is_like(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    if len(arguments) not in (2, 3):
        return None
    options, _ = _flagged(arguments, 2)
    return call("regexp_matches", arguments[0], _pattern(arguments[1], options, "regexp_like")[0])


def _count(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    if len(arguments) not in (2, 3, 4):
        return None
    options, _ = _flagged(arguments, 3)
    pattern, _ = _pattern(arguments[1], options, "regexp_count")
    return macro("regexp_count", arguments[0], pattern, _checked_start(arguments, 2, "regexp_count"))


def _part_that_matches(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    if not 2 <= len(arguments) <= 6:
        return None
    options, _ = _flagged(arguments, 4)
    pattern, groups = _pattern(arguments[1], options, "regexp_substr")
    nth, group = _start(arguments, 3), constant_integer(arguments[5]) if len(arguments) > 5 else 0
    if nth < 1 or group is None:
        raise FeatureNotSupported("regexp_substr() needs constant numbers")
    if group > groups:
        return exp.cast(exp.Null(), "TEXT")
    start = _checked_start(arguments, 2, "regexp_substr")
    return macro("regexp_substr", arguments[0], pattern, start, number(nth), number(group))


def _place_of_match(arguments: list[exp.Expr], types: KnownTypes) -> exp.Expr | None:
    if len(arguments) not in (2, 3):
        raise FeatureNotSupported("regexp_instr() is supported for the first match")
    pattern, _ = _pattern(arguments[1], "(?s)", "regexp_instr")
    return macro("regexp_instr", arguments[0], pattern, _checked_start(arguments, 2, "regexp_instr"))


_CALLS = {
    "regexp_replace": _replace,
    "regexp_match": _first_match,
    "regexp_like": _is_like,
    "regexp_count": _count,
    "regexp_substr": _part_that_matches,
    "regexp_instr": _place_of_match,
}


def _converted(pattern: exp.Expr) -> exp.Expr:
    text = constant_text(pattern)
    return pattern if text is None else string(engine_pattern(text)[0])


def similar_to(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """SIMILAR TO: SQL's wildcards with a regular expression's repetition and alternatives; the whole text."""
    escape = "\\"
    if isinstance(node, exp.Escape) and isinstance(node.this, exp.SimilarTo):
        escape = constant_text(node.expression) or ""
        node = node.this
    elif not isinstance(node, exp.SimilarTo) or isinstance(node.parent, exp.Escape):
        return node
    pattern = constant_text(node.expression)
    if pattern is None or len(escape) != 1:
        raise FeatureNotSupported("SIMILAR TO needs a constant pattern")
    return call("regexp_full_match", node.this, string(_similar_pattern(pattern, escape)), string("s"))


def _similar_pattern(pattern: str, escape: str) -> str:
    converted: list[str] = []
    in_brackets = is_escaped = False
    for letter in pattern:
        if is_escaped:
            converted.append(re.escape(letter))
            is_escaped = False
        elif letter == escape:
            is_escaped = True
        elif in_brackets:
            in_brackets = letter != "]"
            converted.append(letter)
        else:
            in_brackets = letter == "["
            converted.append(
                {"%": ".*", "_": ".", ".": r"\.", "^": r"\^", "$": r"\$", "\\": "\\\\"}.get(letter, letter)
            )
    return "".join(converted)
