"""Where COPY FROM gathers its rows before they are inserted: a temporary table of one session.

Rows come as Arrow batches; DuckDB spills what does not fit its memory. Blocking functions: for a thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

_SOURCE = "pgproxy_staged_batch"


def create_staging(connection: duckdb.DuckDBPyConnection, table: str, schema: pa.Schema) -> None:
    """Create the table `temp.main.<table>` with the columns of `schema`. Raises: duckdb.Error.

    Not by CREATE TABLE AS, which inserts no rows: what comes later would be lost (`execnode.engine.inserts`).
    """
    with _lent(connection, pa.Table.from_batches([], schema)):
        described = connection.execute(f"DESCRIBE SELECT * FROM {_SOURCE}").fetchall()
    columns = ", ".join(f"{_quoted(name)} {engine_type}" for name, engine_type, *_ in described)
    connection.execute(f"CREATE TEMP TABLE {_quoted(table)} ({columns})")


def append_staging(connection: duckdb.DuckDBPyConnection, table: str, batch: pa.RecordBatch) -> None:
    """Append a batch of the same schema; of none without rows, or later ones would be lost, too.

    Raises:
        duckdb.Error: the engine refused it.
    """
    if not batch.num_rows:
        return
    with _lent(connection, pa.Table.from_batches([batch])):
        connection.execute(f"INSERT INTO temp.main.{_quoted(table)} SELECT * FROM {_SOURCE}")  # quoted


def drop_staging(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drop the table. Raises: duckdb.Error."""
    connection.execute(f"DROP TABLE temp.main.{_quoted(table)}")


@contextmanager
def _lent(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> Iterator[None]:
    connection.register(_SOURCE, rows)
    try:
        yield
    finally:
        connection.unregister(_SOURCE)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
