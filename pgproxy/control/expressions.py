"""The first gate for the SQL of row filters and column masks: one expression, nothing that only a query has.

Names, types and functions are bound later, against the catalog, by the planner: give that check to
`ControlService` as its `ExpressionValidator`. PostgreSQL docs, "CREATE POLICY": no aggregate and no window
function.
"""

from collections.abc import Callable

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from pgproxy.policy.model import TableName
from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

ExpressionValidator = Callable[[TableName, str | None, str], None]
"""(table, masked column or None for a predicate, SQL text): raises GatewayError where it does not bind."""

MAX_EXPRESSION_CHARACTERS = 10_000

_ROOTS = (exp.Condition, exp.Interval, exp.AtTimeZone, exp.Subquery)
_STATEMENT_PARTS = (exp.DDL, exp.DML, exp.Command, exp.Star, exp.Alias, exp.Tuple)
_QUERY_PARTS = (exp.Query, exp.Subquery, exp.Table, exp.Exists)
_PARAMETERS = (exp.Placeholder, exp.Parameter, exp.SessionParameter)


def check_expression(sql: str, *, allow_subqueries: bool = False) -> None:
    """Accept one scalar expression in PostgreSQL's dialect.

    Raises:
        StatementError: it does not parse, is a statement, or holds an aggregate, window function or
        parameter. FeatureNotSupported: it holds a subquery and they are not allowed.
    """
    root = parse_expression(sql)
    if not isinstance(root, _ROOTS):
        raise StatementError("a policy expression must be a single scalar expression")
    for node in root.walk():
        _check_node(node, allow_subqueries=allow_subqueries)


def _check_node(node: exp.Expr, *, allow_subqueries: bool) -> None:
    if isinstance(node, _QUERY_PARTS) and not allow_subqueries:
        raise FeatureNotSupported(
            "a subquery cannot be used in a policy expression",
            hint="No catalog is known here to bind it to: let DATABASE be readable, or a gateway run and "
            "BOOTSTRAP_ADMIN be set. is_member('group') and current_setting('pgproxy.attr.NAME') need none.",
        )
    if isinstance(node, _PARAMETERS):
        raise StatementError(
            "a policy expression cannot hold a parameter", sqlstate=SqlState.UNDEFINED_PARAMETER
        )
    if allow_subqueries and node.find_ancestor(exp.Query) is not None:
        return
    if isinstance(node, exp.AggFunc):
        raise StatementError(
            "aggregate functions are not allowed in policy expressions", sqlstate=SqlState.GROUPING_ERROR
        )
    if isinstance(node, exp.Window):
        raise StatementError(
            "window functions are not allowed in policy expressions", sqlstate=SqlState.WINDOWING_ERROR
        )
    if isinstance(node, _STATEMENT_PARTS) and not (isinstance(node, exp.Tuple) and node.parent is not None):
        raise StatementError("a policy expression must be a single scalar expression")


def parse_expression(sql: str) -> exp.Expr:
    """Parse one expression in PostgreSQL's dialect. Raises: 42601, 54000, 54001."""
    if len(sql) > MAX_EXPRESSION_CHARACTERS:
        raise StatementError("a policy expression is too long", sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED)
    try:
        found = sqlglot.parse(sql, read="postgres")
    except SqlglotError:
        raise StatementError("syntax error in a policy expression") from None
    except RecursionError:
        raise StatementError(
            "a policy expression is nested too deeply", sqlstate=SqlState.STATEMENT_TOO_COMPLEX
        ) from None
    if len(found) != 1 or found[0] is None:
        raise StatementError("a policy expression must be a single scalar expression")
    return found[0]
