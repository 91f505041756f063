"""How many digits of a numeric are computed and shown: source, and what the engine gives for it."""

from decimal import Decimal

import duckdb
import pytest

from execnode.engine.functions import install_functions
from pgproxy.sql.dialect import declared_oids, parse_source, to_engine


class _Types:
    def column_types(self, table):
        return {"a": "DECIMAL(12,2)", "b": "INTEGER", "g": "VARCHAR"} if table.name == "t" else None


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        install_functions(connection)
        connection.execute(
            "CREATE TABLE t AS SELECT * FROM (VALUES (1.50::DECIMAL(12,2), 3, 'x'), (2.00, 1, 'x'), "
            "(NULL, 7, 'y')) v(a, b, g)"
        )
        yield connection


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("a / b from t where b = 3", [("0.50000000000000000000",)]),
        ("a / b as q from t where a is not null order by q desc limit 1", [("2.0000000000000000",)]),
        ("a / b as q, count(*) from t where a is not null group by 1 order by 1", [
            ("0.50000000000000000000", 1), ("2.0000000000000000", 1)]),
        ("g, avg(a) from t group by g order by g", [("x", "1.7500000000000000"), ("y", None)]),
        ("avg(a) filter (where b = 1), avg(b) over () from t group by b order by b limit 1", [
            ("2.0000000000000000", "3.6666666666666667")]),
        ("avg(distinct b) from t", [("3.6666666666666667",)]),
        ("distinct a / 1.0 from t where b = 1", [("2.0000000000000000",)]),
        ("1 union all select 2.5 order by 1", [("1",), ("2.5",)]),
        ("q from (select a / b as q from t) s order by 1 limit 1", [
            ("0.50000000000000000000",)]),
        ("coalesce(a, 0), case when b = 3 then 1 else 2.5 end from t order by b", [
            ("2.00", "2.5"), ("1.50", "1"), ("0", "2.5")]),
        ("round(a / b, 3), a / b * 100 from t where b = 3", [(Decimal("0.500"), "50.00000000000000000000")]),
        ("sum(case when b = 3 then 1.5 else 0 end) from t", [("1.5",)]),
        ("(a / b) / 3, avg(a) / avg(b) from t where b = 1 group by a, b", [
            ("0.66666666666666666667", "2.00000000000000000000")]),
        ("(a / b)::text, '1.50'::text::numeric::text from t where b = 1", [("2.0000000000000000", "1.50")]),
        ("g from t group by g having avg(a) > 1.7 and sum(a) / 2 = avg(a)", [("x",)]),
        ("coalesce(sum(a), avg(b)), greatest(avg(b), sum(a)) from t where b = 1", [("2.00", "2.00")]),
        ("a / b * 7 in (select sum(a) from t where b = 3) from t where b = 3", [(False,)]),
        ("g from t where a / b > 0.4 and a / b < 0.6", [("x",)]),
    ],
)  # fmt: skip
def test_each_value_is_shown_with_the_scale_that_postgresql_gives_it(engine, source, rows):
    text = to_engine(parse_source(f"select {source}"), _Types()).sql("duckdb")
    assert engine.execute(text).fetchall() == rows


def test_text_that_is_a_number_is_declared_as_one():
    assert declared_oids(None, to_engine(parse_source("select a / b, b from t"), _Types())) == (1700, None)
    assert declared_oids(None, to_engine(parse_source("select array[1, 2.5]"))) == (1231,)


def test_values_by_themselves_keep_their_scales(engine):
    tree = to_engine(parse_source("values (1), (2.5)"))
    assert engine.execute(tree.sql("duckdb")).fetchall() == [("1",), ("2.5",)]


def test_a_write_stores_numbers_and_not_their_text():
    text = to_engine(parse_source("create table s as select a / b as q from t"), _Types()).sql("duckdb")
    assert "numeric_text" not in text
