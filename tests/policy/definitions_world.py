"""What stands in the database before anybody defines, and who may do what with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from tests.gateway import RunningGateway, start_gateway

SCRIPT = """
CREATE SCHEMA work; CREATE SCHEMA shut;
CREATE TABLE work.given(id int, name text); INSERT INTO work.given VALUES (1, 'a'), (2, NULL);
CREATE TABLE work.unseen(id int);
CREATE TABLE shut.closed(id int);
CREATE INDEX given_id ON work.given(id);
CREATE SCHEMA open; CREATE TABLE open.people(id int, name text);
INSERT INTO open.people VALUES (1, 'HIDDEN-1'), (2, 'HIDDEN-2');
CREATE TABLE work.ruled(id int, secret text); INSERT INTO work.ruled VALUES (1, 'shown'), (2, 'HIDDEN-3');
CREATE TABLE allowed(id int); INSERT INTO allowed VALUES (1);
CREATE SCHEMA cased; CREATE TABLE cased."Mixed"(id int, name text);
INSERT INTO cased."Mixed" VALUES (1, 'shown'), (2, 'HIDDEN-4');
CREATE INDEX hidden_idx ON shut.closed(id); CREATE INDEX eves_own_idx ON shut.closed(id);
CREATE VIEW work."Report" AS SELECT 'admin' AS made_by;
"""
POLICY = """
users:
  ann: {password: ann-secret}
  bob: {password: bob-secret}
  eve: {password: eve-secret}
grants:
  - {to: ann, privileges: [CREATE], on: defs}
  - {to: ann, privileges: [SELECT], on: defs.work.given}
  - {to: bob, privileges: [CREATE], on: defs.work}
  - {to: bob, privileges: [SELECT], on: defs.shut.closed}
  - {to: eve, privileges: [CREATE], on: defs}
  - {to: eve, privileges: [SELECT], on: defs.work.ruled}
  - {to: eve, privileges: [SELECT], on: defs.public.allowed}
  - {to: eve, privileges: [SELECT], on: defs.open.*}
  - {to: eve, privileges: [SELECT], on: defs.cased.*}
  - {to: bob, privileges: [INSERT], on: defs.work.inbox}
row_filters:
  - {name: few, on: defs.work.ruled, using: "id IN (SELECT id FROM allowed)", to: [eve]}
  - {name: own, on: defs.work.twins, using: "who = current_user", to: [eve]}
  - {name: some, on: defs.open.people, using: "id = 1", to: [eve]}
  - {name: cased, on: defs.cased.mixed, using: "id = 1", to: [eve]}
column_masks:
  - {name: no_name, on: defs.open.people, column: name, using: "'***'", to: [eve]}
  - {name: no_who, on: defs.work.spied, column: who, using: "'***'", to: [eve]}
  - {name: no_note, on: defs.work.notes, column: note, using: "'***'", to: [eve]}
"""


@contextmanager
def definitions_gateway(folder: Path) -> Iterator[RunningGateway]:
    """A gateway on it."""
    with duckdb.connect(str(folder / "test.duckdb")) as connection:
        connection.execute(SCRIPT)
    with start_gateway(folder, nodes=0, policy=POLICY, DATABASE_NAME="defs", LOG_LEVEL="error") as running:
        yield running


def answer(connection: "psycopg.Connection[Any]", sql: str) -> tuple[object, ...]:
    """The SQLSTATE, or the tag with the rows and notices."""
    notices: list[str] = []
    handler = lambda notice: notices.append(f"{notice.severity} {notice.sqlstate}: {notice.message_primary}")  # noqa: E731
    connection.add_notice_handler(handler)
    try:
        cursor = connection.execute(sql)
        return (cursor.statusmessage, cursor.fetchall() if cursor.description else None, notices)
    except psycopg.Error as error:
        return (error.sqlstate, error.diag.message_primary)
    finally:
        connection.remove_notice_handler(handler)
