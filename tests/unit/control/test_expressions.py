"""The first gate for policy expressions."""

import pytest

from pgproxy.control.expressions import MAX_EXPRESSION_CHARACTERS, check_expression
from pgwire.errors import GatewayError


@pytest.mark.parametrize(
    "sql",
    [
        "region = 'EU'",
        "NULL",
        "'***'",
        "left(email, 1) || '***'",
        "tenant = current_setting('pgproxy.attr.tenant')",
        "is_member('eu_team') OR owner = current_user",
        "region IN ('EU', 'UK')",
        "(a, b) = (1, 2)",
        "CASE WHEN is_member('hr') THEN salary END",
        "created_at AT TIME ZONE 'UTC' > DATE '2020-01-01' - INTERVAL '1 day'",
        "note LIKE '%;%' -- a comment",
        "true",
    ],
)
def test_a_scalar_expression_is_accepted(sql: str) -> None:
    check_expression(sql)


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        ("", "42601"),
        ("-- nothing", "42601"),
        ("region = ", "42601"),
        ("region = 'EU' garbage", "42601"),
        ("true; DROP TABLE t", "42601"),
        ("true) OR (true", "42601"),
        ("SELECT 1", "42601"),
        ("DROP TABLE t", "42601"),
        ("COPY t TO 'f'", "42601"),
        ("SAVEPOINT a", "42601"),
        ("a AS b", "42601"),
        ("*", "42601"),
        ("(a, b)", "42601"),
        ("a IN (SELECT b FROM t)", "0A000"),
        ("EXISTS (SELECT 1 FROM t)", "0A000"),
        ("a = (SELECT max(b) FROM t)", "0A000"),
        ("a = $1", "42P02"),
        ("a = :x", "42P02"),
        ("sum(a) > 1", "42803"),
        ("row_number() OVER () = 1", "42P20"),
        ("a" * (MAX_EXPRESSION_CHARACTERS + 1), "54000"),
    ],
)
def test_anything_else_is_refused_with_postgresqls_code(sql: str, sqlstate: str) -> None:
    with pytest.raises(GatewayError) as caught:
        check_expression(sql)
    assert caught.value.sqlstate.value == sqlstate


def test_nesting_that_exhausts_the_parser_is_refused() -> None:
    with pytest.raises(GatewayError) as caught:
        check_expression("(" * 4_900 + "1" + ")" * 4_900)
    assert caught.value.sqlstate.value in {"54001", "42601"}


def test_subqueries_pass_where_the_planner_checks_them() -> None:
    check_expression("a IN (SELECT max(b) AS c FROM t)", allow_subqueries=True)
    with pytest.raises(GatewayError):
        check_expression("SELECT 1", allow_subqueries=True)
    with pytest.raises(GatewayError):
        check_expression("sum(a) = 1", allow_subqueries=True)
