"""psycopg 3 (libpq): SCRAM, parameters in text and binary, types, transactions, errors."""

import psycopg
import pytest

from tests.clients.conftest import Oracle
from tests.gateway import RunningGateway

CUSTOMERS = (
    "SELECT id, name, email, region, joined, active, seen FROM sales.customers WHERE id > %s ORDER BY id"
)


@pytest.mark.parametrize("is_binary", [False, True])
def test_rows_equal_duckdb_on_the_permitted_data(
    gateway: RunningGateway, oracle: Oracle, is_binary: bool
) -> None:
    expected = oracle.rows(
        "SELECT id, name, email, region, joined, active, seen FROM customers WHERE id > ? ORDER BY id", 250
    )
    with psycopg.connect(gateway.dsn() + " options='-c timezone=UTC'") as connection:
        found = connection.cursor(binary=is_binary).execute(CUSTOMERS, (250,)).fetchall()
    assert found == expected
    assert len(found) > 10


@pytest.mark.parametrize("is_binary", [False, True])
def test_numbers_keep_their_types(gateway: RunningGateway, oracle: Oracle, is_binary: bool) -> None:
    sql = "SELECT id, customer_id, amount, placed, ratio FROM {}orders WHERE amount < {} ORDER BY id LIMIT 50"
    expected = oracle.rows(sql.format("", "?"), 50)
    with psycopg.connect(gateway.dsn()) as connection:
        found = connection.cursor(binary=is_binary).execute(sql.format("sales.", "%s"), (50,)).fetchall()
    assert found == expected
    assert [type(value) for value in found[0]] == [type(value) for value in expected[0]]


def test_hidden_columns_are_not_in_star(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection:
        cursor = connection.execute("SELECT * FROM sales.customers LIMIT 1")
        assert [c.name for c in cursor.description or ()] == [
            "id",
            "name",
            "email",
            "region",
            "joined",
            "active",
            "seen",
        ]


def test_naming_a_hidden_column_is_an_undefined_column(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection, pytest.raises(psycopg.errors.UndefinedColumn):
        connection.execute("SELECT credit_limit FROM sales.customers")


def test_wrong_password_is_28P01(gateway: RunningGateway) -> None:
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "analyst"'):
        psycopg.connect(gateway.dsn(password="wrong"))


def test_unknown_user_is_answered_like_a_wrong_password(gateway: RunningGateway) -> None:
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "nobody"'):
        psycopg.connect(gateway.dsn(user="nobody"))


def test_unknown_database_is_3D000(gateway: RunningGateway) -> None:
    with pytest.raises(psycopg.OperationalError, match='database "nope" does not exist'):
        psycopg.connect(gateway.dsn(database="nope"))


def test_a_hidden_table_answers_exactly_as_a_missing_one(gateway: RunningGateway) -> None:
    seen = []
    with psycopg.connect(gateway.dsn(), autocommit=True) as connection:
        for table in ("secrets", "missing"):
            with pytest.raises(psycopg.errors.UndefinedTable) as caught:
                connection.execute(f"SELECT * FROM sales.{table}")
            diagnostic = caught.value.diag
            seen.append((diagnostic.message_primary or "").replace(table, "T"))
            seen.append(diagnostic.message_hint)
            seen.append(diagnostic.statement_position)
    assert seen[:3] == seen[3:]
    assert seen[1], "a hint says that both may be the case"


def test_a_visible_table_used_without_the_privilege_is_42501(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM sales.orders")


def test_a_failed_block_refuses_until_rollback(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT 1")
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_side_cursor_reads_in_pieces(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection, connection.cursor("pieces") as cursor:
        cursor.itersize = 1000
        cursor.execute("SELECT n FROM numbers ORDER BY n")
        assert [row[0] for row in cursor] == list(range(100_000))


def test_a_stream_of_single_rows_arrives_whole(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection:
        assert sum(1 for _ in connection.cursor().stream("SELECT n FROM numbers")) == 100_000


def test_writes_of_an_admin_are_transactional(embedded: RunningGateway) -> None:
    with psycopg.connect(embedded.dsn("admin")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS public.scratch (id int, note text)")
        connection.commit()
        connection.execute("INSERT INTO scratch VALUES (%s, %s)", (1, "kept"))
        connection.commit()
        assert connection.execute("INSERT INTO scratch VALUES (2, 'gone')").rowcount == 1
        connection.rollback()
        assert connection.execute("SELECT id, note FROM scratch").fetchall() == [(1, "kept")]
        assert connection.execute("DELETE FROM scratch").rowcount == 1
        connection.execute("DROP TABLE scratch")
        connection.commit()
