# ruff: noqa: E501  # a table of cases, one a line
"""What a view's definition says: the query that its client wrote, in PostgreSQL's layout."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.clients.servers import Pair, Server
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway

pytestmark = pytest.mark.client("psycopg 3")

_TABLES = """
    CREATE SCHEMA shop;
    CREATE TABLE items (id integer, name text, "Odd Name" integer, "order" integer, price numeric(10, 2), day date);
    CREATE TABLE shop.stock (item_id integer, amount integer);
    INSERT INTO items VALUES (1, 'a', 1, 2, 1.50, '2024-01-31'), (2, 'b', 3, 4, 2.25, NULL);
    INSERT INTO shop.stock VALUES (1, 10), (1, 5), (3, 7)
"""
_DROPS = "DROP VIEW IF EXISTS one; DROP TABLE items; DROP TABLE shop.stock; DROP SCHEMA shop"
_AS_POSTGRESQL = (
    "SELECT * FROM items",
    "SELECT id, name FROM items WHERE id > 1 AND price < 5.0",
    'SELECT i."Odd Name", i."order" AS o FROM items i',
    "SELECT id / 2 AS half, count(*) AS n, sum(price) AS total FROM items GROUP BY id / 2",
    "SELECT s.amount, i.name FROM items i JOIN shop.stock s ON i.id = s.item_id",
    "SELECT name, amount FROM items LEFT JOIN shop.stock ON id = item_id",
    "SELECT a.id, b.id AS other FROM items a, items b",
    "WITH q AS (SELECT * FROM items) SELECT q.id FROM q",
    "SELECT id FROM items UNION ALL SELECT item_id FROM shop.stock",
    "SELECT id::bigint AS wide, name || id AS text FROM items ORDER BY id DESC LIMIT 1",
    "SELECT id, row_number() OVER (PARTITION BY name ORDER BY id) AS n FROM items",
)
_RUN_AGAIN = (
    *_AS_POSTGRESQL,
    "SELECT DISTINCT ON (name) name, id FROM items ORDER BY name, id DESC",
    "SELECT id/3 AS a, price/3 AS b, day + 1 AS c, to_char(day, 'YYYY-MM') AS d FROM items",
    "SELECT x.id, (SELECT max(amount) FROM shop.stock WHERE item_id = x.id) AS most FROM items x",
    "SELECT item_id, string_agg(amount::text, ',' ORDER BY amount) FILTER (WHERE amount > 1) AS all FROM shop.stock GROUP BY 1",
    "SELECT CASE WHEN id = 1 THEN 'it''s' ELSE E'b\\\\c' END AS t, name LIKE 'a%' AS l, name ~ '^A' AS r FROM items",
    "SELECT g.n, v.b FROM generate_series(1, 2) AS g(n) CROSS JOIN (VALUES (1, 'x'), (2, 'y')) AS v(a, b)",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT n FROM r",
    "SELECT id FROM items EXCEPT SELECT item_id FROM shop.stock ORDER BY 1",
    "SELECT name, count(*) AS n FROM items GROUP BY ROLLUP (name) HAVING count(*) > 0 ORDER BY name NULLS FIRST",
    "SELECT extract(year FROM day) AS y, date_trunc('month', day) AS m, day IS NOT NULL AS k FROM items",
    "SELECT id, lag(price, 1, 0.0) OVER w AS p FROM items WINDOW w AS (ORDER BY id ROWS 1 PRECEDING)",
    "SELECT id FROM items WHERE id IN (SELECT item_id FROM shop.stock) AND NOT EXISTS (SELECT 1 FROM shop.stock WHERE amount > 99)",
    "SELECT 'two'",
    "WITH items AS (SELECT 7 AS id) SELECT i.id, items.id AS seven FROM public.items i, items",
    "WITH q AS (SELECT * FROM public.items) SELECT q.id, items.name FROM q, public.items",
)


def _definition(connection: "psycopg.Connection[Any]") -> str:
    row = connection.execute("SELECT pg_get_viewdef('one'::regclass, true)").fetchone()
    assert row is not None
    return str(row[0])


@pytest.fixture
def tables(admin_pair: Pair) -> Iterator[Pair]:
    """The same tables on both."""
    for server in (admin_pair.gateway, admin_pair.reference):
        with psycopg.connect(server.dsn, autocommit=True, prepare_threshold=None) as connection:
            connection.execute(_TABLES)
            connection.execute("CREATE VIEW one AS SELECT 1 AS a")
    yield admin_pair
    for server in (admin_pair.gateway, admin_pair.reference):
        with psycopg.connect(server.dsn, autocommit=True, prepare_threshold=None) as connection:
            connection.execute(_DROPS)


@pytest.mark.feature("metadata")
def test_ordinary_views_are_shown_as_postgresql_shows_them(tables: Pair) -> None:
    def run(server: Server) -> list[str]:
        found = []
        with psycopg.connect(server.dsn, autocommit=True, prepare_threshold=None) as connection:
            for sql in _AS_POSTGRESQL:
                connection.execute("DROP VIEW one")
                connection.execute(f"CREATE VIEW one AS {sql}")
                found.append(_definition(connection))
        return found

    assert all("pgproxy" not in text and "main" not in text for text in tables.same(run))


@pytest.mark.feature("metadata")
def test_the_text_makes_the_same_view_again(tables: Pair) -> None:
    with psycopg.connect(tables.gateway.dsn, autocommit=True, prepare_threshold=None) as connection:
        for sql in _RUN_AGAIN:
            connection.execute("DROP VIEW one")
            connection.execute(f"CREATE VIEW one AS {sql}")
            rows = connection.execute("SELECT * FROM one ORDER BY 1").fetchall()
            text = _definition(connection)
            connection.execute("DROP VIEW one")
            connection.execute(f"CREATE VIEW one AS {text}")
            assert connection.execute("SELECT * FROM one ORDER BY 1").fetchall() == rows, sql
            assert _definition(connection) == text


@pytest.mark.feature("metadata")
def test_postgresql_takes_the_text_too(tables: Pair) -> None:
    with (
        psycopg.connect(tables.gateway.dsn, autocommit=True, prepare_threshold=None) as gateway,
        psycopg.connect(tables.reference.dsn, autocommit=True, prepare_threshold=None) as postgresql,
    ):
        for sql in _RUN_AGAIN:
            gateway.execute("DROP VIEW one")
            gateway.execute(f"CREATE VIEW one AS {sql}")
            postgresql.execute("DROP VIEW one")
            postgresql.execute(f"CREATE VIEW one AS {_definition(gateway)}")
            mine, theirs = (one.execute("SELECT * FROM one ORDER BY 1") for one in (gateway, postgresql))
            assert [d.name for d in mine.description or ()] == [d.name for d in theirs.description or ()], sql
            assert len(mine.fetchall()) == len(theirs.fetchall()), sql


@pytest.mark.feature("metadata")
def test_a_view_keeps_its_text_with_another_owner_and_under_another_name(embedded: RunningGateway) -> None:
    with psycopg.connect(embedded.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin:
        admin.execute("CREATE ROLE keeper LOGIN PASSWORD 'keeper-secret'; CREATE TABLE kept (a integer)")
        admin.execute("GRANT CREATE ON SCHEMA public TO keeper; GRANT SELECT ON kept TO keeper")
        with psycopg.connect(embedded.dsn("keeper", "keeper-secret"), autocommit=True) as keeper:
            keeper.execute("CREATE VIEW one AS SELECT a / 2 AS half FROM kept")
        text = _definition(admin)
        assert text == " SELECT kept.a / 2 AS half\n   FROM kept;"
        admin.execute(
            f"ALTER VIEW one OWNER TO {ADMIN}; ALTER VIEW one RENAME TO other; ALTER VIEW other RENAME TO one"
        )
        assert _definition(admin) == text
        admin.execute("DROP VIEW one; DROP TABLE kept; DROP OWNED BY keeper; DROP ROLE keeper")
