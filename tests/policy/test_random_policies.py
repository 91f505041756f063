# ruff: noqa: E501 - one case a line
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
    "SELECT * FROM customers WHERE upper(name) || '' <> 'BOB' ORDER BY id DESC LIMIT 2",
)
ATOMS = (
    "id > 2", "region = 'US'", "name LIKE '%n%'", "note = '7'", "balance BETWEEN 10 AND 35", "ssn = '***'",
    "upper(name) = 'ANN'", "joined >= '2021-06-01'", "name IS NULL", "id IN (1, 3, 5)", "length(note) > 1",
    "id IN (SELECT customer_id FROM orders WHERE status = 'open')", "coalesce(balance, 0) > 15",
    "EXISTS (SELECT 1 FROM customers b WHERE b.region = customers.region AND b.id <> customers.id)",
    "(SELECT count(*) FROM customers) > 2",
)  # fmt: skip
ITEMS = (
    "id", "name", "region", "ssn", "balance", "note", "left(ssn, 3)", "coalesce(name, 'none')",
    "(SELECT max(name) FROM customers)", "row_number() OVER (ORDER BY id)", "CASE WHEN balance > 20 THEN name END",
    "count(*) OVER (PARTITION BY region)", "(SELECT count(*) FROM orders o WHERE o.customer_id = customers.id)",
)  # fmt: skip
SOURCES = (
    "customers", "(SELECT * FROM customers) customers", "(SELECT * FROM customers WHERE id < 5) AS customers",
)  # fmt: skip


def predicates() -> st.SearchStrategy[str]:
    """Atoms joined by AND, OR and NOT."""
    return st.recursive(
        st.sampled_from(ATOMS),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            inner.map(lambda text: f"NOT ({text})"),
        ),
        max_leaves=4,
    )


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A query of the grammar: plain, of distinct rows, grouped, through a CTE, or of a set operation."""
    items = ", ".join(draw(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=3)))
    source, where = draw(st.sampled_from(SOURCES)), draw(predicates())
    match draw(st.sampled_from(["plain", "distinct", "group", "cte", "set", "count", "top"])):
        case "plain":
            return f"SELECT {items} FROM {source} WHERE {where}"
        case "top":
            order = draw(st.sampled_from(["id", "id DESC", "1", "region, id DESC"]))
            return f"SELECT id, {items} FROM {source} WHERE {where} AND substr(id::text, 1) <> '4' ORDER BY {order} LIMIT 2"
        case "distinct":
            return f"SELECT DISTINCT {items} FROM {source} WHERE {where}"
        case "group":
            return f"SELECT region, count(*), max(name), min(ssn) FROM {source} WHERE {where} GROUP BY region"
        case "cte":
            return f"WITH q AS (SELECT * FROM {source} WHERE {where}) SELECT count(*), max(note) FROM q"
        case "set":
            return f"SELECT id FROM {source} WHERE {where} EXCEPT SELECT id FROM customers WHERE {draw(predicates())}"
        case _:
            return f"SELECT count(*) FROM {source} WHERE {where}"


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
    query=st.one_of(st.sampled_from(QUERIES), queries()),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    # The oracle runs an administrator's plan: the same translation, and no policy.
    permitted = run(oracle, plan(query, "root", policies=policies))
    rows = run(governed, plan(query, policies=policies))
    assert sorted(rows, key=repr) == sorted(permitted, key=repr)
    if "ORDER BY" in query.rpartition(")")[2]:
        assert rows == permitted
