"""Constraints carry PostgreSQL's names and words."""

import pytest

from pgproxy.catalog.constraints import RawConstraint, name_constraints, pretty_definition, quote_identifier
from pgproxy.policy.model import TableName

ORDERS = TableName("shop", "sales", "orders")


def test_constraints_are_named_as_postgresql_names_them() -> None:
    raw = [
        RawConstraint("NOT NULL", ("id",)),
        RawConstraint("PRIMARY KEY", ("id",)),
        RawConstraint("UNIQUE", ("a", "b")),
        RawConstraint("CHECK", ("a",), "(a > 0)"),
        RawConstraint("CHECK", ("a",), "(a < 9)"),
        RawConstraint("CHECK", ("a", "b"), "(a < b)"),
        RawConstraint("FOREIGN KEY", ("c",), None, "customers", ("id",)),
    ]
    named = [(c.name, c.kind, c.text) for c in name_constraints(ORDERS, raw)]
    assert named == [
        ("orders_pkey", "p", "PRIMARY KEY (id)"),
        ("orders_a_b_key", "u", "UNIQUE (a, b)"),
        ("orders_a_check", "c", "CHECK ((a > 0))"),
        ("orders_a_check1", "c", "CHECK ((a < 9))"),
        ("orders_check", "c", "CHECK ((a < b))"),
        ("orders_c_fkey", "f", "FOREIGN KEY (c) REFERENCES sales.customers(id)"),
    ]


@pytest.mark.parametrize(
    ("definition", "pretty"),
    [
        ("CHECK ((a > 0))", "CHECK (a > 0)"),
        ("CHECK (((a) OR (b)))", "CHECK ((a) OR (b))"),
        ("CHECK ((a) OR (b))", "CHECK ((a) OR (b))"),
        ("CHECK ((a <> ')('))", "CHECK (a <> ')(')"),
        ("CHECK (f(a))", "CHECK (f(a))"),
        ("PRIMARY KEY (a)", "PRIMARY KEY (a)"),
    ],
)
def test_a_pretty_check_loses_only_its_outermost_parentheses(definition: str, pretty: str) -> None:
    assert pretty_definition(definition) == pretty


@pytest.mark.parametrize(
    ("name", "quoted"), [("a_1", "a_1"), ("A", '"A"'), ('a"b', '"a""b"'), ("1a", '"1a"')]
)
def test_identifiers_are_quoted_where_folding_would_change_them(name: str, quoted: str) -> None:
    assert quote_identifier(name) == quoted
