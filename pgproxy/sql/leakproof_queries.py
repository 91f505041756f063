"""Nested queries whose expressions meet no hidden row, though the relations beneath them have no barrier.

What a query computes runs above the filters of its own FROM. Two things could bring it to rows that these
hide. A predicate above the query that means its result would be moved down as one over the expression: so
each such result needs a name, and `leakproof_predicates` trusts no name under which something is computed.
And DuckDB 1.5.5 moves a filter up, through select lists, DISTINCT and ORDER BY, below every join, and may
leave it there if it believes that the filter can fail: so nothing may be joined to what the query gives,
unless there are groups or windows in it, which no filter passes. A subquery of a predicate or of a select
list is joined, and runs for the rows around it, so nothing in it may fail at all.
"""

from sqlglot import exp

from pgproxy.sql.leakproof_predicates import only_output

_PLACES: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Select: ("from_", "joins", "with_"),
    exp.Subquery: ("this", "joins", "with_"),
    exp.From: ("this",),
    exp.Join: ("this",),
    exp.With: ("expressions",),
    exp.CTE: ("this",),
}
"""Where a query may stand, in what, to be read as a relation."""
_COMPUTED_SAFELY = (exp.Column, exp.Star, exp.Literal, exp.Boolean, exp.Null)
_CALM = (
    *_COMPUTED_SAFELY, exp.Query, exp.From, exp.Join, exp.With, exp.CTE, exp.Table, exp.TableAlias, exp.Alias,
    exp.Identifier, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Exists, exp.In,
    exp.Paren, exp.And, exp.Or, exp.Not, exp.Is, exp.Between, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT,
    exp.GTE, exp.Like, exp.ILike, exp.Escape, exp.Count, exp.Sum, exp.Min, exp.Max, exp.DataType,
    exp.Parameter,
)  # fmt: skip
"""What a subquery that computes nothing consists of; LIKE and comparisons have been judged as predicates."""


def meets_no_hidden_row(select: exp.Select, root: exp.Expr) -> bool:
    """Judge a nested query by what it computes and where it stands in the statement."""
    is_plain = _computes_nothing(select)
    is_named = is_plain or all(_has_a_name(item) for item in select.expressions) or _has_names_around(select)
    if not _is_relation(select):
        return _is_calm(select) and (is_named or _is_value(select))
    return is_plain or (is_named and (_is_grouped(select) or _is_joined_to_nothing(select, root)))


def _computes_nothing(select: exp.Select) -> bool:
    """Whether it only passes columns on: then a predicate above it meets bare columns."""
    order, distinct = select.args.get("order"), select.args.get("distinct")
    keys = [key.this for key in order.expressions] if order is not None else []
    if distinct is not None and distinct.args.get("on") is not None:
        keys += distinct.args["on"].expressions or [distinct.args["on"]]
    return all(_is_passed_on(item) for item in (*select.expressions, *keys))


def _is_passed_on(item: exp.Expr) -> bool:
    is_safe = isinstance(item, _COMPUTED_SAFELY) and not item.args.get("replace")
    return is_safe or isinstance(item.unalias(), exp.Column)


def _has_a_name(item: exp.Expr) -> bool:
    """Whether what the item computes is known by its alias: not what COLUMNS(*) and the like give."""
    if _is_passed_on(item):
        return True
    return isinstance(item, exp.Alias) and all(
        isinstance(star.parent, exp.Count) for star in item.find_all(exp.Star, exp.Columns)
    )


def _has_names_around(select: exp.Select) -> bool:
    """`(SELECT …) AS q(a, b)`, with a name for each output."""
    alias = select.parent.args.get("alias") if isinstance(select.parent, exp.Subquery) else None
    if not isinstance(alias, exp.TableAlias) or select.find(exp.Columns) is not None:
        return False
    return len(alias.columns) == len(select.expressions) and not any(i.is_star for i in select.expressions)


def _is_relation(select: exp.Select) -> bool:
    """Whether it stands in FROM or WITH, and whatever it stands in does: it depends on no row elsewhere."""
    node: exp.Expr = select
    while (parent := node.parent) is not None:
        if node.arg_key not in _PLACES.get(type(parent), ()) and not isinstance(parent, exp.SetOperation):
            return False
        node = parent
    return True


def _is_value(select: exp.Select) -> bool:
    """`(SELECT max(day) FROM …)` as a value, whose name nobody sees."""
    holder = select.parent
    sources = (exp.From, exp.Join, exp.Subquery, exp.SetOperation)
    is_alone = isinstance(holder, exp.Subquery) and not isinstance(holder.parent, sources)
    return is_alone and only_output(select) is not None


def _is_calm(select: exp.Select) -> bool:
    """Whether nothing in it can fail for any row around it."""
    return all(
        isinstance(node, _CALM)
        or (isinstance(node, exp.Cast) and isinstance(node.this, (exp.Literal, exp.Parameter)))
        for node in select.walk()
    )


def _is_grouped(select: exp.Select) -> bool:
    """Whether there are groups or windows, so that no filter beneath them is moved above the select list."""
    if select.args.get("group"):
        return True
    found = (call for item in select.expressions for call in item.find_all(exp.AggFunc, exp.Window))
    return any(call.find_ancestor(exp.Select) is select for call in found)


def _is_joined_to_nothing(select: exp.Select, root: exp.Expr) -> bool:
    """Whether each query around it reads only what is in it, up to the statement itself."""
    query: exp.Expr = select
    while query is not root:
        source = query.parent
        if not isinstance(source, exp.Subquery) or source.args.get("joins") or source.args.get("pivots"):
            return False
        clause, outer = source.parent, source.parent_select
        if not isinstance(clause, exp.From) or outer is None or clause.parent is not outer:
            return False
        if any(outer.args.get(part) for part in ("joins", "laterals", "with_")) or _asks_elsewhere(outer):
            return False
        query = outer
    return True


def _asks_elsewhere(select: exp.Select) -> bool:
    """Whether a subquery stands outside of FROM: DuckDB joins it."""
    return any(
        part.find(exp.Query) is not None
        for name, value in select.args.items()
        if name != "from_"
        for part in (value if isinstance(value, list) else [value])
        if isinstance(part, exp.Expr)
    )
