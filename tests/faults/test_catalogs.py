"""Catalogs of the control plane on a gateway and a node: a lake in PostgreSQL, and Parquet files."""

import contextlib
import time
from collections.abc import Iterator

import duckdb
import psycopg
import pytest

from tests.gateway import ADMIN, ADMIN_PASSWORD, POLICY, RunningGateway, start_gateway
from tests.postgres import find_binary, start_postgres, stop_postgres

pytestmark = pytest.mark.skipif(find_binary("initdb") is None, reason="PostgreSQL 15 is not installed")

FILES_POLICY = POLICY.replace(
    "row_filters:\n",
    "  - {to: eu_team, privileges: [SELECT], on: files.public.*}\n"
    "  - {to: eu_team, privileges: [SELECT, INSERT, UPDATE], on: lake.public.*}\n"
    "row_filters:\n  - {name: one_year, on: files.public.orders, using: 'year = 2024', to: [eu_team]}\n",
)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("catalogs")
    dsn = start_postgres(folder / "pg")
    try:
        with duckdb.connect() as connection:
            for year in (2023, 2024):
                target = folder / "files" / "orders" / f"year={year}"
                target.mkdir(parents=True)
                connection.execute(f"COPY (SELECT i FROM range(10) r(i)) TO '{target}/a.parquet'")
        late = f"catalogs:\n  late: {{kind: duckdb, location: {folder / 'late.duckdb'}}}\n"
        with start_gateway(folder, nodes=1, policy=FILES_POLICY + late) as gateway:
            gateway.cli("catalog", "add", "files", "--kind", "parquet", "--location", str(folder / "files"))
            location = "postgres:" + dsn
            lake = ("--kind", "ducklake", "--location", location, "--option", f"data_path={folder / 'lake'}/")
            gateway.cli("catalog", "add", "lake", *lake, "--writable")
            wait_for(gateway, "CREATE TABLE lake.public.t (i integer, s text)")
            yield gateway
    finally:
        with contextlib.suppress(Exception):
            stop_postgres(folder / "pg")


def admin(gateway: RunningGateway) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True)


def wait_for(gateway: RunningGateway, statement: str) -> None:
    """Run a statement as soon as the catalog that it names is attached."""
    deadline = time.monotonic() + 60
    with admin(gateway) as connection:
        connection.execute("SET default_transaction_read_only = off")
        while True:
            try:
                connection.execute(statement)
            except psycopg.Error:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return


def test_parquet_files_are_tables_under_row_filters_on_the_node(fleet: RunningGateway) -> None:
    with psycopg.connect(fleet.dsn(), autocommit=True) as connection:
        rows = connection.execute("SELECT count(*), min(year), max(year) FROM files.public.orders").fetchall()
        assert rows == [(10, 2024, 2024)]
        route = connection.execute("SHOW pgproxy.last_route").fetchone()
        assert route is not None
        assert str(route[0]).startswith("node1")
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("INSERT INTO files.public.orders VALUES (1, 2024)")
        assert caught.value.sqlstate in ("42501", "25006")


def test_a_lake_is_written_and_read_on_the_node(fleet: RunningGateway) -> None:
    with psycopg.connect(fleet.dsn(), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("INSERT INTO lake.public.t VALUES (1, 'one'), (2, 'two')")
        route = connection.execute("SHOW pgproxy.last_route").fetchone()
        assert route is not None
        assert str(route[0]).startswith("node1")
        assert connection.execute("SELECT i, s FROM lake.public.t ORDER BY i").fetchall() == [
            (1, "one"),
            (2, "two"),
        ]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_parquet('{folder}/files/orders/year=2023/a.parquet')",
        "SELECT * FROM __ducklake_metadata_lake.public.ducklake_table",
        "SELECT * FROM postgres_query('__ducklake_metadata_lake', 'select 1')",
        "SELECT * FROM ducklake_snapshots('lake')",
    ],
)
def test_raw_files_and_the_lakes_own_catalog_are_out_of_reach(fleet: RunningGateway, query: str) -> None:
    with psycopg.connect(fleet.dsn(), autocommit=True) as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(query.format(folder=fleet.folder))
        assert caught.value.sqlstate in ("42501", "42P01", "42883", "0A000", "42601", "3F000", "3D000")


def test_a_catalog_that_cannot_be_attached_takes_no_other_with_it_and_comes_when_it_can(
    fleet: RunningGateway,
) -> None:
    """The gateway has started without it, and has attached others since."""
    assert fleet.health()["catalogs_left_out"] == 1
    with admin(fleet) as connection:
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (100_000,)
        assert str(connection.execute("SHOW pgproxy.last_route").fetchone()).startswith("('node1")
        assert connection.execute("SELECT count(*) FROM files.public.orders").fetchone() == (20,)
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM late.public.t")
    with duckdb.connect(str(fleet.folder / "late.duckdb")) as made:
        made.execute("CREATE TABLE t AS SELECT 7 AS seven")
    wait_for(fleet, "SELECT * FROM late.public.t")
    with admin(fleet) as connection:
        assert connection.execute("SELECT * FROM late.public.t").fetchall() == [(7,)]
        assert str(connection.execute("SHOW pgproxy.last_route").fetchone()).startswith("('node1")
        assert connection.execute("SELECT count(*) FROM lake.public.t").fetchone() is not None
    assert fleet.health()["catalogs_left_out"] == 0
