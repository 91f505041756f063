import time

import pytest

from pgproxy.policy.model import Privilege, TableName
from pgproxy.sql.cache import PlanCache
from pgproxy.sql.plan import BoundValue, StatementKind
from pgproxy.sql.planner import plan_explain
from pgwire.errors import GatewayError
from tests.policy.world import context_for, open_world, plan, policy_set, run


def refusal(sql: str, principal: str = "analyst") -> tuple[str, str]:
    with pytest.raises(GatewayError) as caught:
        plan(sql, principal)
    return caught.value.sqlstate, caught.value.message


@pytest.mark.parametrize(
    ("sql", "state", "message"),
    [
        ("SELECT nosuch(1)", "42883", "function nosuch(...) does not exist"),
        ("SELECT error('x')", "42883", "function error(...) does not exist"),
        ("SELECT * FROM read_csv('x')", "42883", "function read_csv(...) does not exist"),
        ("SELECT 1::mood", "42704", 'type "mood" does not exist'),
        ("SELECT * FROM nope", "42P01", 'relation "nope" does not exist'),
        ("SELECT * FROM s.nope", "42P01", 'relation "s.nope" does not exist'),
        ("INSERT INTO orders VALUES (1)", "42501", "permission denied for table orders"),
        ("SELECT rolname FROM pg_authid", "42501", "permission denied for table pg_authid"),
        ("SELECT $2::int", "42P18", "could not determine data type of parameter $1"),
        ("SELECT * FROM orders FOR UPDATE", "0A000", "FOR UPDATE/SHARE is not supported"),
        ("WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d", "0A000",
         "data-modifying statements in WITH or FROM are not supported"),
        ("CREATE TABLE x (a int)", "42501", "permission denied for schema sales"),
        ("ALTER SEQUENCE nope RESTART", "42P01", 'relation "nope" does not exist'),
        ("DROP TABLE nope", "42P01", 'table "nope" does not exist'),
    ],
)  # fmt: skip
def test_refusals_have_postgresqls_state_and_words(sql: str, state: str, message: str) -> None:
    assert refusal(sql) == (state, message)


@pytest.mark.parametrize(
    ("sql", "oids"),
    [
        ("SELECT $1", (25,)),
        ("SELECT $1::int", (23,)),
        ("SELECT * FROM orders WHERE id = $1", (23,)),
        ("SELECT * FROM orders WHERE $1 < amount", (1700,)),
        ("SELECT * FROM orders WHERE id IN ($1, $2)", (23, 23)),
        ("SELECT * FROM orders WHERE placed BETWEEN $1 AND $2", (1082, 1082)),
        ("SELECT * FROM orders WHERE status LIKE $1", (25,)),
        ("SELECT * FROM orders WHERE id = ANY($1)", (1007,)),
        ("SELECT * FROM orders LIMIT $1 OFFSET $2", (20, 20)),
        ("SELECT $1 + 1", (23,)),
        ("SELECT i FROM generate_series(1, 5) AS i WHERE i = $1", (23,)),
        ("SELECT x FROM (SELECT 1.5 AS x) AS q WHERE x < $1", (1700,)),
        ("SELECT $1::_int4, $2::pg_catalog._text", (1007, 1009)),
        ("SELECT * FROM generate_series(1, $1)", (23,)),
        ("SELECT o.id FROM orders o WHERE o.customer_id = $2 AND o.status = $1", (25, 23)),
    ],
)
def test_parameter_types_come_from_where_they_stand(sql: str, oids: tuple[int, ...]) -> None:
    assert plan(sql).parameter_oids == oids


def test_declared_types_win_and_writes_take_the_columns_type() -> None:
    assert plan("SELECT $1, $2", oids=(20,)).parameter_oids == (20, 25)
    assert plan("INSERT INTO orders (id, amount) VALUES ($1, $2)", "writer").parameter_oids == (23, 1700)
    assert plan("UPDATE orders SET amount = $1 WHERE id = $2", "writer").parameter_oids == (1700, 23)


def test_each_parameter_stands_in_a_cast_and_describe_has_samples() -> None:
    planned = plan("SELECT id FROM customers WHERE id = $1")
    assert "CAST($1 AS INT)" in planned.sql
    assert "$" not in planned.describe_sql
    with open_world() as connection:
        assert connection.execute(f"DESCRIBE {planned.describe_sql}").fetchall()[0][1] == "INTEGER"


def test_session_functions_are_bound_values() -> None:
    planned = plan("SELECT current_user, version(), current_setting('server_version')")
    assert [value.text for value in planned.bound_values] == ["analyst", "PostgreSQL 15.0", "15.0"]


def test_audit_knows_what_was_read_and_enforced() -> None:
    (access,) = plan("SELECT name FROM customers").accesses
    assert access.table == TableName("lake", "sales", "customers")
    assert access.privileges == {Privilege.SELECT}
    assert access.row_filters == ("own_region",)
    assert set(access.column_masks) == {"no_ssn", "short_mail"}


def test_plans_say_what_they_are() -> None:
    query = plan("SELECT 1 AS a, 2")
    assert (query.kind, query.is_read_only, query.returns_rows) == (StatementKind.SELECT, True, True)
    assert query.column_names == ("a", "?column?")
    write = plan("DELETE FROM orders", "writer")
    assert (write.kind, write.is_read_only, write.returns_rows) == (StatementKind.DELETE, False, False)
    assert plan("DELETE FROM orders RETURNING id", "writer").returns_rows
    table = plan("CREATE TEMP TABLE t AS SELECT 1 AS a")
    assert (table.kind, table.uses_temp, table.changes_catalog) == (StatementKind.CREATE_TABLE, True, True)
    assert plan("SELECT relname FROM pg_class").is_catalog


@pytest.mark.parametrize(
    ("sql", "catalogs"),
    [
        ("SELECT 1", set()),
        ("SELECT relname FROM pg_class", set()),
        ("SELECT name FROM customers", {"lake"}),
        ("SELECT (SELECT count(*) FROM pg_class), id FROM orders", {"lake"}),
        ("SELECT id FROM eu_names", None),
    ],
)
def test_plans_say_in_which_catalogs_their_tables_are(sql: str, catalogs: set[str] | None) -> None:
    assert plan(sql, "root").reads == catalogs


def test_the_fingerprint_ignores_literals_and_case_but_not_shape() -> None:
    first = plan("SELECT id FROM orders WHERE id = 1").fingerprint
    assert plan("select ID from ORDERS where id = 2").fingerprint == first
    others = ("id > 1", "customer_id = 1", "id = 1 OR true", "id::text = '1'", "id::bigint = 1", "NOT id = 1")
    seen = {plan(f"SELECT id FROM orders WHERE {other}").fingerprint for other in others}
    assert len(seen | {first}) == len(others) + 1


def test_explain_of_a_governed_plan_is_for_administrators() -> None:
    governed = plan("SELECT * FROM customers")
    with pytest.raises(GatewayError):
        plan_explain(governed, is_admin=False)
    assert plan_explain(plan("SELECT * FROM orders"), is_admin=False).sql.startswith("EXPLAIN SELECT")


def test_a_leakproof_statement_pays_no_barrier_and_others_prune_inside_it() -> None:
    assert "OFFSET 0" not in plan("SELECT name FROM customers WHERE id = 3").sql
    mixed = plan("SELECT name FROM customers WHERE id = 3 AND left(name, 1) = 'X'").sql
    assert "OFFSET 0" in mixed
    assert '"pgproxy_base"."id" = 3' in mixed
    assert "UPPER" not in mixed.partition("OFFSET 0")[0].partition("WHERE")[2]


@pytest.mark.parametrize(
    "predicate",
    [
        "CAST(note AS INTEGER) = 7",
        "ssn = 'x'",
        "id = 1.5",
        "left(name, 1) = 'A'",
        "name LIKE note",
        "id IN (SELECT 1)",
        "balance = 1e30",
    ],
)
def test_what_may_fail_or_tell_is_not_leakproof(predicate: str) -> None:
    assert "OFFSET 0" in plan(f"SELECT name FROM customers WHERE {predicate}").sql


def test_an_alias_of_an_expression_is_not_taken_for_a_column() -> None:
    assert "OFFSET 0" in plan("SELECT length(note) AS id FROM customers WHERE id = 1").sql


def test_the_cache_finds_a_plan_until_policy_catalog_or_path_change() -> None:
    cache = PlanCache(capacity=2)
    context = context_for("analyst")
    first = cache.plan("SELECT * FROM orders", (), context)
    assert cache.plan("SELECT * FROM orders", (), context) is first
    assert cache.plan("SELECT * FROM orders", (), context_for("writer")) is not first
    with pytest.raises(GatewayError):
        cache.plan("SELECT * FROM orders", (), context_for("analyst", ("public",)))
    cache.plan("SELECT 3", (), context)
    assert len(cache) == 2


def test_a_cached_plan_carries_the_key_of_a_session_value_not_its_text() -> None:
    cache = PlanCache()
    values = []
    for version in ("one", "two"):
        held = BoundValue(25, version, session_key="version")
        planned = cache.plan("SELECT version()", (), context_for("analyst", session_values={"version": held}))
        values.append(planned.bound_values[0])
    assert [value.session_key for value in values] == ["version", "version"]
    assert cache.hits == 1


@pytest.mark.parametrize(
    "using",
    [
        "nosuch = 1",
        "region IN (SELECT x FROM nosuch)",
        "error('x')",
        "region = $1",
        "x(",
        "lake.sales.orders.id = 1",
    ],
)
def test_a_policy_that_cannot_be_applied_denies(using: str) -> None:
    from dataclasses import replace

    policies = policy_set()
    broken = replace(policies, row_filters=(replace(policies.row_filters[0], using=using),))
    with pytest.raises(GatewayError) as caught:
        plan("SELECT * FROM customers", policies=broken)
    assert caught.value.sqlstate == "XX000"
    assert using not in caught.value.message


def test_permissive_filters_widen_and_restrictive_ones_narrow() -> None:
    from dataclasses import replace

    policies = policy_set()
    own = policies.row_filters[0]
    wider = replace(own, name="us", using="region = 'US' OR name = 'nobody'")
    narrower = replace(own, name="rich", using="balance > 15 OR balance < 0", is_restrictive=True)
    with open_world() as connection:
        for filters, ids in (
            ((own, wider), [1, 2, 3, 4]),
            ((own, wider, narrower), [2, 3, 4]),
            ((narrower,), []),
        ):
            planned = plan(
                "SELECT id FROM customers ORDER BY id", policies=replace(policies, row_filters=filters)
            )
            assert [row[0] for row in run(connection, planned)] == ids


def test_many_parameters_are_planned_in_time_that_grows_with_their_number() -> None:
    def seconds(count: int) -> float:
        text = f"SELECT ARRAY[{', '.join(f'${n}' for n in range(1, count + 1))}]"
        taken = []
        for _ in range(3):
            began = time.process_time()
            plan(text)
            taken.append(time.process_time() - began)
        return min(taken)

    assert seconds(3200) < 10 * seconds(800), "a square would be 16 times as much"
