"""TPC-H's 22 queries, BI tools' SQL and analysts' SQL: the rows of a database with permitted data only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pytest

from demo.data import create_tpch
from execnode.engine.functions import install_functions
from pgproxy.catalog.snapshot import CatalogSnapshot, ColumnInfo, RelationKind, TableInfo
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
from tests.policy.honest_duckdb import DUCKDB_QUERIES, POSTGRES_MEANING
from tests.policy.honest_queries import ANALYST_QUERIES, BI_QUERIES
from tests.policy.world import plan, run

SCALE = 0.003
_QUOTIENT = re.compile(r"-?\d+\.\d+")
FILTERS = {
    "lineitem": "l_shipmode <> 'AIR' AND l_orderkey % 7 <> 0",
    "orders": "o_orderstatus <> 'P' OR o_orderpriority LIKE '1%'",
    "customer": "c_mktsegment IN ('BUILDING', 'MACHINERY', 'AUTOMOBILE')",
}
MASKS = {
    ("customer", "c_phone"): "left(c_phone, 2) || '-***'",
    ("customer", "c_acctbal"): "round(c_acctbal, -2)",
    ("supplier", "s_address"): "NULL",
    ("part", "p_comment"): "upper(p_comment)",
}


@dataclass(frozen=True)
class Worlds:
    """The governed database, the one that holds permitted data only, and what the planner knows of both."""

    governed: duckdb.DuckDBPyConnection
    oracle: duckdb.DuckDBPyConnection
    catalog: CatalogSnapshot
    policies: PolicySet

    def both(self, sql: str) -> tuple[object, object]:
        """The gateway's rows, and what the client's own text gives on the permitted data."""
        known = {"catalog": self.catalog, "policies": self.policies, "search_path": ("public",)}
        governed, permitted = plan(sql, "analyst", **known), plan(sql, "root", **known)
        assert governed.is_governed
        assert not permitted.is_governed
        assert governed.column_names == permitted.column_names
        rows = self.oracle.execute(sql).fetchall()
        assert _numbers_alike(run(self.oracle, permitted)) == _numbers_alike(rows)
        return _numbers_alike(run(self.governed, governed)), _numbers_alike(rows)


def _open() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    install_functions(connection)
    connection.execute("ATTACH ':memory:' AS lake; USE lake")
    create_tpch(connection, SCALE)
    return connection


def _catalog(connection: duckdb.DuckDBPyConnection) -> CatalogSnapshot:
    columns: dict[str, list[ColumnInfo]] = {}
    sql = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = 'lake'"
    for table, column, engine_type in connection.execute(sql).fetchall():
        columns.setdefault(table, []).append(ColumnInfo(column, engine_type))
    names = {table: TableName("lake", "public", table) for table in columns}
    tables = {
        names[table]: TableInfo(names[table], RelationKind.TABLE, tuple(found))
        for table, found in columns.items()
    }
    return CatalogSnapshot(1, "lake", tables, frozenset({("lake", "public")}))


def _policies() -> PolicySet:
    def name(table: str) -> TableName:
        return TableName("lake", "public", table)

    user = PrincipalKind.USER
    return PolicySet(
        epoch=1,
        principals={"analyst": Principal("analyst", user), "root": Principal("root", user, is_admin=True)},
        grants=(Grant("analyst", Privilege.SELECT, "lake", "public"),),
        row_filters=tuple(RowFilter(f"f_{table}", name(table), using) for table, using in FILTERS.items()),
        column_masks=tuple(
            ColumnMask(f"m_{column}", name(table), column, text) for (table, column), text in MASKS.items()
        ),
    )


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    governed, oracle = _open(), _open()
    for table, using in FILTERS.items():
        oracle.execute(f"DELETE FROM {table} WHERE NOT coalesce({using}, false)")
    for (table, column), text in MASKS.items():
        oracle.execute(f"ALTER TABLE {table} ALTER {column} DROP NOT NULL")
        oracle.execute(f"UPDATE {table} SET {column} = {text}")
    oracle.execute("CREATE SCHEMA public")
    for table in ("lineitem", "orders", "customer", "supplier", "part", "partsupp", "nation", "region"):
        oracle.execute(f"CREATE VIEW public.{table} AS FROM lake.main.{table}")
    yield Worlds(governed, oracle, _catalog(governed), _policies())
    governed.close()
    oracle.close()


@pytest.mark.parametrize("number", range(1, 23))
def test_tpch_equals_the_permitted_data(worlds: Worlds, number: int) -> None:
    sql = f"SELECT query FROM tpch_queries() WHERE query_nr = {number}"
    (query,) = worlds.governed.execute(sql).fetchall()[0]
    governed, permitted = worlds.both(query.rstrip().rstrip(";"))
    assert governed == permitted


@pytest.mark.parametrize("sql", ANALYST_QUERIES)
def test_analysts_sql_equals_the_permitted_data(worlds: Worlds, sql: str) -> None:
    governed, permitted = worlds.both(sql)
    assert governed == permitted
    assert governed


@pytest.mark.parametrize("sql", BI_QUERIES)
def test_bi_tools_sql_equals_the_permitted_data(worlds: Worlds, sql: str) -> None:
    governed, permitted = worlds.both(sql)
    assert governed == permitted
    assert governed


@pytest.mark.parametrize("sql", DUCKDB_QUERIES)
def test_duckdbs_own_sql_gives_what_the_same_text_gives_on_the_permitted_data(
    worlds: Worlds, sql: str
) -> None:
    known = {"catalog": worlds.catalog, "policies": worlds.policies, "search_path": ("public",)}
    permitted = worlds.oracle.execute(sql).fetchall()
    assert permitted
    assert run(worlds.governed, plan(sql, "analyst", dialect="duckdb", **known)) == permitted
    if sql not in POSTGRES_MEANING:
        read_by_either = run(worlds.governed, plan(sql, "analyst", dialect="auto", **known))
        assert _numbers_alike(read_by_either) == _numbers_alike(permitted)


def _numbers_alike(value: object) -> object:
    """PostgreSQL's numerics and DuckDB's doubles of the same amount as one."""
    match value:
        case Decimal() | float():
            return round(float(value), 6)
        case str() if _QUOTIENT.fullmatch(value):  # a numeric quotient comes from the engine as its digits
            return round(float(value), 6)
        case list() | tuple():
            return [_numbers_alike(item) for item in value]
        case dict():
            return {key: _numbers_alike(item) for key, item in value.items()}
        case _:
            return value
