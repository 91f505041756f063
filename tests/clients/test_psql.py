"""psql as a person uses it: rows, backslash commands, errors with a caret, Ctrl-C."""

import os
import pty
import signal
import subprocess
import time

import pytest

from tests.clients.servers import Pair, Server
from tests.faults.patience import Patience
from tests.gateway import RunningGateway

pytestmark = pytest.mark.client("psql")


def test_rows_are_printed_masked_and_filtered(gateway: RunningGateway) -> None:
    done = gateway.psql("-At", "-c", "SELECT id, email, region FROM sales.customers ORDER BY id LIMIT 2")
    assert done.stderr == ""
    assert done.stdout == "3|u***|EU\n6|u***|EU\n"


@pytest.mark.feature("errors")
def test_the_intern_sees_no_table(gateway: RunningGateway) -> None:
    done = gateway.psql("-c", "SELECT * FROM sales.customers", user="intern")
    assert 'ERROR:  relation "sales.customers" does not exist' in done.stderr


@pytest.mark.feature("rows")
def test_session_functions(gateway: RunningGateway) -> None:
    done = gateway.psql("-At", "-c", "SELECT current_user, current_database()", "-c", "SELECT version()")
    assert done.stdout.splitlines()[0] == "analyst|test"
    assert done.stdout.splitlines()[1].startswith("PostgreSQL 15.")


@pytest.mark.feature("metadata")
def test_dt_lists_only_visible_tables(gateway: RunningGateway) -> None:
    done = gateway.psql("-At", "-c", "\\dt *.*")
    assert done.stderr == ""
    mine = {
        tuple(line.split("|")[:2])
        for line in done.stdout.splitlines()
        if line.startswith(("sales", "public"))
    }
    assert mine == {("public", "numbers"), ("sales", "customers"), ("sales", "orders")}


@pytest.mark.feature("metadata")
def test_d_describes_only_permitted_columns(gateway: RunningGateway) -> None:
    done = gateway.psql("-At", "-c", "\\d sales.customers")
    assert done.stderr == ""
    columns = [line.split("|")[0] for line in done.stdout.splitlines() if "|" in line]
    assert columns[:7] == ["id", "name", "email", "region", "joined", "active", "seen"]
    assert "credit_limit" not in done.stdout
    assert gateway.psql("-At", "-c", "\\d sales.secrets").stdout == ""


@pytest.mark.feature("errors")
def test_an_error_points_at_its_place(gateway: RunningGateway) -> None:
    done = gateway.psql("-c", "SELECT 1,\n  nope FROM sales.orders")
    assert "LINE 2:   nope FROM sales.orders" in done.stderr
    assert "\n          ^" in done.stderr


@pytest.mark.feature("rows")
def test_settings_are_shown_and_set(gateway: RunningGateway) -> None:
    done = gateway.psql(
        "-At", "-c", "SHOW server_version", "-c", "SET timezone = 'Asia/Kolkata'; SHOW timezone"
    )
    assert done.stdout.splitlines() == ["15.18", "SET", "Asia/Kolkata"]


@pytest.mark.feature("rows")
def test_several_statements_in_one_string(gateway: RunningGateway) -> None:
    done = gateway.psql("-At", "-c", "SELECT 1; SELECT 2; SELECT 1/0; SELECT 3")
    assert done.stdout.split() == ["1", "2"]
    assert "division by zero" in done.stderr


@pytest.mark.feature("cancel")
def test_ctrl_c_stops_a_long_query_within_a_second(gateway: RunningGateway) -> None:
    controller, terminal = pty.openpty()
    command = ["psql", "-X", "-h", "127.0.0.1", "-p", str(gateway.port), "-U", "analyst", "-d", "test"]
    environment = {**os.environ, "PGPASSWORD": "analyst-secret", "PAGER": ""}
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, start_new_session=True
    )
    try:
        _read_until(controller, b"test=>")
        os.write(controller, b"SELECT count(*) FROM numbers a, numbers b WHERE a.n * b.n % 7 = 8;\n")
        _wait_running(gateway)
        waited = Patience(gateway.process.pid, 1.0).begin()
        process.send_signal(signal.SIGINT)
        _read_until(controller, b"canceling statement due to user request")
        assert not waited.is_over()
        os.write(controller, b"SELECT 'still ' || 'here';\n")
        _read_until(controller, b"still here")
        for node in gateway.nodes:
            assert node.health()["active_queries"] == 0
    finally:
        process.kill()
        process.wait()
        os.close(controller)
        os.close(terminal)


def psql(server: Server, *lines: str) -> tuple[str, str]:
    """Run lines from standard input and give what psql printed and said."""
    command = [
        "psql",
        "-X",
        "-At",
        "-h",
        server.host,
        "-p",
        str(server.port),
        "-U",
        server.user,
        "-d",
        server.database,
    ]
    done = subprocess.run(
        command, input="\n".join(lines), env={**os.environ, "PGPASSWORD": server.password},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout, done.stderr


@pytest.mark.feature("cursors")
def test_fetch_count_reads_by_a_cursor(pair: Pair) -> None:
    lines = (r"\set FETCH_COUNT 700", "SELECT n, label FROM numbers WHERE n < 3000 ORDER BY n;")
    out, problems = pair.same(lambda server: psql(server, *lines))
    assert (out.count("\n"), problems) == (3000, "")


@pytest.mark.feature("prepared")
def test_gdesc_describes_without_running(pair: Pair) -> None:
    lines = (
        r"SELECT id, amount, placed, ratio, count(*) OVER () FROM sales.orders \gdesc",
        r"SELECT 1 / 0 AS x \gdesc",
        "PREPARE p (integer) AS SELECT id, name FROM sales.customers WHERE id = $1;",
        "EXECUTE p(3);",
        "DEALLOCATE p;",
        r"SELECT id AS low FROM sales.customers ORDER BY id LIMIT 1 \gset",
        r"\echo :low",
        r"SELECT 'SELECT ' || id FROM sales.customers WHERE id < 10 ORDER BY id \gexec",
    )
    out, problems = pair.same(lambda server: psql(server, *lines))
    assert out.startswith("id|bigint\namount|numeric(12,2)\nplaced|timestamp without time zone\n")
    assert problems == ""


@pytest.mark.feature("transactions")
def test_on_error_rollback_keeps_a_block_of_reads(pair: Pair) -> None:
    lines = (
        r"\set ON_ERROR_ROLLBACK on",
        "BEGIN;",
        "SELECT count(*) FROM numbers;",
        "SELECT nope FROM numbers;",
        "SELECT 1 / 0;",
        "SELECT sum(n) FROM numbers;",
        "COMMIT;",
    )
    out, problems = pair.same(lambda server: psql(server, *lines))
    assert out.splitlines()[-2:] == ["4999950000", "COMMIT"]
    assert "division by zero" in problems


def _read_until(descriptor: int, expected: bytes) -> None:
    seen = b""
    deadline = time.monotonic() + 15
    while expected not in seen:
        assert time.monotonic() < deadline, f"never saw {expected!r}"
        seen += os.read(descriptor, 65536)


def _wait_running(gateway: RunningGateway) -> None:
    """Wait until the node runs the query; the embedded engine has no such figure, so its answer is enough."""
    deadline = time.monotonic() + 10
    while gateway.nodes and gateway.nodes[0].health()["active_queries"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if not gateway.nodes:
        time.sleep(0.3)
