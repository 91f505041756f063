"""CREATE INDEX and DROP INDEX. PostgreSQL docs, under these names; here an index is over plain columns."""

from collections.abc import Sequence

from sqlglot import exp

from pgproxy.catalog.snapshot import TableInfo
from pgproxy.policy.denial import DenialRule
from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.draft import engine_name, quoted
from pgproxy.sql.names import written_name
from pgproxy.sql.plan import PlanContext
from pgwire.errors import AccessDenied, FeatureNotSupported, StatementError
from pgwire.sqlstate import SqlState

_MAX_NAME = 63
_OPERATOR_CLASSES = frozenset(
    """
    text_ops varchar_ops bpchar_ops text_pattern_ops varchar_pattern_ops bpchar_pattern_ops int2_ops int4_ops
    int8_ops float4_ops float8_ops numeric_ops bool_ops date_ops time_ops timestamp_ops timestamptz_ops
    uuid_ops bytea_ops
    """.split()  # noqa: SIM905 - a table of words reads better as words
)
"""Of btree: texts are in the order of their characters here, which is what the pattern ones ask for."""


def secure_index(tree: exp.Create, table: TableInfo, context: PlanContext) -> None:
    """Write the index as the engine wants it: named, over columns, on the table's whole name.

    Raises:
        FeatureNotSupported: an expression, a condition, another method.
        StatementError: 42703.
    """
    index = tree.this
    parameters = index.args.get("params") or exp.IndexParameters()
    using = parameters.args.get("using")
    if using is not None and using.name.lower() != "btree":
        raise FeatureNotSupported("this index method is not supported")
    columns = [_column(item, table) for item in parameters.args.get("columns") or ()]
    if not columns:
        raise FeatureNotSupported("an index without columns is not supported")
    name = index.args.get("this")
    chosen = str(name.this) if name is not None else _free_name(table, columns, context)
    there = {found.name for found in context.catalog.indexes if found[:2] == table.name[:2]}
    if chosen in there and not tree.args.get("exists"):
        raise StatementError(f'relation "{chosen}" already exists', sqlstate=SqlState.DUPLICATE_TABLE)
    catalog, schema, own = engine_name(table.name)
    tree.set(
        "this",
        exp.Index(
            this=quoted(chosen),
            table=exp.Table(this=quoted(own), db=quoted(schema), catalog=quoted(catalog)),
            params=exp.IndexParameters(
                columns=[
                    exp.Ordered(this=exp.column(quoted(column)), nulls_first=False) for column in columns
                ]
            ),
        ),
    )


def find_index(context: PlanContext, target: exp.Table) -> tuple[TableName, TableInfo] | None:
    """Find an index that the principal may know of, and its table; along the search path."""
    catalog, schema, name = written_name(target)
    catalog = catalog or context.catalog_name
    for candidate in (schema,) if schema else context.search_path:
        found = TableName(catalog, "public" if candidate == "main" else str(candidate), name)
        table = context.catalog.tables.get(context.catalog.indexes.get(found, found))
        if found in context.catalog.indexes and table is not None and _knows(context, table):
            return found, table
    return None


def authorise_index_drop(target: exp.Table, context: PlanContext, *, may_be_missing: bool) -> None:
    """Check DROP INDEX.

    Raises:
        StatementError: 42704, absent or invisible.
        AccessDenied: 42501, the index of somebody else's table.
    """
    found = find_index(context, target)
    if found is None:
        if not may_be_missing:
            raise StatementError(f'index "{target.name}" does not exist', sqlstate=SqlState.UNDEFINED_OBJECT)
        return
    policy, table = context.policy, found[1]
    if not policy.is_admin and not (
        policy.owns(table.owner) and policy.scope.allows(Privilege.CREATE, table.name.catalog)
    ):
        raise AccessDenied(f"must be owner of index {target.name}", rule=DenialRule.TABLE_PRIVILEGE)


def _knows(context: PlanContext, table: TableInfo) -> bool:
    policy = context.policy.table(table.name, table.owner)
    return bool(policy.privileges) or context.policy.is_admin


def _column(item: exp.Expr, table: TableInfo) -> str:
    """A column of an index, by its name. Raises: 0A000, 42703, 42704."""
    column = item.this if isinstance(item, exp.Ordered) else item
    if isinstance(column, exp.Opclass):
        named = column.expression.name.lower()
        if named not in _OPERATOR_CLASSES:
            raise StatementError(
                f'operator class "{named}" does not exist for access method "btree"',
                sqlstate=SqlState.UNDEFINED_OBJECT,
            )
        column = column.this
    if not isinstance(column, exp.Column) or column.args.get("table") is not None:
        raise FeatureNotSupported("an index over an expression is not supported")
    for known in table.columns:
        if known.name.lower() == column.name.lower():
            return known.name
    raise StatementError(f'column "{column.name}" does not exist', sqlstate=SqlState.UNDEFINED_COLUMN)


def _free_name(table: TableInfo, columns: Sequence[str], context: PlanContext) -> str:
    """PostgreSQL's ChooseIndexName: `table_column_idx`, and a number where that is taken."""
    stem = "_".join([table.name.name, *columns])[: _MAX_NAME - 8]
    known = (*context.catalog.indexes, *context.catalog.tables)
    taken = {name.name for name in known if name[:2] == table.name[:2]}
    number = 0
    while f"{stem}_idx{number or ''}" in taken:
        number += 1
    return f"{stem}_idx{number or ''}"
