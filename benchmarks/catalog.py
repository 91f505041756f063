"""The catalog at size: time to refresh it, to publish a viewer, and to answer psql's `\\d`.

Run: python -m benchmarks.catalog [tables] [columns]. Prints wall-clock milliseconds, best and worst of five.
"""

import asyncio
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable

import duckdb

from execnode.engine.parser import serialized_tree
from pgproxy.catalog.service import CatalogService
from pgproxy.policy.effective import EffectivePolicy, effective_policy
from pgproxy.policy.model import Grant, PolicySet, Principal, PrincipalKind, Privilege
from pgproxy.sql.plan import EngineTree, PlanContext
from pgproxy.sql.planner import plan_statement

REPEATS = 5
_TYPES = ("INTEGER", "VARCHAR", "DECIMAL(12,2)", "TIMESTAMP", "DOUBLE")
_BACKSLASH_D = """SELECT n.nspname as "Schema",
  c.relname as "Name",
  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
    WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table'
    WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type",
  pg_catalog.pg_get_userbyid(c.relowner) as "Owner"
FROM pg_catalog.pg_class c
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind IN ('r','p','v','m','S','f','')
      AND n.nspname <> 'pg_catalog'
      AND n.nspname !~ '^pg_toast'
      AND n.nspname <> 'information_schema'
  AND pg_catalog.pg_table_is_visible(c.oid)
ORDER BY 1,2"""
_COLUMNS_OF_ONE = """SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = '{oid}' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_INFORMATION_SCHEMA = (
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
)


def open_engine(tables: int, columns: int) -> duckdb.DuckDBPyConnection:
    """Give an engine with so many tables of so many columns in catalog `shop`."""
    connection = duckdb.connect()
    connection.execute("ATTACH ':memory:' AS shop; USE shop")
    shape = ", ".join(f"c{number} {_TYPES[number % len(_TYPES)]}" for number in range(columns))
    for number in range(tables):
        connection.execute(f"CREATE TABLE t{number:05}({shape})")
    return connection


async def report(name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Print the best and the worst time of `work`."""
    times: list[float] = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        await work()
        times.append((time.perf_counter() - started) * 1000)
    print(f"{name:48} best {min(times):8.1f} ms   worst {max(times):8.1f} ms")


async def measure(tables: int, columns: int) -> None:
    """Run every measurement on one engine."""
    connection = open_engine(tables, columns)
    service = CatalogService("shop", ["shop"])
    started = time.perf_counter()
    service.prepare_instance(connection)
    print(f"{'install':48} once {(time.perf_counter() - started) * 1000:8.1f} ms")
    policies = PolicySet(
        1,
        {
            "root": Principal("root", PrincipalKind.USER, is_admin=True),
            "analyst": Principal("analyst", PrincipalKind.USER),
        },
        (Grant("analyst", Privilege.SELECT, "shop", "public", "t00000"),),
    )
    await report("refresh", service.refresh)
    await report("publish the policy set", lambda: service.publish_policy_set(policies))
    for principal in ("root", "analyst"):
        policy = effective_policy(policies, principal)

        async def publish(policy: EffectivePolicy = policy) -> None:
            await service.publish_policy_set(policies)
            await service.publish_viewer(policy)

        await report(f"publish viewer {principal} (with the policy set)", publish)
        await measure_queries(connection, service, policy)
    await service.close()


async def measure_queries(
    connection: duckdb.DuckDBPyConnection, service: CatalogService, policy: EffectivePolicy
) -> None:
    """Plan once, then run: plans are cached in the gateway."""
    context = PlanContext(policy, service.snapshot, ("public",), policy.principal, _parse_engine_sql)
    one_table = next(iter(service.snapshot.tables))
    queries = {
        "\\d": _BACKSLASH_D,
        "\\d TABLE (its columns)": _COLUMNS_OF_ONE.format(oid=service.snapshot.oids[one_table]),
        "information_schema.columns, whole": _INFORMATION_SCHEMA,
    }
    for name, text in queries.items():
        plan = plan_statement(text, (), context)
        values = [value.text for value in plan.bound_values]
        rows = len(connection.execute(plan.sql, values).fetchall())

        async def run(sql: str = plan.sql, values: list[str | None] = values) -> None:
            connection.execute(sql, values).fetchall()

        await report(f"{name} as {policy.principal}, {rows} rows", run)


def _parse_engine_sql(sql: str) -> EngineTree:
    tree = serialized_tree(sql)
    return EngineTree(tree.statement_types, tree.relations, tree.functions)


def main() -> None:
    """Measure, with the machine and the load beside the numbers."""
    tables, columns = (*map(int, sys.argv[1:3]), 1000, 50)[:2] if len(sys.argv) > 2 else (1000, 50)
    cpus, load = os.cpu_count(), os.getloadavg()[0]
    print(f"{platform.platform()}, {cpus} CPUs, load {load:.1f}, DuckDB {duckdb.__version__}")
    print(f"{tables} tables of {columns} columns")
    asyncio.run(measure(tables, columns))


if __name__ == "__main__":
    main()
