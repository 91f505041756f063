# ruff: noqa: E501 - one case a line
"""Views over governed relations, planned on the catalog as it is read from the engine that holds them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pytest

from pgproxy.catalog.introspect import introspect
from pgproxy.policy.effective import effective_policy
from pgproxy.policy.model import Grant, Principal, PrincipalKind, Privilege, RowFilter, TableName
from pgproxy.sql.policy_report import report_policy
from pgwire.errors import AccessDenied, FeatureNotSupported, GatewayError, StatementError
from tests.policy.world import CATALOG, MARKERS, open_world, plan, policy_set, run

BODIES = (
    "SELECT id, note::int AS x FROM sales.customers", "SELECT region AS id, avg(id) AS x FROM sales.customers GROUP BY region", "SELECT id, id / 2 AS x FROM sales.customers",
    "SELECT id, name ~ '^a' AS x FROM sales.customers", "SELECT id, substr(name, 1, 2) AS x FROM sales.customers", "SELECT id, to_char(joined, 'YYYY-MM') AS x FROM sales.customers WHERE joined > '2000-01-01'",
    "WITH q AS (SELECT id, upper(ssn) AS x FROM sales.customers) SELECT * FROM q", "SELECT id, coalesce(email, '') || '!' AS x FROM sales.customers ORDER BY id DESC LIMIT 3",
    "SELECT c.id, count(o.id) AS x FROM sales.customers c LEFT JOIN sales.orders o ON o.customer_id = c.id GROUP BY c.id", "SELECT id, sum(balance) OVER (ORDER BY id) AS x FROM sales.customers",
    "SELECT id, extract(year FROM joined) AS x FROM sales.customers", "SELECT id, addr.city AS x FROM sales.customers", "SELECT id, round(balance / 3, 2) AS x FROM sales.customers UNION ALL SELECT n, 0 FROM public.numbers",
    "SELECT id, CASE WHEN id % 2 = 0 THEN 'even' ELSE 'odd' END AS x FROM sales.customers WHERE id IN (SELECT customer_id FROM sales.orders)",
)  # fmt: skip


@dataclass
class World:
    """An engine, and plans on the catalog that it has at that time."""

    connection: duckdb.DuckDBPyConnection

    def plan(self, sql: str, user: str, **changes: Any) -> Any:
        contents = introspect(self.connection, ["lake"])
        catalog = replace(CATALOG, tables=contents.tables, schemas=contents.schemas)
        return plan(sql, user, **{"catalog": catalog, "policies": policies(), **changes})

    def run(self, sql: str, user: str, **changes: Any) -> list[tuple[Any, ...]]:
        return run(self.connection, self.plan(sql, user, **changes))


def policies() -> Any:
    """The world's, and a reader of views alone, and two who may create."""
    base, user = policy_set(), PrincipalKind.USER
    on = ("lake", "hr")
    return replace(
        base,
        principals={**base.principals, "viewer": Principal("viewer", user)},
        grants=(
            *base.grants,
            *(Grant("viewer", Privilege.SELECT, *on, name) for name in ("few", "best", "fields", "asks", "reads")),
            *(Grant("analyst", Privilege.SELECT, *on, name) for name in ("few", "asks", "numbered")),
            *(Grant(who, Privilege.CREATE, "lake", "sales", None) for who in ("analyst", "auditor")),
        ),
        row_filters=(*base.row_filters, RowFilter("low", TableName("lake", "hr", "numbered"), "id < 2", frozenset({"analyst"}))),
    )  # fmt: skip


@pytest.fixture
def world() -> Iterator[World]:
    with open_world() as connection:
        yield World(connection)


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    with open_world() as connection:
        yield World(connection)


@pytest.mark.parametrize("body", BODIES)
def test_a_view_of_what_the_gateway_renders_reads_as_its_query(shared: World, body: str) -> None:
    shared.run(f"CREATE OR REPLACE VIEW sales.v AS {body}", "root")
    direct = shared.run(f"SELECT * FROM ({body}) q ORDER BY 1, 2", "writer")
    assert shared.run("SELECT * FROM sales.v ORDER BY 1, 2", "writer") == direct
    assert shared.run("SELECT id FROM sales.v WHERE x::text <> 'zq' ORDER BY 1", "writer") == [
        (row[0],) for row in direct
    ]
    planned = shared.plan("SELECT * FROM sales.v", "writer")
    assert '"sales"."v"' not in planned.sql, "it is expanded"


def test_a_view_hides_the_rows_that_it_drops(world: World) -> None:
    world.run("CREATE VIEW hr.few AS SELECT id, person, pay FROM hr.salaries WHERE id > 2", "root")
    world.connection.execute("INSERT INTO lake.hr.salaries VALUES (3, '7', 5)")
    for user in ("viewer", "analyst"):
        for predicate in ("person::int > 0", "chr(pay) <> 'x'", "1 / (pay - 999999) >= 0", "person::uuid IS NULL OR true"):  # fmt: skip
            planned = world.plan(f"SELECT id FROM hr.few WHERE {predicate}", user)
            assert "OFFSET 0" in planned.sql
            assert planned.is_governed, "the engine's words are not for its reader"
            try:
                assert run(world.connection, planned) == [(3,)]
            except duckdb.Error as error:
                said = str(error)
                assert not any(marker in said for marker in MARKERS)
        assert "OFFSET 0" not in world.plan("SELECT count(*) FROM hr.few", user).sql
    world.run("CREATE VIEW sales.plain AS SELECT id FROM sales.orders WHERE id > 10", "root")
    assert not world.plan("SELECT id FROM sales.plain WHERE id > 0", "writer").is_governed, "it hides nothing"


def test_a_fields_cast_stays_above_a_view(world: World) -> None:
    world.connection.execute(
        "CREATE TABLE lake.hr.places AS SELECT i AS id, {'city': if(i = 1, '7', 'HIDDEN')} AS addr FROM range(1, 9) r(i)"
    )
    world.run("CREATE VIEW hr.fields AS SELECT id, addr FROM hr.places WHERE id = 1", "root")
    assert world.run("SELECT addr.city::INT FROM hr.fields", "viewer", dialect="duckdb") == [(7,)]
    with pytest.raises(duckdb.Error, match="HIDDEN"):
        world.connection.execute("SELECT addr.city::INT FROM (FROM lake.hr.fields OFFSET 0)").fetchall()


def test_a_computed_column_of_a_filtered_view_is_no_stored_one(world: World) -> None:
    world.run(
        "CREATE VIEW hr.numbered AS SELECT id, note::int AS n FROM sales.customers WHERE id < 4", "root"
    )
    world.connection.execute("UPDATE lake.sales.customers SET note = 'HIDDEN' WHERE id = 2")
    planned = world.plan("SELECT id FROM hr.numbered WHERE n > 0", "analyst")
    assert run(world.connection, planned) == [(1,)]


def test_explain_policy_names_nothing_beneath_a_view(world: World) -> None:
    world.run("CREATE VIEW hr.best AS SELECT max(pay) AS pay FROM hr.salaries", "root")
    lines = report_policy(
        world.plan("SELECT * FROM hr.best", "viewer"), effective_policy(policies(), "viewer")
    )
    assert lines[0] == "Policy on lake.hr.best: SELECT"
    assert "salaries" not in str(lines)


def test_an_invoker_view_asks_for_its_readers_privileges(world: World) -> None:
    world.run(
        "CREATE VIEW hr.asks WITH (security_invoker = true) AS SELECT id, ssn FROM sales.customers", "root"
    )
    world.run(
        "CREATE VIEW hr.reads WITH (security_invoker = off, security_barrier = on) AS SELECT id FROM sales.customers",
        "root",
    )
    assert world.run("SELECT * FROM hr.asks ORDER BY 1", "analyst") == [(1, "***"), (2, "***")]
    with pytest.raises(AccessDenied, match="permission denied for a relation of view asks"):
        world.plan("SELECT * FROM hr.asks", "viewer")
    assert world.run("SELECT count(*) FROM hr.reads", "viewer") == [(0,)], (
        "with no filter of its own, no rows"
    )
    assert len(world.run("SELECT * FROM hr.asks", "root")) == 5
    tables = introspect(world.connection, ["lake"]).tables
    assert tables[TableName("lake", "hr", "asks")].owner == "root"
    assert "pgproxy" not in str(tables[TableName("lake", "hr", "asks")].view_sql)


def test_who_may_create_makes_views_that_read_as_their_reader(world: World) -> None:
    world.run("CREATE VIEW sales.mine AS SELECT id, ssn, note::int AS n FROM customers", "analyst")
    world.run("CREATE VIEW sales.again AS WITH q AS (SELECT * FROM mine) SELECT id, n FROM q", "analyst")
    assert world.run("SELECT * FROM mine ORDER BY 1", "analyst") == [(1, "***", 7), (2, "***", 8)]
    assert world.run("SELECT id FROM again WHERE n > 7", "writer") == [(2,)]
    assert world.run("SELECT count(*) FROM mine", "auditor") == [(0,)], (
        "the table has filters, and none of its own"
    )
    with pytest.raises(StatementError, match="does not exist"):
        world.plan("SELECT * FROM sales.mine", "intern")
    world.run("CREATE OR REPLACE VIEW sales.mine AS SELECT id FROM customers WHERE id > 1", "analyst")
    assert world.run("SELECT * FROM mine", "analyst") == [(2,)]
    with pytest.raises(StatementError, match="because other objects depend on it"):
        world.plan("DROP VIEW mine", "analyst")
    world.run("DROP VIEW again", "analyst")
    world.run("DROP VIEW mine", "analyst")


def test_a_view_that_reads_as_its_reader_does_so_beneath_another_view(world: World) -> None:
    """The reader may read some columns of what the inner one reads, and all of the outer one."""
    inner = "CREATE VIEW hr.asks WITH (security_invoker = true) AS SELECT id, phone AS name FROM hr.staff"
    world.run(inner, "root")
    world.run("CREATE VIEW hr.few AS SELECT id, name FROM hr.asks", "root")
    names = Grant("viewer", Privilege.SELECT, "lake", "hr", "staff", frozenset({"id", "name"}))
    for row_filters in (policies().row_filters, ()):
        known = replace(
            policies(), grants=(*policies().grants, names), row_filters=row_filters, column_masks=()
        )
        for view in ("asks", "few"):
            planned = world.plan(f"SELECT name FROM hr.{view}", "viewer", policies=known)
            with pytest.raises(duckdb.BinderException, match="phone"):
                run(world.connection, planned)


REFUSED = (
    ("CREATE VIEW sales.x AS SELECT * FROM hr.salaries", "analyst", StatementError),
    ("CREATE VIEW sales.x AS SELECT id FROM hr.staff", "analyst", FeatureNotSupported),
    ("CREATE VIEW sales.x AS SELECT phone FROM hr.staff", "analyst", FeatureNotSupported),
    ("CREATE VIEW sales.x AS SELECT nosuch FROM hr.staff", "analyst", FeatureNotSupported),
    ("CREATE VIEW sales.x AS SELECT relname FROM pg_class", "analyst", FeatureNotSupported),
    ("CREATE VIEW hr.x AS SELECT id FROM sales.customers", "analyst", AccessDenied),
    ("CREATE VIEW sales.x AS SELECT id FROM customers", "writer", AccessDenied),
    ("CREATE TEMP VIEW x AS SELECT id FROM customers", "analyst", FeatureNotSupported),
    ("CREATE OR REPLACE VIEW sales.eu_names AS SELECT id FROM customers", "analyst", AccessDenied),
    ("CREATE OR REPLACE VIEW sales.theirs AS SELECT id FROM customers", "analyst", AccessDenied),
    ("DROP VIEW sales.theirs", "analyst", AccessDenied),
    ("DROP VIEW sales.eu_names", "analyst", AccessDenied),
    ("ALTER VIEW sales.theirs RENAME TO ours", "analyst", AccessDenied),
    ("CREATE VIEW sales.x WITH (check_option = local) AS SELECT 1 AS a", "root", FeatureNotSupported),
    ("CREATE VIEW sales.x AS WITH pgproxy_view AS (SELECT 'root' AS owner) SELECT id FROM customers", "analyst", StatementError),
    ("CREATE TABLE sales.x (a int) WITH (fillfactor = 70)", "root", FeatureNotSupported),
)  # fmt: skip


@pytest.mark.parametrize(("sql", "user", "error"), REFUSED)
def test_these_are_refused(shared: World, sql: str, user: str, error: type[GatewayError]) -> None:
    shared.run("CREATE OR REPLACE VIEW sales.theirs AS SELECT id FROM customers", "auditor")
    with pytest.raises(error):
        shared.plan(sql, user)


def test_a_view_that_is_not_understood_is_barred_or_refused(world: World) -> None:
    """Somebody made it in the file itself. A name in it may read what no policy would then be applied to."""
    world.connection.execute("CREATE VIEW lake.hr.few AS SELECT * FROM query_table('lake.hr.staff')")
    with pytest.raises(FeatureNotSupported):
        world.plan("SELECT * FROM hr.few", "viewer")
    without = replace(policies(), row_filters=(), column_masks=())
    planned = world.plan("SELECT name FROM hr.few WHERE name::int > 0", "viewer", policies=without)
    assert "OFFSET 0" in planned.sql
    assert planned.is_governed
