"""PostgreSQL's names for output columns; the differential tests compare many more with a real server."""

import pytest

from pgproxy.sql.dialect import output_names, parse_source


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("select 1, 'x', null, true", ("?column?",) * 4),
        ("select Count(*), char_length('a'), now()", ("count", "char_length", "now")),
        ('select a.B, "C", d as "E f", g as Hij', ("b", "C", "E f", "hij")),
        ("select a::text, 1::int, '1'::varchar(3), '{}'::int[]", ("a", "int4", "varchar", "int4")),
        ("select case when a then 1 end, case when a then 1 else b end", ("case", "b")),
        ("select (select max(x) from t), exists (select 1), array[1]", ("max", "exists", "array")),
        ("select extract(year from d), date_part('year', d)", ("extract", "date_part")),
        ("select sum(a) filter (where b) over ()", ("sum",)),
        ("select interval '1 day', date '2024-01-01'", ("interval", "date")),
        ("select a union select b", ("a",)),
        ("values (1, 2)", ("column1", "column2")),
        ("insert into t values (1) returning a, b + 1", ("a", "?column?")),
        ("select *, 1 from t", None),
        ("insert into t values (1)", None),
    ],
)
def test_columns_are_named_as_postgresql_names_them(text, names):
    assert output_names(parse_source(text)) == names


def test_a_star_is_expanded_by_whoever_knows_the_columns():
    assert output_names(parse_source("select *, 1 from t"), lambda star, query: ("a", "b")) == (
        "a",
        "b",
        "?column?",
    )
