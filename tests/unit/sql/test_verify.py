"""The verifier's own teeth: what DuckDB's parser reports beyond what was rendered is a disagreement."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pgproxy.catalog.snapshot import ColumnInfo, RelationKind, TableInfo
from pgproxy.policy.model import TableName
from pgproxy.sql.owner_changes import plan_owner_change
from pgproxy.sql.plan import EngineTree, Plan
from pgproxy.sql.utility.owners import AlterOwner, OwnedKind
from pgwire.errors import InternalError, StatementError
from tests.policy.world import CATALOG, context_for, parse_engine_sql, plan


def tampered(change: Callable[[EngineTree], EngineTree]) -> Callable[[str], EngineTree]:
    return lambda sql: change(parse_engine_sql(sql))


def with_function(name: str) -> Callable[[EngineTree], EngineTree]:
    return lambda tree: replace(tree, functions=(tree.functions or frozenset()) | {("", name)})


def with_relation(*name: str) -> Callable[[EngineTree], EngineTree]:
    return lambda tree: replace(tree, relations=(tree.relations or frozenset()) | {name})  # type: ignore[arg-type]  # three parts


@pytest.mark.parametrize("name", ["upper", "lower", "error", "query", "read_csv", "sum", "coalesce"])
def test_a_function_that_render_did_not_write_is_a_disagreement(name: str) -> None:
    with pytest.raises(InternalError):
        plan("SELECT abs(id) FROM orders", parse_engine_sql=tampered(with_function(name)))


def test_a_function_that_render_wrote_is_none() -> None:
    assert plan("SELECT abs(id) FROM orders", parse_engine_sql=tampered(with_function("abs"))).sql


def test_error_passes_only_where_the_planner_placed_it() -> None:
    assert "ERROR(" in plan("SELECT id / customer_id FROM orders").sql.upper()
    context = context_for("analyst", parse_engine_sql=tampered(with_function("error")))
    with pytest.raises(InternalError):
        plan("SELECT 'error(' || status FROM orders", parse_engine_sql=context.parse_engine_sql)


@pytest.mark.parametrize(
    "name",
    [("lake", "hr", "salaries"), ("", "", "customers"), ("lake", "sales", "orders_x"), ("", "", "x.csv")],
)
@pytest.mark.parametrize("sql", ["SELECT id FROM orders", "UPDATE orders SET status = 'x' WHERE id = 1"])
def test_a_relation_that_was_not_placed_is_a_disagreement(name: tuple[str, ...], sql: str) -> None:
    with pytest.raises(InternalError):
        plan(sql, "writer", parse_engine_sql=tampered(with_relation(*name)))


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO orders (id) SELECT id FROM orders",
        "UPDATE orders SET status = upper(status)",
        "DELETE FROM orders WHERE lower(status) = 'x'",
        "INSERT INTO orders (id) VALUES (1) RETURNING id",
        "UPDATE customers SET name = lower(name)",
    ],
)
@pytest.mark.parametrize("name", ["query", "error", "max", "getenv"])
def test_writes_are_checked_by_a_query_of_all_that_they_compute(sql: str, name: str) -> None:
    planned = plan(sql, "writer")
    if name == "error" and "error" in planned.sql.lower():
        return
    with pytest.raises(InternalError):
        plan(sql, "writer", parse_engine_sql=tampered(with_function(name)))


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE made (a int DEFAULT 1, b int CHECK (b > 0))",
        "CREATE TABLE made (a text DEFAULT upper('x'))",
        "ALTER TABLE orders ALTER COLUMN status TYPE int USING length(status)",
        "ALTER TABLE orders ALTER COLUMN status SET DEFAULT lower('x')",
        "ALTER TABLE orders ADD COLUMN a int DEFAULT 1, ADD COLUMN b int DEFAULT 2",
        "CREATE TABLE made AS SELECT id FROM orders",
    ],
)
@pytest.mark.parametrize("name", ["query", "error", "max", "getenv"])
def test_definitions_are_checked_by_a_query_of_all_that_they_compute(sql: str, name: str) -> None:
    assert plan(sql, "root").sql
    with pytest.raises(InternalError):
        plan(sql, "root", parse_engine_sql=tampered(with_function(name)))


@pytest.mark.parametrize("types", [("INSERT",), ("SELECT", "SELECT"), ("PRAGMA",), ()])
def test_another_kind_or_number_of_statements_is_a_disagreement(types: tuple[str, ...]) -> None:
    with pytest.raises(InternalError):
        plan("SELECT 1", parse_engine_sql=tampered(lambda tree: replace(tree, statement_types=types)))


def test_text_that_the_engine_cannot_read_is_a_disagreement() -> None:
    def refuse(sql: str) -> EngineTree:
        if sql == 'SELECT "id" FROM "orders"':  # what sqlglot has read, before it is rewritten
            return parse_engine_sql(sql)
        raise ValueError(sql)

    with pytest.raises(InternalError) as caught:
        plan("select id from orders", parse_engine_sql=refuse)
    assert "SELECT" not in caught.value.message


def test_what_the_engine_cannot_read_before_its_rewriting_either_is_a_syntax_error() -> None:
    seen: list[str] = []

    def refuse(sql: str) -> EngineTree:
        seen.append(sql)
        raise ValueError(sql)

    with pytest.raises(StatementError) as caught:
        plan("select /* mine */ 1", parse_engine_sql=refuse)
    assert caught.value.sqlstate == "42601"
    assert not any("mine" in sql or "select" in sql for sql in seen), "the client's own text"


def test_a_query_of_which_the_engine_gives_no_tree_does_not_run() -> None:
    def without_tree(sql: str) -> EngineTree:
        return EngineTree(("SELECT",), None, None)

    with pytest.raises(InternalError):
        plan("SELECT id FROM orders", parse_engine_sql=without_tree)


LOOK = TableName("lake", "sales", "look")
LOOK_TEXT = (
    "CREATE VIEW sales.look (a, b) AS WITH pgproxy_view AS (SELECT 'eve' AS \"owner\"), q AS "
    "(SELECT id, status FROM lake.sales.orders WHERE (upper(status) != 'X')) SELECT id, status FROM q;"
)


def remade(parse: Callable[[str], EngineTree]) -> Plan:
    columns = (ColumnInfo("a", "INTEGER", comment="it's one"), ColumnInfo("b", "VARCHAR"))
    look = TableInfo(LOOK, RelationKind.VIEW, columns, engine_sql=LOOK_TEXT, owner="eve", comment="of eve's")
    catalog = replace(CATALOG, tables={**CATALOG.tables, LOOK: look})
    context = context_for("root", catalog=catalog, parse_engine_sql=parse)
    change = AlterOwner(OwnedKind.VIEW, ("sales", "look"), "analyst")
    return plan_owner_change(change, context, context_for("analyst").policy)


def test_a_change_of_owner_is_what_the_catalog_told() -> None:
    planned = remade(parse_engine_sql)
    assert "'analyst' AS \"owner\"" in planned.sql
    assert 'FROM "lake"."sales"."orders"' in planned.sql
    assert len(planned.following_sql) == 2


@pytest.mark.parametrize(
    "change",
    [
        with_function("query"),
        with_function("error"),
        with_relation("lake", "hr", "salaries"),
        with_relation("", "", "orders"),
        lambda tree: replace(tree, statement_types=("CREATE", "CREATE")),
        lambda tree: replace(tree, statement_types=("INSERT",)),
    ],
)
def test_a_change_of_owner_that_says_more_is_a_disagreement(
    change: Callable[[EngineTree], EngineTree],
) -> None:
    with pytest.raises(InternalError):
        remade(tampered(change))


def test_each_statement_of_a_change_of_owner_is_of_its_own_kind() -> None:
    for kinds in (("CREATE",), ("ALTER",), ("DROP",)):
        with pytest.raises(InternalError):
            remade(lambda sql, kinds=kinds: EngineTree(kinds, None, None))  # type: ignore[misc]  # bound now
