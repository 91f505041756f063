# ruff: noqa: E501 - one case a line
"""Writes under row filters and masks: PostgreSQL's row security semantics, run on DuckDB."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from pgproxy.policy.model import Grant, Privilege
from pgwire.errors import GatewayError
from tests.policy.world import open_world, plan, policy_set, run


@pytest.fixture
def world() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_world() as connection:
        yield connection


def write(world: duckdb.DuckDBPyConnection, sql: str, principal: str = "writer") -> list[tuple[Any, ...]]:
    return run(world, plan(sql, principal))


def names(world: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in world.execute("SELECT name FROM lake.sales.customers ORDER BY id").fetchall()]


ALL = ["ann", "bob", "cyd", "HIDDEN-dan", "HIDDEN-eve"]


def test_a_row_that_passes_the_check_is_inserted_and_returned_masked(
    world: duckdb.DuckDBPyConnection,
) -> None:
    returned = write(
        world, "INSERT INTO customers (id, name, region, ssn) VALUES (9, 'new', 'EU', 'n') RETURNING id, ssn"
    )
    assert returned == [(9, "***")]
    assert names(world) == [*ALL, "new"]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO customers (id, name, region) VALUES (9, 'new', 'US')",
        "INSERT INTO customers (id, name) VALUES (9, 'new')",
        "INSERT INTO customers (id, name, region) VALUES (9, 'new', DEFAULT)",
        "INSERT INTO customers (id, name, region) SELECT 9, 'new', status FROM orders LIMIT 1",
        "UPDATE customers SET region = 'US' WHERE id = 1",
        "UPDATE customers SET region = NULL",
        "UPDATE customers SET (name, region) = ('x', 'US')",
    ],
)
def test_a_row_that_fails_the_check_or_gives_null_is_42501(
    world: duckdb.DuckDBPyConnection, sql: str
) -> None:
    with pytest.raises(
        duckdb.Error,
        match='\x02pgproxy:42501:new row violates row-level security policy for table "customers"',
    ):
        write(world, sql)
    assert names(world) == ALL


def test_update_and_delete_touch_visible_rows_only(world: duckdb.DuckDBPyConnection) -> None:
    assert write(world, "UPDATE customers SET name = upper(name) RETURNING id, name, ssn") == [
        (1, "ANN", "***"),
        (2, "BOB", "***"),
    ]
    assert write(world, "DELETE FROM customers RETURNING name, email") == [
        ("ANN", "a@x.eu"),
        ("BOB", "b@x.eu"),
    ]
    assert names(world) == ["cyd", "HIDDEN-dan", "HIDDEN-eve"]


def test_the_where_of_a_write_sees_masks_and_fails_on_no_hidden_row(world: duckdb.DuckDBPyConnection) -> None:
    assert write(world, "DELETE FROM customers WHERE ssn = 'ssn-SECRET-1' RETURNING id") == []
    assert write(world, "DELETE FROM customers WHERE note::INT > 7 RETURNING id") == [(2,)]


def test_other_relations_of_a_write_are_secured(world: duckdb.DuckDBPyConnection) -> None:
    deleted = write(
        world, "DELETE FROM orders USING customers c WHERE c.id = customer_id RETURNING customer_id"
    )
    assert sorted(deleted) == [(1,), (1,), (2,)]
    assert write(world, "INSERT INTO numbers SELECT id + 100 FROM customers RETURNING n") == [(101,), (102,)]


def test_update_from_another_relation(world: duckdb.DuckDBPyConnection) -> None:
    sql = "UPDATE customers c SET name = 'n' || n.n::text FROM numbers n WHERE n.n = c.id RETURNING c.name"
    assert sorted(write(world, sql)) == [("n1",), ("n2",)]


def test_a_masked_value_is_what_gets_copied(world: duckdb.DuckDBPyConnection) -> None:
    write(world, "INSERT INTO customers (id, name, region) SELECT id + 50, ssn, region FROM customers")
    assert names(world)[-2:] == ["***", "***"]
    write(world, "UPDATE customers SET name = ssn WHERE id = 1")
    assert names(world)[0] == "***"


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("UPDATE customers SET ssn = 'x'", "42501"),
        ("UPDATE customers SET ssn = ssn", "42501"),
        ("UPDATE customers SET nosuch = 1", "42703"),
        ("TRUNCATE customers", "42501"),
        (
            "INSERT INTO customers (id, name, region) VALUES (1, 'x', 'EU') ON CONFLICT (id) DO UPDATE SET name = 'x'",
            "0A000",
        ),
        ("INSERT OR REPLACE INTO customers (id, name, region) VALUES (1, 'x', 'EU')", "0A000"),
        (
            "INSERT INTO customers (id, name, region) VALUES (8, 'x', 'EU') RETURNING (SELECT max(ssn) FROM customers)",
            "0A000",
        ),
        ("DELETE FROM customers RETURNING customers", "42703"),
        ("INSERT INTO customers DEFAULT VALUES", "0A000"),
    ],
)
def test_what_would_launder_or_touch_hidden_rows_is_refused(sql: str, state: str) -> None:
    with pytest.raises(GatewayError) as caught:
        plan(sql, "writer")
    assert caught.value.sqlstate == state


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM hr.staff WHERE {phone} = 'HIDDEN-phone-1'",
        "DELETE FROM hr.staff s WHERE id = 1 AND {phone} LIKE 'H%' RETURNING id",
        "DELETE FROM hr.staff WHERE id IN (SELECT n FROM numbers WHERE {phone} LIKE 'H%')",
        "DELETE FROM hr.staff WHERE EXISTS (WITH q AS (SELECT {phone} AS p) SELECT 1 FROM q WHERE p LIKE 'H%')",
        "DELETE FROM hr.staff USING numbers WHERE n = hr.staff.id AND {phone} LIKE 'H%'",
        "WITH q AS (SELECT n FROM numbers) DELETE FROM hr.staff WHERE id IN (SELECT n FROM q) AND {phone} LIKE 'H%'",
        "UPDATE hr.staff SET dept = {phone}",
        "UPDATE hr.staff SET dept = 'x' WHERE {phone} LIKE 'H%'",
        "UPDATE hr.staff SET dept = 'x' FROM numbers WHERE n = hr.staff.id AND {phone} LIKE 'H%'",
        "UPDATE hr.staff SET dept = (SELECT {phone} FROM numbers LIMIT 1)",
    ],
)
def test_a_column_without_select_cannot_be_asked_about_by_a_write(
    world: duckdb.DuckDBPyConnection, sql: str
) -> None:
    privileges = (Privilege.UPDATE, Privilege.DELETE)
    writes = tuple(Grant("analysts", privilege, "lake", "hr", "staff") for privilege in privileges)
    policies = replace(policy_set(), grants=policy_set().grants + writes)
    answers = []
    for column in ("phone", "nosuch"):
        with pytest.raises(duckdb.BinderException, match=f'column "{column}" not found') as caught:
            run(world, plan(sql.format(phone=column), "analyst", policies=policies))
        answers.append(str(caught.value).partition("LINE 1")[0].partition("Candidate")[0].replace(column, ""))
    assert answers[0] == answers[1]
    assert world.execute("SELECT count(*) FROM lake.hr.staff").fetchall() == [(2,)]
    run(world, plan(sql.format(phone="name"), "analyst", policies=policies))


def test_insert_needs_no_select_but_returning_does(world: duckdb.DuckDBPyConnection) -> None:
    write(world, "INSERT INTO orders VALUES (99, 1, 2, '2024-01-01', 'x')", "dropbox")
    with pytest.raises(GatewayError) as caught:
        plan("INSERT INTO orders VALUES (99, 1, 2, '2024-01-01', 'x') RETURNING id", "dropbox")
    assert caught.value.sqlstate == "42501"


def test_a_temporary_table_holds_what_its_maker_may_see(world: duckdb.DuckDBPyConnection) -> None:
    write(world, "CREATE TEMP TABLE copy AS SELECT * FROM customers", "analyst")
    assert world.execute("SELECT ssn FROM temp.main.copy").fetchall() == [("***",), ("***",)]
