"""Polars, connectorx and ibis: data frames from the gateway as from PostgreSQL."""

from typing import Any

import pytest

from tests.clients.servers import Pair, Server

polars = pytest.importorskip("polars")

CUSTOMERS = "SELECT * FROM sales.customers ORDER BY id"
ORDERS = "SELECT * FROM sales.orders ORDER BY id"
TYPED = (
    "SELECT 1::smallint AS a, 2::integer AS b, 3::bigint AS c, 1.5::real AS d, 0.1::double precision AS e, "
    "true AS f, 'x'::text AS g, date '2024-02-29' AS h, timestamp '2024-02-29 12:34:56' AS i, "
    "timestamptz '2024-02-29 12:34:56+02' AS j, time '12:34:56.789' AS k, 'abc'::varchar AS l, "
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS m"
)


def shown(frame: Any) -> list[Any]:
    """A Polars frame's columns, their types and its rows."""
    return [frame.columns, [str(kind) for kind in frame.dtypes], frame.rows()]


@pytest.mark.client("Polars")
@pytest.mark.feature("rows")
@pytest.mark.parametrize("engine", ["adbc", "connectorx"])
def test_polars_reads_the_same_frames(embedded_pair: Pair, engine: str) -> None:
    pytest.importorskip({"adbc": "adbc_driver_postgresql", "connectorx": "connectorx"}[engine])

    def run(server: Server) -> list[Any]:
        uri = f"postgresql://{server.location}"
        return [
            shown(polars.read_database_uri(sql, uri, engine=engine)) for sql in (CUSTOMERS, ORDERS, TYPED)
        ]

    assert len(embedded_pair.same(run)[1][2]) == 2000


@pytest.mark.client("Polars")
@pytest.mark.feature("parameters")
def test_polars_over_a_connection(embedded_pair: Pair) -> None:
    psycopg = pytest.importorskip("psycopg")

    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn) as connection:
            sql = "SELECT id, amount FROM sales.orders WHERE id < %s ORDER BY id"
            frame = polars.read_database(sql, connection, execute_options={"params": (20,)})
            batches = polars.read_database(ORDERS, connection, iter_batches=True, batch_size=600)
            return [shown(frame), [len(batch) for batch in batches]]

    assert len(embedded_pair.same(run)[0][2]) == 19


@pytest.mark.client("Polars")
@pytest.mark.feature("bulk")
def test_polars_writes_and_reads_back(admin_pair: Pair) -> None:
    pytest.importorskip("adbc_driver_postgresql")

    def run(server: Server) -> list[Any]:
        uri = f"postgresql://{server.location}"
        frame = polars.DataFrame({"id": list(range(300)), "note": [f"n{i}" for i in range(300)]})
        frame.write_database("polars_written", uri, engine="adbc", if_table_exists="replace")
        found = polars.read_database_uri("SELECT * FROM polars_written ORDER BY id", uri, engine="adbc")
        import adbc_driver_postgresql.dbapi as dbapi

        with dbapi.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute("DROP TABLE polars_written")
            connection.commit()
        return shown(found)

    assert len(admin_pair.same(run)[2]) == 300


@pytest.mark.client("connectorx")
@pytest.mark.feature("rows")
@pytest.mark.parametrize("protocol", ["binary", "csv", "cursor", "simple"])
def test_connectorx_reads_by_every_protocol(embedded_pair: Pair, protocol: str) -> None:
    connectorx = pytest.importorskip("connectorx")

    def run(server: Server) -> list[Any]:
        table = connectorx.read_sql(
            f"postgresql://{server.location}", ORDERS, return_type="arrow", protocol=protocol
        )
        return [str(table.schema), table.to_pylist()]

    assert len(embedded_pair.same(run)[1]) == 2000


@pytest.mark.client("connectorx")
@pytest.mark.feature("metadata")
def test_connectorx_splits_a_query_by_ranges(embedded_pair: Pair) -> None:
    connectorx = pytest.importorskip("connectorx")

    def run(server: Server) -> list[Any]:
        table = connectorx.read_sql(
            f"postgresql://{server.location}", "SELECT n, label FROM numbers WHERE n < 4000",
            return_type="arrow", partition_on="n", partition_num=4,
        )  # fmt: skip
        return sorted(table.to_pylist(), key=lambda row: row["n"])

    assert len(embedded_pair.same(run)) == 4000


@pytest.mark.client("ibis")
@pytest.mark.feature("metadata")
def test_ibis_lists_and_describes_tables(embedded_pair: Pair) -> None:
    ibis = pytest.importorskip("ibis")

    def run(server: Server) -> list[Any]:
        backend = ibis.postgres.connect(**server.keywords)
        try:
            tables = [sorted(backend.list_tables(database="sales")), sorted(backend.list_tables())]
            schemas = [name for name in sorted(backend.list_databases()) if not name.startswith("pg")]
            described = [backend.table(name, database="sales").schema() for name in ("customers", "orders")]
            return [
                tables,
                schemas,
                backend.current_database,
                [str(one) for one in described],
                backend.version,
            ]
        finally:
            backend.disconnect()

    assert embedded_pair.same(run)[0] == [["customers", "orders"], ["numbers"]]


@pytest.mark.client("ibis")
@pytest.mark.feature("rows")
@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option is deprecated")
def test_ibis_expressions_give_the_same(embedded_pair: Pair) -> None:
    ibis = pytest.importorskip("ibis")

    def run(server: Server) -> list[Any]:
        backend = ibis.postgres.connect(**server.keywords)
        try:
            customers, orders = (backend.table(name, database="sales") for name in ("customers", "orders"))
            joined = orders.join(customers, orders.customer_id == customers.id)
            totals = (
                joined.group_by(customers.name)
                .aggregate(n=orders.id.count(), most=orders.amount.max(), first=orders.placed.min())
                .filter(lambda t: t.n > 3)
                .order_by(ibis.desc("n"), "name")
                .limit(10)
            )
            ranked = (
                orders.mutate(
                    place=ibis.row_number().over(group_by=orders.customer_id, order_by=orders.id),
                    month=orders.placed.truncate("M"),
                )
                .filter(lambda t: t.place == 1)
                .order_by("id")
                .limit(5)
            )
            plain = customers.filter(customers.id < 20)[["id", "name", "joined", "active"]].order_by("id")
            return [one.to_pandas().to_csv() for one in (totals, ranked, plain)]
        finally:
            backend.disconnect()

    assert len(embedded_pair.same(run)) == 3
