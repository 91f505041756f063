"""The audit log of real gateways: one complete row a statement, no literal; what happens on a full disk."""

import json
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from pgproxy.control.audit import AUDIT_COLUMNS, AuditRecord
from tests.clients.audit_load import MARKER, run_load
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, start_gateway

COMPLETE = ("request_id", "gateway", "principal", "client_addr", "pid", "protocol", "kind", "started_at")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway that keeps texts without literals, and refuses what it cannot record."""
    folder = tmp_path_factory.mktemp("audited")
    with start_gateway(
        folder, AUDIT_MODE="fail_closed", AUDIT_QUERY_TEXT="redacted", GATEWAY_NAME="gate-1"
    ) as gateway:
        yield gateway


def rows(gateway: RunningGateway, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The rows of the statements that are wanted, as `pgproxy audit export` writes them."""
    path = gateway.environment["METASTORE_URL"].removeprefix("sqlite:///")
    query = f"SELECT {', '.join(AUDIT_COLUMNS)} FROM audit_log ORDER BY id"
    with closing(sqlite3.connect(path)) as connection:
        lines = (AuditRecord.of_row(row).as_json() for row in connection.execute(query))
        return [dict(line) for line in lines if wanted(dict(line))]


def rows_of(gateway: RunningGateway, pid: int, count: int) -> list[dict[str, Any]]:
    """The rows of one session, once there are `count`."""
    deadline = time.monotonic() + 20
    while len(found := rows(gateway, lambda row: row["pid"] == pid)) < count:
        assert time.monotonic() < deadline, f"{len(found)} rows, not {count}"
    return found


def check_load(gateway: RunningGateway, count: int) -> None:
    """Send statements, and find exactly one complete row for each, without a literal or a secret."""
    sent, total = run_load(gateway.dsn(), count)
    pids = {pid for pid, _ in sent}
    deadline = time.monotonic() + 60
    # psycopg deallocates its prepared statements after a ROLLBACK by itself.
    while len(found := rows(gateway, lambda r: r["pid"] in pids and r["kind"] != "DEALLOCATE")) < total:
        assert time.monotonic() < deadline, f"{len(found)} rows, not {total}"
    assert len(found) == total >= count
    assert len({row["request_id"] for row in found}) == total
    assert Counter((row["pid"], row["outcome"]) for row in found) == sent
    assert not [row for row in found if any(name not in row for name in COMPLETE)]
    assert not [row for row in found if row["ended_at"] < row["started_at"] or row["total_ms"] < 0]
    ran = [row for row in found if row["kind"] == "SELECT" and row["outcome"] == "ok"]
    assert all(row["fingerprint"] and row["objects"] and row["route"] == "local" for row in ran)
    for file in gateway.folder.glob("metastore.sqlite*"):
        content = file.read_bytes()
        assert MARKER.encode() not in content
        assert b"name10" not in content, "a cell's value"


def test_every_statement_has_exactly_one_complete_row_without_literals(audited: RunningGateway) -> None:
    check_load(audited, 3000)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_statements_have_exactly_one_complete_row_each(audited: RunningGateway) -> None:
    check_load(audited, 100_000)


def test_a_row_says_what_was_touched_enforced_and_answered(audited: RunningGateway) -> None:
    with psycopg.connect(audited.dsn() + " application_name=report", autocommit=True) as connection:
        query = "SELECT id, email FROM sales.customers WHERE region <> 'US' ORDER BY id"
        assert len(connection.execute(query).fetchall()) == 100
        pid = connection.info.backend_pid
    (row,) = rows_of(audited, pid, 1)
    assert row["objects"] == [{"table": "test.sales.customers", "privileges": ["SELECT"]}]
    assert row["policies"] == [
        {
            "table": "test.sales.customers",
            "row_filters": ["eu_customers"],
            "column_masks": ["partial_email"],
        }
    ]
    told = ("gateway", "application_name", "principal", "client_addr", "protocol", "kind", "route")
    assert [row[name] for name in told] == [
        *("gate-1", "report", "analyst", "127.0.0.1", "simple", "SELECT", "local")
    ]
    assert (row["rows"], row["outcome"], row["sqlstate"]) == (100, "ok", "00000")
    assert row["query"] == "SELECT id, email FROM sales.customers WHERE region <> ? ORDER BY id"
    assert row["bytes"] > 2000
    assert 0 <= row["queue_ms"] <= row["first_row_ms"] <= row["total_ms"]


def test_cursors_copies_and_prepared_statements_have_one_row_a_statement(audited: RunningGateway) -> None:
    with psycopg.connect(audited.dsn()) as connection:
        pid = connection.info.backend_pid
        with connection.cursor("c") as cursor:
            cursor.execute("SELECT n FROM numbers ORDER BY n")
            cursor.fetchmany(10)
        with connection.cursor().copy("COPY (SELECT n FROM numbers WHERE n < 5) TO STDOUT") as copy:
            assert len(list(copy)) == 5
        connection.execute("PREPARE p AS SELECT n FROM numbers WHERE n < $1")
        connection.execute("EXECUTE p(3)")
        connection.commit()
    found = rows_of(audited, pid, 8)
    assert [(row["kind"], row["rows"]) for row in found] == [
        ("BEGIN", 0),
        ("DECLARE CURSOR", 0),
        ("FETCH", 10),
        ("CLOSE CURSOR", 0),
        ("COPY TO", 5),
        ("PREPARE", 0),
        ("EXECUTE", 3),
        ("COMMIT", 0),
    ]
    assert {row["objects"][0]["table"] for row in found if "objects" in row} == {"test.public.numbers"}
    assert [row["kind"] for row in found if "objects" in row] == [
        *("DECLARE CURSOR", "FETCH", "COPY TO", "EXECUTE")
    ]


def test_a_statement_whose_client_goes_away_is_recorded(audited: RunningGateway) -> None:
    connection = psycopg.connect(audited.dsn(), autocommit=True)
    pid = connection.info.backend_pid
    connection.pgconn.send_query(b"SELECT count(*) FROM numbers a, numbers b, numbers c")
    connection.pgconn.flush()
    with psycopg.connect(audited.dsn(), autocommit=True) as other:
        other.execute("SELECT 1")  # the gateway has read the query by now, or reads it before the end
    connection.close()
    (row,) = rows_of(audited, pid, 1)
    assert (row["outcome"], row["sqlstate"]) in {("canceled", "08006"), ("canceled", "57014")}


def test_a_statement_that_is_cancelled_while_it_is_planned_is_recorded(audited: RunningGateway) -> None:
    count = 20
    columns = ", ".join(f"n + {{number}} * {place} AS c{place}" for place in range(300))
    with psycopg.connect(audited.dsn(), autocommit=True) as session:
        session.execute("SET statement_timeout = '1ms'")
        for number in range(count):
            query = f"SELECT {columns.format(number=number)} FROM numbers AS t{number}"
            with pytest.raises(psycopg.errors.QueryCanceled):
                session.execute(query, prepare=True)
        found = rows_of(audited, session.info.backend_pid, count + 1)
    assert [row["outcome"] for row in found] == ["ok", *["canceled"] * count]


def test_old_rows_go_and_export_gives_what_is_asked_for(audited: RunningGateway) -> None:
    with psycopg.connect(audited.dsn(), autocommit=True) as connection:
        connection.execute("SELECT 1")
        rows_of(audited, connection.info.backend_pid, 1)
    exported = [json.loads(line) for line in audited.cli("audit", "export").splitlines()]
    assert exported == rows(audited, lambda _: True)[: len(exported)]
    assert len(audited.cli("audit", "export", "--limit", "2").splitlines()) == 2
    assert audited.cli("audit", "purge", "--older-than", "1h") == "0 records deleted\n"


@contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[RunningGateway, bool], None]]:
    """A file system of its own for the metastore; gives what fills it and what makes room again."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("file systems cannot be mounted here")
    ballast = folder / "ballast"

    def fill(_: RunningGateway, is_full: bool) -> None:
        if not is_full:
            ballast.unlink()
            return
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    try:
        yield fill
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def small_files(_: Path) -> Iterator[Callable[[RunningGateway, bool], None]]:
    """A limit on the size of the gateway's files, as a quota is."""

    def limit(gateway: RunningGateway, is_full: bool) -> None:
        hard = psutil.Process(gateway.process.pid).rlimit(psutil.RLIMIT_FSIZE)[1]
        psutil.Process(gateway.process.pid).rlimit(psutil.RLIMIT_FSIZE, (4096 if is_full else hard, hard))

    yield limit


@pytest.mark.parametrize("disk", [small_disk, small_files])
def test_on_a_full_disk_no_statement_runs_until_there_is_room(tmp_path: Path, disk: Any) -> None:
    (folder := tmp_path / "disk").mkdir()
    url = f"sqlite:///{folder / 'metastore.sqlite'}"
    with (
        disk(folder) as fill,
        start_gateway(tmp_path, METASTORE_URL=url, AUDIT_MODE="fail_closed") as gateway,
        psycopg.connect(gateway.dsn(), autocommit=True) as connection,
    ):
        pid = connection.info.backend_pid
        fill(gateway, True)
        sent = Counter(run_until(connection, "58030"))
        # What ends a block is never refused. By libpq itself, since psycopg sends DEALLOCATE ALL after it.
        assert connection.pgconn.exec_(b"ROLLBACK").status == psycopg.pq.ExecStatus.COMMAND_OK
        with pytest.raises(psycopg.errors.IoError, match="audit log cannot be written"):
            connection.execute("SELECT %s::integer", (1,), prepare=True)
        fill(gateway, False)
        sent += Counter(run_until(connection, ""))
        sent += Counter({"00000": 1, "58030": 1})
        connection.close()
        found = rows_of(gateway, pid, sent.total())
        assert Counter(row["sqlstate"] for row in found) == sent


def run_until(connection: "psycopg.Connection[Any]", wanted: str) -> Iterator[str]:
    """Run statements until one ends with an SQLSTATE, '' being none; gives the state of each."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connection.execute("SELECT 1")
            state = ""
        except psycopg.Error as error:
            state = error.sqlstate or "?"
        yield state or "00000"
        if state == wanted:
            return
    pytest.fail(f"no statement ended with {wanted or 'success'}")


def test_by_default_statements_run_without_their_row(tmp_path: Path) -> None:
    with (
        start_gateway(tmp_path) as gateway,
        psycopg.connect(gateway.dsn(), autocommit=True) as connection,
        small_files(tmp_path) as limit,
    ):
        limit(gateway, True)
        connection.execute("SELECT 1")
        deadline = time.monotonic() + 20
        while "pgproxy_audit_failures_total 0.0" in (text := metrics(gateway)):
            assert time.monotonic() < deadline
        assert "pgproxy_audit_failures_total" in text
        assert connection.execute("SELECT 2").fetchone() == (2,)
        limit(gateway, False)
        assert len(rows_of(gateway, connection.info.backend_pid, 2)) == 2


def metrics(gateway: RunningGateway) -> str:
    """GET /metrics."""
    from urllib.request import urlopen

    with urlopen(f"http://127.0.0.1:{gateway.http_port}/metrics", timeout=10) as answer:
        found: str = answer.read().decode()
    return found


def test_administrators_are_audited_like_everybody(audited: RunningGateway) -> None:
    with psycopg.connect(audited.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE audited_role LOGIN PASSWORD '{MARKER}'")
        connection.execute("DROP ROLE audited_role")
        pid = connection.info.backend_pid
    found = rows_of(audited, pid, 2)
    assert [row["kind"] for row in found] == ["CREATE ROLE", "DROP ROLE"]
    assert found[0]["query"] == "CREATE ROLE audited_role LOGIN PASSWORD ?"
