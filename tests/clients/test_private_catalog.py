"""What exists for one session alone stands in its catalog as in PostgreSQL's, and in nobody else's."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.clients.servers import Pair, Server

sa = pytest.importorskip("sqlalchemy")

pytestmark = pytest.mark.feature("metadata")

_TEMPORARY = """
CREATE TEMP TABLE own (id int PRIMARY KEY, price numeric(8, 2) NOT NULL DEFAULT 1, tags text[],
                       CHECK (id > 0), UNIQUE (price))
"""
_QUESTIONS = """
SELECT 'own'::regclass::text, to_regclass('pg_temp.own')::text, pg_table_is_visible('own'::regclass)
SELECT relkind, relpersistence, relnatts, relhasindex, relchecks FROM pg_class WHERE relname = 'own'
SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 'own'::regclass AND attnum > 0 ORDER BY attnum
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'own'::regclass
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'own'::regclass ORDER BY 1
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'own'::regclass ORDER BY 1
SELECT table_schema, table_type FROM information_schema.tables WHERE table_name = 'own'
SELECT column_name, data_type, column_default, is_nullable FROM information_schema.columns WHERE table_name = 'own' ORDER BY ordinal_position
SELECT schemaname, tablename FROM pg_tables WHERE tablename = 'own'
SELECT nspname, nspname = pg_my_temp_schema()::regnamespace::text FROM pg_namespace WHERE oid = pg_my_temp_schema()
SELECT pg_is_other_temp_schema(pg_my_temp_schema()), current_schemas(true)::text, current_schemas(false)::text
SELECT has_table_privilege('own', 'SELECT'), has_column_privilege('own', 'id', 'UPDATE')
SELECT typname, typtype, format_type(oid, NULL) FROM pg_type WHERE typrelid = 'own'::regclass
""".strip().splitlines()  # noqa: E501  # one query a line
_COMMANDS = ("\\d own", "\\dt own", "\\d", "\\di own*")


@contextmanager
def _connected(server: Server) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        yield connection


def _answers(connection: psycopg.Connection[Any]) -> list[list[tuple[Any, ...]]]:
    """Answers with the session's own number left out of schema names."""
    found = [connection.execute(question).fetchall() for question in _QUESTIONS]
    return [[tuple(map(_unnumbered, row)) for row in rows] for rows in found]


def _unnumbered(value: Any) -> Any:
    return re.sub(r"pg_temp_\d+", "pg_temp_N", value) if isinstance(value, str) else value


@pytest.mark.client("psycopg 3")
def test_a_temporary_table_is_in_its_sessions_catalog_as_in_postgresql(pair: Pair) -> None:
    def run(server: Server) -> Any:
        with _connected(server) as connection:
            connection.execute(_TEMPORARY)
            return _answers(connection)

    assert all(pair.same(run))


@pytest.mark.client("SQLAlchemy")
def test_sqlalchemy_finds_and_reflects_a_temporary_table(pair: Pair) -> None:
    def run(server: Server) -> Any:
        engine = sa.create_engine(f"postgresql+psycopg://{server.location}")
        with engine.connect() as connection:
            connection.execute(sa.text(_TEMPORARY))
            inspector = sa.inspect(connection)
            columns = [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns("own")]
            keys = inspector.get_pk_constraint("own"), inspector.get_unique_constraints("own")
            names = (
                inspector.get_temp_table_names(),
                inspector.has_table("own"),
                inspector.has_table("absent"),
            )
            found = columns, keys, names
        engine.dispose()
        return found

    pair.same(run)


def test_nobody_else_sees_a_temporary_table(admin_pair: Pair, embedded_pair: Pair) -> None:
    everything = (
        "SELECT count(*) FROM pg_class WHERE relname LIKE 'unheard_of%'",
        "SELECT count(*) FROM pg_attribute WHERE attname = 'unheard_of_column'",
        "SELECT count(*) FROM pg_type WHERE typname LIKE '%unheard_of%'",
        "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'unheard_of%'",
        "SELECT count(*) FROM information_schema.columns WHERE column_name = 'unheard_of_column'",
        "SELECT count(to_regclass('unheard_of')) + count(to_regclass('pg_temp.unheard_of'))",
        "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pg_temp%'",
    )
    with _connected(embedded_pair.gateway) as owner:
        owner.execute("CREATE TEMP TABLE unheard_of (unheard_of_column int PRIMARY KEY)")
        row = owner.execute("SELECT oid, reltype FROM pg_class WHERE relname = 'unheard_of'").fetchone()
        assert row is not None
        assert owner.execute(everything[0]).fetchone() == (2,)
        for other in (admin_pair.gateway, embedded_pair.gateway):
            with _connected(other) as stranger:
                assert [stranger.execute(query).fetchone() for query in everything] == [(0,)] * len(
                    everything
                )
                told = stranger.execute("SELECT %s::regclass::text, format_type(%s, NULL)", row).fetchone()
                assert told == (str(row[0]), "???")
                # So too where the stranger has a temporary table of its own.
                stranger.execute("CREATE TEMP TABLE mine (id int)")
                assert [stranger.execute(query).fetchone() for query in everything[:-1]] == [(0,)] * 6


@pytest.mark.client("psycopg 3")
def test_a_block_sees_its_own_definitions_in_the_catalog(admin_pair: Pair) -> None:
    names = (
        "SELECT relname, relkind FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace "
        "WHERE nspname = 'public' ORDER BY 1, 2"
    )
    columns = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name LIKE 'made%' ORDER BY 1, ordinal_position"
    )

    def run(server: Server) -> Any:
        seen: list[Any] = []
        with _connected(server) as connection, _connected(server) as other:
            before = other.execute(names).fetchall()
            connection.execute("BEGIN")
            for statement in (
                "CREATE TABLE made (id int PRIMARY KEY, label text)",
                "ALTER TABLE made ADD COLUMN at date",
                "CREATE INDEX made_at ON made (at)",
                "CREATE VIEW made_view AS SELECT id FROM made",
                "ALTER TABLE numbers RENAME TO figures",
                "CREATE TABLE numbers (other int)",
                "DROP VIEW made_view",
            ):
                connection.execute(statement)
                seen += [connection.execute(names).fetchall(), connection.execute(columns).fetchall()]
                assert other.execute(names).fetchall() == before
            seen.append(
                connection.execute("SELECT 'made'::regclass::text, to_regclass('made')::text").fetchall()
            )
            connection.execute("ROLLBACK")
            assert connection.execute(names).fetchall() == before
        return seen

    admin_pair.same(run)
