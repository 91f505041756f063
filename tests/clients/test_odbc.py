"""psqlodbc under unixODBC, through pyodbc: with and without declared cursors."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.servers import Pair, Server

try:
    import pyodbc
except ImportError as error:  # the module, or the unixODBC library that it loads
    pytest.skip(f"pyodbc cannot be loaded: {error}", allow_module_level=True)

DRIVERS = sorted(Path("/usr/lib").glob("*/odbc/psqlodbcw.so"))

pytestmark = [
    pytest.mark.client("psqlodbc"),
    pytest.mark.skipif(not DRIVERS, reason="the Debian package odbc-postgresql is not installed"),
]
MODES = (0, 1)


def connect(server: Server, declares_cursors: int = 0, *, is_autocommit: bool = True) -> Any:
    """Open a connection by the driver's own file, so that no registration is needed."""
    text = (
        f"Driver={DRIVERS[0]};Servername={server.host};Port={server.port};Database={server.database};"
        f"Username={server.user};Password={server.password};UseDeclareFetch={declares_cursors};Fetch=200"
    )
    return pyodbc.connect(text, autocommit=is_autocommit)


def shown(rows: list[Any]) -> list[list[str]]:
    """Give rows as texts with their types."""
    return [[f"{type(value).__name__} {value!r}" for value in row] for row in rows]


@pytest.mark.feature("rows")
@pytest.mark.parametrize("declares_cursors", MODES)
@pytest.mark.parametrize("is_autocommit", [True, False])
def test_tables_are_read_alike(pair: Pair, declares_cursors: int, is_autocommit: bool) -> None:
    def run(server: Server) -> list[Any]:
        connection = connect(server, declares_cursors, is_autocommit=is_autocommit)
        cursor = connection.cursor()
        found = [
            shown(cursor.execute("SELECT * FROM sales.customers ORDER BY id").fetchall()),
            [(c[0], c[1].__name__, c[3], c[4], c[5]) for c in cursor.description],
            shown(cursor.execute("SELECT * FROM sales.orders ORDER BY id").fetchall()),
        ]
        connection.close()
        return found

    assert len(pair.same(run)[2]) == 2000


@pytest.mark.feature("metadata")
def test_columns_that_cannot_be_null_are_told(embedded_pair: Pair) -> None:
    def run(server: Server) -> list[bool]:
        connection = connect(server)
        cursor = connection.cursor().execute("SELECT * FROM sales.customers LIMIT 1")
        nullable = [column[6] for column in cursor.description]
        connection.close()
        return nullable

    embedded_pair.same(run)


@pytest.mark.feature("parameters")
@pytest.mark.parametrize("declares_cursors", MODES)
def test_parameters_choose_rows(pair: Pair, declares_cursors: int) -> None:
    import datetime as dt
    from decimal import Decimal

    def run(server: Server) -> list[Any]:
        connection = connect(server, declares_cursors)
        cursor = connection.cursor()
        sql = "SELECT id, name FROM sales.customers WHERE id > ? AND name LIKE ? AND joined > ? ORDER BY id"
        found = [shown(cursor.execute(sql, 10, "name1%", dt.date(2020, 2, 1)).fetchmany(5))]
        sql = "SELECT id FROM sales.orders WHERE amount < ? AND ratio > ? AND placed > ? ORDER BY id"
        found.append(shown(cursor.execute(sql, Decimal("9.5"), 2.5, dt.datetime(2024, 1, 1, 3)).fetchall()))
        connection.close()
        return found

    assert pair.same(run)[0]


@pytest.mark.feature("metadata")
def test_catalog_functions(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        connection = connect(server)
        cursor = connection.cursor()
        tables = [(t.table_schem, t.table_name, t.table_type) for t in cursor.tables(schema="sales")]
        columns = [
            (c.column_name, c.type_name, c.column_size, c.decimal_digits, c.nullable, c.ordinal_position)
            for c in cursor.columns(schema="sales", table="customers")
        ]
        keys = [k.column_name for k in cursor.primaryKeys(schema="sales", table="orders")]
        names = [connection.getinfo(kind) for kind in (pyodbc.SQL_DBMS_NAME, pyodbc.SQL_DATABASE_NAME)]
        connection.close()
        return [tables, columns, keys, names[0]]

    assert pair.same(run)[2] == ["id"]


CATALOG_CALLS: dict[str, Callable[[Any], Any]] = {
    "SQLTables": lambda cursor: cursor.tables(schema="sales"),
    "SQLTables of a pattern": lambda cursor: cursor.tables(table="%orders%"),
    "SQLTables of the catalog": lambda cursor: cursor.tables(schema="pg_catalog", table="pg_cl%"),
    "SQLTables kinds": lambda cursor: cursor.tables(catalog="", schema="", table="", tableType="%"),
    "SQLColumns": lambda cursor: cursor.columns(schema="sales"),
    "SQLColumns of patterns": lambda cursor: cursor.columns(schema="sal%", table="ord%", column="%d"),
    "SQLPrimaryKeys": lambda cursor: cursor.primaryKeys(schema="sales", table="customers"),
    "SQLForeignKeys from": lambda cursor: cursor.foreignKeys(schema="sales", table="customers"),
    "SQLForeignKeys to": lambda cursor: cursor.foreignKeys(foreignSchema="sales", foreignTable="orders"),
    "SQLStatistics": lambda cursor: cursor.statistics("orders", schema="sales"),
    "SQLGetTypeInfo": lambda cursor: cursor.getTypeInfo(),
    "SQLSpecialColumns row": lambda cursor: cursor.rowIdColumns("orders", schema="sales"),
    "SQLSpecialColumns version": lambda cursor: cursor.rowVerColumns("orders", schema="sales"),
    "SQLProcedures": lambda cursor: cursor.procedures(schema="public"),
    "SQLProcedureColumns": lambda cursor: cursor.procedureColumns(schema="public"),
}


@pytest.mark.feature("metadata")
@pytest.mark.parametrize("name", CATALOG_CALLS)
def test_all_columns_of_the_catalog_functions(embedded_pair: Pair, name: str) -> None:
    def run(server: Server) -> list[Any]:
        connection = connect(server)
        cursor = CATALOG_CALLS[name](connection.cursor())
        names = [column[0] for column in cursor.description]
        rows = [
            [f"{value!r}" for label, value in zip(names, row, strict=True) if label.lower() != "table oid"]
            for row in cursor.fetchall()
        ]
        connection.close()
        return [names, sorted(rows)]

    embedded_pair.same(run)


@pytest.mark.client("isql")
@pytest.mark.feature("rows")
@pytest.mark.skipif(
    shutil.which("isql") is None, reason="isql (the Debian package unixodbc) is not installed"
)
def test_isql_prints_the_same(embedded_pair: Pair, tmp_path: Path) -> None:
    def run(server: Server) -> str:
        (tmp_path / "odbc.ini").write_text(
            f"[test]\nDriver = {DRIVERS[0]}\nServername = {server.host}\nPort = {server.port}\n"
            f"Database = {server.database}\n"
        )
        done = subprocess.run(
            ["isql", "test", server.user, server.password, "-b", "-d,", "-x0x7c"],
            input="SELECT * FROM sales.customers WHERE id < 20 ORDER BY id\nhelp customers\nSELECT 1 / 0\n",
            env={**os.environ, "ODBCINI": str(tmp_path / "odbc.ini"), "ODBCSYSINI": str(tmp_path)},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return re.sub(r"\|\d{5,}\|", "|an OID|", done.stdout)

    assert "name18" in embedded_pair.same(run)


@pytest.mark.feature("transactions")
@pytest.mark.parametrize("declares_cursors", MODES)
def test_an_error_undoes_only_its_statement(pair: Pair, declares_cursors: int) -> None:
    def run(server: Server) -> list[Any]:
        connection = connect(server, declares_cursors, is_autocommit=False)
        cursor = connection.cursor()
        found = [shown(cursor.execute("SELECT count(*) FROM numbers").fetchall())]
        try:
            cursor.execute("SELECT 1 / 0").fetchall()
        except pyodbc.Error as error:
            found.append(error.args[0])
        found.append(shown(cursor.execute("SELECT min(n), max(n) FROM numbers").fetchall()))
        connection.commit()
        connection.close()
        return found

    pair.same(run)


@pytest.mark.feature("errors")
def test_states_of_errors(pair: Pair) -> None:
    def run(server: Server) -> list[str]:
        connection = connect(server)
        found = []
        for sql in ("SELECT * FROM absent", "SELECT nope FROM sales.orders", "SELEC 1", "SELECT 'x'::int"):
            with pytest.raises(pyodbc.Error) as caught:
                connection.cursor().execute(sql).fetchall()
            found.append(caught.value.args[0])
        connection.close()
        return found

    pair.same(run)
