"""psycopg 3 (libpq): SCRAM, parameters in text and binary, types, transactions, errors."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Json

from tests.clients import values
from tests.clients.conftest import Oracle
from tests.clients.servers import Pair, Server
from tests.gateway import RunningGateway

pytestmark = pytest.mark.client("psycopg 3")

CUSTOMERS = (
    "SELECT id, name, email, region, joined, active, seen FROM sales.customers WHERE id > %s ORDER BY id"
)


@pytest.mark.feature("parameters")
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


@pytest.mark.feature("rows")
@pytest.mark.parametrize("is_binary", [False, True])
def test_numbers_keep_their_types(gateway: RunningGateway, oracle: Oracle, is_binary: bool) -> None:
    sql = "SELECT id, customer_id, amount, placed, ratio FROM {}orders WHERE amount < {} ORDER BY id LIMIT 50"
    expected = oracle.rows(sql.format("", "?"), 50)
    with psycopg.connect(gateway.dsn()) as connection:
        found = connection.cursor(binary=is_binary).execute(sql.format("sales.", "%s"), (50,)).fetchall()
    assert found == expected
    assert [type(value) for value in found[0]] == [type(value) for value in expected[0]]


@pytest.mark.feature("rows")
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


@pytest.mark.feature("errors")
def test_naming_a_hidden_column_is_an_undefined_column(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection, pytest.raises(psycopg.errors.UndefinedColumn):
        connection.execute("SELECT credit_limit FROM sales.customers")


@pytest.mark.feature("login")
def test_wrong_password_is_28P01(gateway: RunningGateway) -> None:
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "analyst"'):
        psycopg.connect(gateway.dsn(password="wrong"))


@pytest.mark.feature("login")
def test_unknown_user_is_answered_like_a_wrong_password(gateway: RunningGateway) -> None:
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "nobody"'):
        psycopg.connect(gateway.dsn(user="nobody"))


@pytest.mark.feature("login")
def test_unknown_database_is_3D000(gateway: RunningGateway) -> None:
    with pytest.raises(psycopg.OperationalError, match='database "nope" does not exist'):
        psycopg.connect(gateway.dsn(database="nope"))


@pytest.mark.feature("errors")
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


@pytest.mark.feature("errors")
def test_a_visible_table_used_without_the_privilege_is_42501(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM sales.orders")


@pytest.mark.feature("transactions")
def test_a_failed_block_refuses_until_rollback(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT 1")
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.feature("cursors")
def test_a_server_side_cursor_reads_in_pieces(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection, connection.cursor("pieces") as cursor:
        cursor.itersize = 1000
        cursor.execute("SELECT n FROM numbers ORDER BY n")
        assert [row[0] for row in cursor] == list(range(100_000))


@pytest.mark.feature("cursors")
def test_a_stream_of_single_rows_arrives_whole(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection:
        assert sum(1 for _ in connection.cursor().stream("SELECT n FROM numbers")) == 100_000


@pytest.mark.feature("transactions")
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


def shape(server: Server, sql: str, *, is_binary: bool) -> tuple[list[str], list[object]]:
    """Give the row and, of each column, the name, type and size."""
    with psycopg.connect(server.dsn) as connection:
        cursor = connection.cursor(binary=is_binary).execute(sql)
        values = [f"{type(value).__name__} {value!r}" for value in cursor.fetchone() or ()]
        columns = cursor.description or []
        return values, [(c.name, c.type_code, c.internal_size, c.precision, c.scale) for c in columns]


@pytest.mark.feature("rows")
@pytest.mark.parametrize("is_binary", [False, True])
def test_values_of_every_type_equal_postgresql(pair: Pair, is_binary: bool) -> None:
    pair.same(lambda server: shape(server, f"SELECT {', '.join(values.SAME)}", is_binary=is_binary))


PARAMETERS = (
    1, 2**40, 1.5, True, "t", b"\x01\xff", dt.date(2024, 1, 2), dt.time(1, 2, 3, 4),
    dt.datetime(2024, 1, 2, 3, 4, 5),
    dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC), dt.timedelta(days=3, seconds=4), uuid.UUID(int=5), None,
    [1, 2, 3], ["a", None, "b c"], [1.5], [], [dt.date(2024, 1, 2)], [uuid.UUID(int=5)], Json([1]),
)  # fmt: skip


@pytest.mark.feature("parameters")
@pytest.mark.parametrize("placeholder", ["%s", "%t", "%b"])
def test_parameters_come_back_as_they_went(pair: Pair, placeholder: str) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn) as connection:
            found = []
            for parameter in PARAMETERS:
                cursor = connection.execute(f"SELECT {placeholder}", (parameter,))
                found.append((cursor.fetchone(), (cursor.description or [])[0].type_code))
            return found

    found = pair.same(run)
    assert [row[0] for row, _ in found][:3] == [1, 2**40, 1.5]


@pytest.mark.feature("parameters")
def test_a_numeric_parameter_keeps_its_value(pair: Pair) -> None:
    sent = [Decimal("1.50"), Decimal(2**70), Decimal("-0.000001")]

    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn) as connection:
            return [connection.execute("SELECT %s, %b", (value, value)).fetchone() for value in sent]

    assert pair.same(run) == [(value, value) for value in sent]


@pytest.mark.feature("parameters")
def test_rows_are_chosen_by_a_list(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn) as connection:
            sql = (
                "SELECT id, name FROM sales.customers "
                "WHERE id = ANY(%s) AND joined BETWEEN %s AND %s ORDER BY id"
            )
            return connection.execute(
                sql, ([3, 6, 7, 9], dt.date(2020, 1, 1), dt.date(2020, 1, 8))
            ).fetchall()

    assert pair.same(run) == [(3, "name3"), (6, "name6")]


@pytest.mark.feature("prepared")
def test_statements_prepared_at_once_are_listed_used_and_deallocated(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn, prepare_threshold=0, autocommit=True) as connection:
            found: list[Any] = []
            for low in (1990, 1995, 1998):
                sql = "SELECT id, amount FROM sales.orders WHERE id > %s ORDER BY id"
                found.append(connection.execute(sql, (low,)).fetchall())
            listed = connection.execute(
                "SELECT name, statement, parameter_types, from_sql FROM pg_prepared_statements ORDER BY name"
            ).fetchall()
            connection.execute("DEALLOCATE ALL", prepare=False)
            left = connection.execute("SELECT count(*) FROM pg_prepared_statements", prepare=False).fetchone()
            return [*found, listed[:1], left]

    pair.same(run)


@pytest.mark.feature("prepared")
def test_more_statements_than_are_kept_are_deallocated_by_name(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn, prepare_threshold=0) as connection:
            connection.prepared_max = 3
            return [connection.execute(f"SELECT {i}, %s", (i,)).fetchone() for i in (*range(8), 0, 7)]

    assert pair.same(run)[-1] == (7, 7)


@pytest.mark.feature("prepared")
def test_a_pipeline_answers_in_order_and_lives_after_an_error(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        found: list[Any] = []
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            with connection.pipeline():
                cursors = [
                    connection.execute("SELECT id, name FROM sales.customers WHERE id = %s", (i,))
                    for i in (3, 6, 9)
                ]
                found += [cursor.fetchall() for cursor in cursors]
            try:
                with connection.pipeline() as pipeline:
                    first = connection.execute("SELECT 1")
                    second = connection.execute("SELECT 1 / 0")
                    pipeline.sync()
                    found.append(first.fetchall())
                    second.fetchall()
            except psycopg.Error as error:
                found.append(error.sqlstate)
            found.append(connection.execute("SELECT 4").fetchall())
        return found

    pair.same(run)


@pytest.mark.feature("prepared")
def test_execute_many_in_a_pipeline_gives_every_result(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn) as connection:
            cursor = connection.cursor()
            cursor.executemany(
                "SELECT id, placed FROM sales.orders WHERE id = %s", [(1,), (2,), (3,)], returning=True
            )
            found = [cursor.fetchall()]
            while cursor.nextset():
                found.append(cursor.fetchall())
            return found

    assert len(pair.same(run)) == 3


@pytest.mark.feature("cursors")
@pytest.mark.parametrize("is_binary", [False, True])
def test_a_named_cursor_moves_and_counts(pair: Pair, is_binary: bool) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn) as connection, connection.cursor("c", binary=is_binary) as cursor:
            cursor.execute("SELECT id, amount, placed FROM sales.orders WHERE id > %s ORDER BY id", (1900,))
            found: list[Any] = [cursor.fetchone(), cursor.fetchmany(5), cursor.rownumber]
            cursor.scroll(10)
            found += [cursor.fetchone(), len(cursor.fetchall())]
            return found

    pair.same(run)


@pytest.mark.feature("cursors")
def test_a_cursor_with_hold_outlives_its_transaction(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn) as connection:
            cursor = connection.cursor("held", withhold=True)
            cursor.execute("SELECT id, name FROM sales.customers ORDER BY id")
            found = [cursor.fetchmany(2)]
            connection.commit()
            found.append(cursor.fetchmany(2))
            cursor.close()
            return found

    pair.same(run)


@pytest.mark.feature("transactions")
def test_nested_blocks_recover_from_an_error_in_a_read(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        found: list[Any] = []
        with psycopg.connect(server.dsn) as connection, connection.transaction():
            found.append(connection.execute("SELECT 1").fetchone())
            try:
                with connection.transaction():
                    connection.execute("SELECT nope FROM sales.orders")
            except psycopg.Error as error:
                found.append(error.sqlstate)
            found.append(connection.info.transaction_status.name)
            found.append(connection.execute("SELECT count(*) FROM sales.orders").fetchone())
        return found

    assert pair.same(run) == [(1,), "42703", "INTRANS", (2000,)]


@pytest.mark.feature("errors")
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nope FROM sales.orders",
        "SELECT nope.id FROM sales.orders",
        "SELECT * FROM nope",
        "SELECT * FROM nope.orders",
        "SELECT nope(1)",
        "SELECT 1 / 0",
        "SELEC 1",
        "SELECT 2147483647 + 1::integer",
        "SELECT id, count(*) FROM sales.orders",
        "SELECT o.id FROM sales.orders o, sales.customers o",
        "SELECT id FROM sales.orders, sales.customers",
        "EXECUTE nope",
        "CLOSE nope",
        "FETCH 1 FROM nope",
        "RELEASE SAVEPOINT nope",
        "SHOW nope",
        "SET nope = 1",
        "SET statement_timeout = 'x'",
        "INSERT INTO sales.orders VALUES (1)",
        "UPDATE sales.orders SET amount = 1",
        "DELETE FROM sales.orders",
        "DROP TABLE sales.orders",
        "TRUNCATE sales.orders",
    ],
)
def test_states_and_positions_of_errors(embedded_pair: Pair, sql: str) -> None:
    def run(server: Server) -> tuple[str | None, str | None]:
        with psycopg.connect(server.dsn) as connection, pytest.raises(psycopg.Error) as caught:
            connection.execute(sql)
        return caught.value.sqlstate, caught.value.diag.statement_position

    embedded_pair.same(run)


@pytest.mark.feature("errors")
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'x'::integer",
        "SELECT sum(id) FROM sales.orders WHERE count(*) > 1",
        "SELECT 1 UNION SELECT 1, 2",
        "CREATE TABLE sales.more (id integer)",
        "SELECT (SELECT id FROM sales.orders)",
        "SELECT '2024-02-30'::date",
    ],
)
def test_states_of_errors_whose_place_may_be_missing(embedded_pair: Pair, sql: str) -> None:
    def run(server: Server) -> str | None:
        with psycopg.connect(server.dsn) as connection, pytest.raises(psycopg.Error) as caught:
            connection.execute(sql)
        return caught.value.sqlstate

    embedded_pair.same(run)


@pytest.mark.feature("transactions")
def test_an_insert_without_columns_may_leave_the_last_out(admin_pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn) as connection:
            connection.execute("CREATE TEMP TABLE few (id integer, note text, more text)")
            connection.execute("INSERT INTO few VALUES (1, 'x')")
            connection.execute("INSERT INTO few SELECT 2 RETURNING *")
            return connection.execute("SELECT * FROM few").fetchall()

    admin_pair.same(run)


@pytest.mark.feature("transactions")
def test_changes_by_an_administrator(admin_pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        found: list[Any] = []
        with psycopg.connect(server.dsn) as connection:
            connection.execute(
                "CREATE TABLE public.notes (id integer PRIMARY KEY, note text, at timestamptz)"
            )
            cursor = connection.cursor()
            cursor.executemany(
                "INSERT INTO notes (id, note) VALUES (%s, %s)", [(i, f"n{i}") for i in range(5)]
            )
            found.append(cursor.rowcount)
            cursor.execute("UPDATE notes SET note = note || '!' WHERE id > %s RETURNING id, note", (2,))
            found += [cursor.rowcount, sorted(cursor.fetchall()), cursor.statusmessage]
            found.append(connection.execute("DELETE FROM notes WHERE id = 0").statusmessage)
            connection.commit()
            try:
                connection.execute("INSERT INTO notes (id, note) VALUES (1, 'twice')")
            except psycopg.Error as error:
                found.append(error.sqlstate)
            connection.rollback()
            found.append(connection.execute("SELECT id, note, at FROM notes ORDER BY id").fetchall())
            connection.execute("DROP TABLE notes")
        return found

    assert admin_pair.same(run)[:2] == [5, 2]


@pytest.mark.feature("cancel")
def test_a_cancelled_statement_is_57014_and_the_connection_lives(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn(), autocommit=True) as connection:
        connection.execute("SET statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT count(*) FROM numbers a, numbers b WHERE a.n * b.n % 7 = 8")
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.feature("metadata")
def test_parameters_of_the_connection(pair: Pair) -> None:
    def run(server: Server) -> dict[str, str | None]:
        with psycopg.connect(server.dsn + " application_name=tests") as connection:
            names = ("server_encoding", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone",
                     "integer_datetimes", "standard_conforming_strings", "application_name",
                     "session_authorization")  # fmt: skip
            connection.execute("SET TIME ZONE 'Asia/Kolkata'")
            return {name: connection.info.parameter_status(name) for name in names}

    pair.same(run)


@pytest.mark.feature("metadata")
def test_the_process_of_the_session_is_the_one_in_its_key(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn("analyst")) as connection:
        found = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert found == (connection.info.backend_pid,)


@pytest.mark.feature("parameters")
def test_parameters_that_an_answer_does_not_need_may_be_given(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            return [
                connection.execute("SELECT pg_typeof(%s), %s", (1.5, "x")).fetchone(),
                connection.execute("SELECT * FROM generate_series(2, %s)", ("3",)).fetchall(),
            ]

    assert pair.same(run) == [("double precision", "x"), [(2,), (3,)]]


@pytest.mark.feature("rows")
def test_a_table_of_a_querys_rows_tells_how_many(admin_pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with psycopg.connect(server.dsn) as connection:
            made = connection.execute("CREATE TEMP TABLE made AS SELECT * FROM generate_series(1, 5) AS g(n)")
            empty = connection.execute("CREATE TEMP TABLE bare (n integer)")
            return [made.statusmessage, made.rowcount, empty.statusmessage, empty.rowcount]

    assert admin_pair.same(run) == ["SELECT 5", 5, "CREATE TABLE", -1]
