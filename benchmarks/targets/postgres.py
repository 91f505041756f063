"""PostgreSQL 15 with the same rows, loaded by COPY, vacuumed and frozen: a scan does nothing but read."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from benchmarks.data import DataSet
from benchmarks.raw_client import Address, RawClient, simple_query
from benchmarks.targets.base import RunningTarget, Target, TargetUnavailable, Workbench
from tests.postgres import find_binary, running_postgres

_TYPES = {
    "TINYINT": "smallint",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "BLOB": "bytea",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


@contextmanager
def _start(workbench: Workbench, data: DataSet) -> Iterator[RunningTarget]:
    if find_binary("initdb") is None or find_binary("postgres") is None:
        raise TargetUnavailable("PostgreSQL is not installed")
    folder = workbench.scratch / "postgres"
    with running_postgres(folder) as dsn:
        address = Address(_port(dsn), "postgres", "postgres")
        with RawClient(address) as client:
            for table in data.tables:
                _load(client, data, table, workbench.scratch / f"{table}.csv")
            client.run(simple_query("VACUUM (FREEZE, ANALYZE)"))
            client.run(simple_query("CHECKPOINT"))
            version = str(client.fetch_text("SHOW server_version")[0][0])
        postmaster = int((folder / "cluster" / "data" / "postmaster.pid").read_text().split()[0])
        yield RunningTarget(
            name=POSTGRES.name,
            version=f"PostgreSQL {version}",
            data=data,
            address=address,
            roles={"postgres": [postmaster]},
        )


def postgres_type(duckdb_type: str) -> str:
    """Give the name of the PostgreSQL type that holds the same values."""
    return _TYPES.get(duckdb_type, duckdb_type.lower().replace("decimal", "numeric"))


def create_table(name: str, columns: Sequence[tuple[str, str]]) -> str:
    """Give CREATE TABLE for columns (name, DuckDB type)."""
    declared = ", ".join(f'"{column}" {postgres_type(kind)}' for column, kind in columns)
    return f'CREATE TABLE "{name}" ({declared})'


def _load(client: RawClient, data: DataSet, table: str, csv: Path) -> None:
    with duckdb.connect(str(data.path), read_only=True) as connection:
        described = connection.execute(f'DESCRIBE "{table}"').fetchall()
        columns = ", ".join(_csv_column(name, kind) for name, kind, *_ in described)
        connection.execute(f"COPY (SELECT {columns} FROM \"{table}\") TO '{csv}' (FORMAT csv, HEADER false)")
    # In the transaction that makes the table, COPY fills page after page. Otherwise short rows go back into
    # gaps, and a scan gives another order than the file's.
    for sql in (
        "BEGIN",
        create_table(table, [(name, kind) for name, kind, *_ in described]),
        f"COPY \"{table}\" FROM '{csv}' (FORMAT csv, FREEZE)",
        "COMMIT",
    ):
        client.run(simple_query(sql))
    csv.unlink()
    if (key := data.primary_keys.get(table)) is not None:
        client.run(simple_query(f'ALTER TABLE "{table}" ADD PRIMARY KEY ("{key}")'))


def _csv_column(name: str, kind: str) -> str:
    """Give the expression whose text PostgreSQL reads back: an array in its own notation."""
    if not kind.endswith("[]"):
        return f'"{name}"'
    return f"""'{{' || array_to_string(list_transform("{name}", x -> '"' || x || '"'), ',') || '}}'"""


def _port(dsn: str) -> int:
    found = re.search(r"port=(\d+)", dsn)
    if found is None:
        raise RuntimeError("the DSN has no port")
    return int(found[1])


POSTGRES = Target("postgres", "PostgreSQL 15", _start)
