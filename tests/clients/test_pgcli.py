"""pgcli: its completions' own queries, its backslash commands, and the program itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.servers import Pair, Server
from tests.gateway import RunningGateway

pgexecute = pytest.importorskip("pgcli.pgexecute")
pgspecial = pytest.importorskip("pgspecial")
pytestmark = pytest.mark.client("pgcli")

COMMANDS = r"""
\d sales.customers
\d+ sales.orders
\dT
\df pg_size*
\ds
\dv
\dD
SELECT id, name FROM sales.customers ORDER BY id LIMIT 2
""".strip().splitlines()
GATEWAYS_OWN = "pgproxy"
"""The schema that PostgreSQL does not have."""
OWNERS = {"postgres": "pgproxy", "pg_database_owner": "pgproxy"}
OWNED = (r"\d", r"\dt sales.*", r"\di sales.*")


@contextmanager
def executor(server: Server) -> Iterator[Any]:
    """pgcli's own connection."""
    found = pgexecute.PGExecute(
        server.database, server.user, server.password, server.host, str(server.port), None
    )
    try:
        yield found
    finally:
        found.conn.close()


def mine(rows: Any) -> list[str]:
    """What is in the users' schemas."""
    return sorted(repr(row) for row in rows if "sales" in repr(row) or "public" in repr(row))


def _is_nobodys(schema: str) -> bool:
    """Not one that a session's temporary tables, in whichever test, have left on PostgreSQL."""
    return not schema.startswith(("pg_temp_", "pg_toast_temp_"))


@pytest.mark.feature("metadata")
def test_completions_are_offered_alike(embedded_pair: Pair) -> None:
    def run(server: Server) -> list[Any]:
        with executor(server) as found:
            functions = [f for f in found.functions() if f.func_name in ("pg_size_pretty", "now", "int4pl")]
            return [
                mine(found.tables()), mine(found.table_columns()), mine(found.views()),
                mine(found.datatypes()), mine(found.foreignkeys()), sorted(map(repr, functions)),
                sorted(set(filter(_is_nobodys, found.schemata())) - {GATEWAYS_OWN}), found.search_path(),
                str(found.server_version).split()[0],
                server.database in found.databases(),
            ]  # fmt: skip

    assert "sales" in embedded_pair.same(run)[6]


@pytest.mark.feature("metadata")
@pytest.mark.parametrize("command", [*COMMANDS, *OWNED])
def test_a_command_prints_the_same(embedded_pair: Pair, command: str) -> None:
    def run(server: Server) -> list[Any]:
        with executor(server) as connection:
            found = []
            for _, rows, headers, status, *_ in connection.run(command, pgspecial.PGSpecial(), None):
                texts = [[str(value) for value in row] for row in rows or []]
                found.append([[[OWNERS.get(text, text) for text in row] for row in texts], headers, status])
            return found

    assert embedded_pair.same(run)


@pytest.mark.feature("rows")
def test_the_program_prints_a_table(embedded: RunningGateway, tmp_path: Path) -> None:
    home = str(tmp_path)
    settings = {"PGPASSWORD": "analyst-secret", "HOME": home, "XDG_CONFIG_HOME": home, "TERM": "dumb"}
    where = ["-h", "127.0.0.1", "-p", str(embedded.port), "-U", "analyst", "-d", "test", "-w"]
    sql = "SELECT id, name FROM sales.customers WHERE id < 8"
    done = subprocess.run(
        [str(Path(sys.executable).parent / "pgcli"), *where, "-c", sql],
        env={**os.environ, **settings}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "name3" in done.stdout
    assert "SELECT 2" in done.stdout
