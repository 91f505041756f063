"""Servers that the client tests share: a gateway with the embedded engine, one with an exec node, PostgreSQL.

Also the record of what each client was seen to do: tests carry the marks `client` and `feature`, and their
outcomes go to var/clients.json, from which `python -m tests.clients.matrix` renders the table in
docs/compatibility.md.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.clients.identity_world import world  # noqa: F401  # a fixture
from tests.clients.matrix import OUTCOMES, Outcome
from tests.clients.postgres_metastore import key_file, metastore, server, url  # noqa: F401  # fixtures
from tests.clients.servers import Pair, Server, load_reference
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, start_gateway
from tests.postgres import find_binary, running_postgres

_outcomes = pytest.StashKey[list[Outcome]]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks and start an empty record."""
    config.addinivalue_line("markers", "client(name): the client that a module runs")
    config.addinivalue_line("markers", "feature(name): the column of the table of clients that a test fills")
    config.stash[_outcomes] = []
    config.pluginmanager.register(ClientRecord(config.stash[_outcomes]))


class ClientRecord:
    """Gathers the reports of tests that carry both marks, those of pytest-xdist's workers too."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        self._outcomes = outcomes

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a test's outcome."""
        marked = dict(report.user_properties)
        if "client" not in marked or report.when == "teardown":
            return
        if report.when == "call" or report.outcome != "passed":
            state = "known gap" if hasattr(report, "wasxfail") else report.outcome
            self._outcomes.append(
                Outcome(str(marked["client"]), str(marked["feature"]), report.nodeid, state)
            )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each report say which client and feature its test shows."""
    for item in items:
        client, feature = item.get_closest_marker("client"), item.get_closest_marker("feature")
        if client and feature:
            item.user_properties += [("client", client.args[0]), ("feature", feature.args[0])]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the record where any client test ran."""
    is_worker = hasattr(session.config, "workerinput")
    if not is_worker and (outcomes := session.config.stash[_outcomes]):
        OUTCOMES.parent.mkdir(exist_ok=True)
        OUTCOMES.write_text(json.dumps([outcome.as_row() for outcome in outcomes], indent=1))


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway with the embedded engine on a writable database."""
    with start_gateway(tmp_path_factory.mktemp("embedded"), FEATURE_ASYNC_QUEUE="true") as gateway:
        yield gateway


@pytest.fixture(scope="session")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway with one exec node on read-only data."""
    with start_gateway(tmp_path_factory.mktemp("remote"), nodes=1, FEATURE_ASYNC_QUEUE="true") as gateway:
        yield gateway


@pytest.fixture(params=["embedded", "remote"])
def gateway(request: pytest.FixtureRequest) -> RunningGateway:
    """Each of the two."""
    found: RunningGateway = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a PostgreSQL 15 with the same data."""
    if find_binary("initdb") is None:
        pytest.skip("PostgreSQL 15 is not installed")
    folder = tmp_path_factory.mktemp("reference")
    with running_postgres(folder / "cluster") as dsn:
        load_reference(folder, dsn)
        yield int(dsn.partition("port=")[2].split()[0])


@pytest.fixture
def pair(gateway: RunningGateway, reference: int) -> Pair:
    """The analyst on each gateway and on PostgreSQL."""
    return Pair(
        Server(gateway.port, "analyst", "analyst-secret", "test"),
        Server(reference, "analyst", "trusted", "test"),
    )


@pytest.fixture
def embedded_pair(embedded: RunningGateway, reference: int) -> Pair:
    """The analyst on the embedded engine and on PostgreSQL, where a remote engine would show nothing else."""
    return Pair(
        Server(embedded.port, "analyst", "analyst-secret", "test"),
        Server(reference, "analyst", "trusted", "test"),
    )


@pytest.fixture
def admin_pair(embedded: RunningGateway, reference: int) -> Pair:
    """The administrator on the writable gateway and on PostgreSQL, with all of the data."""
    return Pair(
        Server(embedded.port, ADMIN, ADMIN_PASSWORD, "test"), Server(reference, ADMIN, "trusted", "full_test")
    )


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
