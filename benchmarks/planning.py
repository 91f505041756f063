"""A planner's context in this process: a principal with a filter and masks, and an administrator."""

import duckdb

from execnode.engine.parser import serialized_tree
from pgproxy.catalog.snapshot import CatalogSnapshot, ColumnInfo, RelationKind, TableInfo
from pgproxy.policy.effective import effective_policy
from pgproxy.policy.model import (
    ColumnMask,
    Grant,
    PolicySet,
    Principal,
    PrincipalKind,
    Privilege,
    RowFilter,
    TableName,
)
from pgproxy.sql.plan import EngineTree, PlanContext

FILTER = "region = 'EU'"
"""The row filter on `t`."""


def context(
    connection: duckdb.DuckDBPyConnection, filtered: str, masks: dict[str, str], principal: str = "analyst"
) -> PlanContext:
    """A principal with one filtered, perhaps masked table and SELECT on all others; root: administrator."""
    columns: dict[str, list[ColumnInfo]] = {}
    found = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = 'lake'"
    )
    for table, column, engine_type in found.fetchall():
        columns.setdefault(table, []).append(ColumnInfo(column, engine_type))
    tables = {TableName("lake", "public", name): tuple(held) for name, held in columns.items()}
    target = TableName("lake", "public", filtered)
    using = FILTER if filtered == "t" else "l_shipmode <> 'AIR'"
    policies = PolicySet(
        epoch=1,
        principals={
            "analyst": Principal("analyst", PrincipalKind.USER),
            "root": Principal("root", PrincipalKind.USER, is_admin=True),
        },
        grants=(Grant("analyst", Privilege.SELECT, "lake", "public"),),
        row_filters=(RowFilter("filter", target, using),),
        column_masks=tuple(ColumnMask(f"m_{name}", target, name, text) for name, text in masks.items()),
    )
    infos = {name: TableInfo(name, RelationKind.TABLE, held) for name, held in tables.items()}
    return PlanContext(
        policy=effective_policy(policies, principal),
        catalog=CatalogSnapshot(1, "lake", infos, frozenset({("lake", "public")})),
        search_path=("public",),
        session_user=principal,
        parse_engine_sql=parse_engine_sql,
    )


def parse_engine_sql(sql: str) -> EngineTree:
    """DuckDB's own parser, as the gateway asks it."""
    parsed = serialized_tree(sql)
    return EngineTree(parsed.statement_types, parsed.relations, parsed.functions)
