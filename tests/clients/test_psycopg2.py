"""psycopg2 (libpq, simple protocol, values spliced by the client): rows, named cursors, blocks, errors."""

from typing import Any

import pytest

from tests.clients import values
from tests.clients.servers import Pair, Server

psycopg2 = pytest.importorskip("psycopg2")
extras = pytest.importorskip("psycopg2.extras")

pytestmark = pytest.mark.client("psycopg2")


@pytest.mark.feature("rows")
def test_values_of_every_type_equal_postgresql(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(values.SAME)}")
            row = [f"{type(value).__name__} {value!r}" for value in cursor.fetchone()]
            return [row, [(column.name, column.type_code) for column in cursor.description]]

    pair.same(run)


@pytest.mark.feature("parameters")
def test_spliced_values_choose_the_same_rows(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, name, joined FROM sales.customers "
                "WHERE id IN %s AND name <> %s AND active = %s ORDER BY id",
                ((3, 6, 9, 12), "it's \\ \" %", True),
            )
            found = [cursor.fetchall(), cursor.rowcount, cursor.statusmessage]
            cursor.execute("SELECT %s, %s", (b"\x00\xff'", ["a", None, "b'c"]))
            raw, listed = cursor.fetchone()
            return [*found, bytes(raw), listed]

    assert [row[0] for row in pair.same(run)[0]] == [6, 12]


@pytest.mark.feature("cursors")
def test_a_named_cursor_reads_in_pieces(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg2.connect(server.dsn) as connection, connection.cursor("reader") as cursor:
            cursor.itersize = 300
            cursor.execute("SELECT id, amount FROM sales.orders WHERE id > %s ORDER BY id", (500,))
            first = cursor.fetchmany(3)
            cursor.scroll(5)
            return [first, cursor.fetchone(), sum(row[0] for row in cursor)]

    assert pair.same(run)[0][0][0] == 501


@pytest.mark.feature("transactions")
@pytest.mark.parametrize(
    "isolation",
    [
        "READ COMMITTED",
        pytest.param(
            "REPEATABLE READ",
            marks=pytest.mark.xfail(
                strict=True, reason="an error ends DuckDB's transaction, and its snapshot"
            ),
        ),
    ],
)
def test_savepoints_recover_a_block_of_reads(pair: Pair, isolation: str) -> None:
    def run(server: Server) -> list[Any]:
        found: list[Any] = []
        with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
            connection.set_session(isolation_level=isolation, readonly=True)
            cursor.execute("SAVEPOINT one")
            try:
                cursor.execute("SELECT 1/0")
            except psycopg2.Error as error:
                found.append(error.pgcode)
            found.append(connection.get_transaction_status())
            cursor.execute("ROLLBACK TO SAVEPOINT one")
            cursor.execute("SELECT count(*) FROM sales.orders")
            found.append(cursor.fetchone())
            cursor.execute("SHOW transaction_isolation")
            found.append(cursor.fetchone())
            cursor.execute("RELEASE SAVEPOINT one")
        return found

    assert pair.same(run)[0] == "22012"


@pytest.mark.feature("bulk")
def test_many_rows_in_one_statement(admin_pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE public.bulk2 (id integer, note text, amount numeric(8, 2))")
            connection.commit()
            rows = [(i, f"note '{i}'", i / 4) for i in range(500)]
            extras.execute_values(cursor, "INSERT INTO bulk2 VALUES %s", rows, page_size=200)
            cursor.execute("SELECT count(*), min(note), sum(amount) FROM bulk2")
            found = [cursor.fetchone()]
            cursor.execute("DROP TABLE bulk2")
            return found

    admin_pair.same(run)


@pytest.mark.feature("errors")
def test_error_classes(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        found: list[Any] = []
        with psycopg2.connect(server.dsn) as connection:
            for sql in ("SELECT * FROM absent", "SELECT nope FROM sales.orders", "SELEC", "SELECT 'x'::int"):
                with connection.cursor() as cursor:
                    try:
                        cursor.execute(sql)
                    except psycopg2.Error as error:
                        found.append((type(error).__name__, error.pgcode))
                    connection.rollback()
        return found

    assert pair.same(run)[0] == ("UndefinedTable", "42P01")


@pytest.mark.feature("login")
def test_a_wrong_password_is_refused(pair: Pair) -> None:
    with pytest.raises(psycopg2.OperationalError, match='password authentication failed for user "analyst"'):
        psycopg2.connect(pair.gateway.dsn.replace("analyst-secret", "wrong"))
