"""The rows that every target serves: made once by DuckDB's TPC-H generator and kept in the cache."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from demo.data import create_tpch

LINEITEM_ROWS = 1_000_000
_REVISION = 2  # of what is generated here; a change makes kept files stale
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
_NESTED_AND_SPARSE = """
CREATE TABLE nested AS
SELECT i AS id, [i, i * 3, -i] AS numbers, ['a' || i % 7, 'b, c', 'd' || i] AS words
FROM range({rows} // 4) AS r(i);
CREATE TABLE sparse AS
SELECT i AS id, {columns} FROM range({rows} // 2) AS r(i)
""".replace(
    "{columns}",
    ", ".join(
        f"CASE WHEN (i + {k}) % 10 = 0 THEN " + ("i" if k % 2 else "'text ' || i") + f" END AS c{k}"
        for k in range(1, 16)
    ),
)
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
_EVENTS = """
CREATE TABLE events AS
SELECT TIMESTAMP '2024-01-01' + to_seconds(i * 864000 // {rows}) AS moment,
       (TIMESTAMP '2024-01-01' + to_seconds(i * 864000 // {rows}))::DATE AS day,
       (hash(i) % 20000)::BIGINT AS user_id, (hash(i * 3) % 230)::INTEGER AS region,
       'https://shop.example/' || ['search', 'item', 'basket'][1 + (hash(i * 5) % 3)::INTEGER]
           || '/' || (hash(i * 7) % 9000) AS url,
       CASE WHEN hash(i * 11) % 4 = 0 THEN 'phrase ' || (hash(i * 13) % 3000) ELSE '' END AS phrase,
       'agent ' || (hash(i) % 40) AS agent, 'page ' || (hash(i * 7) % 9000) AS title,
       'https://from.example/' || (hash(i * 17) % 700) AS referer, hash(i * 19) % 2 = 0 AS is_mobile,
       {numbers}
FROM range({rows}) AS r(i)
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
    """Give `lineitem` with `rows` rows, and smaller tables: `wide`, `nested` and `sparse`.

    `wide` has four texts of some 380 bytes in a row, `nested` two arrays, and of `sparse`, nine cells of ten
    are NULL.

    A row of `wide` stays below 2 kB, so that PostgreSQL keeps it in the table itself.
    """

    def create(connection: duckdb.DuckDBPyConnection) -> None:
        _create_lineitem(connection, rows)
        connection.execute(_WIDE.format(rows=rows))
        connection.execute(_NESTED_AND_SPARSE.format(rows=rows))

    path = _cached(cache / f"stream-{_REVISION}-{rows}.duckdb", create)
    return DataSet("bench", path, ("lineitem", "wide", "nested", "sparse"))


def copyin_data(cache: Path, rows: int) -> DataSet:
    """Give `lineitem` with `rows` rows, and `loaded`, an empty table with the same columns."""

    def create(connection: duckdb.DuckDBPyConnection) -> None:
        _create_lineitem(connection, rows)
        connection.execute("CREATE TABLE loaded AS FROM lineitem LIMIT 0")

    path = _cached(cache / f"copyin-{_REVISION}-{rows}.duckdb", create)
    return DataSet("bench", path, ("lineitem", "loaded"))


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


def events_data(cache: Path, rows: int) -> DataSet:
    """Give `events`, a wide table with `rows` rows in the order of time."""
    numbers = ", ".join(f"(hash(i * {k}) % {10 ** (1 + k % 6)})::INTEGER AS n{k}" for k in range(1, 51))

    def create(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(_EVENTS.format(rows=rows, numbers=numbers))

    return DataSet("bench", _cached(cache / f"events-{_REVISION}-{rows}.duckdb", create), ("events",))


def governed_data(cache: Path, rows: int) -> DataSet:
    """Give `t` with `rows` rows, a third of them in the region EU."""

    def create(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(
            "CREATE TABLE t AS SELECT i::INTEGER AS id, ['EU', 'US', 'APAC'][1 + i % 3] AS region, "
            "(i % 1000)::INTEGER AS k, 'name' || (i % 5000) AS name, i * 1.5 AS x "
            f"FROM range({rows}) AS r(i)"
        )

    return DataSet("bench", _cached(cache / f"governed-{_REVISION}-{rows}.duckdb", create), ("t",))


def scale_data(cache: Path, rows: int) -> DataSet:
    """Give `tall` with `rows` rows of four columns, and `broad` with a thousand rows of 400."""
    columns = ", ".join(f"(i * {k} % 100000)::INTEGER AS c{k}" for k in range(1, 401))

    def create(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(
            "CREATE TABLE tall AS SELECT i AS c1, i % 97 AS c2, 'name ' || i AS c3, i / 8 AS c4 "
            f"FROM range({rows}) AS r(i); CREATE TABLE broad AS SELECT {columns} FROM range(1000) AS r(i)"
        )

    path = _cached(cache / f"scale-{_REVISION}-{rows}.duckdb", create)
    return DataSet("bench", path, ("tall", "broad"))


def _create_lineitem(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    # The generator works in steps of 0.01, and gives a little less or more than the share.
    create_tpch(connection, math.ceil(100 * rows / _ROWS_AT_SCALE_1 + 0.1) / 100)
    connection.execute("ALTER TABLE lineitem RENAME TO every_lineitem")
    connection.execute(f"CREATE TABLE lineitem AS FROM every_lineitem LIMIT {rows}")
    for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        if table != "lineitem":
            connection.execute(f'DROP TABLE "{table}"')
    found = connection.execute("SELECT count(*) FROM lineitem").fetchone()
    if found != (rows,):
        raise RuntimeError(f"the generator made {found} rows, not {rows}")


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
