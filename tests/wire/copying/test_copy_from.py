"""COPY FROM STDIN beside PostgreSQL 15: the same input gives the same rows, or the same error."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest

from tests.gateway import start_gateway
from tests.postgres import find_binary, running_postgres
from tests.wire.copying.cases import ALL, Case

pytestmark = pytest.mark.skipif(find_binary("initdb") is None, reason="PostgreSQL 15 is not installed")

Connections = tuple[psycopg.Connection, psycopg.Connection]
WORDS_DIFFER = frozenset({"bytea '\\\\\\\\x616'", "bytea '\\\\\\\\xzz'"})
"""The SQLSTATE is the same; PostgreSQL also names the digit at fault."""
SCHEMAS = {
    columns: f"shape{place}" for place, columns in enumerate(dict.fromkeys(case.columns for case in ALL))
}
"""Where the table `copied` with these columns is: made once, not for each case."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connections]:
    """PostgreSQL, and the gateway as its administrator."""
    folder = Path(mkdtemp(prefix="copypg"))
    with (
        running_postgres(folder) as dsn,
        start_gateway(tmp_path_factory.mktemp("gateway")) as gateway,
        psycopg.connect(dsn, autocommit=True) as theirs,
        psycopg.connect(gateway.dsn("admin"), autocommit=True) as ours,
    ):
        for connection in (theirs, ours):
            for columns, schema in SCHEMAS.items():
                connection.execute(f"CREATE SCHEMA {schema}")
                connection.execute(f"CREATE TABLE {schema}.copied ({columns})")
        yield theirs, ours


def outcome(connection: psycopg.Connection, case: Case) -> tuple[object, ...]:
    """Give the tag and the rows, or what the error says."""
    connection.execute(f"SET search_path = {SCHEMAS[case.columns]}")
    connection.execute("DELETE FROM copied")
    cursor = connection.cursor()
    try:
        with cursor.copy(f"COPY {case.target} FROM STDIN {case.options}") as copy:
            copy.write(case.data)
    except psycopg.Error as error:
        shown = error.diag
        return shown.sqlstate, shown.message_primary, shown.context
    tag = connection.pgconn.transaction_status, cursor.rowcount
    with connection.cursor().copy("COPY copied TO STDOUT") as rows:
        return tag, sorted(b"".join(bytes(row) for row in rows).split(b"\n"))


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_same_input_gives_the_same_rows_or_error(both: Connections, case: Case) -> None:
    theirs, ours = (outcome(connection, case) for connection in both)
    if case.name in WORDS_DIFFER:
        ours, theirs = ours[0], theirs[0]
    assert ours == theirs
