# ruff: noqa: E501 - one case a line
"""What the rewriter takes for granted of this DuckDB and this parser. An upgrade that changes it fails here first."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from execnode.engine.functions import install_functions
from execnode.engine.parser import serialized_tree
from pgproxy.policy.model import Grant, Privilege, StoredFunction, TableName
from tests.policy.world import SCRIPT, plan, policy_set, run

FILTERS = {
    "constant": "region = 'EU'",
    "function": "lower(region) = 'eu'",
    "in": "region IN (SELECT name FROM allowed)",
    "exists": "EXISTS (SELECT 1 FROM allowed a WHERE a.name = region)",
}
FAILING = (
    "uuid::UUID IS NOT NULL", "chr(size + 1) <> 'x'", "note::INT >= 0", "'a' NOT SIMILAR TO list_extract([pattern], 1)", "name LIKE 'x' ESCAPE escape OR true",
    "strptime(day, '%Y-%m-%d') IS NOT NULL", "doc::JSON IS NOT NULL", "fields.n::INT >= 0",
)  # fmt: skip
"""Predicates that fail on hidden rows alone."""
ROWS = 60_000
MAKE = f"""
CREATE TABLE allowed AS SELECT 'EU' AS name;
CREATE TABLE t AS SELECT i AS id, if(i % 2 = 0, 'EU', 'US') AS region,
    if(i % 2 = 0, '00000000-0000-0000-0000-000000000000', 'HIDDEN') AS uuid, if(i % 2 = 0, 7, 99999999) AS size,
    if(i % 2 = 0, '7', 'HIDDEN') AS note, if(i % 2 = 0, 'b', '(HIDDEN') AS pattern, 'n' AS name,
    if(i % 2 = 0, '!', 'HIDDEN') AS escape, if(i % 2 = 0, '2020-01-01', 'HIDDEN') AS day,
    if(i % 2 = 0, '1', '(HIDDEN') AS doc, {{'n': if(i % 2 = 0, '7', 'HIDDEN')}} AS fields FROM range({ROWS}) r(i)
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Hidden rows in a table, `stored`, and in a Parquet file, `parquet`."""
    path: Path = tmp_path_factory.mktemp("facts") / "t.parquet"
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(MAKE)
        connection.execute(f"COPY t TO '{path}' (ROW_GROUP_SIZE 10000)")
        connection.execute("CREATE VIEW stored AS SELECT * FROM t")
        connection.execute(f"CREATE VIEW parquet AS SELECT * FROM read_parquet('{path}')")
        yield connection


def secured(relation: str, where: str, barrier: str) -> str:
    """As the rewriter secures a relation; see `secure` and `shield` for fields and patterns."""
    whole = "coalesce(fields, NULL) AS fields"
    return f"(SELECT * REPLACE ({whole}) FROM {relation} WHERE {where} {barrier}) AS q"


PATTERNS = (
    "'b' SIMILAR TO note", "regexp_replace('b', note, '') <> 'x'", "regexp_full_match('b', note || '')", "string_split_regex('b', note) IS NOT NULL",
    "regexp_extract_all('b', note) IS NOT NULL", "regexp_extract('b', note) <> 'x'", "regexp_matches('a', lower(note))", "'b' ~ note",
    "EXISTS (SELECT 1 FROM numbers WHERE n::text SIMILAR TO note)", "CASE WHEN id < 0 THEN 'b' SIMILAR TO note ELSE true END",
    "hamming(note, 'b') >= 0", "mismatches(note, 'x') >= 0", "NOT note LIKE '(!' ESCAPE '!'",
)  # fmt: skip


@pytest.fixture(scope="module")
def compressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The policy tests' customers in a file, where texts are compressed by dictionaries."""
    path = tmp_path_factory.mktemp("facts") / "lake.duckdb"
    with duckdb.connect(config={"threads": 1}) as connection:
        install_functions(connection)
        connection.execute(f"ATTACH '{path}' AS lake")
        connection.execute(SCRIPT)
        connection.execute(
            "CREATE TABLE lake.sales.many AS SELECT c.* REPLACE (i AS id, 'b' AS name, if(i % 2 = 0, 'EU', 'US') AS region, "
            f"if(i % 2 = 0, 'b', '(HIDDEN') AS note) FROM lake.sales.customers c, range({ROWS}) t(i) WHERE c.id = 1;"
            "DROP VIEW lake.sales.eu_names; DROP TABLE lake.sales.customers; ALTER TABLE lake.sales.many RENAME TO customers; CHECKPOINT lake"
        )
        yield connection


@pytest.mark.parametrize("predicate", PATTERNS)
@pytest.mark.parametrize(
    "form",
    [
        "SELECT count(*) FROM customers WHERE {p}",
        "SELECT count({p}) FROM customers",
        "SELECT id FROM customers WHERE {p} ORDER BY id DESC LIMIT 3",
    ],
)
def test_a_pattern_of_a_hidden_row_is_not_read(
    compressed: duckdb.DuckDBPyConnection, form: str, predicate: str
) -> None:
    planned = plan(form.format(p=predicate), "analyst", dialect="duckdb")
    run(compressed, planned)


POSTGRES_PATTERNS = (
    # LIKE has an escape of its own in PostgreSQL, and a pattern that ends with it is an error.
    "'b' LIKE replace(note, '(HIDDEN', '\\')", "'b' NOT LIKE replace(note, '(HIDDEN', '\\')",
    "'b' ILIKE (CASE WHEN note = '(HIDDEN' THEN '\\' ELSE 'x' END)", "NOT 'b' ~~ replace(note, '(HIDDEN', '\\')",
    "looks_like('b', note)",
)  # fmt: skip
MATCHER = StoredFunction(
    TableName("lake", "sales", "looks_like"),
    (("word", "text"), ("pattern", "text")),
    "boolean",
    "regexp_replace(word, pattern, 'y') <> 'x'",
)


@pytest.mark.parametrize("predicate", POSTGRES_PATTERNS)
@pytest.mark.parametrize(
    "form",
    [
        "SELECT count(*) FROM customers WHERE {p}",
        "SELECT count({p}) FROM customers",
        "SELECT id FROM customers WHERE {p} ORDER BY id DESC LIMIT 3",
    ],
)
def test_what_fails_by_another_name_does_not_read_a_hidden_row(
    compressed: duckdb.DuckDBPyConnection, form: str, predicate: str
) -> None:
    policies = policy_set()
    execute = Grant("analysts", Privilege.EXECUTE, "lake", "sales", "looks_like")
    policies = replace(policies, functions={MATCHER.name: MATCHER}, grants=(*policies.grants, execute))
    run(compressed, plan(form.format(p=predicate), "analyst", policies=policies))


def test_duckdb_computes_on_all_entries_of_a_dictionary(compressed: duckdb.DuckDBPyConnection) -> None:
    planned = plan("SELECT count(regexp_full_match('b', note)) FROM customers", "analyst", dialect="duckdb")
    values = [value.text for value in planned.bound_values]
    assert 'LIST_EXTRACT(["note"], 1)' in planned.sql
    bare = planned.sql.replace('LIST_EXTRACT(["note"], 1)', '"note"')
    for sql in (bare, bare.replace(') AS "customers"', ' OFFSET 0) AS "customers"')):
        with pytest.raises(duckdb.Error, match="HIDDEN"):
            compressed.execute(sql, values).fetchall()


@pytest.mark.parametrize("relation", ["stored", "parquet"])
@pytest.mark.parametrize("where", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("predicate", FAILING)
def test_offset_0_keeps_predicates_off_hidden_rows(
    engine: duckdb.DuckDBPyConnection, relation: str, where: str, predicate: str
) -> None:
    for sql in (
        f"SELECT count(*) FROM {secured(relation, where, 'OFFSET 0')} WHERE {predicate}",
        f"WITH q AS (FROM {secured(relation, where, 'OFFSET 0')}) SELECT count(*) FROM q WHERE {predicate}",
    ):
        assert engine.execute(sql).fetchall() == [(ROWS // 2,)]


def test_a_plain_subquery_does_not(engine: duckdb.DuckDBPyConnection) -> None:
    failed = []
    for where in FILTERS.values():
        try:
            engine.execute(
                f"SELECT count(*) FROM {secured('stored', where, '')} WHERE uuid::UUID IS NOT NULL"
            )
        except duckdb.ConversionException:
            failed.append(where)
    assert failed


@pytest.mark.parametrize("with_", ["WITH", "WITH RECURSIVE"])
def test_a_cte_does_not_cover_its_own_body_or_earlier_ones(
    engine: duckdb.DuckDBPyConnection, with_: str
) -> None:
    own = f"{with_} allowed AS (SELECT name || '!' AS name FROM allowed) SELECT * FROM allowed"
    assert engine.execute(own).fetchall() == [("EU!",)]
    earlier = f"{with_} x AS (SELECT * FROM allowed), allowed AS (SELECT 'no' AS name) SELECT * FROM x"
    assert engine.execute(earlier).fetchall() == [("EU",)]


def test_macros_shadow_functions_but_not_those_of_system_main() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TEMP MACRO upper(a) AS 'taken'; CREATE TEMP MACRO \"||\"(a, b) AS 'taken'")
        asked = "SELECT upper('a'), 'a' || 'b', system.main.upper('a'), system.main.\"||\"('a', 'b'), coalesce(NULL, 'c')"
        assert connection.execute(asked).fetchall() == [("taken", "taken", "A", "ab", "c")]
        connection.execute("CREATE TEMP MACRO coalesce(a, b) AS 'taken'")
        assert connection.execute("SELECT coalesce(NULL, 'c')").fetchall() == [("c",)], "it is no function"


def test_a_collation_of_the_session_widens_comparisons_but_not_binary_ones() -> None:
    with duckdb.connect() as connection:
        connection.execute("SET default_collation = 'nocase'; CREATE TABLE words AS SELECT 'eu' AS w")
        asked = "SELECT count(*) FILTER (WHERE w = 'EU'), count(*) FILTER (WHERE (w COLLATE \"binary\") = 'EU') FROM words"
        assert connection.execute(asked).fetchall() == [(1, 0)]


def test_errors_quote_cells_as_text_and_as_json(engine: duckdb.DuckDBPyConnection) -> None:
    for is_json in (False, True):
        engine.execute(f"SET errors_as_json = {is_json}")
        with pytest.raises(duckdb.ConversionException, match="HIDDEN"):
            engine.execute("SELECT note::INT FROM t").fetchall()
    engine.execute("SET errors_as_json = false")


def test_the_binder_suggests_names_that_nobody_asked_for(engine: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.CatalogException, match="allowed"):
        engine.execute("SELECT * FROM allowd")


def test_grammar_becomes_functions_in_the_serialised_tree() -> None:
    tree = serialized_tree(
        "SELECT list(a ORDER BY b), [x + 1 FOR x IN c], d LIKE 'x' ESCAPE '!', e::INT FROM s.t"
    )
    assert tree.relations == {("", "s", "t")}
    assert tree.functions is not None
    assert {name for _, name in tree.functions} >= {"list", "list_apply", "like_escape"}
    ordered = serialized_tree("SELECT list_filter(list(a ORDER BY a), x -> x > 1) FROM s.t").functions
    assert ordered is not None
    assert {name for _, name in ordered} >= {"list_sort", "list_filter"}
    assert serialized_tree("DELETE FROM t").relations is None
    assert serialized_tree("SELECT 1; SELECT 2").statement_types == ("SELECT", "SELECT")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("SAVEPOINT a", exp.Alias), ("CHECKPOINT", exp.Column), ("LISTEN x", exp.Alias), ("UPDATE EXTENSIONS", exp.Update)],
)  # fmt: skip
def test_statements_that_the_parser_takes_for_something_else(text: str, kind: type[exp.Expr]) -> None:
    """So the kind of the root decides, never that it parsed."""
    assert isinstance(sqlglot.parse_one(text, dialect="duckdb"), kind)


def test_a_view_keeps_an_unread_cte(engine: duckdb.DuckDBPyConnection) -> None:
    engine.execute(
        "CREATE VIEW kept AS WITH pgproxy_view AS (SELECT 'ann' AS \"owner\") SELECT name FROM allowed"
    )
    ((text,),) = engine.execute("SELECT sql FROM duckdb_views() WHERE view_name = 'kept'").fetchall()
    assert "WITH pgproxy_view AS (SELECT 'ann' AS \"owner\")" in text
