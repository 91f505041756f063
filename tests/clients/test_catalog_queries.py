"""Queries over the catalog through a gateway, beside PostgreSQL: what RowDescription says, what rows hold."""

from typing import Any

import psycopg
import pytest

from pgproxy.catalog.builtin import relation_definitions
from pgproxy.catalog.relations.registry import ADMIN_ONLY
from tests.clients.servers import Pair, Server

UNSENT = frozenset({"anyarray", "_pg_statistic", "_pg_attribute"})
"""Types that the gateway sends as text[]."""
QUERIES = (
    # DBD::Pg and pgAdmin: system columns, also of the optional side of a join.
    "SELECT c.tableoid, tableoid::regclass FROM pg_class AS c WHERE relname = 'pg_proc'",
    "SELECT c.relname, n.tableoid FROM pg_class AS c LEFT JOIN pg_namespace AS n ON n.oid = c.reltoastrelid "
    "WHERE relname = 'orders'",
    "SELECT xmin IS NOT NULL, c.cmin IS NOT NULL FROM pg_class AS c WHERE relname = 'orders'",
    # Vectors: no braces, subscripts from 0.
    "SELECT indkey, indkey::text, indkey[0], i.indkey::int2[], 1 = ANY(indkey), array_to_string(indkey, ',') "
    "FROM pg_index AS i WHERE indrelid = 'sales.orders'::regclass",
    "SELECT array_lower(indkey, 1), array_upper(indkey, 1), generate_subscripts(indkey, 1) FROM pg_index "
    "WHERE indrelid = 'sales.orders'::regclass",
    "SELECT proargtypes, proargtypes::text FROM pg_proc WHERE proname = 'int4pl'",
    # pgcli: types of arguments by name.
    "SELECT proallargtypes::regtype[] FROM pg_proc WHERE proname = 'pg_get_publication_tables'",
    "SELECT COALESCE(proallargtypes::regtype[], proargtypes::regtype[])::text[], proname FROM pg_proc "
    "WHERE proname IN ('int4pl', 'now') ORDER BY proname",
    # A setting as the argument of a function in FROM.
    "SELECT count(*) FROM generate_series(1, current_setting('max_index_keys')::integer) AS s(i)",
    "SELECT quote_ident(current_database()), quote_ident('A b'), pg_catalog.quote_ident(relname) "
    "FROM pg_class WHERE relname = 'orders'",
    "SELECT pg_index_column_has_property(indexrelid, 1, 'asc'), "
    "pg_index_column_has_property(indexrelid, 1, 'nulls_first'), "
    "pg_index_column_has_property(indexrelid, 1, 'unheard of'), "
    "pg_index_column_has_property(indexrelid, 9, 'asc') "
    "FROM pg_index WHERE indrelid = 'sales.orders'::regclass",
)
VECTORS = (
    b"SELECT indkey, proargtypes FROM pg_index, pg_proc "
    b"WHERE indrelid = 'sales.orders'::regclass AND proname = 'int4pl'"
)


def describe(server: Server, relations: list[str]) -> dict[str, list[tuple[str, int, int]]]:
    """Names, types and sizes of `*` of each relation."""
    found = {}
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        for relation in relations:
            try:
                columns = (
                    connection.execute(f"SELECT * FROM {relation} WHERE false".encode()).description or []
                )
            except psycopg.errors.InsufficientPrivilege:
                # What PostgreSQL keeps to itself may be read here: it is empty.
                continue
            found[relation] = [(column.name, column.type_code, column.internal_size) for column in columns]
    return found


def ask(server: Server, sql: str) -> list[Any]:
    """Names, types and rows."""
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return [[(column.name, column.type_code) for column in cursor.description or []], cursor.fetchall()]


def test_stars_have_postgresqls_types(embedded_pair: Pair) -> None:
    kept = [
        f"{schema}.{name}"
        for (schema, name), definition in relation_definitions().items()
        if schema != "pgproxy"
        and name not in ADMIN_ONLY
        and not name.startswith("_pg_")
        and not UNSENT.intersection(definition.declared_types)
    ]
    expected = describe(embedded_pair.reference, kept)
    found = describe(embedded_pair.gateway, list(expected))
    assert found == expected
    assert len(found) > 150


@pytest.mark.parametrize("sql", QUERIES)
def test_the_same_rows_under_the_same_types(embedded_pair: Pair, sql: str) -> None:
    assert embedded_pair.same(lambda server: ask(server, sql))[1]


def test_vectors_travel_in_binary_too(embedded_pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            cursor = connection.cursor(binary=True)
            cursor.execute(VECTORS)
            result = cursor.pgresult
            assert result is not None
            return [result.get_value(0, column) for column in range(2)]

    assert embedded_pair.same(run)
