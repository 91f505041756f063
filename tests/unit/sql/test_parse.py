import pytest

from pgproxy.sql.parse import parse_statement
from pgwire.errors import GatewayError
from tests.policy.world import context_for, plan


@pytest.mark.parametrize(
    ("sql", "message", "position"),
    [
        ("SELEC 1", 'syntax error at or near "SELEC"', 1),
        ("SELECT * FROM", "syntax error at end of input", 14),
        ("SELECT 1 FROM customers WHERE", "syntax error at end of input", 30),
        ("", "syntax error at end of input", 1),
    ],
)
def test_syntax_errors_say_where_in_postgresqls_words(sql: str, message: str, position: int) -> None:
    with pytest.raises(GatewayError) as caught:
        plan(sql)
    assert (caught.value.sqlstate, caught.value.message, caught.value.position) == (
        "42601",
        message,
        position,
    )


def test_the_position_counts_characters_of_the_clients_text() -> None:
    with pytest.raises(GatewayError) as caught:
        plan("SELECT 'ä' FROM nope")
    assert caught.value.position == 17


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 5000 + "1" + ")" * 5000,
        "SELECT " + "NOT " * 5000 + "true",
        "SELECT " + "- " * 5000 + "1",
        "SELECT " + "1," * 200_000 + "1",
        "SELECT '" + "x" * 2_000_000 + "'",
        "SELECT " + "CASE WHEN true THEN " * 1000 + "1" + " END" * 1000,
        "SELECT " + "[" * 1000 + "]" * 1000,
        "SELECT " + "time(" * 40 + "1" + ")" * 40,
        "SELECT " + "a = any(" * 40 + "1" + ")" * 40,
        "SELECT " + "array[" * 40 + "1" + "]" * 40,
        "SELECT " + "numeric[" * 40 + "1" + "]" * 40,
        "SELECT * FROM a" + " LEFT JOIN b" * 40,
        "SELECT * FROM a" + " LEFT JOIN (b" * 40 + ")" * 40,
        "SELECT * FROM a" + " NATURAL JOIN b" * 40,
        "SELECT " + "overlay(" * 40 + "'a'" + " placing 'b' from 1)" * 40,
        "SELECT " + "(" * 40 + "1" + ")::numeric(5,2)" * 40,
        "SELECT " + "(ARRAY[1])[" * 40 + "1" + "]" * 40,
        "SELECT " + "string_to_array(" * 40 + "'a'" + ", 'a')" * 40,
        "SELECT " + "log(2," * 40 + "1" + ")" * 40,
    ],
    ids=[
        "parentheses", "nots", "minuses", "tokens", "characters", "cases", "lists", "type names", "any",
        "arrays", "array types", "joins", "nested joins", "natural joins", "operands written twice",
        "casts that look twice", "subscripts", "null checks", "scales",
    ],
)  # fmt: skip
def test_statements_beyond_the_limits_are_54001(sql: str) -> None:
    with pytest.raises(GatewayError) as caught:
        plan(sql)
    assert caught.value.sqlstate == "54001"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 60 + "1" + ")" * 60,
        "SELECT ARRAY[" + ", ".join(["ARRAY[ARRAY[1, 2], ARRAY[3, 4]]"] * 500) + "]",
        "SELECT 1 FROM orders o0" + "".join(f" JOIN orders o{i} ON o{i}.id = o0.id" for i in range(1, 40)),
        "SELECT count(*) FROM orders" + "".join(f" NATURAL JOIN orders o{i}" for i in range(8)),
        "SELECT " + "round(" * 12 + "amount" + ", 2)" * 12 + " FROM orders",
    ],
    ids=["parentheses", "arrays", "joins", "natural joins", "calls"],
)
def test_moderate_nesting_still_parses(sql: str) -> None:
    assert plan(sql).sql


_NOT_READ = {
    "42601": [  # what the parser alone reads
        "SELECT abs( SELECT 1)",
        "SELECT ARRAY(SELECT1 UNION ALL SELECT 2)",
        "WITH a AS (50 AS x UNION ALL SELECT 1) SELECT 1",
        "SELECT (sum(42) nosuch)::bigint",
        "INSERT INTO SELECT * FROM numbers",
        "INSERT INTO numbers{t} VALUES (1)",
        "ALTER TABLE numbers_{i} RENAME TO others",
        "SELECT levenshtein('a', SELECT 'b')",
        "SELECT CAST('1' AS int, 2)",
    ],
    "0A000": [  # what the engine lacks
        "SELECT (addr).* FROM customers",
        "SELECT ROW(1, 2).*",
        "SELECT count(*) FROM orders GROUP BY DISTINCT ROLLUP (id), CUBE (status)",
        "SELECT * FROM (PIVOT (FROM range(21) t(n)) ON n USING sum(n)) q",
        "SELECT MAP {}",
    ],
}


@pytest.mark.parametrize(
    ("sqlstate", "sql"), [(state, sql) for state, texts in _NOT_READ.items() for sql in texts]
)
def test_forms_that_are_not_read_are_told_apart(sqlstate: str, sql: str) -> None:
    with pytest.raises(GatewayError) as caught:
        plan(sql, "writer")
    assert caught.value.sqlstate == sqlstate


def test_columns_of_a_pattern_are_named_by_the_engine() -> None:
    for sql in ("SELECT COLUMNS('.*') FROM orders", "FROM orders SELECT COLUMNS('i.*') ORDER BY id LIMIT 1"):
        assert plan(sql).column_names is None


def test_a_name_in_a_string_is_read_without_the_parser() -> None:
    with pytest.raises(GatewayError) as caught:
        plan("SELECT nextval('" + "date(" * 40 + "a')")
    assert caught.value.sqlstate == "42P01"


def test_long_operator_chains_are_planned_or_refused_but_never_crash() -> None:
    try:
        plan("SELECT " + " + ".join(["1"] * 5000))
    except GatewayError as error:
        assert error.sqlstate == "54001"  # noqa: PT017 - either outcome is right


def test_unicode_escapes_are_decoded_in_strings_and_refused_in_names() -> None:
    assert plan("SELECT U&'\\0041!'").sql.endswith("'A!'")
    assert plan("SELECT U&'!0041' UESCAPE '!'").sql.endswith("'A'")
    with pytest.raises(GatewayError) as caught:
        plan('SELECT 1 AS U&"\\0041"')
    assert caught.value.sqlstate == "0A000"


def test_positional_join_is_read_as_duckdb_means_it() -> None:
    assert "POSITIONAL JOIN" in plan("SELECT * FROM numbers a POSITIONAL JOIN numbers b").sql


def test_two_statements_are_refused() -> None:
    with pytest.raises(GatewayError):
        plan("SELECT 1; SELECT 2")


@pytest.mark.parametrize("sql", ["SELECT $1, ''", "SELECT id FROM orders WHERE id = $1 AND status <> ''"])
def test_a_text_with_a_parameter_may_end_in_an_empty_string(sql: str) -> None:
    assert plan(sql).describe_sql.endswith("''")


def test_a_string_before_join_is_no_kind_of_join() -> None:
    text = "SELECT 1 FROM a JOIN b ON a.x = 'semi' JOIN c ON c.x = b.x"
    assert parse_statement(text, context_for("analyst"))[1] == "postgres"
