# ruff: noqa: E501 - one case a line
"""The first rows of an order behind marks: DuckDB skips what cannot be among them, and nothing hidden is looked at."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from execnode.engine.functions import install_functions
from pgproxy.policy.model import ColumnMask, PolicySet
from pgproxy.sql.plan import Plan
from tests.policy.world import CUSTOMERS, SCRIPT, plan, policy_set, run

GOOD = "00000000-0000-0000-0000-000000000000"
ROWS = 40_000
FILL = f"""
UPDATE lake.sales.customers SET note = '{GOOD}' WHERE region = 'EU';
CREATE TABLE lake.sales.many AS FROM lake.sales.customers;
INSERT INTO lake.sales.many(id, name, region, note, addr, balance) SELECT 100 + i, 'n' || i % 7, if(i % 2 = 0, 'EU', 'US'),
    if(i % 2 = 0, '{GOOD}', '(HIDDEN' || i), {{'city': if(i % 2 = 0, '7', 'HIDDEN'), 'zip': 1}}, if(i % 2 = 0, 7, 99999999)
FROM range({ROWS}) t(i);
UPDATE lake.sales.many SET addr = {{'city': if(region = 'EU', '7', 'HIDDEN'), 'zip': id}}, balance = if(region = 'EU', 7, 99999999);
DROP VIEW lake.sales.eu_names; DROP TABLE lake.sales.customers;
"""
FAILING = (
    "note::uuid IS NOT NULL", "chr(length(note) + 60) <> 'x'", "chr(balance::int + 1) <> 'x'", "(balance::int * 1000) > 0", "regexp_split_to_array(name, note) IS NOT NULL",
    "addr.city::int = 7", "id > 0 AND NOT note::uuid::text = ''", "note::uuid IS NULL OR id > 0", "(id, note::uuid) IS NOT NULL",
    "CASE WHEN id > 0 THEN note::uuid END IS NOT NULL", "note::uuid::text LIKE '0%' AND name >= '0' AND region <> 'x'",
    "region = 'US' OR note::uuid IS NOT NULL", "region <> 'US' AND note::uuid IS NOT NULL", "balance < 8 AND note::uuid IS NOT NULL",
)  # fmt: skip
"""Predicates that fail on hidden rows alone, some beside what DuckDB runs in the scan."""
FORMS = (
    "SELECT id, upper(name) FROM customers WHERE {p} ORDER BY id DESC LIMIT 10",
    "SELECT * FROM customers c WHERE {p} ORDER BY c.id LIMIT 3 OFFSET 2",
    "SELECT c.*, length(note) FROM customers c WHERE {p} ORDER BY name, id DESC LIMIT 10",
    "SELECT note::uuid AS u, id AS n FROM customers WHERE {p} ORDER BY n DESC, 2 FETCH FIRST 5 ROWS ONLY",
    "SELECT id, ssn FROM customers WHERE {p} ORDER BY ssn, balance DESC NULLS LAST, id LIMIT 60",
)
_REGION = "region = current_setting('pgproxy.attr.region')"
FILTERS = (
    _REGION, "balance < 8", "length(note) = 36", "id % 2 = 0 AND id > 4 OR id < 3", "balance BETWEEN 6 AND 7.5 AND region >= 'A'", "region IN ('EU', 'XX')",
    f"{_REGION} AND chr(length(region) + 60) <> 'x'", f"CASE WHEN {_REGION} THEN length(region)::TEXT::INTEGER = 2 END",
)  # fmt: skip
"""Ones that DuckDB gives to the scan, whose statistics it narrows, or which it believes can fail."""


def policies(row_filter: str = _REGION, mask: str = "left(note::uuid::text, 2)") -> PolicySet:
    """With a mask that fails on hidden rows, too."""
    held = policy_set()
    masks = (*held.column_masks, ColumnMask("no_name", CUSTOMERS, "name", mask, frozenset({"analysts"})))
    return replace(held, row_filters=(replace(held.row_filters[0], using=row_filter),), column_masks=masks)


@pytest.fixture(scope="module", params=["stored", "parquet"])
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Many hidden rows among others, as a table compressed in a file and in Parquet, at four threads."""
    folder: Path = tmp_path_factory.mktemp("top")
    with duckdb.connect(config={"threads": 4}) as connection:
        install_functions(connection)
        connection.execute(f"ATTACH '{folder}/lake.duckdb' AS lake")
        connection.execute(SCRIPT)
        connection.execute(FILL)
        if request.param == "stored":
            connection.execute("ALTER TABLE lake.sales.many RENAME TO customers; CHECKPOINT lake")
        else:
            file = f"{folder}/customers.parquet"
            connection.execute(f"COPY lake.sales.many TO '{file}' (ROW_GROUP_SIZE 5000)")
            connection.execute(f"CREATE VIEW lake.sales.customers AS FROM read_parquet('{file}')")
        yield connection


def marked(sql: str, row_filter: str = _REGION, **mask: str) -> Plan:
    planned = plan(sql, policies=policies(row_filter, **mask))
    assert "pgproxy_passed" in planned.sql
    assert "OFFSET 0" not in planned.sql
    return planned


@pytest.mark.parametrize(
    ("form", "row_filter"),
    [*((form, FILTERS[0]) for form in FORMS), *((FORMS[0], one) for one in FILTERS[1:])],
)
def test_no_predicate_of_the_client_meets_a_hidden_row(
    large: duckdb.DuckDBPyConnection, form: str, row_filter: str
) -> None:
    # Over the rows that pass, all of these are true.
    expected = run(large, plan(form.format(p="id > 0"), policies=policies(row_filter)))
    for predicate in FAILING:
        assert run(large, marked(form.format(p=predicate), row_filter)) == expected


def test_without_the_mark_they_do(large: duckdb.DuckDBPyConnection) -> None:
    failed = set()
    for row_filter in FILTERS:
        planned = marked(FORMS[0].format(p="note::uuid IS NOT NULL"), row_filter, mask="NULL")
        bare = planned.sql.replace('CASE WHEN "pgproxy_passed" THEN ', "").replace(
            " END ORDER BY", " ORDER BY"
        )
        try:
            large.execute(bare, [value.text for value in planned.bound_values]).fetchall()
        except duckdb.Error:
            failed.add(row_filter)
    assert failed


def _operators(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The operators of a plan, from the top down."""
    yield node
    for child in node["children"]:
        yield from _operators(child)


@pytest.mark.parametrize("row_filter", FILTERS)
def test_the_predicate_stands_above_the_marks_and_the_filter_beneath_them(
    large: duckdb.DuckDBPyConnection, row_filter: str
) -> None:
    planned = marked(FORMS[0].format(p="chr(length(note) + 60) <> 'zq'"), row_filter)
    values = [value.text for value in planned.bound_values]
    ((_, text),) = large.execute(f"EXPLAIN (FORMAT json) {planned.sql}", values).fetchall()
    found = list(_operators(json.loads(text)[0]))
    told = [json.dumps(node["extra_info"]) for node in found]
    (place,) = (index for index, info in enumerate(told) if "zq" in info)
    assert found[place]["name"] == "FILTER"
    assert "pgproxy_passed" in told[place]
    assert found[place + 1]["name"] == "PROJECTION"
    assert "pgproxy_passed" in told[place + 1]
    below = [node["name"].strip() for node in found[place + 2 :]]
    assert not {"PROJECTION", "TOP_N"} & set(below), "nothing else computes beneath the marks"
    assert "Dynamic Filter" in "".join(told[place + 2 :]), (
        "and the scan knows which rows may be among the first"
    )


def test_error_is_volatile_for_this_engine(large: duckdb.DuckDBPyConnection) -> None:
    asked = "SELECT DISTINCT stability FROM duckdb_functions() WHERE function_name = 'error'"
    assert large.execute(asked).fetchall() == [("VOLATILE",)]


def test_a_mark_of_a_row_that_does_not_pass_is_an_error(large: duckdb.DuckDBPyConnection) -> None:
    planned = marked(FORMS[0].format(p="note::uuid IS NOT NULL"), mask="NULL")
    head, where, rest = planned.sql.partition(' AS "pgproxy_base" WHERE ')
    without = head + where.replace("WHERE", "WHERE TRUE OR") + rest
    with pytest.raises(duckdb.Error, match="XX000:a row filter was not applied"):
        large.execute(without, [value.text for value in planned.bound_values]).fetchall()


IN_ANOTHER_WAY = (
    "SELECT customers FROM customers WHERE {p} ORDER BY id LIMIT 3",
    "SELECT * EXCLUDE (note) FROM customers WHERE {p} ORDER BY id LIMIT 3",
    "SELECT count(*) FROM customers WHERE {p} LIMIT 3",
    "SELECT id, row_number() OVER () FROM customers WHERE {p} ORDER BY id LIMIT 3",
    "SELECT max(id) FROM customers WHERE {p} ORDER BY 1 LIMIT 3",
    "SELECT id FROM customers WHERE {p}",
    "SELECT id FROM customers WHERE {p} LIMIT 3",
    "SELECT id FROM customers WHERE {p} ORDER BY id",
    "SELECT id FROM customers WHERE {p} ORDER BY length(note) LIMIT 3",
    "SELECT length(note) AS id FROM customers WHERE {p} ORDER BY id LIMIT 3",
    "SELECT length(note) FROM customers WHERE {p} ORDER BY 1 LIMIT 3",
    "SELECT DISTINCT id FROM customers WHERE {p} ORDER BY id LIMIT 3",
    "SELECT region FROM customers WHERE {p} GROUP BY region ORDER BY region LIMIT 3",
    "SELECT c.id FROM customers c, numbers WHERE {p} ORDER BY c.id LIMIT 3",
    "SELECT c.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE {p} ORDER BY c.id LIMIT 3",
    "SELECT id FROM customers WHERE {p} AND id IN (SELECT n FROM numbers) ORDER BY id LIMIT 3",
    "SELECT id, (SELECT max(n) FROM numbers) FROM customers WHERE {p} ORDER BY id LIMIT 3",
    "SELECT * FROM (SELECT id FROM customers WHERE {p} ORDER BY id LIMIT 3) q",
    "WITH q AS (SELECT 1) SELECT id FROM customers WHERE {p} ORDER BY id LIMIT 3",
    "(SELECT id FROM customers WHERE {p} ORDER BY id LIMIT 3) UNION ALL SELECT 1",
    "SELECT a FROM customers AS c(a) WHERE {p} ORDER BY a LIMIT 3",
    "SELECT id, unnest(tags) FROM customers WHERE {p} ORDER BY id LIMIT 3",
)
"""Other statements keep the barrier that they had."""


@pytest.mark.parametrize("form", IN_ANOTHER_WAY)
def test_other_statements_take_no_marks(form: str) -> None:
    sql = plan(form.format(p="note::uuid IS NOT NULL"), dialect="auto").sql
    assert "OFFSET 0" in sql
    assert "pgproxy_passed" not in sql


def test_a_filter_that_reads_relations_gives_no_marks() -> None:
    row_filter = f"{_REGION} AND id IN (SELECT o.customer_id FROM sales.orders o)"
    sql = plan(FORMS[0].format(p="note::uuid IS NOT NULL"), policies=policies(row_filter)).sql
    assert "OFFSET 0" in sql
    assert "pgproxy_passed" not in sql


def test_a_leakproof_statement_and_one_without_a_filter_take_none() -> None:
    assert "pgproxy_passed" not in plan(FORMS[0].format(p="id > 3")).sql
    assert "pgproxy_passed" not in plan(FORMS[0].format(p="note::uuid IS NOT NULL"), "root").sql
