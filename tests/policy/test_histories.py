# ruff: noqa: E501 - random histories of fixed statements, one a line
"""Random histories of grants, policies and definitions: no session is ever told what is not so any more.

After each change long-lived sessions ask the catalog and tables what they asked before, by texts whose plans
and answers are kept, and the same in a text that nobody has asked yet. Both must say the same; and so must a
gateway that begins anew with what the history has left.
"""

import random
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, start_gateway

DATABASE = """
CREATE SCHEMA s; CREATE TABLE s.t1(id int, a text); INSERT INTO s.t1 SELECT i, 'a' || i FROM range(6) x(i);
CREATE TABLE s.t2(id int, b text); INSERT INTO s.t2 SELECT i, 'b' || i FROM range(4) x(i);
CREATE TABLE s.t3(id int, c text); INSERT INTO s.t3 VALUES (1, 'c'); CREATE VIEW s.v1 AS SELECT id, a FROM s.t1;
"""
POLICY = """
groups: {g1: {}, g2: {}}
users: {u1: {password: u1-secret, groups: [g1]}, u2: {password: u2-secret}}
grants:
  - {to: g1, privileges: [SELECT], on: test.s.t1}
  - {to: u2, privileges: [CREATE], on: test.s}
"""
_OF_S = "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 's'"
QUESTIONS = (
    f"SELECT relname, relkind {_OF_S} ORDER BY 1",
    f"SELECT relname, has_table_privilege(c.oid, 'SELECT') AS may, row_security_active(c.oid) AS filtered {_OF_S} ORDER BY 1",
    f"SELECT relname, obj_description(c.oid) AS told {_OF_S} ORDER BY 1",
    "SELECT table_name, privilege_type, grantee FROM information_schema.table_privileges WHERE table_schema = 's' ORDER BY 1, 2, 3",
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 's' ORDER BY 1, 2",
    "SELECT tablename, policyname, qual FROM pg_policies ORDER BY 1, 2",
    "SELECT viewname, definition FROM pg_views WHERE schemaname = 's' ORDER BY 1",
    "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 's' ORDER BY 1",
    "SELECT rolname, pg_has_role(oid, 'MEMBER') AS mine FROM pg_roles ORDER BY 1",
    "SELECT to_regclass('s.t2')::text AS second, to_regclass('s.t4')::text AS fourth",
    "SELECT * FROM s.t1 ORDER BY id", "SELECT * FROM s.t2 ORDER BY id", "SELECT * FROM s.t3 ORDER BY id",
    "SELECT * FROM s.v1 ORDER BY id", "SELECT * FROM s.t4", "SELECT id FROM s.t1 WHERE a = 'a1'",
    "SELECT id FROM s.t1 WHERE a = 'a2'", "SELECT count(*) AS n FROM s.t1 WHERE length(a) / 2 > 0",
)  # fmt: skip
_fresh = count(1)


def next_change(chosen: random.Random) -> str:
    """A statement of an administrator."""
    who, table = chosen.choice(["u1", "u2", "g1", "g2"]), chosen.choice(["t1", "t2", "t3", "v1"])
    number = chosen.randrange(3)
    return chosen.choice(
        [
            f"GRANT SELECT ON s.{table} TO {who}", f"REVOKE SELECT ON s.{table} FROM {who}",
            f"GRANT SELECT (id) ON s.t2 TO {who}", f"REVOKE SELECT (id) ON s.t2 FROM {who}",
            f"GRANT g{number % 2 + 1} TO {who}", f"REVOKE g{number % 2 + 1} FROM {who}",
            f"CREATE POLICY p{number} ON s.t1 FOR SELECT TO {who} USING (id % 2 = {number % 2})",
            f"DROP POLICY p{number} ON s.t1", f"COMMENT ON TABLE s.t1 IS 'told {number}'",
            f"CREATE TABLE s.t4 (x{number} int)", "DROP TABLE s.t4", f"ALTER TABLE s.t3 ADD COLUMN d{number} int",
            f"INSERT INTO s.t1 VALUES ({number}, 'a1')", "ALTER TABLE s.t3 OWNER TO u2",
            f"CREATE OR REPLACE VIEW s.v1 AS SELECT id, a FROM s.t1 WHERE id > {number}",
        ]
    )  # fmt: skip


def answer(session: "psycopg.Connection[Any]", question: str) -> tuple[object, ...]:
    """The names and rows, or the SQLSTATE."""
    try:
        cursor = session.execute(question)
        return tuple(column.name for column in cursor.description or ()), cursor.fetchall()
    except psycopg.Error as error:
        return (error.sqlstate,)


def answer_anew(session: "psycopg.Connection[Any]", question: str) -> tuple[object, ...]:
    """The same by a text of which nothing is kept."""
    number = next(_fresh)
    found = answer(session, f"SELECT q.*, {number} AS fresh_{number} FROM ({question}) AS q")
    return found if len(found) == 1 else (found[0][:-1], [row[:-1] for row in found[1]])  # type: ignore[index]  # names, rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a database stands for a gateway."""
    with duckdb.connect(str(tmp_path / "test.duckdb")) as connection:
        connection.execute(DATABASE)
    return tmp_path


def live(gateway: RunningGateway, chosen: random.Random, length: int, asked: int) -> dict[str, list[Any]]:
    """Let a history happen. Gives what each user is told at its end."""
    with ExitStack() as stack:

        def connect(*user: str) -> "psycopg.Connection[Any]":  # a prepared statement keeps its columns
            dsn = gateway.dsn(*user)
            return stack.enter_context(psycopg.connect(dsn, autocommit=True, prepare_threshold=None))

        admin, sessions = connect(ADMIN, ADMIN_PASSWORD), {user: connect(user) for user in ("u1", "u2")}
        history: list[str] = []
        for _ in range(length):
            history.append(next_change(chosen))
            answer(admin, history[-1])
            for user, session in sessions.items():
                for question in chosen.sample(QUESTIONS, asked):
                    told = answer(session, question)
                    assert told == answer_anew(session, question), (user, question, history)
        return {user: [answer(one, q) for q in QUESTIONS] for user, one in sessions.items()}


def check_history(folder: Path, seed: int, length: int, asked: int) -> None:
    """Compare what is kept with what is new, and at its end with a gateway that has kept nothing."""
    with start_gateway(folder, policy=POLICY, LOG_LEVEL="error") as gateway:
        told = live(gateway, random.Random(seed), length, asked)
        gateway.cli("policy", "export", str(folder / "left.yaml"))
    left = (folder / "left.yaml").read_text()
    with start_gateway(folder, policy=left, LOG_LEVEL="error") as gateway:
        for user, answers in told.items():
            with psycopg.connect(gateway.dsn(user), autocommit=True) as session:
                assert [answer(session, question) for question in QUESTIONS] == answers, (user, seed)


def test_nothing_is_told_that_a_history_has_changed(folder: Path) -> None:
    check_history(folder, seed=1, length=8, asked=4)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 22))
def test_nothing_is_told_that_long_histories_have_changed(folder: Path, seed: int) -> None:
    check_history(folder, seed=seed, length=40, asked=8)
