# ruff: noqa: E501  # a table of cases, one a line
"""Views that DuckDB was told of elsewhere: each has a text, whatever its grammar, as DuckDB keeps it."""

import duckdb
import pytest

from pgproxy.catalog.snapshot import ColumnInfo
from pgproxy.catalog.view_marks import NOBODY, ViewMark
from pgproxy.catalog.view_queries import read_view

COLUMNS = {
    ("lake", "main", "t"): (ColumnInfo("id", "INTEGER"), ColumnInfo("Name", "VARCHAR")),
    ("lake", "sales", "u"): (ColumnInfo("id", "INTEGER"), ColumnInfo("n", "INTEGER")),
}


def kept(query: str) -> str:
    """The text that DuckDB keeps of a view."""
    with duckdb.connect() as connection:
        connection.execute(
            "ATTACH ':memory:' AS lake; USE lake; CREATE SCHEMA sales; CREATE TABLE t (id INT, \"Name\" TEXT);"
            "CREATE TABLE sales.u (id INT, n INT); INSERT INTO sales.u VALUES (1, 2)"
        )
        connection.execute(f"CREATE VIEW v AS {query}")
        (found,) = connection.execute(
            "SELECT sql FROM duckdb_views() WHERE view_name = 'v' AND NOT internal"
        ).fetchall()
    return str(found[0])


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ('SELECT id, "Name" FROM t WHERE id > 1', 'SELECT t.id,\n    t."Name"\n   FROM t\n  WHERE t.id > 1'),
        ("SELECT n FROM sales.u ORDER BY n", "SELECT u.n\n   FROM sales.u\n  ORDER BY u.n"),
        ("SELECT a.id FROM lake.main.t a JOIN sales.u b ON a.id = b.n", "SELECT a.id\n   FROM t a\n     JOIN sales.u b ON a.id = b.n"),
    ],
)  # fmt: skip
def test_a_plain_one_is_laid_out(query: str, text: str) -> None:
    assert read_view(kept(query), ("lake", "main"), COLUMNS).text == text


@pytest.mark.parametrize(
    "query",
    [
        "FROM t",
        "FROM t SELECT id WHERE id > 1",
        "SELECT * EXCLUDE (id) FROM t",
        "SELECT * REPLACE (id + 1 AS id) FROM t",
        "SELECT COLUMNS('i.*') FROM t",
        "PIVOT sales.u ON n IN (1, 2) USING sum(id)",
        "UNPIVOT sales.u ON id, n INTO NAME what VALUE held",
        "SELECT id FROM t QUALIFY row_number() OVER (ORDER BY id) = 1",
        "SELECT id FROM t USING SAMPLE 10%",
        "SELECT t.id FROM t ASOF JOIN sales.u ON t.id >= u.id",
        "SELECT t.id FROM t POSITIONAL JOIN sales.u",
        "SELECT id FROM t SEMI JOIN sales.u USING (id)",
        "SELECT [x + 1 FOR x IN [1, 2] IF x > 1] AS a, list_transform([1], lambda x: x + 1) AS b, {'k': id} AS c FROM t",
        "SELECT t.*, s.k FROM t, LATERAL (SELECT t.id + 1 AS k) s",
        "VALUES (1, 'a'), (2, 'b')",
        "SELECT 1 AS a UNION BY NAME SELECT 2 AS b",
        "(SELECT id FROM t ORDER BY id LIMIT 1) UNION ALL (SELECT n FROM sales.u) ORDER BY 1",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) FROM r",
        "WITH a AS MATERIALIZED (SELECT 1 AS x), b AS (FROM a) SELECT * FROM a NATURAL JOIN b",
        "SELECT sum(id) OVER w FROM t WINDOW w AS (ORDER BY id)",
        "SELECT count(*) FILTER (WHERE id > 1), id FROM t GROUP BY ALL ORDER BY ALL",
        "SELECT id FROM t GROUP BY GROUPING SETS ((id), ())",
        "SELECT DISTINCT ON (id) id, \"Name\" FROM t ORDER BY id LIMIT 5 OFFSET 1",
        "SELECT id::HUGEINT AS h, id::UTINYINT[] AS l, 'a'::ENUM('a') AS e, try_cast(\"Name\" AS DATE) AS d FROM t",
        "SELECT * FROM range(3) r(i), unnest([1, 2]) AS u(x)",
        "SELECT CASE WHEN id IN (SELECT n FROM sales.u) THEN 1 END AS x FROM t WHERE EXISTS (FROM sales.u WHERE n = id)",
        "SELECT id FROM t LIMIT 50%",
        "SELECT \"Name\"[1:2] AS s, \"Name\" COLLATE NOCASE AS c, date '2024-01-01' + interval 1 day AS d FROM t",
        f"SELECT {' + '.join(['1'] * 900)} AS deep",
    ],
)  # fmt: skip
def test_every_grammar_of_the_engine_has_a_text(query: str) -> None:
    try:
        sql = kept(query)
    except duckdb.Error as error:
        pytest.fail(f"the engine makes no such view: {error}")
    assert read_view(sql, ("lake", "main"), COLUMNS).text


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS n",
        "SELECT 1 AS n UNION ALL SELECT 2",
        f"SELECT {'CASE WHEN 1 = 1 THEN ' * 300}1{' END' * 300} AS n",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) FROM r",
    ],
)
def test_a_marked_one_says_whose_it_is_however_deep_it_is(query: str) -> None:
    head, rest = (
        ("WITH RECURSIVE", f", {query.removeprefix('WITH RECURSIVE ')}")
        if "RECURSIVE" in query
        else ("WITH", query)
    )
    facts = "SELECT 'o''neil' AS \"owner\", 'SELECT ''a''\n AS \"x\"' AS \"text\""
    found = read_view(kept(f'{head} "pgproxy_view" AS ({facts}) {rest}'), ("lake", "main"), COLUMNS)
    assert found == ViewMark(owner="o'neil", text="SELECT 'a'\n AS \"x\"")


@pytest.mark.parametrize(
    "mark",
    [
        "SELECT 'bob' || '' AS \"owner\"",
        "SELECT 'bob' AS \"owners\"",
        "SELECT 'bob' AS \"owner\" WHERE true",
        "VALUES ('bob')",
        "FROM (SELECT 'bob' AS \"owner\")",
    ],
)
def test_one_whose_mark_cannot_be_read_is_nobodys(mark: str) -> None:
    sql = kept(f'WITH "pgproxy_view" AS ({mark}) SELECT 1 AS n')
    assert read_view(sql, ("lake", "main"), COLUMNS).owner == NOBODY


def test_one_that_cannot_be_read_at_all_is_nobodys_if_it_names_the_mark() -> None:
    assert read_view("CREATE VIEW v AS 'pgproxy_view", ("lake", "main"), COLUMNS).owner == NOBODY
    assert read_view("CREATE VIEW v AS 'open", ("lake", "main"), COLUMNS).owner is None


def test_a_literal_is_no_mark() -> None:
    sql = kept("SELECT 'pgproxy_view' AS n")
    assert read_view(sql, ("lake", "main"), COLUMNS) == ViewMark(text="SELECT 'pgproxy_view' AS n")
