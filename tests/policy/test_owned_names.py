"""Names that owners take: what is decided for one name is done to that name; IF NOT EXISTS makes nothing."""

from dataclasses import replace

import pytest

from pgproxy.policy.model import Grant, PolicySet, Principal, PrincipalKind, Privilege, TableName
from pgproxy.sql.plan import Plan
from pgwire.errors import AccessDenied
from tests.policy.world import CATALOG, open_world, plan, run

KELVIN = "\N{KELVIN SIGN}"
"""Python folds it to `k`; PostgreSQL and DuckDB do not."""
NUMBERS = TableName("lake", "public", "numbers")
POLICIES = PolicySet(
    epoch=1,
    principals={name: Principal(name, PrincipalKind.USER) for name in ("maker", "other")},
    grants=(
        Grant("maker", Privilege.CREATE, "lake"),
        Grant("other", Privilege.INSERT, "lake", "public", "kept"),
        Grant("maker", Privilege.SELECT, "lake", "public", "numbers"),
    ),
)
OWNED = replace(CATALOG, tables={**CATALOG.tables, NUMBERS: replace(CATALOG.tables[NUMBERS], owner="maker")})


def planned(text: str) -> Plan:
    return plan(text, "maker", policies=POLICIES, catalog=OWNED, search_path=("public",))


@pytest.mark.parametrize("word", ["kept", "KEPT"])
def test_who_may_write_to_a_name_is_asked_of_the_name_that_is_taken(word: str) -> None:
    for text in (f"CREATE TABLE {word} (id int)", f"ALTER TABLE numbers RENAME TO {word}"):
        with pytest.raises(AccessDenied):
            planned(text)
    other = word.replace("k", KELVIN).replace("K", KELVIN)
    for text in (f"CREATE TABLE {other} (id int)", f"ALTER TABLE numbers RENAME TO {other}"):
        assert '"kept"' not in planned(text).sql


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE IF NOT EXISTS numbers (n int)",
        "CREATE TABLE IF NOT EXISTS numbers AS SELECT 7 AS n",
        "CREATE SCHEMA IF NOT EXISTS sales",
    ],
)
def test_if_not_exists_makes_nothing_of_nobodys_where_something_was(text: str) -> None:
    """It may be gone by now; who makes it then would leave a table that no owner is written into."""
    world = open_world()
    world.execute("DROP TABLE lake.main.numbers; DROP SCHEMA lake.sales CASCADE")
    found = planned(text)
    assert [notice.message.endswith("already exists, skipping") for notice in found.notices] == [True]
    run(world, found)
    left = world.execute(
        "SELECT table_name FROM duckdb_tables() WHERE table_name = 'numbers' "
        "UNION ALL SELECT schema_name FROM duckdb_schemas() WHERE schema_name = 'sales'"
    ).fetchall()
    assert left == []
