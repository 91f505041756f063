"""The three servers of the wire tests: PostgreSQL, the gateway alone, the gateway with an exec node."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway import RunningGateway, start_gateway
from tests.postgres import find_binary, running_postgres
from tests.wire.connection import Target
from tests.wire.servers import gateway_target, postgres_target, prepare_database


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Target]:
    """A PostgreSQL 15 with the transcripts' tables."""
    if find_binary("initdb") is None:
        pytest.skip("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, running_postgres(Path(folder) / "pg") as dsn:
        yield postgres_target(dsn)


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway with the embedded engine on a writable database."""
    folder = tmp_path_factory.mktemp("embedded")
    prepare_database(folder)
    with start_gateway(folder) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway whose administrator's statements run on an exec node, on read-only data."""
    folder = tmp_path_factory.mktemp("remote")
    prepare_database(folder)
    with start_gateway(folder, nodes=1) as gateway:
        gateway.cli("assign", "--user", "admin", "--endpoint", "node1", "--fallback", "disabled")
        yield gateway


@pytest.fixture(params=["embedded", "remote"])
def gateway(request: pytest.FixtureRequest) -> RunningGateway:
    """Each of the two."""
    found: RunningGateway = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def gateway_server(gateway: RunningGateway) -> Target:
    """The address of each of the two."""
    return gateway_target(gateway)


@pytest.fixture
def embedded_server(embedded: RunningGateway) -> Target:
    """The address of the one that can write."""
    return gateway_target(embedded)
