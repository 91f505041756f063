"""Catalog functions give PostgreSQL's answers."""

import pytest

from pgproxy.catalog.functions.macro import shielded
from tests.unit.catalog.shop import CUSTOMERS, ORDERS, Shop


@pytest.mark.parametrize(
    ("oid", "typmod", "text"),
    [
        (23, -1, "integer"),
        (1700, 655366, "numeric(10,2)"),
        (1231, 655366, "numeric(10,2)[]"),
        (1043, 24, "character varying(20)"),
        (1043, None, "character varying"),
        (1042, -1, "bpchar"),
        (1042, None, "character"),
        (1184, 3, "timestamp(3) with time zone"),
        (1083, 0, "time(0) without time zone"),
        (18, -1, '"char"'),
        (1009, -1, "text[]"),
        (0, None, "-"),
        (999999, None, "???"),
        (None, None, None),
    ],
)
def test_types_are_named_as_postgresql_names_them(
    shop: Shop, oid: int | None, typmod: int | None, text: str | None
) -> None:
    assert shop.call("root", "format_type", oid, typmod) == text


@pytest.mark.parametrize(
    ("name", "oid"),
    [("integer", 23), ("int", 23), ("int4", 23), ("numeric(10,2)", 1700), ("pg_catalog.text", 25),
     ("char", 1042), ("character varying", 1043), ("text[]", 1009), ("no_such_type", None)],
)  # fmt: skip
def test_type_names_resolve(shop: Shop, name: str, oid: int | None) -> None:
    assert shop.call("root", "to_regtype", name) == oid


def test_relation_names_resolve_along_the_search_path(shop: Shop) -> None:
    oids = shop.service.snapshot.oids
    assert shop.call("root", "to_regclass", "sales.orders") == oids[ORDERS]
    assert shop.call("root", "to_regclass", 'Sales."orders"') == oids[ORDERS]
    assert shop.call("root", "to_regclass", "orders") is None
    assert shop.call("root", "to_regclass", "pg_class") == 1259
    assert shop.call("root", "to_regclass", "pg_catalog.pg_class") == 1259
    assert shop.call("root", "regclass_text", oids[ORDERS]) == "sales.orders"
    assert shop.call("root", "regclass_text", 1259) == "pg_class"
    assert shop.call("root", "regclass_text", 0) == "-"
    assert shop.call("root", "regclass_text", 77) == "77"


def test_a_clients_column_named_like_a_catalogs_is_not_captured(shop: Shop) -> None:
    macro = "pgproxy_system.fn.pg_get_constraintdef(oid, true, $viewer, $database)"
    rows = shop.run("root", f"SELECT conname, {macro} FROM pgproxy_system.pg.pg_constraint ORDER BY conname")
    assert ("customers_pkey", "PRIMARY KEY (id)") in rows
    assert ("orders_total_check", "CHECK (total > 0)") in rows
    assert ("orders_customer_id_fkey", "FOREIGN KEY (customer_id) REFERENCES sales.customers(id)") in rows


def test_macros_read_only_shielded_columns() -> None:
    sql = "SELECT m_c.oid FROM pgproxy_system.pg.pg_class AS m_c WHERE m_c._key = oid"
    assert shielded(sql) == "SELECT m_c.m_oid FROM pgproxy_system.fn.m_pg_class AS m_c WHERE m_c.m__key = oid"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (10239, "10239 bytes"), (10240, "10 kB"), (1536 * 1024, "1536 kB"),
     (10 * 1024**2, "10 MB"), (20 * 1024**3 + 600 * 1024**2, "21 GB"), (-10240, "-10 kB"), (None, None)],
)  # fmt: skip
def test_sizes_read_as_postgresql_writes_them(shop: Shop, size: int | None, text: str | None) -> None:
    assert shop.call("root", "pg_size_pretty", size) == text


def test_comments_are_found_by_object(shop: Shop) -> None:
    customers = shop.service.snapshot.oids[CUSTOMERS]
    assert shop.call("analyst", "obj_description", customers, "pg_class") == "who buys"
    assert shop.call("analyst", "obj_description", customers, "pg_type") is None
    assert shop.call("analyst", "col_description", customers, 2) == "as printed"


def test_indexes_are_worded_whole_and_by_column(shop: Shop) -> None:
    ((oid,),) = shop.read("analyst", "pg_catalog.pg_class", ["oid"], "relname = 'by_total'")
    assert (
        shop.call("analyst", "pg_get_indexdef", oid)
        == "CREATE INDEX by_total ON sales.orders USING btree (total)"
    )
    assert shop.call("analyst", "pg_get_indexdef", oid, 1, True) == "total"


def test_builtin_functions_describe_themselves(shop: Shop) -> None:
    ((oid,),) = shop.read("analyst", "pg_catalog.pg_proc", ["oid"], "proname = 'pg_table_is_visible'")
    assert shop.call("analyst", "pg_get_function_arguments", oid) == "oid"
    assert shop.call("analyst", "pg_get_function_result", oid) == "boolean"
    assert shop.call("analyst", "regproc_text", oid) == "pg_table_is_visible"


def test_key_columns_expand_with_their_positions(shop: Shop) -> None:
    rows = shop.run("root", "SELECT pgproxy_system.fn._pg_expandarray([7, 9])")
    assert rows == [({"x": 7, "n": 1},), ({"x": 9, "n": 2},)]


_WIDTHS = {
    "pg_get_keywords": 5,
    "pg_options_to_table": 2,
    "ts_token_type": 3,
    "pg_identify_object": 4,
    "pg_sequence_parameters": 7,
}


def test_every_function_binds_with_every_number_of_arguments(shop: Shop) -> None:
    for name, function in shop.service.snapshot.system_functions.items():
        for arity in function.arity:
            arguments = ", ".join(["NULL"] * (arity + len(function.session_values)))
            call = f"{'.'.join(('pgproxy_system', *function.macro))}({arguments})"
            described = shop.run("root", f"DESCRIBE SELECT {f'* FROM {call}' if function.is_table else call}")
            assert len(described) == (_WIDTHS[name] if function.is_table else 1), name


def test_sizes_are_told_to_who_may_know_the_rows(shop: Shop) -> None:
    orders = shop.call("root", "pg_table_size", "sales.orders")
    assert orders == 7 * (8 + 4 + 8 + 8 + 24)
    assert shop.call("root", "pg_database_size", "shop") == orders
    assert shop.call("root", "pg_relation_size", "sales.by_total") == 0
    assert shop.call("analyst", "pg_table_size", "sales.orders") == 0, (
        "a filtered table's rows are not his to count"
    )
    assert shop.call("analyst", "pg_database_size", "shop") == 0
    assert shop.call("analyst", "pg_table_size", "sales.hidden_margins") is None
    assert shop.call("stranger", "pg_table_size", "sales.orders") is None
