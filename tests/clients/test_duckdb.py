"""DuckDB's own postgres extension: attaches the gateway as if it were PostgreSQL, reads by binary COPY."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.clients.servers import Pair, Server

PACKAGE = importlib.util.find_spec("duckdb_extension_postgres_scanner")

pytestmark = [
    pytest.mark.client("DuckDB postgres extension"),
    pytest.mark.skipif(
        PACKAGE is None, reason="the package duckdb-extension-postgres-scanner is not installed"
    ),
]


@contextmanager
def attached(server: Server) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a DuckDB that has attached the server as `pg`."""
    assert PACKAGE is not None
    folder = Path((PACKAGE.submodule_search_locations or [""])[0])
    file = folder / "extensions" / f"v{duckdb.__version__}" / "postgres_scanner.duckdb_extension"
    with duckdb.connect(config={"allow_unsigned_extensions": "true"}) as connection:
        connection.execute(f"LOAD '{file}'")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{server.dsn}' AS pg (TYPE postgres, READ_ONLY)")
        yield connection


@pytest.mark.feature("metadata")
def test_the_permitted_tables_and_columns_are_attached(pair: Pair) -> None:
    def run(server: Server) -> list[tuple[Any, ...]]:
        with attached(server) as connection:
            return connection.execute(
                "SELECT schema_name, table_name, column_name, data_type, is_nullable FROM duckdb_columns() "
                "WHERE database_name = 'pg' AND schema_name IN ('sales', 'public') ORDER BY ALL"
            ).fetchall()

    assert ("sales", "customers", "email", "VARCHAR", True) in pair.same(run)


@pytest.mark.feature("bulk")
def test_tables_are_scanned_whole_and_with_pushed_filters(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with attached(server) as connection:
            return [
                connection.execute("SELECT * FROM pg.sales.customers ORDER BY id").fetchall(),
                connection.execute("SELECT count(*), sum(n), max(label) FROM pg.public.numbers").fetchall(),
                connection.execute(
                    "SELECT id, amount, placed, ratio FROM pg.sales.orders WHERE id > 1990 "
                    "AND amount > 5 ORDER BY id"
                ).fetchall(),
                connection.execute(
                    "SELECT c.name, count(*) FROM pg.sales.customers c "
                    "JOIN pg.sales.orders o ON o.customer_id = c.id "
                    "GROUP BY ALL ORDER BY ALL LIMIT 5"
                ).fetchall(),
            ]

    assert len(pair.same(run)[0]) == 100


@pytest.mark.feature("rows")
def test_a_query_is_passed_through(pair: Pair) -> None:
    def run(server: Server) -> list[tuple[Any, ...]]:
        with attached(server) as connection:
            sql = "SELECT region, count(*) AS n, min(joined) AS first FROM sales.customers GROUP BY region"
            return connection.execute("SELECT * FROM postgres_query('pg', $1)", [sql]).fetchall()

    pair.same(run)
