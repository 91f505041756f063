"""pg_dump of PostgreSQL 15: what it writes of the gateway's tables and views, PostgreSQL takes."""

import subprocess

import psycopg
import pytest

from tests.clients.servers import Pair
from tests.postgres import find_binary

pytestmark = pytest.mark.client("pg_dump")

_MADE = """
    CREATE TABLE dumped (id integer PRIMARY KEY, "Name" text NOT NULL DEFAULT 'x',
        price numeric(10, 2) CHECK (price > 0), made timestamptz, tags text[], raw bytea);
    COMMENT ON TABLE dumped IS 'what is dumped';
    INSERT INTO dumped VALUES (1, E'a\\tb\\\\c', 1.50, '2024-01-31 10:00+02', '{a,NULL,"b c"}', '\\x00ff'),
        (2, DEFAULT, NULL, NULL, NULL, NULL);
    CREATE VIEW dumped_view AS SELECT id / 2 AS half, count(*) FROM dumped GROUP BY id / 2
"""
_ROWS = "SELECT id, \"Name\", price, made AT TIME ZONE 'UTC', tags, raw FROM dumped ORDER BY id"


def _dump(dsn: str, *options: str) -> str:
    program = find_binary("pg_dump")
    if program is None:
        pytest.skip("pg_dump is not installed")
    command = [program, "--no-owner", "--no-acl", "-t", "dumped", "-t", "dumped_view", *options, dsn]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not done.stderr
    return done.stdout


@pytest.mark.feature("metadata")
@pytest.mark.parametrize("options", [(), ("--inserts",), ("--column-inserts", "--quote-all-identifiers")])
def test_a_dump_makes_the_same_tables_views_and_rows_on_postgresql(
    admin_pair: Pair, options: tuple[str, ...]
) -> None:
    gateway, reference = admin_pair.gateway.dsn, admin_pair.reference.dsn
    with psycopg.connect(gateway, autocommit=True) as source:
        source.execute(_MADE)
        try:
            written = _dump(gateway, *options)
            expected = source.execute(_ROWS).fetchall()
            seen = source.execute("SELECT * FROM dumped_view ORDER BY half").fetchall()
        finally:
            source.execute("DROP VIEW dumped_view; DROP TABLE dumped")
    restored = subprocess.run(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", reference],
        input=written, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert not restored.stderr
    with psycopg.connect(reference, autocommit=True) as target:
        try:
            assert target.execute(_ROWS).fetchall() == expected
            assert target.execute("SELECT * FROM dumped_view ORDER BY half").fetchall() == seen
            with pytest.raises(psycopg.errors.UniqueViolation):
                target.execute("INSERT INTO dumped (id) VALUES (1)")
            with pytest.raises(psycopg.errors.CheckViolation):
                target.execute("INSERT INTO dumped (id, price) VALUES (3, -1)")
        finally:
            target.execute("DROP VIEW dumped_view; DROP TABLE dumped")
