# ruff: noqa: E501 - one case a line
"""The bypass corpus: whatever is tried, no hidden cell comes back, neither in rows nor in an error's text.

The engine's raw error text is looked at, too, though a client never sees it: an error that quotes a hidden cell means
that a predicate ran on a hidden row, and whether an error occurs is an answer in itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest

from pgproxy.sql.plan import Plan
from pgwire.errors import GatewayError
from tests.policy.bypass_corpus import LEAKS_RAW, REFUSED_FORMS
from tests.policy.bypass_positions import HIDDEN_VALUES, LEAKS_BY_POSITION, POSITIONS
from tests.policy.world import MARKERS, open_world, plan, run

LEAKING = [
    pytest.param(sql, id=f"{group}: {sql}"[:100]) for group, cases in LEAKS_RAW.items() for sql in cases
]
REFUSED = [
    pytest.param(sql, id=f"{group}: {sql}"[:100]) for group, cases in REFUSED_FORMS.items() for sql in cases
]
DUCK = {group: cases for group, cases in LEAKS_RAW.items() if group.startswith("duck")}


@pytest.fixture
def world() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_world() as connection:
        yield connection


def answer(connection: duckdb.DuckDBPyConnection, sql: str, principal: str) -> tuple[Plan | None, str]:
    """What a principal learns: rows, the gateway's error with all its fields, or the engine's."""
    try:
        planned = plan(sql, principal)
    except GatewayError as error:
        return None, f"{error.message} {error.detail} {error.hint}"
    try:
        return planned, str(run(connection, planned))
    except duckdb.Error as error:
        return planned, str(error)


def hidden_in(text: str, sql: str) -> list[str]:
    """Markers in the answer that the question did not contain."""
    return [marker for marker in MARKERS if marker in text and marker not in sql]


@pytest.mark.parametrize("sql", LEAKING)
def test_the_case_has_teeth_on_raw_duckdb(world: duckdb.DuckDBPyConnection, sql: str) -> None:
    world.execute("SET search_path = 'lake.sales,lake.main'")
    try:
        raw = str(world.execute(sql).fetchall())
    except duckdb.Error as error:
        raw = str(error)
    assert any(marker in raw.replace(sql, "") for marker in MARKERS)


@pytest.mark.parametrize("sql", LEAKING + REFUSED)
def test_nothing_hidden_comes_back(world: duckdb.DuckDBPyConnection, sql: str) -> None:
    hidden_rows = "SELECT count(*), list(ssn ORDER BY id) FROM lake.sales.customers WHERE region = 'US'"
    before = world.execute(hidden_rows).fetchall()
    for principal in ("analyst", "writer", "auditor", "intern", "dropbox"):
        assert hidden_in(answer(world, sql, principal)[1], sql) == [], principal
    assert world.execute(hidden_rows).fetchall() == before, "a hidden row was changed"


@pytest.mark.parametrize("sql", LEAKING)
def test_an_intern_without_grants_gets_no_plan_over_a_table(sql: str) -> None:
    with pytest.raises(GatewayError):
        plan(sql, "intern")


@pytest.mark.parametrize("group", list(DUCK))
def test_each_bypass_class_of_duck_is_closed(world: duckdb.DuckDBPyConnection, group: str) -> None:
    assert len(DUCK) == 5
    for sql in DUCK[group]:
        assert hidden_in(answer(world, sql, "analyst")[1], sql) == []


@pytest.fixture(scope="module")
def shared_world() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_world() as connection:
        yield connection


@contextmanager
def rolled_back(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("template", POSITIONS)
def test_every_position_is_one_that_leaks_on_raw_duckdb(
    shared_world: duckdb.DuckDBPyConnection, template: str
) -> None:
    for value in HIDDEN_VALUES.values():
        sql = template.format(x=value)
        with rolled_back(shared_world):
            shared_world.execute("SET search_path = 'lake.sales,lake.main'")
            with pytest.raises(duckdb.Error) as caught:
                shared_world.execute(sql).fetchall()
        assert hidden_in(str(caught.value).partition("LINE 1:")[0], sql), value


@pytest.mark.parametrize("template", POSITIONS)
def test_every_position_is_allowed_and_shows_nothing_hidden(
    shared_world: duckdb.DuckDBPyConnection, template: str
) -> None:
    assert plan(template.format(x="1"), "writer").sql, "the position itself is no reason to refuse"
    for kind, value in HIDDEN_VALUES.items():
        sql = template.format(x=value)
        for principal in ("analyst", "writer", "auditor", "intern"):
            with rolled_back(shared_world):
                assert hidden_in(answer(shared_world, sql, principal)[1], sql) == [], (kind, principal)


def test_the_corpus_is_large() -> None:
    assert len(LEAKING) + len(LEAKS_BY_POSITION) >= 500
    assert len(set(LEAKS_BY_POSITION)) == len(LEAKS_BY_POSITION)


def test_missing_and_invisible_relations_are_told_apart_by_nothing() -> None:
    errors = []
    for name in ("hr.salaries", "hr.nosuches"):
        with pytest.raises(GatewayError) as caught:
            plan(f"SELECT * FROM {name}", "analyst")
        errors.append((caught.value.sqlstate, caught.value.position, caught.value.hint, caught.value.detail))
        assert caught.value.message == f'relation "{name}" does not exist'
    assert errors[0] == errors[1]


def test_hidden_and_missing_columns_give_the_same_plan_shape(world: duckdb.DuckDBPyConnection) -> None:
    for name in ("phone", "nosuch"):
        with pytest.raises(duckdb.BinderException):
            run(world, plan(f"SELECT {name} FROM hr.staff", "analyst"))


def test_a_barrier_stands_where_a_predicate_may_fail_on_many_hidden_rows(
    world: duckdb.DuckDBPyConnection,
) -> None:
    uuid = "00000000-0000-0000-0000-000000000000"
    world.execute(f"UPDATE lake.sales.customers SET note = '{uuid}' WHERE region = 'EU'")
    world.execute(
        "INSERT INTO lake.sales.customers(id, name, region, note) SELECT 100 + i, 'n', if(i % 2 = 0, 'EU', 'US'), "
        f"if(i % 2 = 0, '{uuid}', 'HIDDEN-' || i) FROM range(100000) t(i)"
    )
    planned = plan("SELECT id FROM customers WHERE note::UUID IS NOT NULL", "analyst")
    values = [value.text for value in planned.bound_values]
    assert len(run(world, planned)) == 50002
    with pytest.raises(duckdb.Error, match="HIDDEN"):  # a plain subquery is no barrier
        world.execute(planned.sql.replace("OFFSET 0", ""), values).fetchall()


def test_a_macro_in_the_engine_does_not_shadow_a_function_of_a_mask(world: duckdb.DuckDBPyConnection) -> None:
    world.execute(
        "CREATE TEMP MACRO split_part(a, b, c) AS 'HIJACKED'; CREATE TEMP MACRO \"||\"(a, b) AS 'HIJACKED'"
    )
    assert run(world, plan("SELECT email FROM customers ORDER BY 1")) == [("a@x.eu",), ("b@x.eu",)]


def test_a_default_collation_does_not_widen_a_filter(world: duckdb.DuckDBPyConnection) -> None:
    world.execute("INSERT INTO lake.sales.customers(id, name, region) VALUES (9, 'HIDDEN-low', 'eu')")
    world.execute("SET default_collation = 'nocase'")
    assert run(world, plan("SELECT count(*) FROM customers")) == [(2,)]
