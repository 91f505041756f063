"""COPY as real clients do it: psql's \\copy, psycopg 3 and asyncpg, text and binary, in and out."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import asyncpg
import psycopg
import pytest

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway

ROWS = [
    (1, "a\tb\\c\n", Decimal("1.50"), date(2024, 2, 29)),
    (2, None, None, None),
    (3, "", Decimal("-7.00"), None),
]
COLUMNS = "id int, note text, amount numeric(10,2), day date"


@pytest.mark.parametrize("format_", ["text", "csv", "binary"])
def test_what_copy_gives_copy_takes(embedded: RunningGateway, format_: str) -> None:
    with psycopg.connect(embedded.dsn("admin")) as connection:
        connection.execute(f"CREATE TABLE public.copied_{format_} ({COLUMNS})")
        with connection.cursor().copy(f"COPY copied_{format_} FROM STDIN") as copy:
            for row in ROWS:
                copy.write_row(row)
        with connection.cursor().copy(f"COPY copied_{format_} TO STDOUT (FORMAT {format_})") as out:
            data = b"".join(bytes(part) for part in out)
        cursor = connection.cursor()
        with cursor.copy(f"COPY copied_{format_} FROM STDIN (FORMAT {format_})") as copy:
            copy.write(data)
        assert cursor.rowcount == len(ROWS)
        found = connection.execute(f"SELECT * FROM copied_{format_} ORDER BY id").fetchall()
        assert found == [row for row in ROWS for _ in range(2)]
        connection.rollback()


def test_psycopg_writes_rows_in_binary(embedded: RunningGateway) -> None:
    with psycopg.connect(embedded.dsn("admin")) as connection:
        connection.execute(f"CREATE TABLE public.copied_rows ({COLUMNS})")
        with connection.cursor().copy("COPY copied_rows FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "numeric", "date"])
            for row in ROWS:
                copy.write_row(row)
        assert connection.execute("SELECT * FROM copied_rows ORDER BY id").fetchall() == ROWS
        connection.rollback()


def _copy_and_fail(connection: psycopg.Connection) -> None:
    with connection.cursor().copy("COPY given_up FROM STDIN") as copy:
        copy.write(b"1\n")
        raise ZeroDivisionError  # psycopg sends CopyFail


def test_a_client_that_gives_up_leaves_the_session_usable(embedded: RunningGateway) -> None:
    with psycopg.connect(embedded.dsn("admin"), autocommit=True) as connection:
        connection.execute("CREATE TABLE public.given_up (id int)")
        with pytest.raises(ZeroDivisionError):
            _copy_and_fail(connection)
        assert connection.execute("SELECT count(*) FROM given_up").fetchone() == (0,)
        connection.execute("DROP TABLE given_up")


async def test_asyncpg_copies_records_and_queries(embedded: RunningGateway, tmp_path: Path) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=embedded.port, user="admin", password="admin-secret", database="test"
    )
    try:
        await connection.execute(f"CREATE TABLE public.copied_records ({COLUMNS})")
        tag = await connection.copy_records_to_table("copied_records", records=ROWS)
        assert tag == "COPY 3"
        out = tmp_path / "rows.csv"
        tag = await connection.copy_from_query(
            "SELECT id, note FROM copied_records WHERE id > $1 ORDER BY id", 1, output=str(out), format="csv"
        )
        assert (tag, out.read_bytes()) == ("COPY 2", b'2,\n3,""\n')
        assert (
            await connection.copy_to_table(
                "copied_records", source=str(out), columns=["id", "note"], format="csv"
            )
            == "COPY 2"
        )
        assert await connection.fetchval("SELECT count(*) FROM copied_records") == 5
        await connection.execute("DROP TABLE copied_records")
    finally:
        await connection.close()


def test_psql_copies_both_ways(embedded: RunningGateway, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('id,note\n1,"a,b"\n2,\n')
    done = embedded.psql(
        "-v", "ON_ERROR_STOP=1",
        "-c", "CREATE TABLE public.copied_psql (id int, note text)",
        "-c", f"\\copy copied_psql from '{source}' csv header",
        "-c", f"\\copy copied_psql to '{target}' csv header",
        "-c", "DROP TABLE copied_psql",
        user="admin",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert target.read_text() == source.read_text()


def test_copy_shows_what_the_policy_shows(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection:
        queried = connection.execute("SELECT id, email FROM sales.customers ORDER BY id").fetchall()
        with connection.cursor().copy("COPY sales.customers (id, email) TO STDOUT") as copy:
            copied = sorted((int(row[0]), row[1]) for row in copy.rows())
    assert copied == queried
    assert all(email.endswith("***") for _, email in copied)


def test_copy_into_a_table_without_insert_is_refused_before_any_data(embedded: RunningGateway) -> None:
    with (
        psycopg.connect(embedded.dsn()) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        connection.cursor().copy("COPY sales.orders FROM STDIN"),
    ):
        pytest.fail("the gateway asked for data")


def test_copy_into_a_read_only_database_is_25006(remote: RunningGateway) -> None:
    with (
        psycopg.connect(remote.dsn("admin")) as connection,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
        connection.cursor().copy("COPY sales.orders FROM STDIN"),
    ):
        pytest.fail("the gateway asked for data")


def test_a_block_keeps_what_it_inserts_after_an_empty_table(
    embedded: RunningGateway,
) -> None:
    with psycopg.connect(embedded.dsn(ADMIN, ADMIN_PASSWORD)) as connection:
        connection.execute("CREATE TABLE empty_ones (n int)")
        connection.execute("CREATE TABLE many_ones AS SELECT n FROM numbers, generate_series(1, 2)")
        connection.commit()
        for kind in ("TABLE", "TEMPORARY TABLE"):
            connection.execute(f"CREATE {kind} filled AS SELECT * FROM empty_ones")
            connection.execute("INSERT INTO filled SELECT * FROM many_ones")
            assert connection.execute("SELECT count(*) FROM filled").fetchone() == (200_000,)
            connection.rollback()
        connection.execute("CREATE TABLE filled (n int)")
        connection.execute("INSERT INTO filled SELECT * FROM empty_ones")
        assert connection.execute("INSERT INTO filled SELECT * FROM many_ones").rowcount == 200_000
        with connection.cursor().copy("COPY filled FROM STDIN") as copy:
            copy.write(b"1\n" * 200_000)
        assert connection.execute("SELECT count(*) FROM filled").fetchone() == (400_000,)
        connection.rollback()
        connection.execute("DROP TABLE empty_ones; DROP TABLE many_ones")
