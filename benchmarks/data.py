"""The rows that every target serves: made once by DuckDB's TPC-H generator and kept in the cache."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from demo.data import create_tpch

LINEITEM_ROWS = 1_000_000
_REVISION = 1  # of what is generated here; a change makes kept files stale
_ROWS_AT_SCALE_1 = 6_001_215
# Comments joined to texts, by fourteen, so that the texts are like people's and not like a generator's.
_WIDE = """
CREATE TEMP TABLE texts AS
SELECT rowid // 14 AS n, string_agg(l_comment, ' ' ORDER BY rowid) AS words FROM lineitem GROUP BY n;
CREATE TABLE wide AS
SELECT i AS id, a.words AS text1, b.words AS text2, c.words AS text3, d.words AS text4
FROM range({rows} // 8) AS r(i)
JOIN texts AS a ON a.n = i % ({rows} // 14)
JOIN texts AS b ON b.n = (i * 3 + 1) % ({rows} // 14)
JOIN texts AS c ON c.n = (i * 5 + 2) % ({rows} // 14)
JOIN texts AS d ON d.n = (i * 7 + 3) % ({rows} // 14)
ORDER BY i
"""
TPCH_TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
_ACCOUNTS = """
CREATE TABLE accounts (id BIGINT PRIMARY KEY, branch INTEGER NOT NULL, balance DECIMAL(12, 2), name VARCHAR);
INSERT INTO accounts
SELECT i, 1 + i % ({rows} // 100), (i * 7919 % 2000000) / 100, 'Account ' || i
FROM range(1, {rows} + 1) AS r(i);
CREATE TABLE branches (id INTEGER PRIMARY KEY, region VARCHAR NOT NULL, total DECIMAL(12, 2));
INSERT INTO branches
SELECT i, ['north', 'east', 'south', 'west'][1 + i % 4], (i * 104729 % 900000) / 100
FROM range(1, {rows} // 100 + 1) AS r(i);
"""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A DuckDB file that holds `tables` in its schema main. name: also the database's name for clients.

    primary_keys: column by table, for a target that loads the rows into tables of its own.
    """

    name: str
    path: Path
    tables: tuple[str, ...]
    primary_keys: Mapping[str, str] = field(default_factory=dict)


def stream_data(cache: Path, rows: int) -> DataSet:
    """Give `lineitem` with `rows` rows, and `wide` with an eighth of them, of four texts of some 380 bytes.

    A row of `wide` stays below 2 kB, so that PostgreSQL keeps it in the table itself.
    """

    def create(connection: duckdb.DuckDBPyConnection) -> None:
        # The generator works in steps of 0.01, and gives a little less or more than the share.
        create_tpch(connection, math.ceil(100 * rows / _ROWS_AT_SCALE_1 + 0.1) / 100)
        connection.execute("ALTER TABLE lineitem RENAME TO every_lineitem")
        connection.execute(f"CREATE TABLE lineitem AS FROM every_lineitem LIMIT {rows}")
        for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            if table != "lineitem":
                connection.execute(f'DROP TABLE "{table}"')
        connection.execute(_WIDE.format(rows=rows))
        found = connection.execute("SELECT count(*) FROM lineitem").fetchone()
        if found != (rows,):
            raise RuntimeError(f"the generator made {found} rows, not {rows}")

    return DataSet(
        "bench", _cached(cache / f"stream-{_REVISION}-{rows}.duckdb", create), ("lineitem", "wide")
    )


def point_data(cache: Path, rows: int) -> DataSet:
    """Give `accounts` with `rows` rows and a primary key, and `branches`, a hundredth of them."""

    def create(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(_ACCOUNTS.format(rows=rows))

    path = _cached(cache / f"point-{_REVISION}-{rows}.duckdb", create)
    return DataSet("bench", path, ("accounts", "branches"), {"accounts": "id", "branches": "id"})


def tpch_data(cache: Path, rows: int) -> DataSet:
    """Give TPC-H's eight tables at the scale whose `lineitem` has about `rows` rows."""
    scale = max(1, round(100 * rows / _ROWS_AT_SCALE_1)) / 100

    def create(connection: duckdb.DuckDBPyConnection) -> None:
        create_tpch(connection, scale)

    return DataSet("bench", _cached(cache / f"tpch-{_REVISION}-{scale}.duckdb", create), TPCH_TABLES)


def _cached(path: Path, create: Callable[[duckdb.DuckDBPyConnection], None]) -> Path:
    """Make a DuckDB file unless it is there; a half-written one is never left behind."""
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(str(partial)) as connection:
            create(connection)
        partial.rename(path)
    return path
