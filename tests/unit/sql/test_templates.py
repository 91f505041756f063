"""A plan from a template is the plan that the statement would have had by itself."""

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgproxy.sql.cache import PlanCache
from pgproxy.sql.plan import Plan
from pgproxy.sql.planner import plan_statement
from pgproxy.sql.statement_shape import shape_of, with_constants
from pgwire.errors import GatewayError
from tests.policy.world import context_for

VARIED = [
    "SELECT * FROM customers WHERE id = {n}",
    "SELECT name, count(*) FROM customers WHERE name = {s} AND id > {n} GROUP BY name ORDER BY 2 LIMIT 5",
    "SELECT id FROM customers WHERE id IN ({n}, -{n}, {n}) OR NOT (name < {s})",
    "SELECT id FROM customers WHERE id BETWEEN {n} AND {n} AND balance >= {n} AND chr(id) <> 'x'",
    "SELECT c.name FROM customers AS c JOIN orders AS o ON c.id = o.customer_id AND o.status = {s} "
    "WHERE o.amount < -{n}",
    "WITH big AS (SELECT id FROM orders WHERE amount > {n}) SELECT name FROM customers "
    "WHERE id IN (SELECT id FROM big WHERE id <> {n}) UNION SELECT status FROM orders WHERE status = {s}",
    "INSERT INTO orders (id, status) VALUES ({n}, {s})",
    "INSERT INTO orders (id, status) VALUES ({n}, {s}), (-{n}, {s}), (NULL, NULL)",
    "UPDATE orders SET customer_id = customer_id + -{n}, status = {s} WHERE id = {n} AND status <> {s}",
    "DELETE FROM orders WHERE id = {n} RETURNING status",
    "SELECT relname FROM pg_catalog.pg_class WHERE relname = {s} AND oid IN ({n}, {n})",
    "SELECT c.relname FROM pg_class AS c JOIN (SELECT oid AS it FROM pg_class) AS d ON c.oid = d.it "
    "AND d.it = {n} WHERE c.relname IN ({s}, {s}) OR NOT c.relname <> {s}",
]
"""Every constant in the place of a mark may be another."""

KEPT = [
    "SELECT id FROM customers ORDER BY {n}",
    "SELECT id FROM customers LIMIT {n}",
    "SELECT id FROM customers WHERE name LIKE {s}",
    "SELECT {s}, {n} FROM customers",
    "SELECT id FROM customers WHERE joined = {s}",
    "SELECT id FROM customers WHERE id = {s}",
    "SELECT id FROM customers WHERE name = {n}",
    "SELECT id FROM customers WHERE length(name) > {n}",
    "SELECT id FROM customers WHERE id + {n} > 5 AND name || {s} <> 'x'",
    "SELECT id = {n} FROM customers GROUP BY id = {n}",
    "SELECT count(*) FILTER (WHERE id = {n}) FROM customers GROUP BY name HAVING max(name) = {s}",
    "SELECT name FROM customers WHERE balance = {s}",
    "INSERT INTO orders (placed, amount) VALUES ({s}, {s})",
    "INSERT INTO orders (id, status) SELECT {n}, {s}",
    "SELECT x FROM (VALUES ({n}), ({n})) AS v(x) WHERE x = CAST({s} AS integer)",
    "SELECT name FROM pg_catalog.pg_settings WHERE name = {s}",
    "SELECT c.relname FROM pg_catalog.pg_class AS c, customers WHERE c.relname = {s} AND c.oid = {n}",
    "SELECT relname FROM pg_catalog.pg_class WHERE oid = {s} AND relname LIKE {s}",
    "SELECT relname FROM pg_catalog.pg_class WHERE relname || {s} <> 'x' AND oid::text = {s}",
    "EXPLAIN SELECT {n}",
]
"""No plan is made from another's for these, whatever their constants."""

_NUMBERS = st.one_of(
    st.sampled_from(["0", "1", "7", "999999999", "2147483647", "2147483648", "10000000000", "007", "1.50"]),
    st.sampled_from(["1e400", "9" * 18, "9" * 19, "9" * 400, "NULL", "-5", "0x1F", "1_000"]),
    st.integers(0, 2**63).map(str),
)
_STRINGS = st.one_of(
    st.sampled_from(["", "'", "''", "a'b", "semi", "asof", "NULL", "2024-02-30", "%_", "é\u2028ß", "~0"]),
    st.sampled_from(["a\\", "$1", "$a$", "--", "/*", "\n", "\t", "u&", "{{x}}", "a\"b", "x" * 300, "1"]),
    st.text(string.printable + "äж💥\u00a0", max_size=12),
).map(lambda text: "'" + text.replace("'", "''") + "'") | st.sampled_from(
    ["E'a\\'b'", "U&'x'", "B'1'", "$$q$$", "'a'\n'b'", "NULL", "N'n'"]
)  # fmt: skip


PLAIN = [{"{n}": str(number), "{s}": f"'it''s {number}'"} for number in (5, 4_711, 99_999_999)]
"""Of one kind each, so that the third statement's plan comes of a template."""


def with_values(statement: str, choose: Callable[[str, int], str]) -> str:
    """The statement with a constant for each mark. choose: by the mark and its number."""
    numbers = count()
    return re.sub(r"\{[ns]\}", lambda mark: choose(mark[0], next(numbers)), statement)


def plain(statement: str, values: Mapping[str, str]) -> str:
    """With constants that all differ."""
    return with_values(
        statement,
        lambda mark, at: str(int(values[mark]) + at) if mark == "{n}" else values[mark][:-1] + f"{at}'",
    )


def planned(cache: PlanCache | None, text: str) -> Plan | tuple[object, ...]:
    """The plan without its description's constants, or the error as the client would see it."""
    context = context_for("writer")
    try:
        plan = cache.plan(text, (), context) if cache is not None else plan_statement(text, (), context)
    except GatewayError as error:
        return (type(error), error.sqlstate, error.message, error.position, error.hint)
    return replace(plan, describe_sql="")


@pytest.mark.parametrize("statement", VARIED)
def test_the_third_statement_of_a_shape_is_planned_from_a_template(statement: str) -> None:
    cache = PlanCache()
    for values in PLAIN:
        text = plain(statement, values)
        assert planned(cache, text) == planned(None, text)
    assert isinstance(planned(None, text), Plan)
    assert cache.hits == 1


@pytest.mark.parametrize("statement", KEPT)
def test_a_constant_that_may_decide_something_is_a_part_of_the_key(statement: str) -> None:
    cache = PlanCache()
    for values in PLAIN:
        text = plain(statement, values)
        assert planned(cache, text) == planned(None, text)
    assert cache.hits == 0


@settings(max_examples=60)
@given(st.sampled_from(VARIED + KEPT), st.data())
def test_any_constants_give_the_plan_that_the_statement_has_by_itself(
    statement: str, data: st.DataObject
) -> None:
    cache = PlanCache()
    texts = [plain(statement, values) for values in PLAIN[:2]]
    texts += [
        with_values(statement, lambda mark, _: data.draw(_NUMBERS if mark == "{n}" else _STRINGS))
        for _ in range(2)
    ]
    for text in texts:
        assert planned(cache, text) == planned(None, text)


def test_equal_constants_are_another_shape_than_different_ones() -> None:
    cache = PlanCache()
    inner = "(SELECT max(id) FROM orders WHERE id = {n})"
    statement = f"SELECT {inner} FROM orders GROUP BY {inner}"
    for pair in ("12", "34", "56", "77", "88", "99"):
        text = with_values(statement, lambda _, at, pair=pair: pair[at])
        assert planned(cache, text) == planned(None, text)
    assert cache.hits == 2


def test_letters_of_another_case_are_no_template() -> None:
    cache = PlanCache()
    for one, other in (("a", "A"), ("b", "B"), ("c", "C")):
        text = f"SELECT id FROM orders WHERE status = '{one}' OR status = '{other}'"
        assert planned(cache, text) == planned(None, text)
    assert cache.hits == 0


def test_who_writes_what_a_template_is_made_with_gets_their_own_constants() -> None:
    cache = PlanCache()
    own = "'~0 it''s é%_'"
    for value in (own, "'x'", own, "'y'"):
        text = f"SELECT {own}, 948051200 FROM orders WHERE status = {value} AND id = 948051200"
        assert planned(cache, text) == planned(None, text)


def test_a_template_is_of_one_policy_and_one_principal() -> None:
    cache = PlanCache()
    for number in range(1, 4):
        cache.plan(f"SELECT id FROM customers WHERE id = {number}", (), context_for("writer"))
    assert cache.hits == 1
    for principal in ("auditor", "analyst"):
        text = "SELECT id FROM customers WHERE id = 7"
        context = context_for(principal)
        assert cache.plan(text, (), context) == plan_statement(text, (), context)
    assert cache.hits == 1
    with pytest.raises(GatewayError):
        cache.plan("SELECT id FROM customers WHERE id = 8", (), context_for("intern"))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'a", 'SELECT "a', "SELECT $1, 5", "SELECT $$5$$", "SELECT E'\\'' , '5'", "SELECT 5 -- '",
        "SELECT /* ' */ 5", "SELECT 'a\0'",
        "SELECT a1, \"5\", 1.5, .5, 1e5, 5.e, 2147483648, 2140000000, 9999999999, 007, U&'x', E'5'",
        "SELECT a" + " " * 4_000 + "5",
    ],
)  # fmt: skip
def test_what_is_no_plain_constant_has_no_shape(text: str) -> None:
    assert shape_of(text) is None


@pytest.mark.parametrize(
    "number", ["0", "7", "999999999", "1000000000", "1999999999", "2099999999", "2139999999"]
)
def test_what_surely_is_an_int4_is_one(number: str) -> None:
    shape = shape_of(f"SELECT {number}")
    assert shape is not None
    assert (shape.constants, shape.kinds) == ((number,), ("integer",))


def test_a_shape_has_the_constants_and_the_rest() -> None:
    text = "SELECT 'it''s', x5 FROM \"7'\" WHERE a=-12 AND b>'' OR c=12345678901"
    shape = shape_of(text)
    assert shape is not None
    assert shape.constants == ("'it''s'", "12", "''", "12345678901")
    assert shape.kinds == ("string", "integer", "string", "bigint")
    assert with_constants(text, shape, {1: "7"}) == text.replace("12 ", "7 ")
    assert shape_of(text.replace("-12", "-7")).key == shape.key  # type: ignore[union-attr]  # it has one
