"""The barrier below which no predicate of a client moves, and where it need not keep the order of rows.

DuckDB 1.5.5 runs a LIMIT or OFFSET in one thread, to keep the order of what it reads, unless what it
reads has none. Groups have none, so rows that are joined to one group of one row pass it in all threads.
"""

from sqlglot import exp

from pgproxy.sql.draft import quoted

_ORDERLESS = (
    exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Stddev, exp.StddevPop, exp.StddevSamp,
    exp.Variance, exp.VariancePop,
)  # fmt: skip
_ORDERED = ("order", "limit", "offset", "distinct", "windows", "qualify", "laterals", "group")
_ONE_ROW = "pgproxy_one_row"


def put_barrier(select: exp.Select, *, in_order: bool) -> None:
    """Let no predicate around this query run on rows that are not in it. in_order: theirs is kept."""
    select.set("offset", exp.Offset(expression=exp.Literal.number(0)))
    if not in_order:
        one = exp.Select(
            expressions=[exp.alias_(exp.Literal.number(1), quoted("one"))], distinct=exp.Distinct()
        )
        alias = exp.TableAlias(this=quoted(_ONE_ROW))
        select.append("joins", exp.Join(this=exp.Subquery(this=one, alias=alias), kind="CROSS"))


def order_shows(node: exp.Table) -> bool:
    """Whether anybody can see in which order a relation's rows are read: not beneath groups or EXISTS."""
    select = node.parent_select
    while isinstance(select, exp.Select):
        if select.args.get("group") or _is_aggregate(select):
            return not all(_is_orderless(call) for call in select.find_all(exp.AggFunc, exp.Anonymous))
        if any(select.args.get(part) for part in _ORDERED):
            return True
        if isinstance(select.parent, exp.Exists):
            return False
        holder = select.parent
        if not isinstance(holder, exp.Subquery) or not isinstance(holder.parent, (exp.From, exp.Join)):
            return True
        select = holder.parent_select
    return True


def _is_aggregate(select: exp.Select) -> bool:
    found = (call for item in select.expressions for call in item.find_all(exp.AggFunc))
    return any(call.find_ancestor(exp.Window, exp.Select) is select for call in found)


def _is_orderless(call: exp.Expr) -> bool:
    """A call by a mere name may be any aggregate, but those of our own, which a schema stands before."""
    return isinstance(call, _ORDERLESS) or (
        isinstance(call, exp.Anonymous) and isinstance(call.parent, exp.Dot)
    )
