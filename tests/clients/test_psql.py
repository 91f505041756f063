"""psql as a person uses it: rows, backslash commands, errors with a caret, Ctrl-C."""

import os
import pty
import signal
import subprocess
import time

from tests.gateway import RunningGateway


def test_rows_are_printed_masked_and_filtered(gateway: RunningGateway) -> None:
    done = gateway.psql("-At", "-c", "SELECT id, email, region FROM sales.customers ORDER BY id LIMIT 2")
    assert done.stderr == ""
    assert done.stdout == "3|u***|EU\n6|u***|EU\n"


def test_the_intern_sees_no_table(gateway: RunningGateway) -> None:
    done = gateway.psql("-c", "SELECT * FROM sales.customers", user="intern")
    assert 'ERROR:  relation "sales.customers" does not exist' in done.stderr


def test_session_functions(gateway: RunningGateway) -> None:
    done = gateway.psql("-At", "-c", "SELECT current_user, current_database()", "-c", "SELECT version()")
    assert done.stdout.splitlines()[0] == "analyst|test"
    assert done.stdout.splitlines()[1].startswith("PostgreSQL 15.")


def test_dt_lists_only_visible_tables(gateway: RunningGateway) -> None:
    done = gateway.psql("-At", "-c", "\\dt *.*")
    assert done.stderr == ""
    mine = {
        tuple(line.split("|")[:2])
        for line in done.stdout.splitlines()
        if line.startswith(("sales", "public"))
    }
    assert mine == {("public", "numbers"), ("sales", "customers"), ("sales", "orders")}


def test_d_describes_only_permitted_columns(gateway: RunningGateway) -> None:
    done = gateway.psql("-At", "-c", "\\d sales.customers")
    assert done.stderr == ""
    columns = [line.split("|")[0] for line in done.stdout.splitlines() if "|" in line]
    assert columns[:7] == ["id", "name", "email", "region", "joined", "active", "seen"]
    assert "credit_limit" not in done.stdout
    assert gateway.psql("-At", "-c", "\\d sales.secrets").stdout == ""


def test_an_error_points_at_its_place(gateway: RunningGateway) -> None:
    done = gateway.psql("-c", "SELECT 1,\n  nope FROM sales.orders")
    assert "LINE 2:   nope FROM sales.orders" in done.stderr
    assert "\n          ^" in done.stderr


def test_settings_are_shown_and_set(gateway: RunningGateway) -> None:
    done = gateway.psql(
        "-At", "-c", "SHOW server_version", "-c", "SET timezone = 'Asia/Kolkata'; SHOW timezone"
    )
    assert done.stdout.splitlines() == ["15.18", "SET", "Asia/Kolkata"]


def test_several_statements_in_one_string(gateway: RunningGateway) -> None:
    done = gateway.psql("-At", "-c", "SELECT 1; SELECT 2; SELECT 1/0; SELECT 3")
    assert done.stdout.split() == ["1", "2"]
    assert "division by zero" in done.stderr


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
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _read_until(controller, b"canceling statement due to user request")
        assert time.monotonic() - started < 1.0
        os.write(controller, b"SELECT 'still ' || 'here';\n")
        _read_until(controller, b"still here")
        for node in gateway.nodes:
            assert node.health()["active_queries"] == 0
    finally:
        process.kill()
        process.wait()
        os.close(controller)
        os.close(terminal)


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
