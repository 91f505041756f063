"""Where a client connects: the gateway, and a PostgreSQL 15 that holds what the gateway's user may see.

The reference has two databases on one cluster: `test` holds the analyst's view of the test data as plain
tables (filtered, masked, without the withheld column), `full_test` holds all of it for the administrator. A
test runs the same client code on both servers and compares what the client gave.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import psycopg

from tests.gateway import create_database

Result = TypeVar("Result")

_DEFINITIONS = """
CREATE SCHEMA sales;
CREATE TABLE sales.customers (
    id integer PRIMARY KEY, name text NOT NULL, email text, region text NOT NULL,
    credit_limit numeric(12, 2), joined date, active boolean, seen timestamptz);
CREATE TABLE sales.orders (
    id bigint PRIMARY KEY, customer_id integer NOT NULL, amount numeric(12, 2), placed timestamp,
    ratio double precision);
CREATE TABLE numbers (n integer, doubled bigint, label text);
"""
_PERMITTED = """
DELETE FROM sales.customers WHERE region <> 'EU';
UPDATE sales.customers SET email = left(email, 1) || '***';
ALTER TABLE sales.customers DROP COLUMN credit_limit;
GRANT USAGE ON SCHEMA sales TO analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA sales, public TO analyst;
"""


@dataclass(frozen=True)
class Server:
    """One address with a user, as every driver wants it."""

    port: int
    user: str
    password: str
    database: str
    host: str = "127.0.0.1"

    @property
    def dsn(self) -> str:
        """A libpq connection string."""
        login = f"user={self.user} password={self.password} dbname={self.database}"
        return f"host={self.host} port={self.port} {login}"

    @property
    def location(self) -> str:
        """The part of a URL after the scheme."""
        return f"{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"

    @property
    def keywords(self) -> dict[str, Any]:
        """Arguments of asyncpg.connect and pg8000.connect."""
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.database,
        }


@dataclass(frozen=True)
class Pair:
    """The gateway and the reference, for one user."""

    gateway: Server
    reference: Server

    def same(self, run: Callable[[Server], Result]) -> Result:
        """Run on both, assert that both gave the same, and give it."""
        expected, found = run(self.reference), run(self.gateway)
        assert found == expected
        return found


def load_reference(folder: Path, dsn: str) -> None:
    """Create the two databases of the reference and copy the test data out of DuckDB into them."""
    create_database(folder / "test.duckdb")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE admin SUPERUSER LOGIN")
        connection.execute("CREATE ROLE analyst LOGIN")
        connection.execute("CREATE DATABASE test")
        connection.execute("CREATE DATABASE full_test")
    with duckdb.connect(str(folder / "test.duckdb"), read_only=True) as source:
        for database in ("test", "full_test"):
            with psycopg.connect(dsn.replace("dbname=postgres", f"dbname={database}")) as target:
                target.execute(_DEFINITIONS)
                for table in ("sales.customers", "sales.orders", "numbers"):
                    _copy_table(source, target, table, folder / "rows.csv")
                if database == "test":
                    target.execute(_PERMITTED)


def _copy_table(
    source: duckdb.DuckDBPyConnection, target: psycopg.Connection[Any], table: str, file: Path
) -> None:
    source.execute("SET TimeZone = 'UTC'")
    source.execute(f"COPY {table} TO '{file}' (FORMAT csv, HEADER false)")
    with target.cursor().copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copying:
        copying.write(file.read_bytes())
