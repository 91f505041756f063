# ruff: noqa: E501 - one case a line
"""Row filters and masks with subqueries: as the asking principal, qualified, and behind the barrier."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from pgproxy.catalog.snapshot import ColumnInfo, RelationKind, TableInfo
from pgproxy.policy.model import ColumnMask, Grant, PolicySet, Privilege, RowFilter, TableName
from pgwire.errors import GatewayError
from tests.policy.world import CATALOG, CUSTOMERS, open_world, plan, policy_set, run

REGIONS = TableName("lake", "sales", "user_regions")
CATALOG_WITH_REGIONS = replace(
    CATALOG,
    tables={
        **CATALOG.tables,
        REGIONS: TableInfo(
            REGIONS, RelationKind.TABLE, (ColumnInfo("user_name", "VARCHAR"), ColumnInfo("region", "VARCHAR"))
        ),
    },
)
MAPPED = "region IN (SELECT region FROM sales.user_regions WHERE user_name = current_user)"


@pytest.fixture
def world() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_world() as connection:
        connection.execute(
            "CREATE TABLE lake.sales.user_regions(user_name VARCHAR, region VARCHAR);"
            "INSERT INTO lake.sales.user_regions VALUES ('analyst', 'EU'), ('writer', 'US'), ('HIDDEN', 'US')"
        )
        yield connection


def policies(using: str, **changes: Any) -> PolicySet:
    return replace(policy_set(), row_filters=(RowFilter("mapped", CUSTOMERS, using),), **changes)


def ids(world: duckdb.DuckDBPyConnection, policies: PolicySet, principal: str = "analyst") -> list[int]:
    planned = plan(
        "SELECT id FROM customers ORDER BY id", principal, policies=policies, catalog=CATALOG_WITH_REGIONS
    )
    return [row[0] for row in run(world, planned)]


@pytest.mark.parametrize(
    "using",
    [
        MAPPED,
        "region IN (SELECT r.region FROM user_regions r WHERE r.user_name = current_user)",
        "EXISTS (SELECT 1 FROM user_regions u WHERE u.region = customers.region AND user_name = current_user)",
        "EXISTS (SELECT 1 FROM user_regions u WHERE u.region = customers.region AND length(name) = 3"
        " AND user_name = current_user)",
        "region = (SELECT max(region) FROM user_regions WHERE user_name = session_user)",
        "region = ANY (SELECT region FROM user_regions WHERE user_name = current_user)",
        "(SELECT count(*) FILTER (WHERE u.region = customers.region) FROM user_regions u"
        " WHERE user_name = current_user) > 0",
        "region IN (WITH mine AS (SELECT region AS r FROM user_regions WHERE user_name = current_user)"
        " SELECT r FROM mine)",
    ],
)
def test_a_mapping_table_decides_which_rows_are_seen(world: duckdb.DuckDBPyConnection, using: str) -> None:
    assert ids(world, policies(using)) == [1, 2]


def test_each_principal_has_its_own_answer(world: duckdb.DuckDBPyConnection) -> None:
    assert ids(world, policies(MAPPED), "writer") == [3, 4]
    assert ids(world, policies(MAPPED), "auditor") == []


def test_the_principals_own_filter_holds_on_the_mapping_table(world: duckdb.DuckDBPyConnection) -> None:
    mapped = RowFilter("mapped", CUSTOMERS, "region IN (SELECT region FROM user_regions)")
    own = RowFilter("own", REGIONS, "user_name = current_user")
    both = replace(policy_set(), row_filters=(mapped, own))
    assert ids(world, both) == [1, 2]
    assert ids(world, both, "writer") == [3, 4]


def test_the_principal_needs_select_on_the_mapping_table(world: duckdb.DuckDBPyConnection) -> None:
    only = (Grant("analysts", Privilege.SELECT, "lake", "sales", "customers"),)
    with pytest.raises(GatewayError) as caught:
        ids(world, policies(MAPPED, grants=only))
    assert (caught.value.sqlstate, caught.value.message) == (
        "42501",
        "permission denied for table user_regions",
    )


def test_a_policy_that_reads_its_own_table_is_refused(world: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(GatewayError) as caught:
        ids(world, policies("id IN (SELECT id FROM customers)"))
    assert caught.value.sqlstate == "42P17"


@pytest.mark.parametrize(
    "using",
    [
        "region IN (SELECT region FROM nosuch)",
        "id IN (SELECT $1::int)",
        "region IN (SELECT x FROM read_csv('/etc/passwd') AS r(x))",
        "name IN (SELECT relname FROM pg_catalog.pg_class)",
        "id IN (SELECT id FROM eu_names)",
        "id IN (DELETE FROM orders RETURNING id)",
        "region IN (SELECT region FROM (SELECT region AS region FROM user_regions) q)",
    ],
)
def test_what_a_policy_may_not_read_denies(world: duckdb.DuckDBPyConnection, using: str) -> None:
    with pytest.raises(GatewayError) as caught:
        ids(world, policies(using))
    assert caught.value.sqlstate == "XX000"


def test_neither_the_path_nor_a_temporary_table_changes_what_a_policy_reads(
    world: duckdb.DuckDBPyConnection,
) -> None:
    world.execute("CREATE TEMP TABLE user_regions AS SELECT 'analyst' AS user_name, 'US' AS region")
    temporary = TableInfo(TableName("temp", "public", "user_regions"), RelationKind.TABLE, ())
    planned = plan(
        "SELECT id FROM sales.customers ORDER BY id",
        policies=policies(MAPPED.replace("sales.", "")),
        catalog=CATALOG_WITH_REGIONS,
        search_path=("public", "hr"),
        temp_tables={"user_regions": temporary},
    )
    assert run(world, planned) == [(1,), (2,)]


def test_no_macro_and_no_collation_bends_the_subquery(world: duckdb.DuckDBPyConnection) -> None:
    world.execute("INSERT INTO lake.sales.customers(id, name, region) VALUES (9, 'HIDDEN-low', 'eu')")
    world.execute("INSERT INTO lake.sales.user_regions VALUES ('ANALYST', 'US')")
    world.execute("SET default_collation = 'nocase'")
    world.execute("CREATE TEMP MACRO upper(a) AS 'US'")
    using = "region IN (SELECT upper(region) FROM user_regions WHERE user_name = current_user)"
    assert ids(world, policies(using)) == [1, 2]


def test_a_mask_may_read_a_table(world: duckdb.DuckDBPyConnection) -> None:
    mask = ColumnMask(
        "seen",
        CUSTOMERS,
        "name",
        "(SELECT max(user_name) FROM user_regions u WHERE u.region = customers.region)",
    )
    masked = policies("true", column_masks=(mask,))
    planned = plan(
        "SELECT id, name FROM customers ORDER BY id LIMIT 1", policies=masked, catalog=CATALOG_WITH_REGIONS
    )
    assert run(world, planned) == [(1, "analyst")]
    with pytest.raises(GatewayError) as caught:
        plan("DELETE FROM customers RETURNING name", "writer", policies=masked, catalog=CATALOG_WITH_REGIONS)
    assert caught.value.sqlstate == "0A000"


@pytest.mark.parametrize(
    "using",
    [
        MAPPED,
        "EXISTS (SELECT 1 FROM user_regions u WHERE u.region = customers.region AND user_name = current_user)",
    ],
)
@pytest.mark.parametrize(
    ("predicate", "good"),
    [
        ("note::UUID IS NOT NULL", "00000000-0000-0000-0000-000000000000"),
        ("chr(length(note) - 5) <> ''", "123456"),
        ("note::INT > 0", "7"),
        ("regexp_split_to_array(name, note) IS NOT NULL", "a"),
    ],
)
def test_the_barrier_holds_where_the_filter_is_a_subquery(
    world: duckdb.DuckDBPyConnection, using: str, predicate: str, good: str
) -> None:
    world.execute(f"UPDATE lake.sales.customers SET note = '{good}' WHERE region = 'EU'")
    world.execute(
        "INSERT INTO lake.sales.customers(id, name, region, note) SELECT 100 + i, 'n', if(i % 2 = 0, 'EU', 'US'), "
        f"if(i % 2 = 0, '{good}', '(') FROM range(60000) t(i)"
    )
    planned = plan(
        f"SELECT id FROM customers WHERE {predicate}", policies=policies(using), catalog=CATALOG_WITH_REGIONS
    )
    assert len(run(world, planned)) == 30002
