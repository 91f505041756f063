"""Rules of queries that PostgreSQL checks and the engine does not: ORDER BY with DISTINCT and UNION, LIMIT.

PostgreSQL docs, SELECT.
"""

from collections.abc import Iterable
from functools import cache

from sqlglot import exp

from pgproxy.sql.dialect.build import constant_integer, constant_text
from pgproxy.sql.dialect.names import column_name
from pgproxy.sql.dialect.places import OperatorError, QueryError, blame, blame_query, start_of
from pgproxy.sql.dialect.type_rules import is_row
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState


def check_queries(nodes: Iterable[exp.Expr]) -> None:
    """Check every query of a source tree.

    Raises:
        StatementError: 42P10, 42703, 42601, 2201W or 2201X.
    """
    for node in nodes:
        if not _is_checked(type(node)):  # type: ignore[arg-type]  # classes hash, whatever instances do
            continue
        if isinstance(node, exp.Select):
            _check_order(node)
            _check_distinct(node)
            _check_output_names(node)
            _check_group(node)
        elif isinstance(node, exp.SetOperation):
            _check_order(node)
            _check_set_order(node)
        elif isinstance(node, (exp.Limit, exp.Offset)):
            _check_limit(node)
        elif isinstance(node, exp.Subquery):
            _check_alias(node)
            _check_scalar(node)
        elif isinstance(node, exp.In):
            _check_wide(node)
        elif isinstance(node, (exp.Values, exp.Array)):
            _check_list(node)


@cache
def _is_checked(kind: type[exp.Expr]) -> bool:
    checked = (
        exp.Select, exp.SetOperation, exp.Limit, exp.Offset, exp.Subquery, exp.In, exp.Values, exp.Array,
    )  # fmt: skip
    return issubclass(kind, checked)


def _check_list(node: exp.Expr) -> None:
    if isinstance(node, exp.Values):
        widths = {len(row.expressions) if isinstance(row, exp.Tuple) else 1 for row in node.expressions}
        if len(widths) > 1:
            first = len(node.expressions[0].expressions)
            wrong = next((row for row in node.expressions if len(row.expressions) != first), node)
            raise StatementError("VALUES lists must all be the same length", position=start_of(wrong))
    elif not node.expressions and not isinstance(node.parent, exp.Cast):
        raise StatementError(
            "cannot determine type of empty array",
            sqlstate=SqlState.INDETERMINATE_DATATYPE,
            hint="Explicitly cast to the desired type, for example ARRAY[]::integer[].",
        )


def _check_wide(node: exp.In) -> None:
    """One value beside rows."""
    query = node.args.get("query")
    query = query.this if isinstance(query, exp.Subquery) else query
    if (
        is_row(node.this.unnest())
        or not isinstance(query, exp.Select)
        or any(one.is_star for one in query.expressions)
    ):
        return
    if len(query.expressions) > 1:
        raise blame(OperatorError("subquery has too many columns"), node.this)


def _check_output_names(select: exp.Select) -> None:
    """A name in ORDER BY that two different outputs have."""
    if any(item.is_star for item in select.expressions):
        return
    for item in _order_items(select):
        if not isinstance(item, exp.Column) or item.table:
            continue
        name = item.name if item.this.args.get("quoted") else item.name.lower()
        named = [output for output in select.expressions if column_name(output) == name]
        if len(named) > 1 and len({one.unalias().sql(dialect="postgres").lower() for one in named}) > 1:
            raise StatementError(
                f'ORDER BY "{name}" is ambiguous', sqlstate=SqlState.AMBIGUOUS_COLUMN, position=None
            )


def _check_group(select: exp.Select) -> None:
    group = select.args.get("group")
    if group is None:
        return
    if not any(group.args.values()):
        raise StatementError("syntax error at end of input")
    count = len(select.expressions)
    for item in group.expressions:
        place = constant_integer(item)
        if (
            place is not None
            and not 1 <= place <= count
            and not any(one.is_star for one in select.expressions)
        ):
            raise _invalid_reference(f"GROUP BY position {place} is not in select list", item)


def _check_scalar(node: exp.Subquery) -> None:
    """A subquery that stands for one value."""
    is_value = isinstance(node.parent, (exp.Select, exp.Alias, exp.Paren, exp.Binary, exp.Cast, exp.Func))
    if node.arg_key != "expressions" and isinstance(node.parent, exp.Select):
        is_value = False
    query = node.this
    while isinstance(query, (exp.Subquery, exp.SetOperation)):
        query = query.this
    is_wide = isinstance(query, exp.Select) and len(query.expressions) > 1
    if (
        is_value
        and is_wide
        and not isinstance(node.parent, (exp.Exists, exp.In, exp.Any, exp.All, exp.SetOperation))
    ):
        if isinstance(node.parent, exp.Binary) and any(
            isinstance(side, exp.Tuple) for side in (node.parent.this, node.parent.expression)
        ):
            return
        raise blame_query(QueryError("subquery must return only one column"), node)


def _check_alias(node: exp.Subquery) -> None:
    is_source = isinstance(node.parent, (exp.From, exp.Join))
    if is_source and not node.alias and isinstance(node.this, exp.Query) and not node.args.get("joins"):
        error = QueryError(
            "subquery in FROM must have an alias", hint="For example, FROM (SELECT ...) [AS] foo."
        )
        raise blame_query(error, node)


def _check_limit(node: exp.Expr) -> None:
    count = constant_integer(node.expression)
    text = constant_text(node.expression)
    if text is not None and not text.strip().lstrip("+-").isdigit():
        raise StatementError(
            "invalid input syntax for type bigint",
            sqlstate=SqlState.INVALID_TEXT_REPRESENTATION,
            position=start_of(node.expression),
        )
    if count is not None and count < 0:
        is_limit = isinstance(node, exp.Limit)
        state = SqlState("2201W" if is_limit else "2201X")
        raise StatementError(f"{'LIMIT' if is_limit else 'OFFSET'} must not be negative", sqlstate=state)


def _order_items(query: exp.Expr) -> list[exp.Expr]:
    order = query.args.get("order")
    return (
        [item.this for item in order.expressions if isinstance(item, exp.Ordered)]
        if order is not None
        else []
    )


def _check_order(query: exp.Expr) -> None:
    width = len(query.expressions) if isinstance(query, exp.Select) else 0
    for item in _order_items(query):
        if constant_text(item) is not None:
            raise StatementError("non-integer constant in ORDER BY", position=start_of(item))
        place = constant_integer(item)
        is_known = width and not any(one.is_star for one in query.expressions)
        if place is not None and is_known and not 1 <= place <= width:
            raise _invalid_reference(f"ORDER BY position {place} is not in select list", item)


def _check_distinct(select: exp.Select) -> None:
    distinct = select.args.get("distinct")
    order = _order_items(select)
    if distinct is None or not order or any(item.is_star for item in select.expressions):
        return
    on = distinct.args.get("on")
    meant = [_meant(item, select) for item in order]
    if on is None:
        shown = {_text(item.unalias()) for item in select.expressions}
        for text, item in zip(meant, order, strict=True):
            if text not in shown:
                message = "for SELECT DISTINCT, ORDER BY expressions must appear in select list"
                raise _invalid_reference(message, item)
        return
    keys = on.expressions if isinstance(on, exp.Tuple) else [on.unnest()]
    wanted = {_meant(key, select) for key in keys}
    if any(text not in wanted for text in meant[: len(wanted)]):
        raise _invalid_reference("SELECT DISTINCT ON expressions must match initial ORDER BY expressions")


def _meant(item: exp.Expr, select: exp.Select) -> str:
    """What an item of ORDER BY stands for: an output column by number or name, else itself."""
    place = constant_integer(item)
    if place is not None and 1 <= place <= len(select.expressions):
        return _text(select.expressions[place - 1].unalias())
    if isinstance(item, exp.Column) and not item.table:
        for output in select.expressions:
            if column_name(output) == (item.name if item.this.args.get("quoted") else item.name.lower()):
                return _text(output.unalias())
    return _text(item)


def _text(node: exp.Expr) -> str:
    """An expression's text without the qualifiers of columns."""
    if isinstance(node, exp.Column):
        return str(node.name).lower()
    return node.sql(dialect="postgres").lower()


def _check_set_order(query: exp.SetOperation) -> None:
    left: exp.Expr = query.this
    while isinstance(left, (exp.SetOperation, exp.Subquery)):
        left = left.this
    if not isinstance(left, exp.Select) or any(item.is_star for item in left.expressions):
        return
    names = {column_name(item).lower() for item in left.expressions}
    for item in _order_items(query):
        if isinstance(item, exp.Column) and item.name.lower() not in names:
            raise StatementError(
                f'column "{item.name}" does not exist',
                sqlstate=SqlState.UNDEFINED_COLUMN,
                position=start_of(item),
            )


def _invalid_reference(message: str, item: exp.Expr | None = None) -> StatementError:
    return StatementError(message, sqlstate=SqlState.INVALID_COLUMN_REFERENCE, position=start_of(item))
