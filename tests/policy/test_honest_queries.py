# ruff: noqa: E501 - one case a line
"""Honest questions get the answers of a database that holds permitted data only."""

from collections.abc import Iterator

import duckdb
import pytest

from execnode.engine.functions import install_functions
from tests.policy.world import SCRIPT, open_world, plan, run

ORACLE = """
DELETE FROM lake.sales.customers WHERE region IS DISTINCT FROM 'EU';
UPDATE lake.sales.customers SET ssn = '***', email = left(email, 1) || '@' || split_part(email, '@', 2);
ALTER TABLE lake.hr.staff DROP COLUMN phone;
DROP TABLE lake.hr.salaries;
DROP TABLE lake.main.orders;
"""
QUERIES = (
    "SELECT * FROM customers ORDER BY id",
    "SELECT c.name, o.amount FROM customers c JOIN orders o ON o.customer_id = c.id ORDER BY 1, 2",
    "SELECT c.name, sum(o.amount) AS total FROM orders o LEFT JOIN customers c ON o.customer_id = c.id GROUP BY 1 ORDER BY 1",
    "SELECT o.id, c.name FROM customers c RIGHT JOIN orders o ON o.customer_id = c.id ORDER BY 1",
    "SELECT count(*) FROM orders o FULL JOIN customers c ON c.id = o.customer_id AND c.id > 1",
    "SELECT region, count(*) FROM customers GROUP BY region",
    "SELECT name FROM customers WHERE ssn = '***' ORDER BY name",
    "SELECT name FROM customers WHERE email LIKE 'a%'",
    "SELECT id FROM customers WHERE name = 'ann' OR id IN (2, 3) ORDER BY id",
    "SELECT id FROM customers WHERE id BETWEEN 1 AND 4 AND joined >= '2020-06-01'",
    "SELECT id FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.status = 'open') ORDER BY 1",
    "SELECT id FROM orders WHERE customer_id NOT IN (SELECT id FROM customers) ORDER BY 1",
    "SELECT max(name), min(ssn), count(DISTINCT email) FROM customers",
    "WITH c AS (SELECT * FROM customers), d AS (SELECT id FROM c) SELECT count(*) FROM c JOIN d USING (id)",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t",
    "WITH customers AS (SELECT 7 AS id) SELECT * FROM customers",
    "SELECT name, row_number() OVER (ORDER BY id DESC) FROM customers ORDER BY 1",
    "SELECT * EXCLUDE (addr, tags) FROM customers ORDER BY id",
    "SELECT id, upper(ssn) FROM customers QUALIFY row_number() OVER (ORDER BY id) = 1",
    "FROM customers SELECT id WHERE id > 1",
    "SELECT region, sum(balance) FROM customers GROUP BY ALL",
    "SELECT addr.city FROM customers ORDER BY id",
    "SELECT tags[1] FROM customers ORDER BY id",
    "SELECT x FROM customers, unnest(tags) AS u(x) ORDER BY 1",
    "SELECT g FROM generate_series(1, 3) AS t(g)",
    "SELECT sales.customers.name FROM sales.customers ORDER BY 1",
    "SELECT * FROM hr.staff ORDER BY id",
    "SELECT a.name FROM customers a JOIN customers b USING (id) WHERE b.ssn = '***' ORDER BY 1",
    "SELECT status, count(*) FROM orders GROUP BY ROLLUP (status) ORDER BY 1 NULLS LAST",
    "SELECT id, name FROM customers UNION ALL SELECT n, 'num' FROM numbers ORDER BY 1, 2",
    "SELECT * FROM orders PIVOT (sum(amount) FOR status IN ('open', 'done')) ORDER BY id",
    "SELECT id FROM customers WHERE note::INT > 7",
    "SELECT CASE WHEN balance > 15 THEN 'rich' ELSE 'poor' END AS k, count(*) FROM customers GROUP BY 1 ORDER BY 1",
    "SELECT id FROM eu_names ORDER BY id",
    "SELECT * FROM eu_names ORDER BY id",
    "SELECT id FROM customers ORDER BY balance DESC LIMIT 1 OFFSET 1",
    "SELECT c FROM customers c ORDER BY c.id",
    "SELECT DISTINCT ON (region) region, name FROM customers ORDER BY region, name",
    "SELECT id FROM customers WHERE name LIKE 'b%' AND id = 2 AND balance >= 20.25",
    "SELECT date_trunc('month', placed)::date AS m, sum(amount) FROM orders GROUP BY 1 ORDER BY 1",
)


@pytest.fixture(scope="module")
def worlds() -> Iterator[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]]:
    with open_world() as governed, duckdb.connect(config={"threads": 1}) as oracle:
        install_functions(oracle)
        oracle.execute("ATTACH ':memory:' AS lake")
        oracle.execute(SCRIPT)
        oracle.execute(ORACLE)
        oracle.execute("SET search_path = 'lake.sales,lake.main'")
        oracle.execute("USE lake.sales; SET search_path = 'lake.sales,lake.main,lake.hr'")
        yield governed, oracle


@pytest.mark.parametrize("sql", QUERIES)
def test_rows_equal_those_of_a_database_with_permitted_data_only(
    worlds: tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection], sql: str
) -> None:
    governed, oracle = worlds
    assert run(governed, plan(sql, "analyst")) == oracle.execute(sql).fetchall()


@pytest.mark.parametrize("sql", QUERIES)
def test_an_administrator_sees_the_raw_data_at_no_cost(
    worlds: tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection], sql: str
) -> None:
    planned = plan(sql, "root")
    assert not planned.is_governed
    assert "OFFSET 0" not in planned.sql
    if "note::INT" not in sql:  # the raw notes do not all cast
        run(worlds[0], planned)


def test_parameters_reach_the_query_and_the_filter_keeps_its_own() -> None:
    planned = plan("SELECT name FROM customers WHERE id = $1 AND name LIKE $2")
    assert planned.parameter_oids == (23, 25)
    assert [value.text for value in planned.bound_values] == ["EU"]
    with open_world() as connection:
        assert run(connection, planned, (1, "a%")) == [("ann",)]
        assert run(connection, planned, (3, "%")) == []
