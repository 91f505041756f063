# ruff: noqa: E501 - one case a line
"""Each operator that spares the barrier, pinned on this DuckDB: nothing above it meets a hidden row.

For every leakproof predicate the plan has no OFFSET 0. Projections and aggregates above it then fail on any hidden
row that reaches them, at a size at which DuckDB reorders filters at run time.
"""

from collections.abc import Iterator

import duckdb
import pytest

from tests.policy.world import open_world, plan, run

LEAKPROOF = (
    "id > 0", "id >= 1", "id < 900000", "id <= 900000", "id <> 0", "id = id", "id BETWEEN 1 AND 900000",
    "NOT id = 0", "id > 0 AND name <> 'x'", "id = 1 OR id > 1", "id IN (1, 2, 102, 104, 106)", "name LIKE 'n%'",
    "name IS NOT NULL", "region IS NOT NULL", "joined IS NULL OR joined > '2019-01-01'", "balance > 0 OR balance IS NULL",
    "id > -1 AND (name >= 'a' OR name < 'a')", "true", "NOT (id IS NULL)", "region <> 'US' OR region = 'US'",
)  # fmt: skip
ABOVE = (
    "SELECT count(note::UUID) FROM customers WHERE {p}",
    "SELECT max(chr(length(note) + 60)) FROM customers WHERE {p}",
    "SELECT DISTINCT note::UUID FROM customers WHERE {p}",
    "SELECT note::UUID FROM customers WHERE {p} ORDER BY id LIMIT 3",
    "SELECT id, note::UUID FROM customers WHERE {p} ORDER BY note::UUID, id LIMIT 3",
    "SELECT note::UUID, count(*) FROM customers WHERE {p} GROUP BY note::UUID",
    "SELECT first_value(note::UUID) OVER (ORDER BY id) FROM customers WHERE {p} LIMIT 1",
    "SELECT string_agg(regexp_split_to_array(name, note)[1], '' ORDER BY id) IS NULL FROM customers WHERE {p}",
    "SELECT o.id, c.note::UUID FROM orders o LEFT JOIN customers c ON o.customer_id = c.id WHERE {q} ORDER BY 1",
)
GOOD = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def large() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_world() as connection:
        connection.execute("SET threads = 4")
        connection.execute(f"UPDATE lake.sales.customers SET note = '{GOOD}' WHERE region = 'EU'")
        connection.execute(
            "INSERT INTO lake.sales.customers(id, name, region, note) SELECT 100 + i, 'n', "
            f"if(i % 2 = 0, 'EU', 'US'), if(i % 2 = 0, '{GOOD}', '(HIDDEN' || i) FROM range(100000) t(i)"
        )
        yield connection


@pytest.mark.parametrize("above", ABOVE)
@pytest.mark.parametrize("predicate", LEAKPROOF)
def test_no_hidden_row_reaches_what_stands_above_a_leakproof_predicate(
    large: duckdb.DuckDBPyConnection, predicate: str, above: str
) -> None:
    qualified = predicate.replace("id", "c.id").replace("name", "c.name").replace("region", "c.region")
    qualified = qualified.replace("joined", "c.joined").replace("balance", "c.balance")
    planned = plan(above.format(p=predicate, q=qualified), "analyst")
    run(
        large, planned
    )  # a hidden note is no UUID, has length above any character, and is no regular expression


@pytest.mark.parametrize("predicate", LEAKPROOF)
def test_these_are_the_predicates_that_spare_the_barrier(predicate: str) -> None:
    assert "OFFSET 0" not in plan(f"SELECT name FROM customers WHERE {predicate}", "analyst").sql


def test_the_hidden_rows_would_fail(large: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="HIDDEN"):
        large.execute("SELECT count(note::UUID) FROM lake.sales.customers").fetchall()
