"""The relations of what happens now, and signals between sessions, through a real gateway."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.clients.servers import Pair
from tests.gateway import ADMIN, ADMIN_PASSWORD, NODE_TOKEN, RunningGateway

OWN = ("sessions", "queries", "endpoints", "assignments", "policy_versions", "audit_log", "api_keys")
ENDLESS = "SELECT count(*) FROM numbers a, numbers b, numbers c"

Connection = psycopg.Connection[Any]


@pytest.fixture
def admin(embedded: RunningGateway) -> Iterator[Connection]:
    with psycopg.connect(embedded.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as connection:
        yield connection


@pytest.fixture
def analyst(embedded: RunningGateway) -> Iterator[Connection]:
    with psycopg.connect(embedded.dsn() + " application_name=watched", autocommit=True) as connection:
        yield connection


@pytest.fixture
def intern(embedded: RunningGateway) -> Iterator[Connection]:
    with psycopg.connect(embedded.dsn("intern"), autocommit=True) as connection:
        yield connection


def start_endless(connection: Connection, watcher: Connection) -> int:
    """Let a session run without end; gives its process id once it is seen to run."""
    connection.pgconn.send_query(ENDLESS.encode())
    connection.pgconn.flush()
    pid = connection.info.backend_pid
    query = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND state = 'active'"
    deadline = time.monotonic() + 20
    while watcher.execute(query, (pid,)).fetchone() != (1,):
        assert time.monotonic() < deadline
    return pid


def ended_with(connection: Connection) -> str | None:
    """The SQLSTATE with which the running statement ends."""
    result = connection.pgconn.get_result()
    assert result is not None
    state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
    while connection.pgconn.get_result() is not None:
        pass
    return state.decode() if state is not None else None


def test_administrators_see_every_session_and_others_their_own(
    admin: Connection, analyst: Connection, intern: Connection
) -> None:
    analyst.execute("SELECT count(*) FROM sales.orders WHERE id > 4711")
    query = "SELECT usename, state, query FROM pg_stat_activity WHERE pid = %s"
    pid = analyst.info.backend_pid
    shown = "SELECT count(*) FROM sales.orders WHERE id > ?"
    assert admin.execute(query, (pid,)).fetchone() == ("analyst", "idle", shown)
    assert intern.execute(query, (pid,)).fetchone() is None
    assert analyst.execute("SELECT count(*) FROM pg_stat_activity WHERE usename <> 'analyst'").fetchone() == (
        0,
    )
    joined = (
        "SELECT s.principal, a.application_name, a.datname = s.database, s.state FROM pgproxy.sessions s "
        "JOIN pg_stat_activity a USING (pid) JOIN pg_roles r ON r.oid = a.usesysid WHERE pid = %s"
    )
    assert admin.execute(joined, (pid,)).fetchone() == ("analyst", "watched", True, "idle")


def test_a_session_in_a_block_says_so(admin: Connection, analyst: Connection) -> None:
    query = "SELECT state, xact_start IS NOT NULL FROM pg_stat_activity WHERE pid = %s"
    analyst.execute("BEGIN")
    assert admin.execute(query, (analyst.info.backend_pid,)).fetchone() == ("idle in transaction", True)
    with pytest.raises(psycopg.errors.DivisionByZero):
        analyst.execute("SELECT 1 / 0")
    state = ("idle in transaction (aborted)", True)
    assert admin.execute(query, (analyst.info.backend_pid,)).fetchone() == state
    analyst.execute("ROLLBACK")
    assert admin.execute(query, (analyst.info.backend_pid,)).fetchone() == ("idle", False)


def test_queries_show_running_and_recent_statements(admin: Connection, analyst: Connection) -> None:
    pid = start_endless(analyst, admin)
    query = "SELECT kind, state, query, rows FROM pgproxy.queries WHERE pid = %s ORDER BY started_at DESC"
    assert admin.execute(query, (pid,)).fetchone() == ("SELECT", "running", ENDLESS, 0)
    analyst.cancel()
    assert ended_with(analyst) == "57014"
    assert admin.execute(query, (pid,)).fetchone() == ("SELECT", "canceled", ENDLESS, 0)


def test_the_audit_log_is_a_relation_that_shows_each_its_own_rows(
    admin: Connection, analyst: Connection, intern: Connection
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute("DELETE FROM sales.orders")
    mine = (
        "SELECT kind, outcome, sqlstate, objects -> 0 ->> 'table' FROM pgproxy.audit_log WHERE pid = %s "
        "ORDER BY started_at"
    )
    pid = analyst.info.backend_pid
    assert admin.execute(mine, (pid,)).fetchone() == ("DELETE", "denied", "42501", None)
    assert analyst.execute(mine, (pid,)).fetchone() == ("DELETE", "denied", "42501", None)
    assert intern.execute(mine, (pid,)).fetchone() is None
    read = "SELECT count(*) > 0 FROM pgproxy.audit_log WHERE objects -> 0 ->> 'table' = %s"
    assert admin.execute(read, ("test.pgproxy.audit_log",)).fetchone() == (True,)


def test_versions_endpoints_and_assignments_are_shown_by_role_and_without_secrets(
    embedded: RunningGateway, admin: Connection, analyst: Connection, intern: Connection
) -> None:
    embedded.cli("endpoint", "add", "idle_node", "grpc://127.0.0.1:1", "--token", NODE_TOKEN)
    embedded.cli("assign", "--group", "eu_team", "--endpoint", "idle_node", "--fallback", "automatic")
    try:
        query = "SELECT principal, kind, endpoint, fallback FROM pgproxy.assignments"
        bound = [("eu_team", "group", "idle_node", "automatic")]
        assert admin.execute(query).fetchall() == analyst.execute(query).fetchall() == bound
        assert intern.execute(query).fetchall() == []
        query = "SELECT name, url FROM pgproxy.endpoints"
        assert admin.execute(query).fetchall() == [("idle_node", "grpc://127.0.0.1:1")]
        assert analyst.execute(query).fetchall() == []
        (latest,) = admin.execute(
            "SELECT actor, after::text FROM pgproxy.policy_versions ORDER BY version DESC LIMIT 1"
        ).fetchall()
        assert latest[0].startswith("os:")
        assert "eu_team" in latest[1]
        assert analyst.execute("SELECT count(*) FROM pgproxy.policy_versions").fetchone() == (0,)
        for name in OWN:
            text = str(admin.execute(f"SELECT * FROM pgproxy.{name}").fetchall())
            assert not [secret for secret in (NODE_TOKEN, ADMIN_PASSWORD, "SCRAM-SHA-256$") if secret in text]
    finally:
        embedded.cli("unassign", "--group", "eu_team", "--endpoint", "idle_node")
        embedded.cli("endpoint", "remove", "idle_node")


@pytest.mark.parametrize("name", OWN)
def test_own_relations_cannot_be_written(admin: Connection, name: str) -> None:
    column = "version = 1" if name == "policy_versions" else "endpoint = 'x'"
    column = {"sessions": "query = ''", "endpoints": "url = ''", "api_keys": "label = ''"}.get(name, column)
    for statement in (f"DELETE FROM pgproxy.{name}", f"UPDATE pgproxy.{name} SET {column}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute(statement)
    with pytest.raises(psycopg.Error):
        admin.execute(f"DROP TABLE pgproxy.{name}")


def test_an_administrator_cancels_and_terminates(admin: Connection, analyst: Connection) -> None:
    pid = start_endless(analyst, admin)
    assert admin.execute("SELECT pg_cancel_backend(%s)", (pid,)).fetchone() == (True,)
    assert ended_with(analyst) == "57014"
    assert analyst.execute("SELECT 1").fetchone() == (1,)
    start_endless(analyst, admin)
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'analyst' AND pid = %s"
    assert admin.execute(query, (pid,)).fetchall() == [(True,)]
    assert ended_with(analyst) == "57P01"
    deadline = time.monotonic() + 10
    while admin.execute("SELECT pg_cancel_backend(%s)", (pid,)).fetchone() == (True,):
        assert time.monotonic() < deadline


def test_owners_signal_their_own_sessions_and_nobody_elses(
    embedded: RunningGateway, admin: Connection, analyst: Connection, intern: Connection
) -> None:
    with psycopg.connect(embedded.dsn(), autocommit=True) as other:
        assert other.execute("SELECT pg_cancel_backend(%s)", (analyst.info.backend_pid,)).fetchone() == (
            True,
        )
    refused = psycopg.errors.InsufficientPrivilege
    with pytest.raises(refused, match="must be a superuser to terminate superuser process"):
        analyst.execute("SELECT pg_terminate_backend(%s)", (admin.info.backend_pid,))
    with pytest.raises(refused, match="must be a member of the role whose query is being canceled"):
        intern.execute("SELECT pg_cancel_backend(%s)", (analyst.info.backend_pid,))
    assert intern.execute("SELECT pg_cancel_backend(1), pg_cancel_backend(NULL)").fetchone() == (False, None)
    assert analyst.execute("SELECT 1").fetchone() == (1,)


def test_nobody_under_a_process_id_is_a_warning_and_false(analyst: Connection, embedded_pair: Pair) -> None:
    """PostgreSQL's own answer, on both servers; the warning comes before the row."""
    told: list[tuple[str | None, str | None, str | None]] = []
    for server in (embedded_pair.gateway, embedded_pair.reference):
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.add_notice_handler(lambda d: told.append((d.severity, d.sqlstate, d.message_primary)))
            query = "SELECT pg_cancel_backend(%s), pg_terminate_backend(%s)"
            for prepare in (False, True):
                assert connection.execute(query, (1, 1), prepare=prepare).fetchone() == (False, False)
            connection.execute("SET client_min_messages = error")
            assert connection.execute("SELECT pg_cancel_backend(1)").fetchone() == (False,)
    assert told == [("WARNING", "01000", "PID 1 is not a PostgreSQL backend process")] * 8
    assert analyst.execute("SELECT 1").fetchone() == (1,)


def test_api_keys_are_shown_to_their_owners_and_without_secrets(
    embedded: RunningGateway, admin: Connection, analyst: Connection, intern: Connection
) -> None:
    text = embedded.cli("key", "create", "analyst", "--label", "nightly", "--read-only").strip()
    key_id = text.split("_")[1]
    columns = "id, principal, label, is_read_only, databases, interfaces, valid_until IS NULL"
    query = f"SELECT {columns} FROM pgproxy.api_keys WHERE id = %s"
    shown = (key_id, "analyst", "nightly", True, None, ["http", "postgres"], True)
    try:
        assert admin.execute(query, (key_id,)).fetchone() == shown
        assert analyst.execute(query, (key_id,)).fetchone() == shown
        assert intern.execute(query, (key_id,)).fetchone() is None
        everything = str(admin.execute("SELECT * FROM pgproxy.api_keys").fetchall())
        assert text.split("_", 2)[2] not in everything
        assert "SCRAM-SHA-256" not in everything
    finally:
        embedded.cli("key", "revoke", key_id)
    assert admin.execute(query, (key_id,)).fetchone() is None


def test_hba_rules_are_shown_to_administrators_as_postgresql_does(
    embedded: RunningGateway, admin: Connection, analyst: Connection
) -> None:
    columns = "line_number, type, database, user_name, address, netmask, auth_method, options, error"
    query = f"SELECT {columns} FROM pg_hba_file_rules ORDER BY line_number"
    assert admin.execute(query).fetchall() == [
        (1, "host", ["all"], ["all"], "all", None, "scram-sha-256", None, None)
    ]
    file = embedded.folder / "hba.conf"
    file.write_text(
        'local all all scram-sha-256\nhost test,"all" +eu_team 127.0.0.0/8 scram-sha-256\n'
        "hostssl all all ::1/128 password accept=jwt\nhost all all all scram-sha-256\n"
    )
    embedded.cli("hba", "set", str(file))
    try:
        assert admin.execute(query).fetchall()[:3] == [
            (1, "local", ["all"], ["all"], None, None, "scram-sha-256", None, None),
            (2, "host", ["test", '"all"'], ["+eu_team"], "127.0.0.0", "255.0.0.0", "scram-sha-256",
             None, None),
            (3, "hostssl", ["all"], ["all"], "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "password",
             ["accept=jwt"], None),
        ]  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute(query)
    finally:
        file.write_text("host all all all scram-sha-256\n")
        embedded.cli("hba", "set", str(file))


def test_a_session_can_end_itself(embedded: RunningGateway) -> None:
    with (
        psycopg.connect(embedded.dsn(), autocommit=True) as connection,
        pytest.raises(psycopg.errors.AdminShutdown),
    ):
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
