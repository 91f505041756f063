"""What DuckDB's own parser reports of a text."""

import json

import duckdb
import pytest

from execnode.engine.parser import _Found, _walk, serialized_tree
from execnode.engine.parser_scan import scan


def test_base_tables_and_functions_are_reported_as_written() -> None:
    parsed = serialized_tree('SELECT main.upper(a), sum(b) FROM c.s."T" JOIN u ON true, range(3)')
    assert parsed.statement_types == ("SELECT",)
    assert parsed.relations == {("c", "s", "T"), ("", "", "u")}
    assert parsed.functions == {("main", "upper"), ("", "sum"), ("", "range")}


@pytest.mark.parametrize(
    ("sql", "relations"),
    [
        ("WITH x AS (SELECT * FROM a) SELECT * FROM x", {"a"}),
        ("WITH x AS (SELECT * FROM x) SELECT * FROM X", {"x"}),
        ("WITH x AS (SELECT * FROM y), y AS (SELECT 1) SELECT * FROM x", {"y"}),
        ("WITH x AS (SELECT 1), y AS (SELECT * FROM x) SELECT * FROM y", set()),
        ("WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT * FROM r) SELECT * FROM r", set()),
        ("WITH RECURSIVE r AS (SELECT * FROM r) SELECT * FROM r", {"r"}),
        ("SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) d, x", {"x"}),
        ("SELECT (WITH x AS (SELECT 1) SELECT * FROM x), EXISTS (SELECT * FROM hidden)", {"hidden"}),
        ("WITH x AS (SELECT 1) SELECT * FROM s.x", {"x"}),
        ("SELECT 1 UNION SELECT * FROM a EXCEPT SELECT * FROM b", {"a", "b"}),
        ("FROM a", {"a"}),
        ("SELECT a.b FROM t a LEFT JOIN (b CROSS JOIN c) ON true", {"t", "b", "c"}),
        ("SELECT sum(x) OVER (ORDER BY (SELECT max(y) FROM w)) FROM t", {"t", "w"}),
    ],
)
def test_a_cte_hides_a_table_only_where_it_is_in_scope(sql: str, relations: set[str]) -> None:
    found = serialized_tree(sql).relations
    assert found is not None
    assert {name for _, _, name in found} == relations


@pytest.mark.parametrize("sql", ["DESCRIBE t", "SELECT * FROM (SHOW ALL TABLES)", "SUMMARIZE t"])
def test_show_inside_a_query_is_reported_as_a_function(sql: str) -> None:
    assert ("", "show_ref") in (serialized_tree(sql).functions or ())


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        ("INSERT INTO t SELECT * FROM u", ("INSERT",)),
        ("SELECT 1; DROP TABLE t", ("SELECT", "DROP")),
        ("CREATE TABLE t AS SELECT 1", ("CREATE",)),
        ("", ()),
    ],
)
def test_what_is_not_one_query_has_no_sets(sql: str, types: tuple[str, ...]) -> None:
    parsed = serialized_tree(sql)
    assert parsed.statement_types == types
    assert parsed.relations is None
    assert parsed.functions is None


@pytest.mark.parametrize("sql", ["SELEC", "SELECT '", "SELECT " + "abs(" * 900 + "1" + ")" * 900])
def test_what_does_not_parse_is_a_value_error(sql: str) -> None:
    with pytest.raises(ValueError, match="parser"):
        serialized_tree(sql)


_READ_BY_TEXT = (
    'SELECT main.upper(a), sum(b) FILTER (a > 0) FROM c.s."T" AS x JOIN u ON true, range(3) AS r(i)',
    'SELECT * FROM s."a b" TABLESAMPLE 10%, "Ü".v WHERE x IN (SELECT "F" FROM w UNION FROM k)',
    'SELECT \'","function_name":"f",\', \'"type":"BASE_TABLE"\', [x + 1 FOR x IN l], a[\'b\'] FROM t',
    "SELECT row_number() OVER (ORDER BY lower(d)), e::INT, -f, g LIKE 'h' ESCAPE '!' FROM (VALUES (1)) v(d)",
    "SELECT (SELECT max(y) FROM w), EXISTS (FROM q), CASE WHEN a THEN now() END FROM t, t AS t2",
    "SELECT * FROM a, LATERAL (SELECT f(a.x) FROM g) l, unnest(h) AS u(x), read_csv('x')",
    "FROM t AT (VERSION => f(1))",
    "SELECT 1",
)
_LEFT_TO_THE_WALK = (
    'SELECT "a""b"(1) FROM "c""d"',
    "FROM c.s.t AS z(p, q)",
    "WITH x AS (FROM t) FROM x",
    "DESCRIBE t",
)


@pytest.mark.parametrize("sql", [*_READ_BY_TEXT, *_LEFT_TO_THE_WALK])
def test_a_tree_reads_the_same_by_its_text_as_by_its_objects(sql: str) -> None:
    with duckdb.connect() as connection:
        serialized = "json_serialize_sql($1, skip_null := true, skip_empty := true, skip_default := true)"
        (tree,) = connection.execute(f"SELECT {serialized}", [sql]).fetchone() or ("",)
    relations: set[tuple[str, str, str]] = set()
    functions: set[tuple[str, str]] = set()
    assert scan(tree, relations, functions) is (sql in _READ_BY_TEXT)
    walked = _Found()
    _walk(json.loads(tree)["statements"][0]["node"], frozenset(), walked)
    if sql in _READ_BY_TEXT:
        assert (relations, functions) == (walked.relations, walked.functions)
    else:
        assert not relations | functions


def test_a_quote_in_the_text_stays_in_the_text() -> None:
    parsed = serialized_tree("SELECT 'it''s' AS a, x'')'' FROM t".replace("x'')''", "'); DROP TABLE t --'"))
    assert parsed.statement_types == ("SELECT",)


def test_a_query_without_a_tree_is_not_understood() -> None:
    with pytest.raises(ValueError, match="no tree"):
        serialized_tree("PRAGMA table_info('x')")
