"""pg8000 (pure Python, its own protocol code): text parameters, typed rows, blocks, errors."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.clients import values
from tests.clients.servers import Pair, Server

native = pytest.importorskip("pg8000.native")
dbapi = pytest.importorskip("pg8000.dbapi")

pytestmark = pytest.mark.client("pg8000")


@pytest.mark.feature("rows")
def test_values_of_every_type_equal_postgresql(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with native.Connection(**server.keywords) as connection:
            row = connection.run(f"SELECT {', '.join(values.SAME)}")[0]
            columns = [(c["name"], c["type_oid"], c["type_modifier"]) for c in connection.columns]
            return [[f"{type(value).__name__} {value!r}" for value in row], columns]

    pair.same(run)


@pytest.mark.feature("parameters")
def test_parameters_choose_the_same_rows(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with native.Connection(**server.keywords) as connection:
            return [
                connection.run(
                    "SELECT id, name, seen FROM sales.customers WHERE id = ANY(CAST(:ids AS integer[])) "
                    "AND joined >= :day ORDER BY id",
                    ids=[3, 6, 9],
                    day=dt.date(2020, 1, 6),
                ),
                connection.run(
                    "SELECT id, amount FROM sales.orders WHERE amount < :most AND placed > :since "
                    "ORDER BY id LIMIT :n",
                    most=Decimal("3.50"),
                    since=dt.datetime(2024, 1, 1, 5),
                    n=5,
                ),
            ]

    assert [row[0] for row in pair.same(run)[0]] == [6, 9]


@pytest.mark.feature("prepared")
def test_a_prepared_statement_runs_again(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with native.Connection(**server.keywords) as connection:
            statement = connection.prepare("SELECT id, ratio FROM sales.orders WHERE id = :id")
            found = [statement.run(id=i) for i in (1, 7, 2000)]
            statement.close()
            return found

    pair.same(run)


@pytest.mark.feature("transactions")
def test_an_error_fails_the_block(pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        found: list[Any] = []
        connection = dbapi.connect(**server.keywords)
        cursor = connection.cursor()
        for sql in ("SELECT 1 / 0", "SELECT 1"):
            try:
                cursor.execute(sql)
            except dbapi.DatabaseError as error:
                found.append(error.args[0]["C"])
        connection.rollback()
        cursor.execute("SELECT count(*) FROM numbers")
        found.append(cursor.fetchall())
        connection.close()
        return found

    assert pair.same(run)[:2] == ["22012", "25P02"]


@pytest.mark.feature("login")
def test_a_wrong_password_is_28P01(pair: Pair) -> None:
    with pytest.raises(native.DatabaseError) as caught:
        native.Connection(**{**pair.gateway.keywords, "password": "wrong"})
    assert caught.value.args[0]["C"] == "28P01"
