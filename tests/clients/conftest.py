"""Gateways that the client tests share: one with the embedded engine, one with a remote exec node."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.gateway import RunningGateway, start_gateway


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway with the embedded engine on a writable database."""
    with start_gateway(tmp_path_factory.mktemp("embedded")) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway with one exec node on read-only data."""
    with start_gateway(tmp_path_factory.mktemp("remote"), nodes=1) as gateway:
        yield gateway


@pytest.fixture(params=["embedded", "remote"])
def gateway(request: pytest.FixtureRequest) -> RunningGateway:
    """Each of the two."""
    found: RunningGateway = request.getfixturevalue(request.param)
    return found


@dataclass(frozen=True)
class Oracle:
    """What the analyst may see, as plain DuckDB on the data itself gives it."""

    path: Path

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run SQL over `customers` and `orders`, which are already filtered and masked."""
        with duckdb.connect(":memory:") as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"ATTACH '{self.path}' AS raw (READ_ONLY)")
            connection.execute("SET python_scan_all_frames = false")
            permitted = "id, name, left(email, 1) || '***' AS email, region, joined, active, seen"
            connection.execute(
                f"CREATE VIEW customers AS SELECT {permitted} FROM raw.sales.customers WHERE region = 'EU'"
            )
            connection.execute("CREATE VIEW orders AS SELECT * FROM raw.sales.orders")
            connection.execute("CREATE VIEW numbers AS SELECT * FROM raw.main.numbers")
            return connection.execute(sql, list(parameters)).fetchall()


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    """An oracle over a copy of the test database."""
    from tests.gateway import create_database

    path = tmp_path_factory.mktemp("oracle") / "test.duckdb"
    create_database(path)
    return Oracle(path)
