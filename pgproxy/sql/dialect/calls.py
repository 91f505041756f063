"""A call as its client wrote it: the name and the arguments in their order.

sqlglot gives many functions a class of their own, whose arguments have names. Where each one goes is found by
parsing a call of the same name once, so that no list of classes has to be kept.
"""

from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

from sqlglot import ParseError, exp

from pgproxy.sql.dialect.grammar import NAME_KEY, parse_source

Place: TypeAlias = tuple[str, int | None]
"""An argument's key in its node, and where in the list."""

_SPELLED: Mapping[type[exp.Expr], tuple[str, tuple[str, ...]]] = {
    exp.StrPosition: ("strpos", ("this", "substr")),
    exp.Substring: ("substring", ("this", "start", "length")),
    exp.Overlay: ("overlay", ("this", "expression", "from_", "for_")),
    exp.Trim: ("btrim", ("this", "expression")),
    exp.AtTimeZone: ("timezone", ("zone", "this")),
    exp.Sqrt: ("sqrt", ("this",)),
    exp.Ceil: ("ceil", ("this",)),
    exp.Floor: ("floor", ("this",)),
    exp.JSONBExists: ("jsonb_exists", ("this", "path")),
    exp.Lag: ("lag", ("this", "offset", "default")),
    exp.Lead: ("lead", ("this", "offset", "default")),
    exp.PercentileCont: ("percentile_cont", ("this",)),
    exp.PercentileDisc: ("percentile_disc", ("this",)),
    exp.GroupConcat: ("string_agg", ("this", "separator")),
}
"""What grammar of its own writes, and what sqlglot keeps no name of."""


def call_of(node: exp.Expr) -> tuple[str, tuple[exp.Expr, ...]] | None:
    """Give a call's lower-case name and its arguments; None where they are not known."""
    if isinstance(node, exp.Anonymous):
        return (node.this.lower(), tuple(node.expressions)) if isinstance(node.this, str) else None
    given = _given(node)
    name = str(node.meta.get(NAME_KEY) or "").lower()
    places = _places(name, len(given)) if name else None
    if places is not None and given.keys() == {*places}:
        return name, tuple(given[place] for place in places)
    if type(node) in _SPELLED:
        name, keys = _SPELLED[type(node)]
        return name, tuple(given[key, None] for key in keys if (key, None) in given)
    if isinstance(node, exp.Func) and not given:
        return node.sql_name().lower(), ()
    return None


def _given(node: exp.Expr) -> dict[Place, exp.Expr]:
    found: dict[Place, exp.Expr] = {}
    for key, value in node.args.items():
        if isinstance(value, exp.Expr):
            found[key, None] = _plain(value)
        elif isinstance(value, list):
            found.update(((key, at), _plain(item)) for at, item in enumerate(value))
    return found


def _plain(argument: exp.Expr) -> exp.Expr:
    """An argument of an aggregate without its DISTINCT and its ORDER BY."""
    if isinstance(argument, exp.Order) and isinstance(argument.this, exp.Expr):
        return _plain(argument.this)
    if isinstance(argument, exp.Distinct) and len(argument.expressions) == 1:
        inner: exp.Expr = argument.expressions[0]
        return inner
    return argument


@cache
def _places(name: str, count: int) -> tuple[Place, ...] | None:
    """Where a call of this name has its arguments; None where the parse does not keep them as they are."""
    arguments = ", ".join(f"a{at}" for at in range(count))
    try:
        (node,) = parse_source(f"select {name}({arguments})").expressions
    except ParseError:
        return None
    found = {item.name: place for place, item in _given(node).items() if isinstance(item, exp.Column)}
    if len(found) != count or any(f"a{at}" not in found for at in range(count)):
        return None
    return tuple(found[f"a{at}"] for at in range(count))
