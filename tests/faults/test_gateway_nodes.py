"""What a client of the gateway sees when its exec node dies, and what a slow reader costs."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.gateway import RunningGateway, start_gateway

MIB = 1 << 20
SLOW_FIRST_ROW = "SELECT sum((a.n * b.n) % 7)::bigint, count(*) FROM numbers a, numbers b WHERE b.n < 20000"
MANY_ROWS = "SELECT a.n, b.n, a.label FROM numbers a, numbers b WHERE b.n < 100"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[RunningGateway]:
    """A gateway with one exec node, for this test alone."""
    with start_gateway(tmp_path, nodes=1) as gateway:
        yield gateway


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


def test_ten_million_rows_to_a_reader_that_pauses_stay_within_bounded_memory(fleet: RunningGateway) -> None:
    processes = [psutil.Process(fleet.process.pid), psutil.Process(fleet.nodes[0].process.pid)]
    with psycopg.connect(fleet.dsn(), autocommit=True) as connection:
        connection.execute("SELECT count(*) FROM numbers")
        before = [process.memory_info().rss for process in processes]
        peak = list(before)
        rows, total = 0, 0
        for n, m, _ in connection.cursor().stream(MANY_ROWS):
            rows += 1
            total += int(n) * 100 + int(m)
            if rows == 5_000_000:
                pause_until = time.monotonic() + 5
                while time.monotonic() < pause_until:
                    time.sleep(0.25)
                    peak = [
                        max(p, process.memory_info().rss) for p, process in zip(peak, processes, strict=True)
                    ]
            if rows % 500_000 == 0:
                peak = [max(p, process.memory_info().rss) for p, process in zip(peak, processes, strict=True)]
    assert rows == 10_000_000
    assert total == 100 * 100 * sum(range(100_000)) + 100_000 * sum(range(100))
    growth = [(p - b) / MIB for p, b in zip(peak, before, strict=True)]
    assert max(growth) < 200, f"gateway and node grew by {growth} MiB"


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
