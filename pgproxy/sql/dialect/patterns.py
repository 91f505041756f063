"""LIKE, SIMILAR TO and regular expressions. PostgreSQL docs, "Pattern Matching".

The engine's expressions are RE2's. A constant pattern is converted, or refused where RE2 cannot say it; a
pattern that is computed runs as it is, which docs/compatibility.md says.
"""

import re

from sqlglot import exp

from pgproxy.sql.dialect.build import call, case, constant_text, function_name, number, string
from pgproxy.sql.dialect.types import KnownTypes
from pgwire.errors import FeatureNotSupported

_BEYOND_RE2 = re.compile(r"\(\?(?:=|!|<)|\\[1-9]|\\[yYmM<>]|\[\[[.=]|\[\[:[<>]:\]\]|^\*\*\*")
_CLASSES = {
    "[:alpha:]": r"\p{L}",
    "[:alnum:]": r"\p{L}\p{N}",
    "[:upper:]": r"\p{Lu}",
    "[:lower:]": r"\p{Ll}",
}
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
    if not isinstance(patterns, exp.Array) or not patterns.expressions or node.args.get("negate"):
        raise FeatureNotSupported(
            "LIKE ANY and LIKE ALL need ARRAY[...]", hint="Write the comparisons with OR."
        )
    joined: exp.Expr | None = None
    connect = exp.Or if isinstance(node.expression, exp.Any) else exp.And
    for pattern in patterns.expressions:
        one = exp.Escape(
            this=type(node)(this=node.this.copy(), expression=pattern.copy()), expression=string("\\")
        )
        joined = one if joined is None else connect(this=joined, expression=one)
    return exp.Paren(this=joined)


def regular_expression(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """`~` and `~*`: a dot matches a newline too."""
    if not isinstance(node, (exp.RegexpLike, exp.RegexpILike)):
        return node
    flags = "is" if isinstance(node, exp.RegexpILike) else "s"
    return call("regexp_matches", node.this, _converted(node.expression), string(flags))


def regular_expression_call(node: exp.Expr, types: KnownTypes) -> exp.Expr:
    """regexp_replace() and regexp_match()."""
    name, arguments = function_name(node), node.expressions
    if name == "regexp_replace" and len(arguments) in (3, 4):
        flags = constant_text(arguments[3]) if len(arguments) == 4 else ""
        if flags is None or set(flags) - set("gi"):
            raise FeatureNotSupported("regexp_replace() takes the constant flags g and i")
        new = constant_text(arguments[2])
        replacement = string(new.replace("\\&", "\\0")) if new is not None else arguments[2]
        return call(
            "regexp_replace", arguments[0], _converted(arguments[1]), replacement, string(flags + "s")
        )
    if name == "regexp_match" and len(arguments) in (2, 3):
        return _first_match(arguments)
    return node


def _first_match(arguments: list[exp.Expr]) -> exp.Expr:
    pattern = constant_text(arguments[1])
    flags = constant_text(arguments[2]) if len(arguments) == 3 else ""
    if pattern is None or flags is None or set(flags) - {"i"}:
        raise FeatureNotSupported("regexp_match() needs a constant pattern and knows the flag i")
    converted, groups = engine_pattern(pattern)
    options = string(flags + "s")
    numbers = range(1, groups + 1) if groups else (0,)
    parts: list[exp.Expr] = [
        call("regexp_extract", arguments[0].copy(), string(converted), number(group), options.copy())
        for group in numbers
    ]
    found = call("regexp_matches", arguments[0], string(converted), options)
    return case((found, exp.Array(expressions=parts)))


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
