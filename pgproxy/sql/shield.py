# ruff: noqa: SIM905 - a table of words reads better as words
"""Calls that DuckDB runs on values of rows that are not there.

Of a dictionary-compressed column, stored or in a Parquet file, DuckDB 1.5.5 computes a function once for each
entry of the dictionary, where it believes that the function cannot fail: hidden rows have entries, too, and
no filter or barrier is between. Some functions can fail all the same. What is taken out of a list of one is
plain values (what COALESCE and CASE give is still the dictionary), so such a call takes its arguments so.
The tree is looked at, never the client's text: PostgreSQL's LIKE, operators and stored functions become such
calls under other names.
"""

from collections.abc import Iterator

from sqlglot import exp

from pgproxy.sql.admit import function_name
from pgproxy.sql.node_kinds import classes_below

_PATTERN_CLASSES = (
    exp.RegexpLike, exp.RegexpILike, exp.RegexpFullMatch, exp.RegexpReplace, exp.RegexpExtract,
    exp.RegexpExtractAll, exp.RegexpSplit, exp.RegexpSubstr, exp.RegexpCount, exp.RegexpInstr, exp.SimilarTo,
)  # fmt: skip
_SHIELDED = classes_below(exp.Escape, exp.Anonymous, *_PATTERN_CLASSES)
_PATTERN_NAMES = frozenset(
    """
    regexp_matches regexp_like regexp_full_match regexp_replace regexp_extract regexp_extract_all
    regexp_split_to_array regexp_split_to_table regexp_count regexp_instr regexp_substr regexp_match
    string_split_regex str_split_regex
    """.split()
)
"""A text of any kind is found or not: these fail by their patterns, behind the first argument."""
_NAMES = frozenset(
    """
    hamming mismatches jaccard to_base like_escape ilike_escape not_like_escape not_ilike_escape
    """.split()
)
_UNIT_NAMES = frozenset({"date_diff", "datediff", "date_sub", "datesub"})
"""These fail by the name of a unit, their first argument."""


def shield_calls(tree: exp.Expr) -> None:
    """Give every argument of such a call, that is not constant, as plain values; in place."""
    for node in [node for node in tree.walk() if type(node) in _SHIELDED]:
        for argument in list(_arguments(node)):
            if argument.find(exp.Column, exp.Query) is not None:
                held = exp.Array(expressions=[argument.copy()])
                first = [held, exp.Literal.number(1)]
                argument.replace(exp.Anonymous(this="list_extract", expressions=first))


def _arguments(node: exp.Expr) -> Iterator[exp.Expr]:
    """What decides whether the call fails; nothing of most nodes."""
    if isinstance(node, exp.Escape):
        if not _is_plain(node):
            yield from (node.this.this, node.this.expression, node.expression)
    elif isinstance(node, exp.Anonymous):
        name = function_name(node)
        if name in _NAMES or name in _PATTERN_NAMES:
            yield from node.expressions[name in _PATTERN_NAMES :]
        elif name in _UNIT_NAMES:
            yield from node.expressions[:1]
    elif isinstance(node, _PATTERN_CLASSES):
        for part, value in node.args.items():
            if part != "this":
                yield from [value] if isinstance(value, exp.Expr) else ()


def _is_plain(node: exp.Escape) -> bool:
    """`x LIKE 'pattern' ESCAPE '!'` without the escape in the pattern cannot fail."""
    pattern, escape = node.this.expression, node.expression
    are_constant = isinstance(pattern, exp.Literal) and isinstance(escape, exp.Literal)
    return are_constant and (not escape.name or escape.name not in pattern.name)
