"""DuckDB's method calls, in both dialects."""

import pytest

from pgwire.errors import StatementError
from tests.policy.world import plan


@pytest.mark.parametrize("dialect", ["duckdb", "auto"])
@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("name.upper()", 'UPPER("name")'),
        ("c.name.lower().length()", 'LENGTH(LOWER("c"."name"))'),
        ("name.starts_with('a')", "STARTS_WITH(\"name\", 'a')"),
        ("c.addr.city.upper()", 'UPPER("c"."addr"."city")'),
    ],
)
def test_a_method_is_a_call(method: str, call: str, dialect: str) -> None:
    assert call in plan(f"SELECT {method} AS x FROM customers c", "root", dialect=dialect).sql


@pytest.mark.parametrize(
    "call",
    [
        "name.query()",
        "name.read_text()",
        "name.nosuch()",
        "public.upper(1)",
        "system.main.upper(1)",
        "a.b.c.d.e.upper()",
    ],
)
def test_no_other_function_is_reached_so(call: str) -> None:
    with pytest.raises(StatementError, match="does not exist"):
        plan(f"SELECT {call} FROM customers")


def test_pg_catalog_is_a_schema() -> None:
    assert 'UPPER("name")' in plan("SELECT pg_catalog.upper(name) FROM customers", "root").sql
