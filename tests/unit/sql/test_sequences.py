"""Sequences: what the engine gets of serial columns, and who may ask for a next value."""

from dataclasses import replace

import pytest

from pgproxy.catalog.sequences import SERIAL, SequenceInfo, read_sequence_comment, sequence_comment
from pgproxy.catalog.snapshot import ColumnInfo, RelationKind, TableInfo
from pgproxy.policy.model import Grant, Privilege, TableName
from pgproxy.sql.plan import Plan, PlanContext
from pgproxy.sql.planner import plan_statement
from pgwire.errors import GatewayError
from tests.policy.world import CATALOG, context_for

STEPS = TableName("lake", "sales", "steps")
HIDDEN = TableName("lake", "hr", "hidden_steps")
SEQUENCES = {
    name: SequenceInfo(name, 1, 1, 2**63 - 1, 1, is_cycled=False, column=column)
    for name, column in ((STEPS, None), (HIDDEN, SERIAL))
}


def _context(principal: str, *grants: Grant) -> PlanContext:
    found = context_for(principal)
    catalog = replace(CATALOG, sequences=SEQUENCES)
    return replace(
        found, catalog=catalog, policy=replace(found.policy, grants=(*found.policy.grants, *grants))
    )


def _plan(text: str, principal: str = "root", *grants: Grant) -> Plan:
    return plan_statement(text, (), _context(principal, *grants))


def _refusal(text: str, principal: str, *grants: Grant) -> tuple[str, str]:
    with pytest.raises(GatewayError) as caught:
        _plan(text, principal, *grants)
    return caught.value.sqlstate.value, caught.value.message


def test_a_serial_column_is_an_integer_that_is_given_its_sequence_once_the_table_is_there() -> None:
    plan = _plan("CREATE TABLE sales.t (id bigserial PRIMARY KEY, small smallserial, a text)")
    assert plan.sql == (
        'CREATE TABLE "lake"."sales"."t" '
        '("id" BIGINT PRIMARY KEY NOT NULL, "small" SMALLINT NOT NULL, "a" TEXT)'
    )
    assert plan.following_sql[:3] == (
        'CREATE SEQUENCE "lake"."sales"."t_id_seq" START WITH 1 INCREMENT BY 1 MINVALUE 1 '
        "MAXVALUE 9223372036854775807",
        """COMMENT ON SEQUENCE "lake"."sales"."t_id_seq" IS 'pgproxy_sequence:[null, "serial"]'""",
        'ALTER TABLE "lake"."sales"."t" ALTER COLUMN "id" '
        """SET DEFAULT NEXTVAL('"lake"."sales"."t_id_seq"')""",
    )
    assert "MAXVALUE 32767" in plan.following_sql[3]


def test_a_next_value_is_a_write_that_needs_usage() -> None:
    usage = Grant("analyst", Privilege.USAGE, "lake", "sales", "steps")
    plan = _plan("SELECT nextval('sales.steps')", "analyst", usage)
    assert plan.sql == """SELECT NEXTVAL('"lake"."sales"."steps"')"""
    assert not plan.is_read_only
    assert [(access.table, access.privileges) for access in plan.accesses] == [(STEPS, {Privilege.USAGE})]


@pytest.mark.parametrize(
    "grant",
    [
        Grant("analyst", Privilege.USAGE, "lake", "sales", "other"),
        Grant("analyst", Privilege.SELECT, "lake", "sales", "steps"),
        Grant("analyst", Privilege.USAGE, "lake", "hr", "steps"),
    ],
)
def test_what_one_may_not_know_of_does_not_exist(grant: Grant) -> None:
    absent = ("42P01", 'relation "sales.nothing" does not exist')
    assert _refusal("SELECT nextval('sales.nothing')", "analyst", grant) == absent
    assert _refusal("SELECT nextval('sales.steps')", "analyst", grant) == (
        absent[0],
        absent[1].replace("nothing", "steps"),
    )
    assert _refusal("SELECT nextval('hr.hidden_steps')", "analyst", grant)[0] == "42P01"
    assert _refusal("SELECT 'hr.hidden_steps'::regclass", "analyst", grant)[0] == "42P01"
    assert _refusal("DROP SEQUENCE hr.hidden_steps", "analyst", grant)[0] == "42P01"


def test_usage_of_the_schema_shows_a_sequence_and_does_not_allow_its_use() -> None:
    grant = Grant("analyst", Privilege.USAGE, "lake", "sales")
    assert _refusal("SELECT nextval('sales.steps')", "analyst", grant) == (
        "42501", "permission denied for sequence steps",
    )  # fmt: skip
    assert _refusal("DROP SEQUENCE sales.steps", "analyst", grant) == (
        "42501", "must be owner of sequence steps",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "SELECT nextval('sales.steps') + 1",
        "SELECT 1 WHERE nextval('sales.steps') > 0",
        "SELECT nextval('sales.' || 'steps')",
        "SELECT DISTINCT nextval('sales.steps')",
        "SELECT 1 ORDER BY nextval('sales.steps')",
        "SELECT count(nextval('sales.steps'))",
        "CREATE TABLE sales.t (a int DEFAULT nextval('sales.steps') + 1)",
        "SELECT currval('sales.steps')",
        "SELECT setval('sales.steps', 5) + 1",
        "SELECT setval('sales.steps', 5), 1",
        "SELECT setval('sales.steps', 5) WHERE false",
        "SELECT setval('sales.steps', max(id)) FROM sales.orders",
        "SELECT setval('sales.steps', 9223372036854775807)",
        "ALTER SEQUENCE sales.steps INCREMENT BY 5",
        "ALTER SEQUENCE sales.steps RENAME TO s",
        "SELECT lastval()",
        "ALTER TABLE sales.orders ADD COLUMN id2 int CHECK (nextval('sales.steps') > 0)",
        "DROP SEQUENCE sales.steps CASCADE",
        "CREATE TEMP SEQUENCE s",
        "CREATE SEQUENCE sales.s OWNED BY t.id",
        "ALTER TABLE sales.orders ADD COLUMN s serial",
    ],
)
def test_what_the_engine_cannot_do_is_refused(text: str) -> None:
    assert _refusal(text, "root")[0] == "0A000"


@pytest.mark.parametrize(
    "text",
    [
        "CREATE VIEW sales.v AS SELECT nextval('sales.steps')",
        "SELECT * FROM nextval('sales.steps')",
        "DELETE FROM sales.orders WHERE id = nextval('sales.steps')",
    ],
)
def test_elsewhere_there_is_no_such_function(text: str) -> None:
    assert _refusal(text, "root")[0] == "42883"


@pytest.mark.parametrize(("owner", "goes"), [("anna", False), ("berta", True)])
def test_a_table_takes_only_sequences_of_its_own_owner_along(owner: str, goes: bool) -> None:
    """Whoever may use a serial column's sequence may name it in a default of a table of theirs."""
    name, default = TableName("lake", "sales", "borrowing"), 'nextval(\'"lake"."sales"."steps"\')'
    table = TableInfo(name, RelationKind.TABLE, (ColumnInfo("id", "BIGINT", default=default),), owner="berta")
    serial = replace(SEQUENCES[STEPS], owner=owner, column=SERIAL)
    context = _context("root")
    catalog = replace(
        context.catalog, tables={**context.catalog.tables, name: table}, sequences={STEPS: serial}
    )
    plan = plan_statement("DROP TABLE sales.borrowing", (), replace(context, catalog=catalog))
    assert any("DROP SEQUENCE" in part for part in plan.following_sql) is goes


def test_the_comment_of_a_sequence_tells_whose_it_is_and_of_what_column() -> None:
    assert read_sequence_comment(sequence_comment("anna", SERIAL)) == (None, "anna", SERIAL, None)
    assert read_sequence_comment(sequence_comment(None, None, 7)) == (None, None, None, 7)
    assert read_sequence_comment("a comment") == ("a comment", None, None, None)
    assert read_sequence_comment("pgproxy_sequence:[") == (None, None, None, None)


def test_a_sequence_is_set_anew_in_the_place_of_the_old_one() -> None:
    plan = _plan("SELECT setval('sales.steps', 5)")
    assert plan.sql == "SELECT CAST(5 AS BIGINT)"
    assert plan.following_sql == (
        'CREATE OR REPLACE SEQUENCE "lake"."sales"."steps" START WITH 6 INCREMENT BY 1 MINVALUE 1 '
        "MAXVALUE 9223372036854775807",
        """COMMENT ON SEQUENCE "lake"."sales"."steps" IS 'pgproxy_sequence:[null, null, 1]'""",
    )
    assert plan.changes_catalog
    assert not plan.is_read_only


@pytest.mark.parametrize(
    "text",
    ["SELECT setval('{}', 5)", "ALTER SEQUENCE {} RESTART", "ALTER SEQUENCE {} OWNED BY NONE"],
)
def test_only_its_owner_changes_a_sequence(text: str) -> None:
    usage = Grant("analyst", Privilege.USAGE, "lake", "sales", "steps")
    refused = ("42501", "must be owner of sequence steps")
    assert _refusal(text.format("sales.steps"), "analyst", usage) == refused
    absent = _refusal(text.format("hr.hidden_steps"), "analyst", usage)
    assert absent == ("42P01", 'relation "hr.hidden_steps" does not exist')


def test_a_default_of_a_column_may_ask_a_sequence() -> None:
    plan = _plan("ALTER TABLE sales.orders ALTER COLUMN id SET DEFAULT nextval('sales.steps')")
    assert plan.sql.endswith("""SET DEFAULT NEXTVAL('"lake"."sales"."steps"')""")
