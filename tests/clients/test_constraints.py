"""What a client is told of a violated constraint: PostgreSQL's words and fields, and nothing hidden."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.clients.servers import Pair, Server
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway

pytestmark = pytest.mark.client("psycopg 3")

_SETUP = """
    CREATE TABLE items (
        id integer PRIMARY KEY, code text UNIQUE, shelf integer, placed date,
        "Odd name" text NOT NULL DEFAULT '',
        UNIQUE (shelf, placed), CONSTRAINT stocked CHECK (shelf > 0), CHECK (shelf < 100 AND id <> 3));
    CREATE UNIQUE INDEX items_of_a_day ON items (placed, "Odd name");
    INSERT INTO items VALUES (1, 'one', 1, '2024-01-01'), (2, 'a: 1, b: 2', 2, NULL)
"""
_VIOLATIONS = (
    "INSERT INTO items VALUES (1, 'other', 5)",
    "INSERT INTO items VALUES (7, 'one', 5)",
    "INSERT INTO items VALUES (7, 'a: 1, b: 2', 5)",
    "INSERT INTO items VALUES (7, 'x', 1, '2024-01-01') RETURNING id",
    "INSERT INTO items VALUES (7, 'x', 5, '2024-01-01')",
    "INSERT INTO items VALUES (7, 'x', 0)",
    "INSERT INTO items VALUES (3, 'x', 5)",
    "INSERT INTO items VALUES (7, 'x', 5, NULL, NULL)",
    "INSERT INTO items VALUES (NULL, 'x', 5)",
    "UPDATE items SET shelf = -1",
    "UPDATE items SET \"Odd name\" = NULL WHERE id = 1",
    "INSERT INTO items SELECT id, 'new', 50 FROM items WHERE id = 1",
)  # fmt: skip


def _told(connection: "psycopg.Connection[Any]", sql: str) -> tuple[object, ...]:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(sql)
    diag = caught.value.diag
    detail = diag.message_detail
    if detail is not None and detail.startswith("Failing row"):
        detail = None  # the gateway shows no row
    place = (diag.schema_name, diag.table_name, diag.column_name, diag.constraint_name)
    return (sql, diag.sqlstate, diag.message_primary, detail, *place)


@pytest.mark.feature("errors")
def test_a_violated_constraint_is_named_as_postgresql_names_it(admin_pair: Pair) -> None:
    def run(server: Server) -> list[tuple[object, ...]]:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(_SETUP)
            try:
                return [_told(connection, sql) for sql in _VIOLATIONS]
            finally:
                connection.execute("DROP TABLE items")

    told = admin_pair.same(run)
    assert [one[-1] for one in told if one[1] == "23505"].count("items_pkey") == 2


@pytest.fixture(scope="module")
def clerk(embedded: RunningGateway) -> Iterator[str]:
    """Somebody who may add stock, and read no key of it; the table has columns unknown to her."""
    with psycopg.connect(embedded.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin:
        admin.execute(
            "CREATE TABLE stock (id integer PRIMARY KEY, name text UNIQUE, secret integer UNIQUE,"
            " CHECK (secret < 5)); INSERT INTO stock VALUES (1, 'hidden', 1);"
            "CREATE TABLE part (name text UNIQUE, secret integer NOT NULL)"
        )
        admin.execute("CREATE ROLE clerk LOGIN PASSWORD 'clerk-secret'")
        admin.execute("GRANT INSERT (id, name), SELECT (id) ON stock TO clerk")
        admin.execute("GRANT INSERT (name) ON part TO clerk")
        yield embedded.dsn("clerk", "clerk-secret")
        admin.execute("DROP OWNED BY clerk; DROP TABLE stock; DROP TABLE part; DROP ROLE clerk")


@pytest.mark.feature("errors")
def test_values_are_shown_to_none_who_may_not_read_them(clerk: str) -> None:
    with psycopg.connect(clerk, autocommit=True) as connection:
        named = _told(connection, "INSERT INTO stock (id, name) VALUES (9, 'hidden')")
    assert named[1:] == (
        "23505",
        'duplicate key value violates unique constraint "stock_name_key"',
        None,
        "public",
        "stock",
        None,
        "stock_name_key",
    )


@pytest.mark.feature("errors")
def test_a_constraint_of_hidden_columns_is_not_named(clerk: str) -> None:
    with psycopg.connect(clerk, autocommit=True) as connection:
        told = _told(connection, "INSERT INTO part (name) VALUES ('new')")
    assert told[1:3] == ("23502", "null value violates a not-null constraint")
    assert "secret" not in repr(told)
