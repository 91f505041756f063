"""A change of the catalog shows in the next statement: for who made it and for everybody else.

The questions are the same text each time, so that kept plans, kept descriptions and published keys are asked.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg
import pytest

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway

TABLE = "changing.moved"
_NAMES = (
    "SELECT string_agg(c.relname || c.relkind::text, ' ' ORDER BY c.relname) FROM pg_catalog.pg_class AS c "
    "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = 'changing' "
    "AND c.relkind IN ('r', 'v')"
)
_COLUMNS = (
    "SELECT string_agg(column_name || ':' || data_type, ' ' ORDER BY ordinal_position) "
    "FROM information_schema.columns WHERE table_schema = 'changing' AND table_name = 'moved'"
)
_FORMATTED = (
    "SELECT string_agg(a.attname || ':' || pg_catalog.format_type(a.atttypid, a.atttypmod) || "
    "CASE WHEN a.attnotnull THEN '!' ELSE '' END, ' ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a "
    "WHERE a.attrelid = to_regclass('changing.moved') AND a.attnum > 0 AND NOT a.attisdropped"
)
_SCHEMAS = "SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = 'changing'"
_MAY_READ = "SELECT has_table_privilege('changing.moved', 'SELECT')"
_POLICIES = (
    "SELECT string_agg(policyname, ' ' ORDER BY policyname) FROM pg_policies WHERE schemaname = 'changing'"
)
_ROLES = "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = 'newcomer'"
_ROWS = "SELECT string_agg(label, ' ' ORDER BY label) FROM changing.moved"


class Change(NamedTuple):
    """statement: the administrator's. query: what all ask after it. expected: administrator's, analyst's."""

    statement: str
    query: str
    expected: tuple[Any, Any]


CHANGES = (
    Change("CREATE SCHEMA changing", _SCHEMAS, (1, 0)),
    Change("CREATE TABLE changing.moved (id integer NOT NULL, label text)", _NAMES, ("movedr", None)),
    Change("GRANT SELECT (id) ON changing.moved TO analyst", _NAMES, ("movedr", "movedr")),
    Change("SELECT 1", _COLUMNS, ("id:integer label:text", "id:integer")),
    Change("SELECT 1", _MAY_READ, (True, False)),
    Change("GRANT SELECT ON changing.moved TO analyst", _MAY_READ, (True, True)),
    Change("SELECT 1", _FORMATTED, ("id:integer! label:text", "id:integer! label:text")),
    Change(
        "ALTER TABLE changing.moved ADD COLUMN price numeric(8, 2)",
        _FORMATTED,
        ("id:integer! label:text price:numeric(8,2)", "id:integer! label:text price:numeric(8,2)"),
    ),
    Change(
        "ALTER TABLE changing.moved RENAME COLUMN price TO cost",
        _COLUMNS,
        ("id:integer label:text cost:numeric", "id:integer label:text cost:numeric"),
    ),
    Change("ALTER TABLE changing.moved DROP COLUMN cost", _COLUMNS, ("id:integer label:text",) * 2),
    Change(
        "CREATE VIEW changing.shown AS SELECT id FROM changing.moved", _NAMES, ("movedr shownv", "movedr")
    ),
    Change("DROP VIEW changing.shown", _NAMES, ("movedr", "movedr")),
    Change("INSERT INTO changing.moved VALUES (1, 'ann'), (2, 'bob')", _ROWS, ("ann bob", "ann bob")),
    Change(
        "CREATE POLICY only_one ON changing.moved TO analyst USING (id = 1)",
        _POLICIES,
        ("only_one", "only_one"),
    ),
    Change("SELECT 1", _ROWS, ("ann bob", "ann")),
    Change(
        "CREATE MASK first_letter ON changing.moved (label) TO analyst USING (left(label, 1))",
        _ROWS,
        ("ann bob", "a"),
    ),
    Change("DROP MASK first_letter ON changing.moved", _ROWS, ("ann bob", "ann")),
    Change("DROP POLICY only_one ON changing.moved", _POLICIES, (None, None)),
    Change("CREATE ROLE newcomer", _ROLES, (1, 0)),
    Change("GRANT newcomer TO analyst", _ROLES, (1, 1)),
    Change("REVOKE newcomer FROM analyst", _ROLES, (1, 0)),
    Change("DROP ROLE newcomer", _ROLES, (0, 0)),
    Change("REVOKE SELECT ON changing.moved FROM analyst", _COLUMNS, ("id:integer label:text", None)),
    Change("DROP TABLE changing.moved", _NAMES, (None, None)),
    Change("DROP SCHEMA changing", _SCHEMAS, (0, 0)),
)


class Askers(NamedTuple):
    """Open sessions: who changes, another administrator, the analyst."""

    changer: "psycopg.Connection[Any]"
    other: "psycopg.Connection[Any]"
    analyst: "psycopg.Connection[Any]"


@pytest.fixture(scope="module")
def askers(embedded: RunningGateway) -> Iterator[Askers]:
    """The sessions, open through all changes."""
    admin = embedded.dsn(ADMIN, ADMIN_PASSWORD)
    with (
        psycopg.connect(admin, autocommit=True) as changer,
        psycopg.connect(admin, autocommit=True) as other,
        psycopg.connect(embedded.dsn(), autocommit=True) as analyst,
    ):
        yield Askers(changer, other, analyst)


def test_a_change_shows_in_the_next_statement_of_everybody(askers: Askers) -> None:
    for change in CHANGES:
        askers.changer.execute(change.statement.encode())
        assert _answer(askers.changer, change.query) == change.expected[0], change
        assert _answer(askers.other, change.query) == change.expected[0], change
        assert _answer(askers.analyst, change.query) == change.expected[1], change


def test_a_prepared_question_is_answered_anew(askers: Askers) -> None:
    """The extended protocol: prepared once on the server, asked before and after."""
    question = "SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = 'prepared'"

    def answers() -> list[Any]:
        return [connection.execute(question, prepare=True).fetchone() for connection in askers]

    assert answers() == [(0,)] * 3
    askers.changer.execute("CREATE SCHEMA prepared")
    assert answers() == [(1,), (1,), (0,)]
    askers.changer.execute("GRANT USAGE ON SCHEMA prepared TO analyst")
    assert answers() == [(1,)] * 3
    askers.changer.execute("REVOKE USAGE ON SCHEMA prepared FROM analyst")
    assert answers() == [(1,), (1,), (0,)]
    askers.changer.execute("DROP SCHEMA prepared")
    assert answers() == [(0,)] * 3


def test_a_block_that_is_rolled_back_leaves_nothing(askers: Askers) -> None:
    askers.changer.execute("BEGIN")
    askers.changer.execute("CREATE SCHEMA changing")
    assert _answer(askers.other, _SCHEMAS) == 0
    askers.changer.execute("ROLLBACK")
    assert [_answer(connection, _SCHEMAS) for connection in askers] == [0, 0, 0]


def _answer(connection: "psycopg.Connection[Any]", query: str) -> Any:
    """By the simple protocol, as psql asks; `_ROWS` may be denied."""
    found = connection.execute(query.encode()).fetchone()
    assert found is not None
    return found[0]


def test_rows_added_later_show_in_a_question_that_names_the_catalog_too(askers: Askers) -> None:
    """DuckDB plans a prepared statement by the least and greatest value of a column, and keeps to it."""
    changer = askers.changer
    changer.execute("CREATE SCHEMA growing")
    changer.execute("CREATE TABLE growing.counted AS SELECT i AS n FROM generate_series(1, 50) AS r(i)")
    question = "SELECT count(*) FROM growing.counted WHERE n > 100 AND EXISTS (SELECT 1 FROM pg_database)"
    assert [_answer(changer, question) for _ in range(4)] == [0] * 4
    changer.execute("INSERT INTO growing.counted SELECT 1000 + i FROM generate_series(1, 3) AS r(i)")
    assert _answer(changer, question) == 3
    changer.execute("DROP SCHEMA growing CASCADE")
