"""The tables that PostgreSQL gets for DuckDB's."""

import pytest

from benchmarks.targets.postgres import create_table, postgres_type


@pytest.mark.parametrize(
    ("duckdb_type", "expected"),
    [
        ("BIGINT", "bigint"),
        ("DECIMAL(15,2)", "numeric(15,2)"),
        ("VARCHAR", "varchar"),
        ("DOUBLE", "double precision"),
        ("TIMESTAMP WITH TIME ZONE", "timestamptz"),
    ],
)
def test_a_type_becomes_the_one_with_the_same_values(duckdb_type: str, expected: str) -> None:
    assert postgres_type(duckdb_type) == expected


def test_a_table_has_the_same_columns_in_the_same_order() -> None:
    made = create_table("t", [("a", "INTEGER"), ("b", "DATE")])
    assert made == 'CREATE TABLE "t" ("a" integer, "b" date)'
