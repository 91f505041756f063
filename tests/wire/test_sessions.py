"""Session behaviour that no transcript shows: long pipelines, policy changes, large cursors, psql's ways."""

import struct
from pathlib import Path

import psycopg
import pytest

from tests.gateway import ADMIN_PASSWORD, POLICY, RunningGateway, start_gateway
from tests.wire.connection import Target, WireConnection
from tests.wire.transcript import encode

PIPELINE = ("Parse - [] select $1::integer + 1", 'Bind - - values=["{}"]', "Describe P -", "Execute - 0")


def pipeline(target: Target) -> list[tuple[bytes, bytes] | None]:
    """Send 2,000 messages and one Sync in one go; give all that comes."""
    with WireConnection(target) as connection:
        sends = [encode(line.format(number)) for number in range(500) for line in PIPELINE]
        connection.send(b"".join(sends) + encode("Sync"))
        return [connection.receive() for _ in range(5 * 500 + 1)]


def test_two_thousand_messages_before_one_sync_are_answered_as_postgresql_does(
    postgres_server: Target, gateway_server: Target
) -> None:
    answer = pipeline(gateway_server)
    assert answer == pipeline(postgres_server)
    assert answer[-1] == (b"Z", b"I")
    assert answer[-3] == (b"D", struct.pack("!hi", 1, 3) + b"500")


def _counting(parameters: int) -> tuple[bytes, list[bytes | None]]:
    places = ",".join(f"${number + 1}" for number in range(parameters))
    values: list[bytes | None] = [str(number).encode() for number in range(parameters)]
    return f"SELECT count(*) FROM numbers WHERE n IN ({places})".encode(), values


def test_other_sessions_are_answered_while_a_long_statement_is_planned(embedded: RunningGateway) -> None:
    dsn = embedded.dsn("admin", ADMIN_PASSWORD)
    with psycopg.connect(dsn, autocommit=True) as long, psycopg.connect(dsn, autocommit=True) as other:
        long.pgconn.send_query_params(*_counting(8_000))
        answered = 0
        while long.pgconn.is_busy():
            other.execute("SELECT 1")
            answered += 1
            long.pgconn.consume_input()
        result = long.pgconn.get_result()
        assert result is not None
        assert long.pgconn.get_result() is None
        assert result.get_value(0, 0) == b"8000"
        assert answered > 10


@pytest.mark.soak
def test_a_statement_may_have_as_many_parameters_as_the_protocol_counts(embedded: RunningGateway) -> None:
    with psycopg.connect(embedded.dsn("admin", ADMIN_PASSWORD)) as connection:
        assert connection.pgconn.exec_params(*_counting(65_535)).get_value(0, 0) == b"65535"


def test_a_prepared_statement_stops_seeing_what_another_process_revokes(tmp_path: Path) -> None:
    orders = "  - {to: eu_team, privileges: [SELECT], on: test.sales.orders}\n"
    with start_gateway(tmp_path) as gateway, psycopg.connect(gateway.dsn(), autocommit=True) as connection:
        statements = {
            "orders": "SELECT count(*) FROM sales.orders",
            "customers": "SELECT count(*) FROM sales.customers",
        }
        before = {name: _count(connection, sql) for name, sql in statements.items()}
        assert before == {"orders": 2000, "customers": 100}
        narrower = POLICY.replace(orders, "").replace("region = 'EU'", "region = 'EU' AND id < 10")
        (tmp_path / "narrower.yaml").write_text(narrower)
        gateway.cli("policy", "apply", str(tmp_path / "narrower.yaml"))
        while _count(connection, statements["customers"]) == before["customers"]:
            connection.execute("SELECT 1")
        assert _count(connection, statements["customers"]) == 3
        with pytest.raises(psycopg.errors.UndefinedTable):
            _count(connection, statements["orders"])


def _count(connection: "psycopg.Connection[tuple[int]]", sql: str) -> int:
    row = connection.execute(sql, prepare=True).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("kind", ["scroll cursor", "cursor with hold", "scroll cursor with hold"])
def test_a_large_cursor_is_read_in_every_direction(gateway: RunningGateway, kind: str) -> None:
    """100,000 rows are more than a cursor keeps in memory, so the spool's files are read too."""
    with psycopg.connect(gateway.dsn("admin", ADMIN_PASSWORD)) as connection:
        connection.execute(f"DECLARE c {kind} FOR SELECT n, repeat(label, 10) FROM numbers ORDER BY n")
        assert connection.execute("MOVE 70000 IN c").statusmessage == "MOVE 70000"
        assert _numbers(connection, "FETCH 2 FROM c") == [70000, 70001]
        if "hold" in kind:
            connection.commit()
        assert _numbers(connection, "FETCH BACKWARD 3 FROM c") == [70000, 69999, 69998]
        assert _numbers(connection, "FETCH ABSOLUTE 5 FROM c") == [4]
        assert _numbers(connection, "FETCH LAST FROM c") == [99999]
        assert len(_numbers(connection, "FETCH BACKWARD ALL FROM c")) == 99999
        assert sum(_numbers(connection, "FETCH ALL FROM c")) == sum(range(100000))
        connection.execute("CLOSE c")


def test_a_cursor_without_scroll_keeps_no_more_than_a_window(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn("admin", ADMIN_PASSWORD)) as connection:
        connection.execute("DECLARE c CURSOR FOR SELECT n, repeat(label, 10) FROM numbers ORDER BY n")
        connection.execute("MOVE 90000 IN c")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="can only scan forward"):
            connection.execute("FETCH ABSOLUTE 1 FROM c")


def _numbers(connection: "psycopg.Connection[tuple[int, str]]", sql: str) -> list[int]:
    return [row[0] for row in connection.execute(sql).fetchall()]


def test_psycopg_reads_a_server_cursor_in_binary(gateway: RunningGateway) -> None:
    with (
        psycopg.connect(gateway.dsn("admin", ADMIN_PASSWORD)) as connection,
        connection.cursor("c", binary=True, scrollable=True) as cursor,
    ):
        cursor.execute("SELECT id, price, added FROM items ORDER BY id")
        first = cursor.fetchmany(2)
        cursor.scroll(0, mode="absolute")
        assert cursor.fetchmany(2) == first
        assert [type(value).__name__ for value in first[0]] == ["int", "float", "date"]


def test_psql_fetches_in_pieces(gateway: RunningGateway) -> None:
    done = gateway.psql(
        "-At", "-v", "FETCH_COUNT=7", "-c", "SELECT n FROM numbers ORDER BY n LIMIT 100",
        user="admin", password=ADMIN_PASSWORD,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.split() == [str(n) for n in range(100)]


def test_a_notification_reaches_a_session_that_waits(gateway: RunningGateway) -> None:
    dsn = gateway.dsn("admin", ADMIN_PASSWORD)
    with psycopg.connect(dsn, autocommit=True) as hears, psycopg.connect(dsn, autocommit=True) as says:
        hears.execute("LISTEN news")
        says.execute("NOTIFY news, 'hello'")
        (notice,) = hears.notifies(timeout=10, stop_after=1)
        assert (notice.channel, notice.payload, notice.pid) == ("news", "hello", says.info.backend_pid)


def test_what_a_session_defines_is_seen_by_others_only_after_its_commit(embedded: RunningGateway) -> None:
    dsn = embedded.dsn("admin", ADMIN_PASSWORD)
    with psycopg.connect(dsn) as one, psycopg.connect(dsn, autocommit=True) as other:
        one.execute("CREATE TABLE shared_later (id int)")
        one.execute("INSERT INTO shared_later SELECT n FROM numbers WHERE n < %s", (10,))
        assert one.execute("SELECT count(*) FROM shared_later").fetchone() == (10,)
        with pytest.raises(psycopg.errors.UndefinedTable):
            other.execute("SELECT * FROM shared_later")
        one.commit()
        assert other.execute("SELECT count(*) FROM shared_later").fetchone() == (10,)
        other.execute("DROP TABLE shared_later")
