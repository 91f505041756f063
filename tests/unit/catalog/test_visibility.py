"""What one principal may not know shows up nowhere in the catalog."""

import duckdb
import pytest

from pgproxy.catalog.builtin import relation_definitions
from pgproxy.catalog.snapshot import SYSTEM_CATALOG
from tests.unit.catalog.shop import CUSTOMERS, MARKER, ORDERS, POLICIES, Shop, derived_table


def _texts(rows: list[tuple[object, ...]]) -> list[str]:
    return [repr(row) for row in rows if MARKER in repr(row).lower()]


@pytest.mark.parametrize("principal", ["analyst", "stranger"])
def test_no_system_relation_names_what_is_hidden(shop: Shop, principal: str) -> None:
    for (schema, name), relation in shop.service.snapshot.system_relations.items():
        if not relation.admin_only:
            assert _texts(shop.read(principal, f"{schema}.{name}")) == [], f"{schema}.{name}"


def test_the_admin_sees_what_others_do_not(shop: Shop) -> None:
    found = {
        f"{schema}.{name}"
        for schema, name in shop.service.snapshot.system_relations
        if _texts(shop.read("root", f"{schema}.{name}"))
    }
    assert {
        "pg_catalog.pg_class",
        "pg_catalog.pg_attribute",
        "pg_catalog.pg_attrdef",
        "pg_catalog.pg_constraint",
        "pg_catalog.pg_description",
        "pg_catalog.pg_indexes",
        "pg_catalog.pg_namespace",
        "pg_catalog.pg_type",
        "pg_catalog.pg_enum",
        "pg_catalog.pg_policy",
        "pg_catalog.pg_policies",
        "pg_catalog.pg_roles",
        "pg_catalog.pg_database",
        "pg_catalog.pg_views",
        "information_schema.columns",
        "information_schema.views",
        "information_schema.check_constraints",
    } <= found


def test_who_holds_no_single_columns_and_who_sees_all_see_by_short_guards_what_keys_allow(shop: Shop) -> None:
    for name, relation in shop.service.snapshot.system_relations.items():
        if relation.visibility is None:
            continue
        guards = {
            "root": {relation.visibility.of_administrator, relation.visibility.by_relations},
            "hidden_user": {relation.visibility.by_relations},
            "stranger": {relation.visibility.by_relations},
        }
        for principal, texts in guards.items():
            assert relation.visibility.predicate(shop.policy(principal)) in texts
            by_keys = f"FROM ({derived_table(relation, relation.visibility.by_columns)})"
            for by_text in (f"FROM ({derived_table(relation, text)})" for text in texts):
                difference = (
                    f"SELECT count(*) FROM (({by_keys} EXCEPT ALL {by_text}) UNION ALL "
                    f"({by_text} EXCEPT ALL {by_keys}))"
                )
                ((differ,),) = shop.run(principal, difference)
                assert differ == 0, (name, principal)
    assert shop.policy("analyst").holds_columns


def test_a_catalog_lists_only_its_own_relations(shop: Shop) -> None:
    names = shop.read("root", "pg_catalog.pg_class", ["relname"])
    assert ("hidden_other",) not in names
    assert ("hidden_margins",) in names


def test_functions_by_oid_tell_nothing_of_what_is_hidden(shop: Shop) -> None:
    hidden = {
        name: oid
        for name, oid in shop.service.snapshot.oids.items()
        if MARKER in name.name and name.catalog == "shop"
    }
    assert len(hidden) == 3
    constraints = shop.read("root", "pg_catalog.pg_constraint", ["oid"], "conname LIKE '%hidden%'")
    indexes = shop.read("root", "pg_catalog.pg_class", ["oid"], "relname = 'hidden_index'")
    for oid in hidden.values():
        assert shop.call("root", "regclass_text", oid) != str(oid)
        assert shop.call("analyst", "regclass_text", oid) == str(oid)
        assert shop.call("analyst", "obj_description", oid, "pg_class") is None
        assert shop.call("analyst", "pg_table_is_visible", oid) is False
        assert shop.call("analyst", "has_table_privilege", oid, "SELECT") is False
    for (oid,) in constraints:
        assert shop.call("root", "pg_get_constraintdef", oid) is not None
        assert shop.call("analyst", "pg_get_constraintdef", oid) is None
    for (oid,) in indexes:
        assert shop.call("analyst", "pg_get_indexdef", oid) is None
    assert shop.call("analyst", "col_description", shop.service.snapshot.oids[CUSTOMERS], 4) is None
    assert shop.call("root", "col_description", shop.service.snapshot.oids[CUSTOMERS], 4) == "hidden comment"
    assert shop.call("analyst", "pg_get_viewdef", "sales.big") is None
    assert "hidden_margins" in shop.call("root", "pg_get_viewdef", "sales.big")


def test_names_of_hidden_relations_resolve_like_names_of_none(shop: Shop) -> None:
    assert shop.call("analyst", "to_regclass", "sales.hidden_margins") is None
    assert shop.call("analyst", "to_regclass", "sales.nothing") is None
    assert shop.call("analyst", "to_regclass", "sales.orders") == shop.service.snapshot.oids[ORDERS]


def test_a_filtered_reader_gets_no_row_estimate(shop: Shop) -> None:
    where = "relname = 'orders'"
    assert shop.read("root", "pg_catalog.pg_class", ["reltuples"], where) == [(7.0,)]
    assert shop.read("analyst", "pg_catalog.pg_class", ["reltuples"], where) == [(-1.0,)]


def test_a_principal_sees_itself_and_its_groups(shop: Shop) -> None:
    roles = shop.read("analyst", "pg_catalog.pg_roles", ["rolname"])
    assert sorted(roles) == [("analyst",), ("pgproxy",), ("staff",)]
    assert shop.read("analyst", "information_schema.applicable_roles", ["role_name"]) == [("staff",)]


def test_own_policies_show_that_they_exist_and_nothing_more(shop: Shop) -> None:
    columns = ["policyname", "qual", "roles"]
    assert shop.read("analyst", "pg_catalog.pg_policies", columns) == [("own_orders", None, ["public"])]
    assert sorted(shop.read("root", "pg_catalog.pg_policies", columns)) == [
        ("hidden_policy", "total > 5", ["hidden_user"]),
        ("own_orders", "total < 100 -- hidden", ["staff"]),
    ]


def test_a_view_without_its_definition_is_still_listed_once(shop: Shop) -> None:
    wanted = [("sales", "big", None)]
    columns = ["schemaname", "viewname", "definition"]
    assert shop.read("analyst", "pg_catalog.pg_views", columns, "schemaname = 'sales'") == wanted
    assert len(shop.read("root", "pg_catalog.pg_views", columns, "schemaname = 'sales'")) == 1


def test_no_relation_lists_an_object_twice(shop: Shop) -> None:
    for principal in POLICIES.principals:
        for name in (
            "pg_class",
            "pg_type",
            "pg_namespace",
            "pg_constraint",
            "pg_database",
            "pg_policy",
            "pg_rewrite",
        ):
            oids = shop.read(principal, f"pg_catalog.{name}", ["oid"])
            assert len(oids) == len(set(oids)), (principal, name)


def test_a_relation_that_plans_take_for_empty_has_no_rows(shop: Shop) -> None:
    relations = shop.service.snapshot.system_relations
    empty = {name: relation for name, relation in relations.items() if relation.is_empty}
    assert {("pg_catalog", "pg_inherits"), ("pg_catalog", "pg_statistic_ext")} <= empty.keys()
    for name, relation in empty.items():
        assert shop.run("root", f"SELECT 1 FROM {SYSTEM_CATALOG}.{'.'.join(relation.physical)}") == [], name


def test_an_unpublished_viewer_sees_nothing(shop: Shop) -> None:
    assert shop.policy("nobody").fingerprint != shop.policy("root").fingerprint
    assert shop.read("nobody", "pg_catalog.pg_class", ["oid"]) == []


def test_who_has_no_privilege_sees_what_is_postgresqls_own(shop: Shop) -> None:
    oids = shop.read("stranger", "pg_catalog.pg_class", ["oid"])
    assert len(oids) == len(relation_definitions())
    assert all(oid < 16384 for (oid,) in oids)


_PRIVILEGES = "information_schema.table_privileges"


def test_privileges_are_those_of_the_viewer_and_of_its_groups(shop: Shop) -> None:
    privileges = shop.read("analyst", _PRIVILEGES, ["grantee", "table_name", "privilege_type"])
    assert sorted(privileges) == [
        ("analyst", "orders", "INSERT"),
        ("staff", "big", "SELECT"),
        ("staff", "orders", "SELECT"),
    ]
    columns = shop.read(
        "analyst", "information_schema.column_privileges", ["column_name"], "table_name = 'customers'"
    )
    assert sorted(columns) == [("id",), ("name",)]
    assert ("hidden_user", "notes") in shop.read("root", _PRIVILEGES, ["grantee", "table_name"])
    assert shop.read("stranger", _PRIVILEGES) == []


def test_access_lists_name_only_grantees_that_the_viewer_may_know(shop: Shop) -> None:
    def relacl(principal: str) -> dict[str, list[str] | None]:
        rows = shop.read(principal, "pg_catalog.pg_class", ["relname", "relacl"], "oid >= 16384")
        return {str(name): items for name, items in rows if items is not None}

    owner = "pgproxy=arwdDxt/pgproxy"
    mine = {"big": [owner, "staff=r/pgproxy"], "orders": [owner, "analyst=a/pgproxy", "staff=r/pgproxy"]}
    assert relacl("analyst") == mine
    assert relacl("root") == mine | {"notes": [owner, "hidden_user=r/pgproxy"]}
    assert relacl("stranger") == {}
    on_columns = ["attname", "attacl"]
    shown = shop.read("analyst", "pg_catalog.pg_attribute", on_columns, "attacl IS NOT NULL")
    assert sorted(shown) == [("id", ["staff=r/pgproxy"]), ("name", ["staff=r/pgproxy"])]


@pytest.mark.parametrize(
    ("function", "arguments", "answer"),
    [
        ("has_table_privilege", ("sales.orders", "SELECT"), True),
        ("has_table_privilege", ("sales.orders", "SELECT, DELETE"), True),
        ("has_table_privilege", ("sales.orders", "DELETE"), False),
        ("has_table_privilege", ("sales.customers", "SELECT"), False),
        ("has_table_privilege", ("analyst", "sales.orders", "insert"), True),
        ("has_any_column_privilege", ("sales.customers", "SELECT"), True),
        ("has_column_privilege", ("sales.customers", "name", "SELECT"), True),
        ("has_column_privilege", ("sales.customers", "hidden_email", "SELECT"), False),
        ("has_schema_privilege", ("sales", "USAGE"), True),
        ("has_database_privilege", ("shop", "CONNECT"), True),
        ("pg_has_role", ("staff", "MEMBER"), True),
        ("pg_has_role", ("hidden_group", "MEMBER"), False),
    ],
)
def test_inquiries_answer_for_the_viewer(
    shop: Shop, function: str, arguments: tuple[str, ...], answer: bool
) -> None:
    assert shop.call("analyst", function, *arguments) is answer


@pytest.mark.parametrize(
    ("function", "name", "privilege", "words"),
    [
        ("has_table_privilege", "public.notes", "SELECT", '42P01:relation "{}" does not exist'),
        ("has_any_column_privilege", "public.notes", "SELECT", '42P01:relation "{}" does not exist'),
        ("has_sequence_privilege", "public.notes", "USAGE", '42P01:relation "{}" does not exist'),
        ("has_schema_privilege", "hidden_schema", "USAGE", '3F000:schema "{}" does not exist'),
        ("has_database_privilege", "hidden_catalog", "CONNECT", '3D000:database "{}" does not exist'),
        ("has_tablespace_privilege", "hidden_place", "CREATE", '42704:tablespace "{}" does not exist'),
    ],
)
def test_what_is_hidden_is_told_from_nothing_by_no_inquiry(
    shop: Shop, function: str, name: str, privilege: str, words: str
) -> None:
    for asked in (name, "nosuch"):
        with pytest.raises(duckdb.InvalidInputException) as caught:
            shop.call("analyst", function, asked, privilege)
        assert words.format(asked) in str(caught.value)
