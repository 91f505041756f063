"""Async queries from SQL: pgproxy.submit, queries, result and cancel, in real clients."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway
from tests.query_api import QueryApiClient

ROWS = """SELECT n, doubled * 1.5::numeric AS half, n / 3.0::float8 AS third, label, n % 2 = 0 AS even,
    DATE '2024-01-01' + n AS day, TIMESTAMPTZ '2024-01-01 00:00:00+00' + n * INTERVAL '1 hour' AS moment,
    CASE WHEN n > 5 THEN NULL ELSE ARRAY[n, 1] END AS list,
    CASE WHEN n % 3 = 0 THEN NULL WHEN n % 2 = 0 THEN '10110'::bit ELSE '011'::bit END AS bits,
    CASE WHEN n % 3 = 0 THEN NULL
        WHEN n % 2 = 0 THEN '23:59:59.000009-11:30'::timetz ELSE '01:02:03.4+02'::timetz END AS t
    FROM numbers WHERE n < 20000 ORDER BY n"""

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connection(gateway: RunningGateway) -> Iterator[Connection]:
    with psycopg.connect(gateway.dsn(), autocommit=True) as opened:
        yield opened


def submit(connection: Connection, sql: str) -> str:
    row = connection.execute("SELECT pgproxy.submit(%s)", (sql,)).fetchone()
    assert row is not None
    return str(row[0])


def shape(cursor: psycopg.Cursor[Any]) -> list[tuple[Any, ...]]:
    return [(c.name, c.type_code, c.internal_size, c.precision, c.scale) for c in cursor.description or ()]


def wait(connection: Connection, query_id: str, *states: str) -> str:
    deadline = time.monotonic() + 60
    while True:
        row = connection.execute(
            "SELECT state FROM pgproxy.queries WHERE request_id = %s", (query_id,)
        ).fetchone()
        assert row is not None, "the queue's queries are shown"
        if row[0] in (*states, "succeeded", "failed", "canceled"):
            return str(row[0])
        assert time.monotonic() < deadline


@pytest.mark.parametrize("binary", [False, True])
def test_a_stored_result_is_what_the_statement_itself_answers(connection: Connection, binary: bool) -> None:
    query_id = submit(connection, ROWS)
    assert wait(connection, query_id) == "succeeded"
    direct = connection.cursor(binary=binary).execute(ROWS)
    stored = connection.cursor(binary=binary).execute(f"SELECT * FROM pgproxy.result('{query_id}')")
    assert shape(stored) == shape(direct)
    assert stored.fetchall() == direct.fetchall()
    assert stored.statusmessage == "SELECT 20000"
    by_parameter = connection.execute("SELECT * FROM pgproxy.result(%s)", (query_id,))
    assert shape(by_parameter) == shape(direct)
    assert len(by_parameter.fetchall()) == 20000


def test_cursors_and_copy_read_a_stored_result_like_any_other(connection: Connection) -> None:
    query_id = submit(connection, "SELECT n, label FROM numbers ORDER BY n LIMIT 30000")
    wait(connection, query_id)
    with connection.transaction(), connection.cursor("c", scrollable=True) as cursor:
        cursor.execute(f"SELECT * FROM pgproxy.result('{query_id}')")
        assert cursor.fetchmany(3) == [(n, f"text {n}") for n in range(3)]
        cursor.scroll(29_999, mode="absolute")
        assert cursor.fetchone() == (29_999, "text 29999")
    with connection.cursor().copy(f"COPY (SELECT * FROM pgproxy.result('{query_id}')) TO STDOUT") as copy:
        assert sum(1 for _ in copy.rows()) == 30_000


def test_psql_submits_reads_and_cancels(gateway: RunningGateway) -> None:
    query_id = gateway.psql("-Atc", "SELECT pgproxy.submit($$SELECT 'it''s', 1 AS one$$)").stdout.strip()
    QueryApiClient(gateway.http_port).wait(query_id)
    done = gateway.psql("-c", f"SELECT * FROM pgproxy.result('{query_id}')")
    assert done.stdout.splitlines()[0].split() == ["?column?", "|", "one"]
    assert "it's" in done.stdout
    long = gateway.psql("-Atc", "SELECT pgproxy.submit($$SELECT sum(a.n * b.n) FROM numbers a, numbers b$$)")
    assert gateway.psql("-Atc", f"SELECT pgproxy.cancel('{long.stdout.strip()}')").stdout == "t\n"
    assert QueryApiClient(gateway.http_port).status(long.stdout.strip())["state"] == "CANCELED"
    missing = gateway.psql("-Atc", f"SELECT * FROM pgproxy.result('{query_id}')", user="intern")
    assert "query does not exist" in missing.stderr
    sql = f"SELECT count(*) FROM pgproxy.queries WHERE request_id = '{query_id}'"
    theirs = gateway.psql("-Atc", sql, user="intern")
    assert theirs.stdout == "0\n"


def test_a_submission_keeps_its_sessions_search_path_and_its_options(connection: Connection) -> None:
    connection.execute("SET search_path = sales")
    options = "idempotency_key => 'sql-1', priority => 5, ttl => '1m'"
    sql = f"SELECT pgproxy.submit($$SELECT count(*) FROM orders$$, {options})"
    first, again = (connection.execute(sql).fetchone() for _ in range(2))
    assert first == again
    assert first is not None
    assert wait(connection, str(first[0])) == "succeeded"
    assert connection.execute(f"SELECT * FROM pgproxy.result('{first[0]}')").fetchone() == (2000,)


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        ("SELECT pgproxy.submit('SELECT * FROM sales.secrets')", "42P01"),
        ("SELECT pgproxy.submit('SELECT 1'), 2", "42601"),
        ("SELECT pgproxy.submit('SELECT 1', color => 'red')", "42883"),
        ("SELECT pgproxy.submit('SELECT 1', ttl => 'soon')", "22023"),
        ("SELECT pgproxy.submit(NULL)", "22004"),
        ("SELECT pgproxy.submit('SELECT pgproxy.submit(''SELECT 1'')')", "0A000"),
        ("SELECT * FROM pgproxy.result('no such id')", "42704"),
        ("SELECT pgproxy.cancel('no such id')", "42704"),
        ("EXPLAIN SELECT pgproxy.submit('SELECT 1')", "0A000"),
    ],
)
def test_what_cannot_be_is_one_clean_error(connection: Connection, sql: str, sqlstate: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(sql)
    assert caught.value.sqlstate == sqlstate
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_submitted_write_tells_a_violated_constraint_as_the_statement_itself_does(
    embedded: RunningGateway,
) -> None:
    with psycopg.connect(embedded.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin:
        admin.execute("CREATE TABLE once (id integer PRIMARY KEY); INSERT INTO once VALUES (1)")
        try:
            query_id = submit(admin, "INSERT INTO once VALUES (1)")
            assert wait(admin, query_id) == "failed"
            with pytest.raises(psycopg.errors.UniqueViolation) as direct:
                admin.execute("INSERT INTO once VALUES (1)")
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as stored:
                admin.execute(f"SELECT * FROM pgproxy.result('{query_id}')")
        finally:
            admin.execute("DROP TABLE once")
    message = direct.value.diag.message_primary
    assert message == 'duplicate key value violates unique constraint "once_pkey"'
    assert stored.value.diag.message_primary == f"the query failed: {message}"
