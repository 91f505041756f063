"""Violated constraints: what the engine says of a real table, in PostgreSQL's words."""

from types import SimpleNamespace

import duckdb
import pytest

from execnode.engine import EngineFault
from execnode.engine.errors import translate_error
from pgproxy.catalog.snapshot import CatalogSnapshot, ColumnInfo, ConstraintInfo, RelationKind, TableInfo
from pgproxy.policy.effective import effective_policy
from pgproxy.policy.model import Grant, PolicySet, Principal, PrincipalKind, Privilege, TableName
from pgproxy.session.violations import Viewer, name_violation
from pgwire.errors import NO_OBJECT, ErrorObject

PARENT, CHILD = TableName("lake", "public", "parent"), TableName("lake", "public", "child")
TABLES = {
    PARENT: TableInfo(
        PARENT,
        RelationKind.TABLE,
        (ColumnInfo("id", "INTEGER"), ColumnInfo("a", "VARCHAR"), ColumnInfo("b", "VARCHAR")),
        (
            ConstraintInfo("parent_pkey", "p", ("id",), "PRIMARY KEY (id)"),
            ConstraintInfo("parent_a_b_key", "u", ("a", "b"), "UNIQUE (a, b)"),
        ),
    ),
    CHILD: TableInfo(
        CHILD,
        RelationKind.TABLE,
        (ColumnInfo("parent_id", "INTEGER"),),
        (
            ConstraintInfo(
                "child_parent_id_fkey", "f", ("parent_id",), "FOREIGN KEY (parent_id) …", PARENT, ("id",)
            ),
        ),
    ),
}


def violated(
    sql: str, written: TableName, *grants: Grant, is_governed: bool = False, everywhere: bool = True
) -> EngineFault:
    """Run SQL on a real DuckDB, and word what it raises for who holds INSERT and these grants.

    everywhere: INSERT on all tables, not only on the one that is written to.
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "SET errors_as_json = true;"
            "CREATE TABLE parent (id INT PRIMARY KEY, a TEXT, b TEXT, UNIQUE (a, b));"
            "CREATE TABLE child (parent_id INT REFERENCES parent);"
            "INSERT INTO parent VALUES (1, 'x, b: y', 'z'), (2, 'x', 'y')"
        )
        with pytest.raises(duckdb.Error) as caught:
            connection.execute(sql)
    error = translate_error(caught.value)
    assert isinstance(error, EngineFault)
    policies = PolicySet(
        1,
        {"u": Principal("u", PrincipalKind.USER)},
        (Grant("u", Privilege.INSERT, "lake", "public", None if everywhere else written.name), *grants),
    )
    plan = SimpleNamespace(written_table=written, is_governed=is_governed)
    catalog = CatalogSnapshot(1, "lake", TABLES)
    name_violation(error, plan, Viewer(effective_policy(policies, "u"), catalog))  # type: ignore[arg-type]  # what it reads
    return error


def select_on(name: TableName) -> Grant:
    """SELECT on one table."""
    return Grant("u", Privilege.SELECT, *name)


def test_a_row_that_refers_to_nothing_names_the_key_and_its_value_to_who_reads_both_tables() -> None:
    error = violated("INSERT INTO child VALUES (7)", CHILD, select_on(CHILD), select_on(PARENT))
    assert error.message == (
        'insert or update on table "child" violates foreign key constraint "child_parent_id_fkey"'
    )
    assert error.detail == 'Key (parent_id)=(7) is not present in table "parent".'
    assert error.about == ErrorObject("public", "child", None, "child_parent_id_fkey")


@pytest.mark.parametrize("readable", [CHILD, PARENT])
def test_who_does_not_read_both_tables_is_told_no_value(readable: TableName) -> None:
    assert violated("INSERT INTO child VALUES (7)", CHILD, select_on(readable)).detail is None


def test_a_key_whose_values_could_be_read_in_two_ways_is_not_guessed() -> None:
    error = violated("INSERT INTO parent VALUES (3, 'x, b: y', 'z')", PARENT, select_on(PARENT))
    assert (error.message, error.detail) == ("duplicate key value violates a unique constraint", None)
    assert error.about == NO_OBJECT
    error = violated("INSERT INTO parent VALUES (3, 'x', 'y')", PARENT, select_on(PARENT))
    assert error.detail == "Key (a, b)=(x, y) already exists."


def test_no_value_is_told_where_the_statement_touches_what_is_hidden_in_part() -> None:
    error = violated("INSERT INTO parent VALUES (1, '', '')", PARENT, select_on(PARENT), is_governed=True)
    assert error.message == 'duplicate key value violates unique constraint "parent_pkey"'
    assert error.detail is None


DELETION = "INSERT INTO child VALUES (1); DELETE FROM parent"


def test_a_row_that_is_referred_to_tells_by_whom_to_who_may_know() -> None:
    error = violated(DELETION, PARENT, select_on(PARENT), select_on(CHILD))
    assert error.message == (
        'update or delete on table "parent" violates foreign key constraint "child_parent_id_fkey" '
        'on table "child"'
    )
    assert error.detail == 'Key (id)=(1) is still referenced from table "child".'
    assert error.about == ErrorObject("public", "child", None, "child_parent_id_fkey")
    assert violated(DELETION, PARENT, select_on(CHILD)).detail is None
    assert violated(DELETION, PARENT, select_on(PARENT), is_governed=True).detail is None


def test_a_row_that_is_referred_to_does_not_tell_by_whom() -> None:
    error = violated(DELETION, PARENT, select_on(PARENT), everywhere=False)
    assert error.message == "value violates a foreign key constraint"
    assert error.about == NO_OBJECT
