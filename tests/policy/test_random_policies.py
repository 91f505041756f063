"""Whatever the policy, a query over a governed table equals the same query over a table of its result."""

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgproxy.policy.model import ColumnMask, RowFilter
from tests.policy.world import CUSTOMERS, open_world, plan, policy_set, run

FILTERS = (
    "region = 'EU'",
    "region <> 'EU' OR id = 1",
    "balance > 20 AND joined < '2023-01-01'",
    "lower(region) = 'us'",
    "name LIKE '%n%'",
    "region IS NULL",
    "note || '' <> '7'",
    "id IN (1, 3, 5)",
    "current_user = 'analyst' AND id < 4",
    "is_member('analysts')",
    "is_member('nobody')",
)
MASKS = {
    "name": ("NULL", "upper(name)", "left(name, 1) || '.'"),
    "ssn": ("'***'", "NULL", "md5(ssn)"),
    "balance": ("NULL", "0", "round(balance)"),
    "note": ("coalesce(region, 'none')",),
}
QUERIES = (
    "SELECT id, name, region, ssn, balance, note FROM customers ORDER BY id",
    "SELECT name, count(*) FROM customers GROUP BY name ORDER BY name NULLS LAST, 2",
    "SELECT id FROM customers WHERE balance > 15 ORDER BY id",
    "SELECT id FROM customers WHERE id = 3 AND region = 'US'",
    "SELECT o.id, c.ssn FROM orders o LEFT JOIN customers c ON c.id = o.customer_id ORDER BY 1",
    "SELECT a.id FROM customers a JOIN customers b ON a.name = b.name WHERE a.note = b.note ORDER BY 1",
    "SELECT id FROM customers WHERE upper(name) LIKE 'A%' OR note IN ('7', 'EU') ORDER BY id",
)


@pytest.fixture(scope="module")
def worlds() -> Iterator[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]]:
    with open_world() as governed, open_world() as oracle:
        oracle.execute("CREATE TABLE lake.sales.raw AS FROM lake.sales.customers")
        oracle.execute("USE lake.sales")
        oracle.execute("CREATE TEMP MACRO is_member(g) AS g = 'analysts'")
        yield governed, oracle


@given(
    permissive=st.lists(st.sampled_from(FILTERS), max_size=3, unique=True),
    restrictive=st.lists(st.sampled_from(FILTERS), max_size=2, unique=True),
    masks=st.fixed_dictionaries({}, optional={c: st.sampled_from(texts) for c, texts in MASKS.items()}),
    query=st.sampled_from(QUERIES),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_policy_gives_the_rows_of_its_own_result(
    worlds: tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection],
    permissive: list[str],
    restrictive: list[str],
    masks: dict[str, str],
    query: str,
) -> None:
    governed, oracle = worlds
    filters = [RowFilter(f"p{i}", CUSTOMERS, using) for i, using in enumerate(permissive)]
    filters += [
        RowFilter(f"r{i}", CUSTOMERS, using, is_restrictive=True) for i, using in enumerate(restrictive)
    ]
    policies = replace(
        policy_set(),
        row_filters=tuple(filters),
        column_masks=tuple(ColumnMask(f"m_{c}", CUSTOMERS, c, text) for c, text in masks.items()),
    )
    allowed = " OR ".join(f"({using})" for using in permissive) or ("true" if not restrictive else "false")
    narrowed = "".join(f" AND ({using})" for using in restrictive)
    replaced = ", ".join(
        f"({text})::{'DECIMAL(15,2)' if c == 'balance' else 'VARCHAR'} AS {c}" for c, text in masks.items()
    )
    star = f"* REPLACE ({replaced})" if replaced else "*"
    where = f"({allowed}){narrowed}".replace("current_user", "'analyst'")
    oracle.execute(
        f"CREATE OR REPLACE TABLE lake.sales.customers AS SELECT {star} FROM lake.sales.raw WHERE {where}"
    )
    assert run(governed, plan(query, policies=policies)) == oracle.execute(query).fetchall()
