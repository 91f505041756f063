# ruff: noqa: E501  # a table of cases, one a line
"""Engine errors in PostgreSQL's words, pointing at the client's own text."""

import duckdb
import pytest

from execnode.engine.errors import translate_error
from pgproxy.session.conversions import conversion_message
from pgproxy.session.presenting import present_error
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState
from tests.policy.world import plan


def engine_failure(sql: str) -> GatewayError:
    """Run SQL on a real DuckDB that has tables t(a, b) and u(a), and translate what it raises."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET errors_as_json = true")
        connection.execute(
            'CREATE TABLE t (a INT, b INT); CREATE TABLE u (a INT); CREATE TABLE "T 2" ("odd ""name" INT)'
        )
        with pytest.raises(duckdb.Error) as caught:
            connection.execute(sql)
    return translate_error(caught.value)


@pytest.mark.parametrize(
    ("text", "sql", "sqlstate", "message", "pointed"),
    [
        ("select nope from t", 'DESCRIBE SELECT "nope" FROM t', "42703", 'column "nope" does not exist', "nope"),
        ("select t.nope from t", 'DESCRIBE SELECT "t"."nope" FROM t', "42703", "column t.nope does not exist", "t.nope"),
        ("select x.nope from (select a from t) x", 'DESCRIBE SELECT "x"."nope" FROM (SELECT a FROM t) AS x', "42703", "column x.nope does not exist", "x.nope"),
        ("select a from t, u", 'DESCRIBE SELECT "a" FROM t, u', "42702", 'column reference "a" is ambiguous', "a from"),
        ("select x.a from t", 'DESCRIBE SELECT "x"."a" FROM t', "42P01", 'missing FROM-clause entry for table "x"', "x.a"),
        ("select a from t group by b", 'DESCRIBE SELECT "a" FROM t GROUP BY "b"', "42803", 'column "a" must appear in the GROUP BY clause or be used in an aggregate function', "a from"),
        ("update t set zz = 1", 'UPDATE t SET "zz" = 1', "42703", 'column "zz" does not exist', "zz"),
        ("insert into t (zz) values (1)", 'INSERT INTO t ("zz") VALUES (1)', "42703", 'column "zz" does not exist', "zz"),
        ('select "é", "Nope" from t', 'DESCRIBE SELECT 1 AS "é", "Nope" FROM t', "42703", 'column "Nope" does not exist', '"Nope"'),
    ],
)  # fmt: skip
def test_a_binder_error_names_and_points_at_the_clients_own_words(
    text: str, sql: str, sqlstate: str, message: str, pointed: str
) -> None:
    shown = present_error(engine_failure(sql), None, text, sql)
    assert (shown.sqlstate, shown.message) == (sqlstate, message)
    assert shown.position is not None
    assert text[shown.position - 1 :].startswith(pointed)


_NOTHING_CALLED = "select a from t where b is not null"


@pytest.mark.parametrize(
    ("text", "sql", "message", "pointed"),
    [
        ("select Lower(a) from t", "SELECT lower(a) FROM t", "function lower(integer) does not exist", "Lower"),
        ("select substr(a, null) from t", "SELECT substring(a, NULL) FROM t", "function substr(integer, unknown) does not exist", "substr"),
        ("select a::numeric(9,2) || true from t", "SELECT a::DECIMAL(9,2) + true FROM t", "", ""),
        ("select -'x'::text", "SELECT -'x'::VARCHAR", "operator does not exist: - text", "-"),
        ("select abs(1) + abs('x'::text)", "SELECT abs('x'::VARCHAR)", "function abs(text) does not exist", ""),
        (_NOTHING_CALLED, "SELECT lower(a) FROM t", "", ""),
        ("select 'lower(' from t", "SELECT lower(a) FROM t", "", ""),
        ("select unnest(a) from t", "SELECT unnest(a) FROM t", "function unnest(integer) does not exist", "unnest"),
    ],
)  # fmt: skip
def test_a_function_that_takes_no_such_arguments_is_named_where_the_client_called_it(
    text: str, sql: str, message: str, pointed: str
) -> None:
    shown = present_error(engine_failure(sql), None, text, sql)
    assert (shown.sqlstate, shown.message) == ("42883", message or "function does not exist")
    assert (shown.position is not None) == bool(pointed)
    if shown.position is not None:
        assert text[shown.position - 1 :].startswith(pointed)


def test_a_name_that_the_client_did_not_write_is_never_shown() -> None:
    failure = engine_failure('DESCRIBE SELECT "hidden_column_of_a_filter" FROM t')
    shown = present_error(
        failure, None, "select a from t", 'DESCRIBE SELECT "hidden_column_of_a_filter" FROM t'
    )
    assert shown.sqlstate == SqlState.UNDEFINED_COLUMN
    assert "hidden" not in shown.message
    assert shown.position is None


def test_a_name_inside_a_literal_or_comment_is_not_taken_for_the_reference() -> None:
    text = "select 'nope', /* nope */ nope from t"
    shown = present_error(
        engine_failure('DESCRIBE SELECT 1, "nope" FROM t'), None, text, 'DESCRIBE SELECT 1, "nope" FROM t'
    )
    assert shown.position == text.rindex("nope") + 1


@pytest.mark.parametrize(
    ("sql", "hidden", "shown"),
    [
        ("SELECT 40000::SMALLINT", "smallint out of range", "smallint out of range"),
        ("SELECT 12345::DECIMAL(4, 2)", "numeric field overflow", "numeric field overflow"),
        ("SELECT 'a b'::INTEGER", "invalid input syntax for the type", 'invalid input syntax for type integer: "a b"'),
        ("SELECT 'x'::DATE", "invalid input syntax for the type", 'invalid input syntax for type date: "x"'),
        ("SELECT '25:00'::TIME", "date/time field value out of range", 'date/time field value out of range: "25:00"'),
        ("SELECT 'x'::INTEGER[]", "invalid input syntax for the type", 'invalid input syntax for type integer[]: "x"'),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_only_where_it_may_be_shown(
    sql: str, hidden: str, shown: str
) -> None:
    failure = engine_failure(sql)
    assert conversion_message(failure.sqlstate, failure.engine_text, shows_value=True) == shown
    told = conversion_message(failure.sqlstate, failure.engine_text, shows_value=False)
    assert (told or failure.message) == hidden


@pytest.mark.parametrize(
    ("raised", "sqlstate", "message"),
    [
        (duckdb.IOException('IO Error: Failed to create directory "/srv/lake.files/main/a"'), "58030", "the engine could not read or write its storage"),
        (duckdb.HTTPException("HTTP Error: GET error on s3://bucket/key?sig=abc"), "58030", "the engine could not read or write its storage"),
        (duckdb.PermissionException('Permission Error: Cannot access file "/srv/x"'), "42501", "permission denied"),
        (duckdb.OutOfMemoryException("Out of Memory Error: could not allocate at /srv/tmp"), "53200", "out of memory"),
        (duckdb.InternalException("INTERNAL Error: assertion in /build/x.cpp"), "XX000", "internal error"),
    ],
)  # fmt: skip
def test_of_the_machine_nothing_is_told_even_where_no_table_is_governed(
    raised: duckdb.Error, sqlstate: str, message: str
) -> None:
    shown = present_error(translate_error(raised), plan("SELECT 1"), "SELECT 1")
    assert (shown.sqlstate.value, shown.message, shown.detail) == (sqlstate, message, None)
