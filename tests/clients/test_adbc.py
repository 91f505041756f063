"""ADBC's PostgreSQL driver: reads all of pg_type and pg_attribute at connect, and results by binary COPY."""

from typing import Any

import pytest

from tests.clients.servers import Pair, Server

dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi")

pytestmark = pytest.mark.client("ADBC")


@pytest.mark.feature("rows")
def test_tables_arrive_as_the_same_arrow_tables(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        found: list[Any] = []
        with dbapi.connect(f"postgresql://{server.location}") as connection, connection.cursor() as cursor:
            for table, key in (("sales.customers", "id"), ("sales.orders", "id"), ("numbers", "n")):
                cursor.execute(f"SELECT * FROM {table} ORDER BY {key}")
                arrow = cursor.fetch_arrow_table()
                found.append([(f.name, str(f.type)) for f in arrow.schema])
                found.append(arrow.to_pylist() if arrow.num_rows < 5000 else arrow.num_rows)
        return found

    assert pair.same(run)[-1] == 100_000


@pytest.mark.feature("parameters")
def test_parameters_choose_rows(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with dbapi.connect(f"postgresql://{server.location}") as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, name FROM sales.customers WHERE id > $1 AND id < $2 ORDER BY id", (10, 20)
            )
            return cursor.fetchall()

    assert pair.same(run)[0] == (12, "name12")


@pytest.mark.feature("metadata")
def test_the_schema_of_a_table_is_told(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with dbapi.connect(f"postgresql://{server.location}") as connection:
            schema = connection.adbc_get_table_schema("customers", db_schema_filter="sales")
            return [(field.name, str(field.type)) for field in schema]

    assert ("email", "string") in pair.same(run)


@pytest.mark.feature("bulk")
def test_an_arrow_table_is_ingested(admin_pair: Pair) -> None:
    import pyarrow as pa

    def run(server: Server) -> list[Any]:
        table = pa.table({"id": pa.array(range(1000), pa.int32()), "note": [f"n{i}" for i in range(1000)]})
        with dbapi.connect(f"postgresql://{server.location}") as connection, connection.cursor() as cursor:
            count = cursor.adbc_ingest("ingested", table, mode="create")
            connection.commit()
            cursor.execute("SELECT count(*), sum(id), max(note) FROM ingested")
            found = [count, cursor.fetchall()]
            cursor.execute("DROP TABLE ingested")
            connection.commit()
            return found

    assert admin_pair.same(run)[0] == 1000


@pytest.mark.feature("errors")
def test_errors_carry_the_state(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        found: list[Any] = []
        for sql in ("SELECT * FROM absent", "SELECT 1 / 0", "SELEC 1"):
            with (
                dbapi.connect(f"postgresql://{server.location}") as connection,
                connection.cursor() as cursor,
            ):
                try:
                    cursor.execute(sql)
                    cursor.fetchall()
                except dbapi.Error as error:
                    found.append(error.sqlstate)
        return found

    assert pair.same(run)[0] == "42P01"
