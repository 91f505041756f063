"""What a COPY FROM fills: the table and its columns, the staging table before it, and the INSERT between."""

from dataclasses import dataclass

from pgproxy.catalog.snapshot import ColumnInfo, RelationKind, TableInfo
from pgproxy.catalog.types import column_type
from pgproxy.policy.effective import TablePolicy
from pgproxy.policy.model import Privilege, TableName
from pgproxy.session.copy_options import quoted_list, quoted_name
from pgproxy.session.planning import StatementPlanner
from pgproxy.sql.dialect.literals import parse_date, parse_interval, parse_time, parse_timestamp
from pgproxy.sql.names import undefined_table
from pgproxy.sql.utility import statements as u
from pgproxy.sql.utility.scan import TokenKind, scan
from pgwire.copy import CopyOptions, CopyTarget, MomentForms, TargetColumn, staging_engine_type
from pgwire.errors import AccessDenied, FeatureNotSupported, GatewayError, StatementError
from pgwire.sqlstate import SqlState

_FORMS = MomentForms(
    parse_date, parse_time, lambda text, with_zone: parse_timestamp(text, with_zone=with_zone), parse_interval
)
_FORBIDDEN_IN_WHERE = frozenset({"select", "values", "table", "with"})


@dataclass(frozen=True, slots=True)
class CopyDestination:
    """One COPY FROM, ready to be planned.

    staging: the temporary table, whose columns are named as the table's. insert_text: stores what was staged.
    """

    table: TableInfo
    target: CopyTarget
    staging: TableInfo
    insert_text: str
    policy: TablePolicy

    def as_denied(self, error: GatewayError) -> GatewayError:
        """Say 25006, as PostgreSQL does, where the INSERT was refused only for its read-only catalog."""
        is_held = all(self.policy.allows(Privilege.INSERT, column.name) for column in self.target.columns)
        if isinstance(error, AccessDenied) and self.table.is_read_only and is_held:
            return StatementError(
                "cannot execute COPY FROM in a read-only transaction",
                sqlstate=SqlState.READ_ONLY_SQL_TRANSACTION,
            )
        return error


def find_destination(
    planner: StatementPlanner, statement: u.CopyFrom, options: CopyOptions, staging: str
) -> CopyDestination:
    """Find the table and its columns. staging: the name of the temporary table to come.

    Raises:
        StatementError: 42P01, 42703, 42701, 42809, 42P10; whether it may be written, the plan decides.
    """
    table = _find_table(planner, statement)
    policy = planner.policy.table(table.name, table.owner)
    columns = _find_columns(statement, table, policy)
    _check_forced(options, statement, table, columns)
    # A condition may pass over rows with NULLs, so the INSERT itself checks them then.
    may_be_null = statement.where is not None
    filled = tuple(
        TargetColumn(c.name, column_type(c).oid, c.engine_type, c.is_nullable or may_be_null) for c in columns
    )
    target = CopyTarget(table.name.name, filled, _FORMS, planner.settings.output().time_zone)
    staged = tuple(
        ColumnInfo(column.name, staging_engine_type(column.engine_type)) for column in target.columns
    )
    info = TableInfo(TableName("temp", "public", staging), RelationKind.TABLE, staged)
    return CopyDestination(table, target, info, _insert_text(statement, table, columns, staging), policy)


def _find_table(planner: StatementPlanner, statement: u.CopyFrom) -> TableInfo:
    table = planner.find_table(statement.relation)
    if table is None:
        # The planner has the words for what is missing, hidden or a system's own.
        planner.plan(f"INSERT INTO {quoted_name(statement.relation)} DEFAULT VALUES", ())
        catalog, schema, name = (None, None, *statement.relation)[-3:]
        raise undefined_table(catalog, schema, name or "", None)
    if table.kind is RelationKind.VIEW:
        raise StatementError(f'cannot copy to view "{table.name.name}"', sqlstate=SqlState.WRONG_OBJECT_TYPE)
    return table


def _find_columns(statement: u.CopyFrom, table: TableInfo, policy: TablePolicy) -> tuple[ColumnInfo, ...]:
    if not statement.columns:
        return table.columns
    check_columns(statement.columns)
    by_name = {column.name.lower(): column for column in table.columns}
    found = [by_name.get(name.lower()) for name in statement.columns]
    for name, column in zip(statement.columns, found, strict=True):
        if column is None or not any(policy.allows(privilege, column.name) for privilege in Privilege):
            raise _undefined_column(name, table)
    return tuple(column for column in found if column is not None)


def check_columns(columns: tuple[str, ...]) -> None:
    """Refuse a column that is named twice.

    Raises:
        StatementError: 42701.
    """
    for place, name in enumerate(columns):
        if name in columns[:place]:
            raise StatementError(
                f'column "{name}" specified more than once', sqlstate=SqlState.DUPLICATE_COLUMN
            )


def _undefined_column(name: str, table: TableInfo) -> StatementError:
    return StatementError(
        f'column "{name}" of relation "{table.name.name}" does not exist', sqlstate=SqlState.UNDEFINED_COLUMN
    )


def _check_forced(
    options: CopyOptions, statement: u.CopyFrom, table: TableInfo, columns: tuple[ColumnInfo, ...]
) -> None:
    known = {column.name for column in columns}
    for option, names in (("NOT_NULL", options.force_not_null), ("NULL", options.force_null)):
        for name in names:
            if name in known:
                continue
            if not any(column.name == name for column in table.columns):
                raise _undefined_column(name, table)
            raise StatementError(
                f'FORCE_{option} column "{name}" not referenced by COPY',
                sqlstate=SqlState.INVALID_COLUMN_REFERENCE,
            )


def _insert_text(
    statement: u.CopyFrom, table: TableInfo, columns: tuple[ColumnInfo, ...], staging: str
) -> str:
    names = tuple(column.name for column in columns)
    alias = quoted_name((table.name.name,))
    where = ""
    if statement.where is not None:
        _check_condition(statement.where)
        where = f" WHERE ({statement.where}\n)"
    # What is staged as text becomes the column's type here, as PostgreSQL's input function would make it.
    values = ", ".join(
        f"CAST({quoted_name((column.name,))} AS {column.engine_type})"
        if column.engine_type.upper() == "UUID"
        else quoted_name((column.name,))
        for column in columns
    )
    return (
        f"INSERT INTO {quoted_name(statement.relation)} ({quoted_list(names)}) "  # planned, not run
        f"SELECT {values} FROM {quoted_name((staging,))} AS {alias}{where}"
    )


def _check_condition(text: str) -> None:
    """Keep the condition within its parentheses, and to expressions that PostgreSQL allows here."""
    depth = 0
    for token in scan(text):
        if token.kind is TokenKind.SYMBOL:
            depth += {"(": 1, ")": -1}.get(token.value, 0)
        if depth < 0 or (token.kind is TokenKind.SYMBOL and token.value == ";"):
            raise StatementError(f'syntax error at or near "{token.value}"')
        if token.kind is TokenKind.WORD and token.value in _FORBIDDEN_IN_WHERE:
            raise FeatureNotSupported("cannot use subquery in COPY FROM WHERE condition")
    if depth:
        raise StatementError("syntax error at end of input")
