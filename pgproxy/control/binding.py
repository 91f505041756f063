"""Binding filters and masks to the tables that exist when they are stored, so that a mistake is told at once.

A table that does not exist here is not checked: a policy may come before its table, and denies until it fits.
"""

from collections.abc import Callable

from sqlglot import exp

from pgproxy.catalog.snapshot import CatalogSnapshot, TableInfo
from pgproxy.control.expressions import parse_expression
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import TableName
from pgproxy.sql.allowed_functions import BARE_SESSION_WORDS
from pgproxy.sql.draft import BoundValues
from pgproxy.sql.plan import EngineParser, PlanContext
from pgproxy.sql.policy_expressions import PolicyScope, bind_policy, raw_columns
from pgwire.errors import InternalError, StatementError
from pgwire.sqlstate import SqlState

_ANY_READER = EffectivePolicy("", frozenset(), is_admin=True, attributes={}, epoch=0, fingerprint="")


class CatalogBinder:
    """An `ExpressionValidator` over a catalog. snapshot: gives what exists now."""

    def __init__(self, snapshot: Callable[[], CatalogSnapshot], parse_engine_sql: EngineParser) -> None:
        self._snapshot = snapshot
        self._parse_engine_sql = parse_engine_sql

    def __call__(self, table: TableName, column: str | None, sql: str) -> None:
        """Check one expression.

        Raises:
            StatementError: 42703 a column that is not there; 42P17 it cannot be applied to the table.
        """
        snapshot = self._snapshot()
        info = snapshot.tables.get(table)
        if info is None:
            return
        _check_columns(info, column, sql)
        context = PlanContext(_ANY_READER, snapshot, ("public",), "", self._parse_engine_sql)
        try:
            bind_policy(sql, PolicyScope(context, info, BoundValues(0), raw_columns(info), _leave))
        except InternalError:
            raise StatementError(
                f'the expression cannot be applied to table "{table.name}"',
                sqlstate=SqlState.INVALID_OBJECT_DEFINITION,
                hint="It may use the table's columns, scalar functions, current_user, is_member('group') "
                "and current_setting('pgproxy.attr.NAME').",
            ) from None


def _leave(root: exp.Expr, uses: object) -> None:
    """What a subquery's relations show is decided for each reader; here it matters that they exist."""


def _check_columns(info: TableInfo, masked: str | None, sql: str) -> None:
    known = {column.name.lower() for column in info.columns}
    root = parse_expression(sql)
    local = {name.name.lower() for found in root.find_all(exp.Lambda) for name in found.expressions}
    columns = (c for c in root.find_all(exp.Column) if c.find_ancestor(exp.Query) is None)
    used = [column.name for column in columns]
    for name in (*used, *([masked] if masked is not None else ())):
        if name.lower() not in known | local and name.lower() not in BARE_SESSION_WORDS:
            raise StatementError(f'column "{name}" does not exist', sqlstate=SqlState.UNDEFINED_COLUMN)
