"""The service keeps the published catalog and its viewers in step with what exists."""

from typing import Any

import duckdb
import pytest

from pgproxy.catalog import service as service_module
from pgproxy.catalog.introspect import CatalogContents
from pgproxy.catalog.private import PrivateObjects
from pgproxy.catalog.relations.registry import CATALOG_TABLES
from pgproxy.catalog.service import CatalogService
from pgproxy.catalog.snapshot import ColumnInfo, RelationKind, TableInfo
from pgproxy.policy.effective import effective_policy
from pgproxy.policy.model import PolicySet, Principal, PrincipalKind, TableName
from tests.unit.catalog.shop import CUSTOMERS, NOTES, POLICIES, Shop, open_shop


async def test_a_refresh_shows_new_tables_and_forgets_dropped_ones() -> None:
    async with open_shop() as shop:
        before = shop.service.snapshot
        shop.connection.execute("CREATE TABLE shop.sales.returns(id INTEGER); DROP TABLE shop.main.notes")
        snapshot = await shop.service.refresh()
        assert snapshot.generation == before.generation + 1
        assert TableName("shop", "sales", "returns") in snapshot.tables
        assert NOTES not in snapshot.tables
        assert snapshot.oids[CUSTOMERS] == before.oids[CUSTOMERS]
        await shop.service.publish_viewer(shop.policy("root"))
        names = {name for (name,) in shop.read("root", "pg_catalog.pg_class", ["relname"])}
        assert "returns" in names
        assert "notes" not in names


async def test_viewers_are_published_anew_after_a_refresh() -> None:
    async with open_shop() as shop:
        await shop.service.refresh()
        assert shop.read("analyst", "pg_catalog.pg_tables", ["tablename"], "schemaname = 'sales'") == []
        await shop.service.publish_viewer(shop.policy("analyst"))
        assert len(shop.read("analyst", "pg_catalog.pg_tables", ["tablename"], "schemaname = 'sales'")) == 2


async def test_a_publication_keeps_its_number_until_something_else_may_be_seen() -> None:
    async with open_shop() as shop:
        service, analyst = shop.service, shop.policy("analyst")
        first = await service.publish_viewer(analyst)
        root = await service.publish_viewer(shop.policy("root"))
        assert await service.publish_viewer(analyst) == first != root
        await service.refresh()
        second = await service.publish_viewer(analyst)
        await service.publish_policy_set(POLICIES)
        third = await service.publish_viewer(analyst)
        assert len({first, root, second, third}) == 4
        assert await service.publish_viewer(analyst) == third


async def test_nobody_counts_as_published_once_a_refresh_has_begun_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = []
    write = service_module.store.write_catalog

    def write_and_look(*arguments: Any) -> None:
        write(*arguments)
        numbers.append(shop.service.published(shop.policy("analyst")))

    async with open_shop() as shop:
        assert shop.service.published(shop.policy("analyst")) is not None
        monkeypatch.setattr(service_module.store, "write_catalog", write_and_look)
        await shop.service.refresh()
        assert numbers == [None]


async def test_only_so_many_viewers_are_kept_and_the_least_used_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "MAX_VIEWERS", 2)
    names = ("a", "b", "c")
    policies = PolicySet(1, {name: Principal(name, PrincipalKind.USER, is_admin=True) for name in names})
    connection = duckdb.connect()
    service = CatalogService("memory", ["memory"])
    service.prepare_instance(connection)
    await service.refresh()
    await service.publish_policy_set(policies)
    a, b, c = (effective_policy(policies, name) for name in names)
    for policy in (a, b, a, c):
        await service.publish_viewer(policy)
    kept = connection.execute("SELECT DISTINCT viewer FROM pgproxy_system.acl.visible").fetchall()
    assert {viewer for (viewer,) in kept} == {a.fingerprint, c.fingerprint}
    await service.close()


async def test_what_was_private_to_a_session_goes_with_it() -> None:
    def private_rows() -> int:
        tables = [name for name, _ in CATALOG_TABLES.items()]
        counts = " UNION ALL ".join(
            f"SELECT count(*) AS n FROM pgproxy_system.pg.{name} WHERE _key >= {1 << 50}" for name in tables
        )
        return int(shop.connection.execute(f"SELECT sum(n) FROM ({counts})").fetchall()[0][0])

    name = TableName("shop", "pg_temp_7", "own")
    table = TableInfo(name, RelationKind.TABLE, (ColumnInfo("id", "INTEGER"),), owner="analyst")
    contents = CatalogContents({"shop": False}, frozenset({name[:2]}), {name: table})
    private = PrivateObjects(7, 1, contents, name[:2])
    async with open_shop() as shop:
        policy = shop.policy("analyst")
        await shop.service.publish_viewer(policy, private)
        assert private_rows() > 0
        held = shop.connection.execute(
            "SELECT count(*) FROM pgproxy_system.acl.visible WHERE viewer LIKE '%/7'"
        )
        assert held.fetchall()[0][0] > 0
        assert "own" not in {name for (name,) in shop.read("root", "pg_catalog.pg_class", ["relname"])}
        await shop.service.refresh()
        await shop.service.publish_viewer(policy, private)
        await shop.service.forget_private(7)
        assert private_rows() == 0
        held = shop.connection.execute(
            "SELECT count(*) FROM pgproxy_system.acl.visible WHERE viewer LIKE '%/7'"
        )
        assert held.fetchall()[0][0] == 0


async def test_what_has_not_changed_is_not_written_again() -> None:
    def written() -> dict[str, int]:
        query = "SELECT table_name, table_oid FROM duckdb_tables() WHERE schema_name = 'pg'"
        return dict(shop.connection.execute(query).fetchall())

    async with open_shop() as shop:
        await shop.service.refresh()
        before = written()
        shop.connection.execute("CREATE TABLE shop.sales.returns(id INTEGER)")
        await shop.service.refresh()
        after = written()
        changed = {name for name in before if after[name] != before[name]}
        assert {"pg_class", "pg_attribute"} <= changed
        assert not changed & {"pg_namespace", "pg_database", "pg_authid"}


async def test_what_could_not_be_published_is_published_by_the_next_try() -> None:
    policies = PolicySet(1, {"late": Principal("late", PrincipalKind.USER)})
    async with open_shop() as shop:
        await shop.service.refresh()
        with shop.connection.cursor() as other:
            other.begin()
            granted = "pgproxy_system.acl.granted"
            other.execute(f"CREATE OR REPLACE TABLE {granted} AS SELECT * FROM {granted}")
            with pytest.raises(duckdb.Error, match="conflict"):
                await shop.service.publish_policy_set(policies)
            other.rollback()
        await shop.service.publish_policy_set(policies)
        roles = shop.connection.execute("SELECT rolname FROM pgproxy_system.pg.pg_authid").fetchall()
        assert ("late",) in roles


async def test_a_service_without_an_instance_refuses_to_refresh() -> None:
    service = CatalogService("shop", ["shop"])
    with pytest.raises(RuntimeError, match="prepare_instance"):
        await service.refresh()
    await service.close()


def test_the_snapshot_tells_what_the_engine_has(shop: Shop) -> None:
    customers = shop.service.snapshot.tables[CUSTOMERS]
    assert [column.name for column in customers.columns] == ["id", "name", "credit", "hidden_email"]
    assert customers.comment == "who buys"
    assert customers.columns[1].default == "'nobody'"
    assert not customers.columns[0].is_nullable
    big = shop.service.snapshot.tables[TableName("shop", "sales", "big")]
    assert big.kind is RelationKind.VIEW
    assert big.view_sql == (
        "SELECT hidden_margins.id,\n    hidden_margins.hidden_margin AS m\n   FROM sales.hidden_margins"
    )
    assert ("shop", "public") in shop.service.snapshot.schemas
    assert shop.service.snapshot.tables[TableName("shop", "sales", "orders")].estimated_rows == 7


def test_every_relation_has_the_columns_that_the_snapshot_promises(shop: Shop) -> None:
    for (schema, name), relation in shop.service.snapshot.system_relations.items():
        table = f'pgproxy_system.{relation.physical[0]}."{relation.physical[1]}"'
        described = shop.connection.execute(f"DESCRIBE {table}").fetchall()
        promised = [(column.name, column.engine_type) for column in relation.columns]
        assert [(row[0], row[1]) for row in described][: len(promised)] == promised, f"{schema}.{name}"


def test_columns_travel_under_the_types_that_pg_attribute_says(shop: Shop) -> None:
    rows = shop.read(
        "analyst",
        "information_schema.columns",
        ["column_name", "data_type", "udt_name", "numeric_precision", "numeric_scale"],
        "table_name = 'orders' ORDER BY ordinal_position",
    )
    assert rows == [
        ("id", "bigint", "int8", 64, 0),
        ("customer_id", "integer", "int4", 32, 0),
        ("total", "numeric", "numeric", 12, 2),
        ("placed", "timestamp with time zone", "timestamptz", None, None),
        ("tags", "ARRAY", "_text", None, None),
    ]
