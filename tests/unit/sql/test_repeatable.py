"""Which questions to the catalog may be answered from what was said before, and which never."""

from dataclasses import replace

import pytest

from pgproxy.catalog.functions import system_functions
from pgproxy.catalog.relations.registry import system_relations
from pgproxy.sql.plan import BoundValue
from pgproxy.sql.planner import plan_explain
from tests.policy.world import CATALOG, plan

WHOLE = replace(CATALOG, system_relations=system_relations(), system_functions=system_functions())
VALUES = {
    "current_schema": BoundValue(19, "sales"),
    "current_setting.timezone": BoundValue(25, "UTC", session_key="current_setting.timezone"),
    "pg_settings": BoundValue(25, "[]", session_key="pg_settings"),
    "pg_backend_pid": BoundValue(23, "1", session_key="pg_backend_pid"),
}


def is_repeatable(sql: str) -> bool:
    return plan(sql, catalog=WHOLE, session_values=VALUES).is_repeatable


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT relname FROM pg_class WHERE relname ~ '^(orders)$' AND pg_table_is_visible(oid) ORDER BY 1",
        "SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid) FROM pg_attribute "
        "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = $1",
        "SELECT array_agg(a.attname ORDER BY a.attnum), string_agg(a.attname, ', ') FROM pg_attribute AS a",
        "SELECT table_name, coalesce(table_type, '') FROM information_schema.tables WHERE table_schema = 'x'",
        "SELECT has_table_privilege('orders', 'SELECT'), current_schema(), c.oid FROM pg_class AS c",
        "SELECT name, setting FROM pg_settings",
        "SELECT nspname FROM pg_namespace WHERE nspname = current_setting('timezone')",
    ],
)
def test_what_reads_nothing_but_the_catalog_is_repeatable(sql: str) -> None:
    assert is_repeatable(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT id FROM orders",
        "SELECT c.relname, o.id FROM pg_class AS c, orders AS o",
        "SELECT relname FROM pg_class WHERE EXISTS (SELECT 1 FROM orders)",
        "SELECT now(), relname FROM pg_class",
        "SELECT relname FROM pg_class WHERE now() > '2024-01-01'",
        "SELECT CURRENT_DATE, relname FROM pg_class",
        "SELECT clock_timestamp(), relname FROM pg_class",
        "SELECT 'now'::timestamptz, relname FROM pg_class",
        "SELECT 'today'::date, relname FROM pg_class",
        "SELECT relname FROM pg_class ORDER BY random()",
        "SELECT gen_random_uuid(), relname FROM pg_class",
        "SELECT pg_sleep(0), relname FROM pg_class",
        "SELECT pg_cancel_backend(1)",
        "SELECT pg_terminate_backend(1), relname FROM pg_class",
        "SELECT pid FROM pg_stat_activity",
        "SELECT relname FROM pg_class WHERE oid IN (SELECT pid FROM pg_stat_activity)",
        "SELECT set_config('timezone', 'UTC', false), (SELECT max(relname) FROM pg_class)",
        "CREATE TEMP TABLE t AS SELECT relname FROM pg_class",
    ],
)
def test_what_reads_more_or_does_or_tells_anything_else_is_not(sql: str) -> None:
    assert not is_repeatable(sql)


def test_an_explanation_is_not() -> None:
    planned = plan("SELECT relname FROM pg_class", "root", catalog=WHOLE)
    assert planned.is_repeatable
    assert not plan_explain(planned, is_admin=True).is_repeatable
