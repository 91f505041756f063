"""The catalog beside a real PostgreSQL 15: the same columns and types, and psql's queries answered alike."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from execnode.engine.parser import serialized_tree
from pgproxy.catalog.builtin import relation_definitions
from pgproxy.catalog.service import CatalogService
from pgproxy.policy.effective import effective_policy
from pgproxy.policy.model import Grant, PolicySet, Principal, PrincipalKind, Privilege, TableName
from pgproxy.sql.plan import EngineTree, PlanContext
from pgproxy.sql.planner import plan_statement
from pgwire.errors import GatewayError
from tests.postgres import find_binary, running_postgres

pytestmark = pytest.mark.skipif(find_binary("initdb") is None, reason="PostgreSQL 15 is not installed")

_OBJECTS = """
CREATE SCHEMA sales;
CREATE TABLE sales.customers(id integer PRIMARY KEY, name text NOT NULL, credit numeric(10,2) DEFAULT 5);
CREATE TABLE sales.orders(id bigint PRIMARY KEY, customer_id integer REFERENCES sales.customers(id),
    total integer CHECK (total > 0), placed timestamptz, code uuid, day date, is_open boolean,
    UNIQUE (code, day));
CREATE TABLE notes(id integer, body text);
CREATE VIEW names AS SELECT id, name FROM sales.customers;
CREATE INDEX by_total ON sales.orders(total);
CREATE SEQUENCE counter;
COMMENT ON TABLE sales.customers IS 'who buys';
COMMENT ON COLUMN sales.customers.name IS 'as printed';
"""
_COMMANDS = r"""\d
\dt
\dv
\di
\ds
\d sales.customers
\d+ sales.customers
\d sales.orders
\d+ sales.orders
\d names
\dn
\df
\dT
\dt sales.*
\dt+ sales.*
\dp
\dD
\db
\da
\do
\dC
\det
\dRp
\dy
\dX
\dew
""".splitlines()
_PLANNER_GAPS = (
    "pr.prattrs::pg_catalog.int2[]",
    "c.reloptions || array(select",
    "pg_size_pretty(pg_catalog.pg_table_size",
)
"""Marks of queries that the planner does not translate as PostgreSQL means them: an array of a type qualified
with pg_catalog, NULL || array, a catalog function inside another."""
_QUERY = re.compile(r"\*{9} QUERY \*{10}\n(.*?)\n\*{26}", re.S)
_OID = re.compile(r"'(\d{5,})'")


class BothSides:
    """One shop in PostgreSQL and in DuckDB behind the planner."""

    def __init__(self, postgres: psycopg.Connection[Any], engine: duckdb.DuckDBPyConnection) -> None:
        self.postgres = postgres
        self.engine = engine
        self.context: PlanContext

    async def publish(self, *grants: Grant) -> None:
        """Make the catalog for an administrator, with these grants to groups."""
        service = CatalogService("shop", ["shop"])
        service.prepare_instance(self.engine)
        await service.refresh()
        groups = {g.principal: Principal(g.principal, PrincipalKind.GROUP) for g in grants}
        root = Principal("root", PrincipalKind.USER, is_admin=True)
        policies = PolicySet(1, {"root": root, **groups}, grants)
        await service.publish_policy_set(policies)
        policy = effective_policy(policies, "root")
        await service.publish_viewer(policy)
        self.context = PlanContext(policy, service.snapshot, ("public",), "root", _parse_engine_sql)
        await service.close()

    def expected(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(map(_shown, row)) for row in self.postgres.execute(query.encode()).fetchall()]

    def answered(self, query: str) -> list[tuple[Any, ...]]:
        plan = plan_statement(_OID.sub(self._own_oid, query), (), self.context)
        values = [value.text for value in plan.bound_values]
        rows = self.engine.execute(plan.sql, values) if values else self.engine.execute(plan.sql)
        return [tuple(map(_shown, row)) for row in rows.fetchall()]

    def difference(self, query: str) -> str:
        """What is wrong with our answer; empty when nothing is."""
        expected = sorted(self.expected(query), key=repr)
        try:
            answered = sorted(self.answered(query), key=repr)
        except (duckdb.Error, GatewayError) as error:
            return f"failed: {error}"
        return "" if answered == expected else f"answered {answered[:4]}, expected {expected[:4]}"

    def _own_oid(self, match: re.Match[str]) -> str:
        """psql puts the OID that it found into its next query: ours stands for PostgreSQL's."""
        found = self.postgres.execute(
            "SELECT nspname, relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace "
            "WHERE c.oid = %s",
            [int(match[1])],
        ).fetchone()
        assert found is not None
        return f"'{self.context.catalog.oids[TableName('shop', *found)]}'"


def _shown(value: Any) -> Any:
    """OIDs differ by design, and so does the owner's name."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 16384:
        return "an OID"
    if value in ("postgres", "pg_database_owner", "root"):
        return "pgproxy"
    if isinstance(value, str) and "/postgres" in value:
        return value.replace("/postgres", "/pgproxy").replace("postgres=", "pgproxy=")
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _parse_engine_sql(sql: str) -> EngineTree:
    tree = serialized_tree(sql)
    return EngineTree(tree.statement_types, tree.relations, tree.functions)


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("postgres")
    for parent in (directory, *directory.parents[:2]):
        parent.chmod(0o755)
    with running_postgres(directory) as running:
        yield running


@pytest.fixture(scope="module")
def postgres(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(_OBJECTS)
        connection.execute("CREATE SCHEMA pgproxy")  # where the gateway has its own relations
        yield connection


@pytest.fixture
async def both(postgres: psycopg.Connection[Any]) -> BothSides:
    return await _both(postgres)


async def _both(postgres: psycopg.Connection[Any], *grants: Grant) -> BothSides:
    engine = duckdb.connect(config={"threads": 1})
    engine.execute("ATTACH ':memory:' AS shop; USE shop")
    engine.execute(_OBJECTS)
    sides = BothSides(postgres, engine)
    await sides.publish(*grants)
    return sides


def _psql_queries(dsn: str, command: str) -> list[str]:
    psql = find_binary("psql")
    assert psql is not None
    run = subprocess.run(
        [psql, "-X", "-E", "-d", dsn, "-c", command], capture_output=True, text=True, check=True
    )
    return _QUERY.findall(run.stdout)


def test_every_relation_has_postgresqls_columns_types_and_order(postgres: psycopg.Connection[Any]) -> None:
    rows = postgres.execute(
        "SELECT n.nspname, c.relname, array_agg(a.attname::text || ':' || "
        "coalesce(b.typname, t.typname)::text ORDER BY attnum) "
        "FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = attrelid "
        "JOIN pg_namespace AS n ON n.oid = relnamespace "
        "JOIN pg_type AS t ON t.oid = atttypid LEFT JOIN pg_type AS b ON b.oid = t.typbasetype "
        "WHERE nspname IN ('pg_catalog', 'information_schema') AND relkind IN ('r', 'v') AND attnum > 0 "
        "GROUP BY 1, 2"
    ).fetchall()
    expected = {(schema, name): columns for schema, name, columns in rows}
    ours = {
        key: [f"{column.name}:{column.pg_type}" for column in definition.columns]
        for key, definition in relation_definitions().items()
        if key[0] != "pgproxy"
    }
    assert ours == expected


async def test_psql_is_answered_as_by_postgresql(both: BothSides, dsn: str) -> None:
    """One test for all commands: the catalog is built once, and psql asks 30 times."""
    wrong = [
        f"{command}\n{query}\n  {difference}"
        for command in _COMMANDS
        for query in _psql_queries(dsn, command)
        if not any(mark in query for mark in _PLANNER_GAPS)
        if (difference := both.difference(query))
    ]
    assert not wrong, "\n\n".join(wrong)


async def test_roles_and_databases_are_listed_under_postgresqls_columns(both: BothSides, dsn: str) -> None:
    (roles,) = _psql_queries(dsn, r"\du")
    (databases,) = _psql_queries(dsn, r"\l")
    assert [row[:2] for row in both.answered(roles)] == [("pgproxy", True), ("pgproxy", True)]
    (shop,) = both.answered(databases)
    assert shop[:3] == ("shop", "pgproxy", "UTF8")
    assert len(shop) == len(both.expected(databases)[0])


_GRANTS = (
    'CREATE ROLE analyst; CREATE ROLE "Odd ""name";'
    "GRANT SELECT (id, name), UPDATE (name) ON sales.customers TO analyst;"
    'GRANT SELECT, INSERT, TRUNCATE ON sales.orders TO "Odd ""name";'
    "GRANT DELETE, UPDATE ON sales.orders TO analyst;"
    "GRANT USAGE, CREATE ON SCHEMA sales TO analyst"
)


async def test_access_privileges_are_printed_as_by_postgresql(
    postgres: psycopg.Connection[Any], dsn: str
) -> None:
    odd, orders = 'Odd "name', ("shop", "sales", "orders")
    names = frozenset({"id", "name"})
    both = await _both(
        postgres,
        Grant("analyst", Privilege.SELECT, "shop", "sales", "customers", names),
        Grant("analyst", Privilege.UPDATE, "shop", "sales", "customers", frozenset({"name"})),
        *(Grant(odd, Privilege(name), *orders) for name in ("SELECT", "INSERT", "TRUNCATE")),
        *(Grant("analyst", Privilege(name), *orders) for name in ("DELETE", "UPDATE")),
        *(Grant("analyst", Privilege(name), "shop", "sales") for name in ("USAGE", "CREATE")),
    )
    commands = (r"\dp sales.*", r"\dn+ sales")
    views = [
        f"SELECT grantee, table_name, {more} FROM information_schema.{view} "
        "WHERE grantee IN ('analyst', 'Odd \"name')"
        for view, more in (
            ("table_privileges", "privilege_type"),
            ("role_table_grants", "privilege_type"),
            ("column_privileges", "column_name || ' ' || privilege_type"),
        )
    ]
    with both.postgres.transaction(force_rollback=True):
        both.postgres.execute(_GRANTS)
        queries = [_psql_queries(dsn, command)[0] for command in commands]
        shown = both.expected(queries[0])
        assert "analyst=wd/" in repr(shown), shown
        wrong = [difference for query in (*queries, *views) if (difference := both.difference(query))]
    assert wrong == []
