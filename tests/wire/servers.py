"""The servers that transcripts run on, with the same tables everywhere."""

from pathlib import Path

import duckdb
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, create_database
from tests.wire.connection import Target

FOLDER = Path(__file__).parent / "transcripts"
TABLES = """
CREATE TABLE items (id integer PRIMARY KEY, name text, price double precision, added date, big bigint);
INSERT INTO items VALUES (1, 'one', 1.5, DATE '2024-01-01', 10), (2, 'two', 2.5, DATE '2024-01-02', 20),
    (3, 'three', 3.5, DATE '2024-01-03', 30), (4, NULL, NULL, NULL, NULL),
    (5, 'five', 5.5, DATE '2024-01-05', 50);
CREATE TABLE written (id integer, note text);
CREATE VIEW dear AS SELECT name AS title, price * 2 AS twice, id FROM items WHERE price > 2;
"""


def postgres_target(dsn: str) -> Target:
    """Create the tables on PostgreSQL and give its address."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE admin SUPERUSER LOGIN")
        connection.execute("CREATE DATABASE test OWNER admin")
        connection.execute("ALTER DATABASE test SET lc_messages = 'C'")
    with psycopg.connect(make_conninfo(dsn, user="admin", dbname="test"), autocommit=True) as connection:
        connection.execute(TABLES)
    parts = conninfo_to_dict(dsn)
    return Target(str(parts["host"]), int(str(parts["port"])), "admin", "test")


def prepare_database(folder: Path) -> None:
    """Write the gateway's database, transcripts' tables included, before the gateway starts."""
    path = folder / "test.duckdb"
    create_database(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES)


def gateway_target(gateway: RunningGateway) -> Target:
    """Give the gateway's address, as its administrator."""
    return Target("127.0.0.1", gateway.port, ADMIN, "test", ADMIN_PASSWORD)
