"""How a statement over the catalog is planned: what runs before the guard, and which macro answers."""

from dataclasses import replace

import pytest

from execnode.engine.parser import serialized_tree
from pgproxy.catalog.sequences import SequenceInfo
from pgproxy.catalog.snapshot import CatalogSnapshot
from pgproxy.policy.model import TableName
from pgproxy.sql.plan import EngineTree, PlanContext
from pgproxy.sql.planner import plan_statement
from tests.unit.catalog.shop import Shop

STEPS = TableName("shop", "sales", "steps")


def planned(shop: Shop, sql: str, *search_path: str, snapshot: CatalogSnapshot | None = None) -> str:
    policy = shop.policy("analyst")
    context = PlanContext(
        policy, snapshot or shop.service.snapshot, search_path or ("public",), "analyst", _parse_engine_sql
    )
    return plan_statement(sql, (), context).sql


def _parse_engine_sql(sql: str) -> EngineTree:
    tree = serialized_tree(sql)
    return EngineTree(tree.statement_types, tree.relations, tree.functions)


@pytest.mark.parametrize(
    ("sql", "is_inside"),
    [
        ("SELECT attname FROM pg_attribute WHERE attrelid = 5 AND md5(attname) = 'x'", True),
        (
            "SELECT attname FROM pg_attribute AS a LEFT JOIN pg_type AS t ON t.oid = a.atttypid "
            "WHERE a.attrelid = '5' AND md5(attname) = 'x'",
            True,
        ),
        (
            "SELECT attname FROM pg_type AS t LEFT JOIN pg_attribute AS a ON t.oid = a.atttypid "
            "WHERE a.attrelid = 5 AND md5(attname) = 'x'",
            False,
        ),
        ("SELECT attname FROM pg_attribute WHERE md5(attname) = 'x'", False),
    ],
)
def test_what_tells_nothing_of_hidden_rows_runs_inside_the_guard(
    shop: Shop, sql: str, is_inside: bool
) -> None:
    text = planned(shop, sql)
    _, _, guard = text.partition('"pg"."pg_attribute"')
    inside, _, outside = guard.partition("OFFSET 0")
    assert ('"attrelid" = ' in inside) is is_inside
    assert "md5" not in inside.lower()
    assert "md5" in outside.lower()


def test_without_a_predicate_that_could_tell_there_is_no_barrier(shop: Shop) -> None:
    assert "OFFSET 0" not in planned(shop, "SELECT attname FROM pg_attribute WHERE attrelid = 5")


def test_where_there_are_no_sequences_asking_for_a_columns_costs_nothing(shop: Shop) -> None:
    asked = "SELECT pg_get_serial_sequence('a', 'b')::regclass::oid"
    without = replace(shop.service.snapshot, sequences={})
    assert "serial_sequence" not in planned(shop, asked, snapshot=without)
    assert "regclass_oid" not in planned(shop, asked, snapshot=without)
    with_one = replace(without, sequences={STEPS: SequenceInfo(STEPS, 1, 1, 9, 1, is_cycled=False)})
    assert "serial_sequence" in planned(shop, asked, snapshot=with_one)


def test_one_schema_in_the_search_path_makes_names_cheaper(shop: Shop) -> None:
    assert "pg_table_is_visible_in_one_schema" in planned(shop, "SELECT pg_table_is_visible(5)")
    assert "in_one_schema" not in planned(shop, "SELECT pg_table_is_visible(5)", "public", "sales")


@pytest.mark.parametrize("variant", ["", "_in_one_schema"])
def test_both_rules_find_the_same_names(shop: Shop, variant: str) -> None:
    for relation in ("pg_catalog.pg_class", "public.notes", "sales.orders"):
        schema, name = relation.split(".")
        (oid,) = (
            row[0] for row in shop.read("root", "pg_catalog.pg_class", ["oid"], f"relname = '{name}'")[:1]
        )
        bare = schema != "sales"
        assert shop.call("root", f"pg_table_is_visible{variant}", oid) is bare
        assert shop.call("root", f"regclass_text{variant}", oid) == (name if bare else relation)
