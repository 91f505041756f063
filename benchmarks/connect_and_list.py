"""What clients do in their first second, here and on PostgreSQL 15 in the same run: connect, and list.

Run: `python -m benchmarks.connect_and_list [tables] [columns]`. psql's `\\d table`, whole-catalog reads as
ADBC and Power BI do them, SQLAlchemy's reflection, ODBC's catalog functions, JDBC's DatabaseMetaData. The aim
is at most twice PostgreSQL's time, 50 ms for `\\d table` and 500 ms for a whole read, at 1,000 tables of 50
columns.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import duckdb
import psycopg

from benchmarks import jdbc
from benchmarks.machine import describe_machine, load_average
from tests.clients.servers import Server
from tests.gateway import ADMIN, ADMIN_PASSWORD, start_gateway
from tests.postgres import running_postgres

REPEATS = 5
_TYPES = ("integer", "text", "decimal(12, 2)", "timestamp", "double precision")
_ONE = "t00001"
_WHOLE = {
    "adbc: pg_attribute whole": "SELECT attrelid, attname, atttypid FROM pg_catalog.pg_attribute",
    "adbc: pg_type whole": "SELECT oid, typname, typreceive, typsend, typarray FROM pg_catalog.pg_type",
    "power bi: columns whole": "SELECT table_schema, table_name, column_name, ordinal_position, is_nullable, "
    "data_type FROM information_schema.columns ORDER BY table_schema, table_name, ordinal_position",
    "power bi: tables whole": "SELECT table_schema, table_name, table_type FROM information_schema.tables",
}
Timings = Mapping[str, float]
"""Milliseconds by name, the best of several."""


def listings(server: Server, classes: Path | None) -> Timings:
    """Every timing of one server. classes: where Listing.java is compiled; None: no JDBC."""
    found = dict(_of_psql(server)) | dict(_of_whole_reads(server)) | dict(_of_reflection(server))
    if importlib.util.find_spec("pyodbc") is not None and _odbc_driver() is not None:
        found |= dict(_of_odbc(server))
    return found | (_of_jdbc(server, classes) if classes is not None else {})


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return min(times)


def _of_psql(server: Server) -> Iterator[tuple[str, float]]:
    """One command more, the program's start and login taken off."""
    where = ["-X", "-h", server.host, "-p", str(server.port), "-U", server.user, "-d", server.database]

    def run(text: str) -> None:
        subprocess.run(
            ["psql", *where], input=text, env={**os.environ, "PGPASSWORD": server.password},
            capture_output=True, text=True, check=True,
        )  # fmt: skip

    nothing = _best(lambda: run(""))
    yield "psql connect", nothing
    for name, command in ((r"psql \d table", rf"\d {_ONE}"), (r"psql \d", r"\d"), (r"psql \l", r"\l")):
        yield name, (_best(lambda command=command: run(f"{command}\n" * 11)) - nothing) / 11


def _of_whole_reads(server: Server) -> Iterator[tuple[str, float]]:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        for name, sql in _WHOLE.items():
            yield name, _best(lambda sql=sql: connection.pgconn.exec_(sql.encode()))


def _of_reflection(server: Server) -> Iterator[tuple[str, float]]:
    import sqlalchemy as sa

    engine = sa.create_engine(f"postgresql+psycopg2://{server.location}", poolclass=sa.pool.NullPool)
    yield "sqlalchemy names", _best(lambda: sa.inspect(engine).get_table_names())
    yield "sqlalchemy reflect one", _best(lambda: sa.Table(_ONE, sa.MetaData(), autoload_with=engine))
    others = (f"t{number:05}" for number in count(2))  # whose answers nobody can have kept
    yield (
        "sqlalchemy reflect another",
        _best(lambda: sa.Table(next(others), sa.MetaData(), autoload_with=engine)),
    )
    yield "sqlalchemy columns of all", _best(lambda: sa.inspect(engine).get_multi_columns())


def _odbc_driver() -> Path | None:
    return next(iter(sorted(Path("/usr/lib").glob("*/odbc/psqlodbcw.so"))), None)


def _of_odbc(server: Server) -> Iterator[tuple[str, float]]:
    import pyodbc

    text = (
        f"Driver={_odbc_driver()};Servername={server.host};Port={server.port};Database={server.database};"
        f"Username={server.user};Password={server.password}"
    )
    yield "odbc connect", _best(lambda: pyodbc.connect(text, autocommit=True).close())
    connection = pyodbc.connect(text, autocommit=True)
    yield "odbc SQLTables", _best(lambda: connection.cursor().tables(schema="public").fetchall())
    yield "odbc SQLColumns of one", _best(lambda: connection.cursor().columns(table=_ONE).fetchall())
    yield "odbc SQLPrimaryKeys", _best(lambda: connection.cursor().primaryKeys(table=_ONE).fetchall())
    connection.close()


def _of_jdbc(server: Server, classes: Path) -> dict[str, float]:
    url = f"jdbc:postgresql://{server.host}:{server.port}/{server.database}"
    arguments = (url, server.user, server.password, _ONE, str(REPEATS))
    command = jdbc.command("Listing", classes, *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = {}
    for name, _, value in (line.partition("=") for line in done.stdout.splitlines()):
        found[name] = min(found.get(name, float(value)), float(value))
    return found


@contextmanager
def both(folder: Path, tables: int, columns: int) -> Iterator[tuple[Server, Server]]:
    """A gateway and a PostgreSQL with the same tables, for an administrator."""
    shape = ", ".join(f"c{number} {_TYPES[number % len(_TYPES)]}" for number in range(columns))
    statements = [f"CREATE TABLE t{n:05}(id integer PRIMARY KEY, {shape})" for n in range(tables)]
    with duckdb.connect(str(folder / "test.duckdb")) as engine:
        for statement in statements:
            engine.execute(statement)
    with running_postgres(folder / "postgres") as dsn, start_gateway(folder, policy="users: {}") as gateway:
        with psycopg.connect(dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())
            connection.execute("VACUUM ANALYZE")
        port = int(dsn.partition("port=")[2].split()[0])
        yield (
            Server(gateway.port, ADMIN, ADMIN_PASSWORD, "test"),
            Server(port, "postgres", "trusted", "postgres"),
        )


def main() -> None:
    """Measure both and print the ratios, the machine and its load beside them."""
    tables, columns = (int(argument) for argument in (*sys.argv[1:3], "1000", "50")[:2])
    print(f"{describe_machine()}\nload {load_average()}; {tables} tables of {columns} columns")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with both(folder, tables, columns) as (ours, theirs):
            classes = folder if jdbc.is_installed() else None
            if classes:
                jdbc.compile_program("Listing", classes)
            reference, found = listings(theirs, classes), listings(ours, classes)
    print(f"{'':28s}{'PostgreSQL':>12s}{'here':>12s}{'ratio':>8s}")
    for name, value in found.items():
        print(f"{name:28s}{reference[name]:9.1f} ms{value:9.1f} ms{value / reference[name]:8.1f}")


if __name__ == "__main__":
    main()
