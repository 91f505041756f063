"""What a client of the gateway sees when its exec node dies, and what a slow reader costs."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import psycopg
import pytest

from demo.programs import running
from tests.faults.raw_client import RawClient
from tests.gateway import RunningGateway, start_gateway
from tests.unit.pgwire.frontend_bytes import cstring, tagged

MIB = 1 << 20
SLOW_FIRST_ROW = "SELECT sum((a.n * b.n) % 7)::bigint, count(*) FROM numbers a, numbers b WHERE b.n < 5000"
DATA_ROW = b"D\0\0\0"
"""How each row below 256 bytes begins; there is no such byte in these rows."""
MANY_ROWS = "SELECT a.n, b.n, a.label FROM numbers a, numbers b WHERE b.n < 100"


@pytest.fixture(scope="module")
def nodes() -> Iterator[ExitStack]:
    """The nodes that are started again."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway with one exec node."""
    with start_gateway(tmp_path_factory.mktemp("fleet"), nodes=1) as gateway:
        yield gateway


@pytest.fixture
def fleet(gateway: RunningGateway, nodes: ExitStack) -> RunningGateway:
    """The gateway, with a node: another one on the same port where the last test has killed it."""
    (node,) = gateway.nodes
    if node.process.poll() is not None:
        node.process = nodes.enter_context(running(["execnode", "serve"], node.environment))
    gateway.wait_for_endpoints(node1="active")
    return gateway


def wait_active(gateway: RunningGateway) -> None:
    """Wait until the node runs a query."""
    deadline = time.monotonic() + 15
    while gateway.nodes[0].health()["active_queries"] == 0:
        assert time.monotonic() < deadline, "the query never reached the node"


def last_route(connection: "psycopg.Connection[tuple[object, ...]]") -> str:
    row = connection.execute("SHOW pgproxy.last_route").fetchone()
    assert row is not None
    return str(row[0])


def test_a_node_killed_before_the_first_row_costs_the_client_nothing(fleet: RunningGateway) -> None:
    with psycopg.connect(fleet.dsn(), autocommit=True) as connection:
        expected = connection.execute(SLOW_FIRST_ROW).fetchone()
        assert last_route(connection).startswith("node1")
        killer = threading.Thread(target=lambda: (wait_active(fleet), fleet.nodes[0].kill()))
        killer.start()
        assert connection.execute(SLOW_FIRST_ROW).fetchone() == expected
        killer.join()
        assert last_route(connection) == "local (any_endpoint), fallback after node_lost"


def test_a_node_killed_mid_stream_is_one_error_and_the_session_goes_on(fleet: RunningGateway) -> None:
    with psycopg.connect(fleet.dsn(), autocommit=True) as connection:
        seen: list[tuple[object, ...]] = []

        def read_and_kill() -> None:
            for row in connection.cursor().stream(MANY_ROWS):
                seen.append(row)
                if len(seen) == 1000:
                    fleet.nodes[0].kill()

        with pytest.raises(psycopg.OperationalError) as caught:
            read_and_kill()
        assert caught.value.sqlstate in ("08006", "57P01")
        assert len(seen) < 10_000_000
        assert len(set(seen)) == len(seen), "a row came twice"
        assert all(label == f"text {n}" for n, _, label in seen)
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (100_000,)


class Growth:
    """The most memory that processes took beyond what they had."""

    def __init__(self, *pids: int) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._before = self._now()
        self.mib = 0.0

    def look(self) -> None:
        """Look at them now."""
        grown = (now - before for now, before in zip(self._now(), self._before, strict=True))
        self.mib = max(self.mib, *(size / MIB for size in grown))

    def _now(self) -> list[int]:
        return [process.memory_info().rss for process in self._processes]


def test_ten_million_rows_to_a_reader_that_pauses_stay_within_bounded_memory(fleet: RunningGateway) -> None:
    lengths = MANY_ROWS.replace(
        "a.n, b.n, a.label", "sum(length(a.n::text) + length(b.n::text) + length(a.label))"
    )
    with RawClient(fleet.port, 60.0) as client:
        client.log_in("analyst", "analyst-secret")
        ((_, row),) = [message for message in client.query(lengths) if message[0] == b"D"]
        left = int(row[6:]) + 10_000_000 * (len(DATA_ROW) + 1 + 2 + 3 * 4)
        growth = Growth(fleet.process.pid, fleet.nodes[0].process.pid)
        client.send(tagged(b"Q", cstring(MANY_ROWS)))
        assert client.receive_until(b"T")
        rows, has_paused, tail = 0, False, b""
        while left:
            piece = client.receive_bytes(min(left, 2 * MIB))
            assert piece, "the gateway has closed"
            left -= len(piece)
            rows += (tail + piece).count(DATA_ROW)
            tail = piece[1 - len(DATA_ROW) :]
            growth.look()
            if rows > 1_000_000 and not has_paused:
                has_paused = True
                for _ in range(12):
                    time.sleep(0.25)
                    growth.look()
        assert [tag for tag, _ in client.receive_until(b"Z")] == [b"C", b"Z"]
    assert rows == 10_000_000
    assert growth.mib < 200, "the gateway or the node holds the result"


def test_a_client_that_vanishes_mid_stream_stops_the_node(fleet: RunningGateway) -> None:
    connection = psycopg.connect(fleet.dsn(), autocommit=True)
    rows = connection.cursor().stream(MANY_ROWS)
    next(rows)
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as line:
        line.shutdown(socket.SHUT_RDWR)
    deadline = time.monotonic() + 10
    while fleet.nodes[0].health()["active_queries"]:
        assert time.monotonic() < deadline, "the node still works for a client that has gone"
        time.sleep(0.05)
    rows.close()
    connection.close()
