"""RowDescription's table OID and column number: PostgreSQL's, and to be found in pg_attribute."""

import psycopg
import pytest

from tests.gateway import RunningGateway
from tests.wire.connection import Target

QUERIES = (
    "SELECT * FROM items",
    "SELECT name, id, price + 1, id::integer, id::bigint, (big), 'x' FROM items",
    "SELECT i.name AS other, i.* FROM items AS i",
    "SELECT title, id, twice FROM dear",
    "SELECT d.*, d.id + 1 FROM dear d WHERE d.id < 4",
    "SELECT x, b.y FROM (SELECT id AS x, name AS y, price * 2 FROM items) AS b(x)",
    "WITH w AS (SELECT name, id FROM items), v(k) AS (SELECT id FROM w) SELECT k, w.* FROM v, w",
    "WITH RECURSIVE r(n) AS (SELECT id FROM items UNION SELECT n + 10 FROM r WHERE n < 20) SELECT n FROM r",
    "SELECT * FROM items JOIN written USING (id)",
    "SELECT id, items.id, written.id, note FROM items RIGHT JOIN written USING (id)",
    "SELECT id, name FROM items FULL JOIN written USING (id)",
    "SELECT * FROM items NATURAL JOIN written",
    "SELECT * FROM (SELECT name, id FROM items) a JOIN written USING (id)",
    "SELECT *, a.* FROM (SELECT name, id FROM items) a FULL JOIN written AS b USING (id)",
    "SELECT q.* FROM (SELECT *, 1 AS one FROM dear NATURAL JOIN items) AS q",
    "SELECT * FROM written, items JOIN dear USING (id)",
    "SELECT * FROM (items AS a JOIN written AS b ON a.id = b.id) AS j(n, m)",
    "SELECT a.name, c.note FROM items a JOIN (dear b JOIN written c ON b.id = c.id) ON a.id = b.id",
    "SELECT * FROM items, LATERAL (SELECT items.name, note FROM written) AS l",
    "SELECT i.id, g, v.* FROM items i, generate_series(1, 2) AS g, (VALUES (1, 'a')) AS v",
    "SELECT *, g.n FROM items, generate_series(1, 2) AS g(n)",
    "SELECT id FROM items UNION SELECT id FROM written",
    "SELECT q.id FROM (SELECT id FROM items EXCEPT SELECT id FROM written) AS q",
    "SELECT id, count(*), max(name) FROM items GROUP BY id",
    "SELECT DISTINCT ON (name) name, id FROM items ORDER BY name, id",
    "SELECT (SELECT name FROM items WHERE id = 1), CASE WHEN true THEN id END FROM items",
    "SELECT o.name, (SELECT o.id) FROM items o WHERE EXISTS (SELECT 1 FROM written w WHERE w.id = o.id)",
    "TABLE written",
    "VALUES (1, 'a')",
    "SELECT relname, oid, relkind, reltuples, c.relnamespace FROM pg_class c WHERE oid = 1259",
    "SELECT n.*, t.typname FROM pg_namespace n JOIN pg_type t ON t.typnamespace = n.oid LIMIT 1",
    "SELECT table_name, column_name FROM information_schema.columns LIMIT 1",
    "SELECT viewname, definition FROM pg_views LIMIT 1",
)
WRITES = (
    "INSERT INTO written AS w VALUES (1, 'a') RETURNING w.note, id + 1, *",
    "UPDATE written AS w SET note = name FROM items WHERE w.id = items.id RETURNING w.*, w.id * 2",
    "UPDATE written SET note = 'b' RETURNING *, upper(note)",
    "DELETE FROM written USING items i WHERE written.id = i.id RETURNING written.note, written.*",
)
CURSORS = (
    ("DECLARE c CURSOR FOR SELECT name, id + 1 FROM items", "FETCH 1 FROM c"),
    ("PREPARE p AS SELECT id, big FROM items", "EXECUTE p"),
)
_NAMES = """
    SELECT n.nspname || '.' || c.relname || '.' || a.attname FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attrelid = %s AND a.attnum = %s
"""

Origins = list[tuple[str, str | None]]


def origins(connection: "psycopg.Connection[tuple[object, ...]]", sql: str) -> Origins:
    """Each column's name, and what pg_attribute says of its origin; None: it has none."""
    cursor = connection.execute(sql)
    result = cursor.pgresult
    assert result is not None
    found: Origins = []
    for number in range(result.nfields):
        name = (result.fname(number) or b"").decode()
        place = (result.ftable(number), result.ftablecol(number))
        row = connection.execute(_NAMES, place).fetchone() if place != (0, 0) else (None,)
        assert row is not None, f"{sql}: column {name} has an origin that pg_attribute does not know"
        found.append((name, row[0]))  # type: ignore[arg-type]
    return found


def connect(target: Target) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host=target.host, port=target.port, user=target.user, dbname=target.database,
        password=target.password,
    )  # fmt: skip


def test_queries_have_postgresqls_origins(postgres_server: Target, gateway_server: Target) -> None:
    with connect(postgres_server) as postgres, connect(gateway_server) as here:
        for sql in QUERIES:
            assert origins(here, sql) == origins(postgres, sql), sql
        for start, sql in CURSORS:
            postgres.execute(start)
            here.execute(start)
            assert origins(here, sql) == origins(postgres, sql), sql


@pytest.mark.parametrize("sql", WRITES)
def test_returning_has_postgresqls_origins(
    sql: str, postgres_server: Target, embedded_server: Target
) -> None:
    with connect(postgres_server) as postgres, connect(embedded_server) as here:
        assert origins(here, sql) == origins(postgres, sql)
        postgres.rollback()
        here.rollback()


def test_origins_survive_filters_masks_and_hidden_columns(embedded: RunningGateway) -> None:
    with psycopg.connect(embedded.dsn()) as analyst:
        seen = origins(analyst, "SELECT c.*, upper(email) FROM sales.customers AS c")
        names = ["id", "name", "email", "region", "joined", "active", "seen"]
        assert seen == [*((name, f"sales.customers.{name}") for name in names), ("upper", None)]


@pytest.mark.parametrize("returning", ["*", "i.name"])
def test_returning_of_a_relation_that_is_not_written_is_refused(
    returning: str, embedded_server: Target
) -> None:
    with connect(embedded_server) as here, pytest.raises(psycopg.errors.FeatureNotSupported):
        here.execute(f"DELETE FROM written USING items i WHERE written.id = i.id RETURNING {returning}")
