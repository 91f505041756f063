"""The text of a policy is in nothing that a statement gives: an engine names what has no name by its text."""

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from pgproxy.policy.model import RowFilter
from tests.policy.world import CUSTOMERS, open_world, plan, policy_set, run

LITERAL = "zqliteral"
POLICIES = replace(
    policy_set(),
    row_filters=(
        RowFilter(
            "own", CUSTOMERS, f"region = 'EU' AND note <> '{LITERAL}'", frozenset({"analysts", "writer"})
        ),
    ),
)
NAMELESS = "id IN (SELECT id FROM customers)"
STATEMENTS = (
    f"SELECT * EXCLUDE (id) FROM (SELECT id, {NAMELESS} FROM orders) q",
    f"SELECT row_to_json(q) FROM (SELECT {NAMELESS} FROM orders) q",
    f"SELECT struct_keys(q) FROM (SELECT {NAMELESS} FROM orders) q",
    f"SELECT typeof(q) FROM (SELECT {NAMELESS} FROM orders) q",
    f"SELECT json_structure(to_json(q)) FROM (SELECT {NAMELESS} FROM orders) q",
    f"SELECT {NAMELESS}, * EXCLUDE (id) FROM orders",
    f"SELECT * RENAME (id AS x), {NAMELESS} FROM orders",
    f"SELECT alias({NAMELESS}) FROM orders",
    f"WITH q AS (SELECT -(SELECT max(id) FROM customers), {NAMELESS} FROM orders) SELECT * FROM q",
    f"SELECT q::text FROM (SELECT NOT EXISTS (SELECT 1 FROM customers), {NAMELESS} FROM orders) q",
    "SELECT q FROM (SELECT [(SELECT max(id) FROM customers)][1] + 1) q",
)


@pytest.fixture(scope="module")
def world() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_world() as connection:
        yield connection


def heard(connection: duckdb.DuckDBPyConnection, sql: str, dialect: str) -> str:
    planned = plan(sql, policies=POLICIES, dialect=dialect)
    assert LITERAL in planned.sql
    rows = run(connection, planned)
    assert rows
    return str([planned.column_names or connection.description, rows])


@pytest.mark.parametrize("dialect", ["auto", "duckdb"])
@pytest.mark.parametrize("sql", STATEMENTS)
def test_no_name_or_value_is_the_text_of_a_policy(
    world: duckdb.DuckDBPyConnection, sql: str, dialect: str
) -> None:
    said = heard(world, sql, dialect)
    assert LITERAL not in said
    assert "pgproxy" not in said


@pytest.mark.parametrize("items", ["(SELECT max(id) FROM customers)", f"id, {NAMELESS}"])
def test_no_column_of_a_created_table_is_called_so(world: duckdb.DuckDBPyConnection, items: str) -> None:
    source = " FROM orders" if items.startswith("id") else ""
    run(world, plan(f"CREATE TEMP TABLE made AS SELECT {items}{source}", policies=POLICIES))
    columns = world.execute("DESCRIBE temp.made").fetchall()
    world.execute("DROP TABLE temp.made")
    assert LITERAL not in str(columns)


def test_the_engines_own_names_would_be(world: duckdb.DuckDBPyConnection) -> None:
    world.execute(f"SELECT 1 IN (SELECT id FROM lake.sales.customers WHERE note <> '{LITERAL}')")
    assert LITERAL in str(world.description)
