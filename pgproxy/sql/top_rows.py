"""The barrier of a query for the first rows of an order, by which DuckDB still skips what is behind them.

Given ORDER BY and LIMIT, DuckDB 1.5.5 reads the row groups that may hold such rows first, and of the others
only what beats the rows that it has; but not through an OFFSET. In such a query over one relation each row
that passes the filter gets a mark instead, and the client's predicate becomes the result of a CASE upon it:

* no predicate on a volatile column moves below the query that computes it, and `error`, which the mark of a
  row that does not pass would be, is volatile;
* the predicate is one expression with the mark, so it moves or stays as a whole, and CASE computes a result
  only for rows whose condition is true.

The row filter stands beneath, in the WHERE, where nothing is joined that could move it up.
"""

from collections.abc import Iterator

from sqlglot import exp

from pgproxy.sql.dialect.build import ERROR_PREFIX, case, string
from pgproxy.sql.draft import RESERVED_PREFIX, quoted
from pgproxy.sql.policy_expressions import system_call
from pgwire.sqlstate import SqlState

_MARK = f"{RESERVED_PREFIX}passed"
_CLAUSES = frozenset({"expressions", "from_", "where", "order", "limit"})
_OTHER_CLAUSES = frozenset({"offset"})
_OF_MORE_THAN_ITS_ROW = (exp.Query, exp.AggFunc, exp.Window, exp.Columns, exp.Unnest, exp.Explode)


def asks_for_top_rows(node: exp.Table, root: exp.Expr) -> bool:
    """Whether the statement is a query of this relation alone, in the order of its columns, up to a limit."""
    if not isinstance(root, exp.Select) or node.parent is not root.args.get("from_"):
        return False
    clauses = {name for name, value in root.args.items() if value}
    alias = node.args.get("alias")
    is_plain = not any(node.args.get(part) for part in node.args.keys() - {"this", "db", "catalog", "alias"})
    if clauses - _OTHER_CLAUSES != _CLAUSES or not is_plain or (alias is not None and alias.columns):
        return False
    is_of_rows = not any(
        isinstance(found, _OF_MORE_THAN_ITS_ROW) and found is not root for found in root.walk()
    )
    return is_of_rows and all(_is_of_columns(root)) and not any(_means_all_columns(root, node.alias_or_name))


def _is_of_columns(root: exp.Select) -> Iterator[bool]:
    """Of each key of the order: whether it is a column, by its name, its new one or its place."""
    named = {item.alias: item.this for item in root.expressions if isinstance(item, exp.Alias)}
    for ordered in root.args["order"].expressions:
        key = ordered.this
        if isinstance(key, exp.Literal) and not key.is_string:
            place = int(key.name) if key.name.isdigit() else 0
            before = root.expressions[:place]
            key = before[-1].unalias() if 0 < place <= len(before) else key
            yield isinstance(key, exp.Column) and not any(item.is_star for item in before)
        else:
            is_bare = isinstance(key, exp.Column) and not key.table
            yield isinstance(named.get(key.name, key) if is_bare else key, exp.Column)


def _means_all_columns(root: exp.Select, alias: str) -> Iterator[bool]:
    """Of each node: whether it means columns without their names, but for the outputs `*` and `t.*`."""
    outputs = {id(star) for star in _plain_stars(root)}
    for node in root.find_all(exp.Star, exp.Column):
        if isinstance(node, exp.Column):
            yield not node.table and node.name.lower() == alias.lower()
        else:
            yield id(node) not in outputs


def _plain_stars(root: exp.Expr) -> Iterator[exp.Star]:
    for item in root.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star) and not any(star.args.values()):
            yield star


def mark_of(predicate: exp.Expr) -> exp.Expr:
    """The output column that marks a row which passes a filter. No other comes so far."""
    raised = string(f"{ERROR_PREFIX}{SqlState.INTERNAL_ERROR.value}:a row filter was not applied")
    value = case((predicate.copy(), exp.true()), default=system_call("error", [raised]))
    return exp.alias_(value, quoted(_MARK))


def hold_behind_mark(root: exp.Expr) -> None:
    """Let the client's predicate run on marked rows alone, and show the mark to nobody; in place."""
    where = root.args["where"]
    where.set("this", case((exp.column(quoted(_MARK)), exp.paren(where.this, copy=False))))
    for star in list(_plain_stars(root)):
        star.set("except_", [quoted(_MARK)])
