"""Privileges on single columns, for each position. PostgreSQL docs, "GRANT"."""

from dataclasses import replace

import duckdb
import pytest

from pgproxy.policy.model import Grant, PolicySet, Principal, PrincipalKind, Privilege
from pgwire.errors import GatewayError
from tests.policy.world import open_world, plan, policy_set, run


def with_grants(**columns: str) -> PolicySet:
    """The principal `clerk` with privileges on columns of sales.orders: select="id status"."""
    grants = tuple(
        Grant("clerk", Privilege(name.upper()), "lake", "sales", "orders", frozenset(names.split()) or None)
        for name, names in columns.items()
    )
    base = policy_set()
    clerk = Principal("clerk", PrincipalKind.USER)
    return replace(base, principals={**base.principals, "clerk": clerk}, grants=grants)


def outcome(sql: str, policies: PolicySet) -> object:
    with open_world() as connection:
        try:
            return run(connection, plan(sql, "clerk", policies=policies))
        except GatewayError as error:
            return str(error.sqlstate)
        except duckdb.BinderException:
            return "42703"  # what the gateway makes of it; see present_error


READER = with_grants(select="id status")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM orders WHERE id = 10", [(10, "open")]),
        ("SELECT orders FROM orders WHERE id = 10", [({"1:23": 10, "2:25": "open"},)]),
        ("SELECT amount FROM orders", "42703"),
        ("SELECT 1 FROM orders WHERE amount > 0", "42703"),
        ("SELECT 1 FROM orders WHERE amount = 'x'", "42703"),
        ("SELECT count(*) FROM orders", [(5,)]),
        ("UPDATE orders SET status = 'x'", "42501"),
        ("DELETE FROM orders", "42501"),
        ("INSERT INTO orders (id) VALUES (1)", "42501"),
    ],
)
def test_select_on_columns_shows_these_alone(sql: str, expected: object) -> None:
    assert outcome(sql, READER) == expected


@pytest.mark.parametrize(
    ("sql", "allowed"),
    [
        ("INSERT INTO orders (id, status) VALUES (1, 'x')", True),
        ("INSERT INTO orders (id) VALUES (1)", True),
        ("INSERT INTO orders (id, amount) VALUES (1, 2)", False),
        ("INSERT INTO orders VALUES (1, 2, 3, '2024-01-01', 'x')", False),
        ("INSERT INTO orders VALUES (1)", True),
        ("INSERT INTO orders SELECT 1", True),
        ("INSERT INTO orders (id) VALUES (1) RETURNING id", False),
    ],
)
def test_insert_needs_the_privilege_on_every_column_that_it_writes(sql: str, allowed: bool) -> None:
    assert (outcome(sql, with_grants(insert="id status")) != "42501") is allowed


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE orders SET status = 'x' WHERE id = 10 RETURNING id, status", [(10, "x")]),
        ("UPDATE orders SET status = 'x'", [(5,)]),
        ("UPDATE orders SET amount = 0", "42501"),
        ("UPDATE orders SET status = 'x', amount = 0", "42501"),
        ("UPDATE orders SET status = 'x' WHERE amount > 5", "42703"),
        ("UPDATE orders SET status = amount::text", "42703"),
        ("UPDATE orders SET status = 'x' RETURNING amount", "42703"),
    ],
)
def test_update_needs_it_on_what_it_sets_and_select_on_what_it_reads(sql: str, expected: object) -> None:
    assert outcome(sql, with_grants(update="status", select="id status")) == expected


def test_update_without_reading_needs_no_select() -> None:
    assert outcome("UPDATE orders SET status = 'x'", with_grants(update="status")) == [(5,)]
    assert outcome("UPDATE orders SET status = 'x' WHERE id = 1", with_grants(update="status")) == "42703"
