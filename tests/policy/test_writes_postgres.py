"""Row security of writes as PostgreSQL 15 itself decides it: the same policies and statements on both."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from execnode.engine.functions import install_functions
from pgproxy.catalog.snapshot import ColumnInfo, RelationKind, TableInfo
from pgproxy.policy.model import (
    Grant,
    PolicyCommand,
    PolicySet,
    Principal,
    PrincipalKind,
    Privilege,
    RowFilter,
    TableName,
)
from pgwire.errors import GatewayError
from tests.policy.world import CATALOG, plan, run
from tests.postgres import find_binary, running_postgres

NOTES = TableName("lake", "public", "notes")
READERS = TableName("lake", "public", "readers")
CATALOG_OF_NOTES = replace(
    CATALOG,
    tables={
        READERS: TableInfo(
            READERS, RelationKind.TABLE, (ColumnInfo("who", "VARCHAR"), ColumnInfo("topic", "VARCHAR"))
        ),
        NOTES: TableInfo(
            NOTES,
            RelationKind.TABLE,
            (ColumnInfo("id", "INTEGER"), ColumnInfo("owner", "VARCHAR"), ColumnInfo("topic", "VARCHAR")),
        ),
    },
)
ROWS = "(1, 'ann', 'red'), (2, 'bob', 'red'), (3, 'ann', 'blue'), (4, NULL, 'red')"

READER_ROWS = "('ann', 'red'), ('bob', 'blue'), ('zoe', 'blue')"

Rule = tuple[str | None, str | None, bool] | tuple[str | None, str | None, bool, str]
"""using, check, restrictive; for which command, ALL where it is not said."""
POLICIES: dict[str, tuple[Rule, ...]] = {
    "one filter": (("owner = 'ann'", None, False),),
    "its own check": (("owner = 'ann'", "topic = 'red'", False),),
    "a wider check": (("owner = 'ann'", "true", False),),
    "two that cross": (("owner = 'ann'", "topic = 'red'", False), ("owner = 'bob'", "topic = 'blue'", False)),
    "a restrictive one": (("owner IN ('ann', 'bob')", None, False), ("topic = 'red'", "id < 100", True)),
    "only a restrictive one": (("owner = 'ann'", None, True),),
    "a mapping table": (("topic IN (SELECT topic FROM readers WHERE who = 'ann')", None, False),),
    "a correlated subquery": (
        ("EXISTS (SELECT 1 FROM readers r WHERE r.topic = notes.topic AND who = owner)", None, False),
    ),
    "not in": (("topic NOT IN (SELECT topic FROM readers WHERE who = 'zoe')", "owner IS NOT NULL", False),),
    "null is no": (("owner = 'ann'", "owner <> 'zoe'", False),),
    "reads only": (("owner = 'ann'", None, False, "SELECT"),),
    "each command its own": (
        ("owner IS NOT NULL", None, False, "SELECT"),
        (None, "topic = 'red'", False, "INSERT"),
        ("owner = 'ann'", "topic <> 'green'", False, "UPDATE"),
        ("topic = 'red'", None, False, "DELETE"),
    ),
    "sees less than it may change": (
        ("id = 1", None, False, "SELECT"),
        ("owner = 'ann'", None, False, "UPDATE"),
        ("true", None, False, "DELETE"),
        (None, "true", False, "INSERT"),
    ),
    "all, and a restrictive one for a command": (
        ("owner IN ('ann', 'bob')", None, False),
        ("topic = 'red'", "id < 100", True, "UPDATE"),
        ("id <> 2", None, True, "DELETE"),
        (None, "owner = 'ann'", True, "INSERT"),
    ),
    "writes without reads": ((None, "true", False, "INSERT"), ("true", "true", False, "UPDATE")),
    "a check without a filter": ((None, "topic = 'red'", False, "UPDATE"), ("true", None, False, "SELECT")),
}
STATEMENTS = (
    "INSERT INTO notes VALUES (10, 'ann', 'red')",
    "INSERT INTO notes VALUES (10, 'ann', 'blue')",
    "INSERT INTO notes VALUES (10, 'bob', 'red')",
    "INSERT INTO notes VALUES (10, 'bob', 'blue') RETURNING id",
    "INSERT INTO notes VALUES (10, 'ann', 'red') RETURNING id",
    "INSERT INTO notes VALUES (10, 'bob', 'red') RETURNING owner",
    "INSERT INTO notes (id, topic) VALUES (10, 'red')",
    "INSERT INTO notes SELECT id + 10, owner, topic FROM notes",
    "INSERT INTO notes VALUES (100, 'ann', 'red')",
    "UPDATE notes SET topic = 'red'",
    "UPDATE notes SET topic = 'blue'",
    "UPDATE notes SET owner = 'bob', topic = 'blue'",
    "UPDATE notes SET owner = 'bob' WHERE id = 1",
    "UPDATE notes SET owner = 'bob' WHERE id = 1 RETURNING id",
    "UPDATE notes SET id = id + 100",
    "UPDATE notes SET owner = NULL",
    "UPDATE notes SET topic = 'blue' WHERE id = 2",
    "DELETE FROM notes",
    "DELETE FROM notes WHERE topic = 'red' RETURNING id",
    "UPDATE notes SET topic = q.t FROM (SELECT 'red' AS t) q",
    "UPDATE notes SET topic = q.t FROM (SELECT 'red' AS t, 3 AS i) q WHERE id = q.i",
    "DELETE FROM notes USING (SELECT 1 AS one) q WHERE q.one = 1",
    "DELETE FROM notes n USING readers r WHERE n.topic = r.topic AND r.who = 'ann'",
)
CASES = list(product(POLICIES, STATEMENTS))


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Any]]:
    """What PostgreSQL does, by case: the rows left and returned, or the SQLSTATE."""
    if find_binary("initdb") is None:
        pytest.skip("PostgreSQL 15 is not installed")
    folder: Path = tmp_path_factory.mktemp("writes")
    with running_postgres(folder / "cluster") as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE writer")
        yield {(name, sql): _on_postgres(connection, POLICIES[name], sql) for name, sql in CASES}


def _on_postgres(connection: "psycopg.Connection[Any]", rules: tuple[Rule, ...], sql: str) -> Any:
    connection.execute(
        "DROP TABLE IF EXISTS notes CASCADE; CREATE TABLE notes (id int, owner text, topic text)"
    )
    connection.execute(f"INSERT INTO notes VALUES {ROWS}; GRANT ALL ON notes TO writer")
    connection.execute("DROP TABLE IF EXISTS readers; CREATE TABLE readers (who text, topic text)")
    connection.execute(f"INSERT INTO readers VALUES {READER_ROWS}; GRANT SELECT ON readers TO writer")
    connection.execute("ALTER TABLE notes ENABLE ROW LEVEL SECURITY")
    for number, (using, check, is_restrictive, *command) in enumerate(rules):
        kind = "RESTRICTIVE" if is_restrictive else "PERMISSIVE"
        shown = f" USING ({using})" if using is not None else ""
        checked = f" WITH CHECK ({check})" if check is not None else ""
        wanted = command[0] if command else "ALL"
        connection.execute(f"CREATE POLICY p{number} ON notes AS {kind} FOR {wanted}{shown}{checked}")
    connection.execute("SET ROLE writer")
    try:
        cursor = connection.execute(sql)
        returned = sorted(cursor.fetchall()) if cursor.description else []
    except psycopg.Error as error:
        return error.sqlstate
    finally:
        connection.execute("RESET ROLE")
    return returned, connection.execute("SELECT * FROM notes ORDER BY id").fetchall()


def _here(rules: tuple[Rule, ...], sql: str) -> Any:
    filters = tuple(
        RowFilter(
            f"p{number}",
            NOTES,
            using or ("true" if is_restrictive else "false"),
            is_restrictive=is_restrictive,
            check=check,
            command=PolicyCommand(command[0] if command else "ALL"),
        )
        for number, (using, check, is_restrictive, *command) in enumerate(rules)
    )
    policies = PolicySet(
        epoch=1,
        principals={"writer": Principal("writer", PrincipalKind.USER)},
        grants=tuple(Grant("writer", privilege, "lake", "public") for privilege in Privilege),
        row_filters=filters,
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        install_functions(connection)
        connection.execute(
            "ATTACH ':memory:' AS lake; CREATE TABLE lake.notes (id INT, owner TEXT, topic TEXT)"
        )
        connection.execute(f"INSERT INTO lake.notes VALUES {ROWS}")
        connection.execute("CREATE TABLE lake.readers (who TEXT, topic TEXT)")
        connection.execute(f"INSERT INTO lake.readers VALUES {READER_ROWS}")
        try:
            planned = plan(
                sql, "writer", policies=policies, catalog=CATALOG_OF_NOTES, search_path=("public",)
            )
            returned = sorted(run(connection, planned)) if planned.returns_rows else []
            if not planned.returns_rows:
                run(connection, planned)
        except GatewayError as error:
            return error.sqlstate
        except duckdb.Error as error:
            return str(error).partition("pgproxy:")[2][:5]
        return returned, connection.execute("SELECT * FROM lake.notes ORDER BY id").fetchall()


@pytest.mark.parametrize(("name", "sql"), CASES, ids=[f"{name}: {sql}" for name, sql in CASES])
def test_a_write_under_policies_does_what_postgresql_does(
    answers: dict[tuple[str, str], Any], name: str, sql: str
) -> None:
    assert _here(POLICIES[name], sql) == answers[name, sql]
