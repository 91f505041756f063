"""The demo database: TPC-H from DuckDB's generator and a `sales` schema with personal data. Deterministic."""

from importlib.util import find_spec
from pathlib import Path

import duckdb

TPCH_SCALE = 0.1

_SALES = """
CREATE SCHEMA sales;
CREATE TABLE sales.customers (
    id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, email VARCHAR NOT NULL, region VARCHAR NOT NULL,
    credit_limit DECIMAL(12, 2), joined DATE NOT NULL);
INSERT INTO sales.customers
SELECT i, 'Customer ' || i,
       'customer' || i || '@' || ['example.com', 'example.org', 'example.net'][1 + i % 3],
       ['EU', 'US', 'APAC', 'EU'][1 + i % 4], 500 + (i * 7919 % 20000) / 4,
       DATE '2019-01-01' + (i * 37 % 2000)::INTEGER
FROM range(1, 1001) AS r(i);
CREATE TABLE sales.orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES sales.customers (id),
    region VARCHAR NOT NULL, amount DECIMAL(12, 2) NOT NULL, ordered_at TIMESTAMP NOT NULL, note VARCHAR);
INSERT INTO sales.orders
SELECT i, 1 + i % 1000, c.region, (i * 104729 % 500000) / 100, TIMESTAMP '2024-01-01' + to_minutes(i * 11),
       CASE WHEN i % 10 = 0 THEN 'call before delivery' END
FROM range(1, 20001) AS r(i) JOIN sales.customers AS c ON c.id = 1 + i % 1000;
COMMENT ON TABLE sales.customers IS 'People who buy';
COMMENT ON COLUMN sales.customers.credit_limit IS 'Confidential';
"""


def tpch_extension() -> Path:
    """Find the extension in its PyPI wheel: it loads offline."""
    spec = find_spec("duckdb_extension_tpch")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package duckdb-extension-tpch is not installed")
    folder = Path(spec.submodule_search_locations[0])
    return folder / "extensions" / f"v{duckdb.__version__}" / "tpch.duckdb_extension"


def create_tpch(connection: duckdb.DuckDBPyConnection, scale: float) -> None:
    """Fill the current schema with the eight TPC-H tables."""
    connection.execute(f"LOAD '{tpch_extension()}'")
    connection.execute(f"CALL dbgen(sf = {scale})")


def create_demo_database(path: Path, scale: float = TPCH_SCALE) -> None:
    """Write the demo database, unless it is there already; a half-written one is never left behind."""
    if path.exists():
        return
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(partial)) as connection:
        create_tpch(connection, scale)
        connection.execute(_SALES)
    partial.rename(path)


def tpch_queries() -> list[tuple[int, str]]:
    """Give TPC-H's queries with their numbers, 1 to 22."""
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{tpch_extension()}'")
        found = connection.execute("SELECT query_nr, query FROM tpch_queries() ORDER BY query_nr").fetchall()
    return [(int(number), str(sql).strip().rstrip(";")) for number, sql in found]
