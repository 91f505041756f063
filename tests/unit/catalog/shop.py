"""A small shop with things to hide, in a real DuckDB, and its catalog served for an admin and an analyst.

Everything that the analyst must not learn carries the marker HIDDEN in its name or text.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import duckdb

from pgproxy.catalog.service import CatalogService
from pgproxy.catalog.snapshot import SEARCH_PATH_SEPARATOR, SYSTEM_CATALOG, SystemRelation
from pgproxy.policy.effective import EffectivePolicy, effective_policy
from pgproxy.policy.model import Grant, PolicySet, Principal, PrincipalKind, Privilege, RowFilter, TableName

MARKER = "hidden"
CUSTOMERS = TableName("shop", "sales", "customers")
ORDERS = TableName("shop", "sales", "orders")
NOTES = TableName("shop", "public", "notes")

_SCRIPT = """
ATTACH ':memory:' AS shop; ATTACH ':memory:' AS hidden_catalog; USE shop;
CREATE SCHEMA sales; CREATE SCHEMA hidden_schema;
CREATE TABLE sales.customers(
    id INTEGER PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'nobody', credit DECIMAL(10,2),
    hidden_email VARCHAR DEFAULT 'hidden@default', UNIQUE (hidden_email), CHECK (hidden_email <> 'hidden'));
CREATE TABLE sales.orders(
    id BIGINT PRIMARY KEY, customer_id INTEGER REFERENCES sales.customers(id),
    total DECIMAL(12,2) CHECK (total > 0), placed TIMESTAMPTZ, tags VARCHAR[]);
CREATE TABLE sales.hidden_margins(id INTEGER PRIMARY KEY, hidden_margin DOUBLE, customer INTEGER
    REFERENCES sales.customers(id));
CREATE TABLE notes(id INTEGER, body VARCHAR);
CREATE TABLE hidden_schema.hidden_table(id INTEGER);
CREATE VIEW sales.big AS SELECT id, hidden_margin AS m FROM sales.hidden_margins;
CREATE INDEX by_total ON sales.orders(total);
CREATE INDEX hidden_index ON sales.customers(name, hidden_email);
CREATE SEQUENCE hidden_schema.hidden_sequence;
CREATE TYPE hidden_schema.hidden_mood AS ENUM ('hidden_good', 'hidden_bad');
CREATE TABLE hidden_catalog.main.hidden_other(id INTEGER);
COMMENT ON TABLE sales.customers IS 'who buys';
COMMENT ON COLUMN sales.customers.name IS 'as printed';
COMMENT ON COLUMN sales.customers.hidden_email IS 'hidden comment';
COMMENT ON TABLE sales.hidden_margins IS 'hidden comment';
INSERT INTO sales.orders SELECT i, NULL, 1, NULL, NULL FROM range(1, 8) AS r(i);
"""

POLICIES = PolicySet(
    epoch=1,
    principals={
        principal.name: principal
        for principal in (
            Principal("root", PrincipalKind.USER, is_admin=True),
            Principal("analyst", PrincipalKind.USER, member_of=frozenset({"staff"})),
            Principal("stranger", PrincipalKind.USER),
            Principal("hidden_user", PrincipalKind.USER, member_of=frozenset({"hidden_group"})),
            Principal("staff", PrincipalKind.GROUP),
            Principal("hidden_group", PrincipalKind.GROUP),
        )
    },
    grants=(
        Grant("staff", Privilege.SELECT, "shop", "sales", "customers", frozenset({"id", "name"})),
        Grant("staff", Privilege.SELECT, "shop", "sales", "orders"),
        Grant("analyst", Privilege.INSERT, "shop", "sales", "orders"),
        Grant("staff", Privilege.SELECT, "shop", "sales", "big"),
        Grant("hidden_user", Privilege.SELECT, "shop", "public", "notes"),
    ),
    row_filters=(
        RowFilter("own_orders", ORDERS, "total < 100 -- hidden", frozenset({"staff"})),
        RowFilter("hidden_policy", ORDERS, "total > 5", frozenset({"hidden_user"})),
    ),
)


class Shop:
    """The shop's connection, its catalog service and what a principal reads from the catalog."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, service: CatalogService) -> None:
        self.connection = connection
        self.service = service

    def policy(self, principal: str) -> EffectivePolicy:
        return effective_policy(POLICIES, principal)

    def read(
        self, principal: str, relation: str, columns: Iterable[str] = (), where: str = "true"
    ) -> list[tuple[Any, ...]]:
        """Read a system relation as the planner writes it: the permitted rows, behind a barrier."""
        schema, name = relation.split(".")
        found = self.service.snapshot.system_relations[schema, name]
        wanted = ", ".join(columns) or "*"
        visible = found.visibility.predicate(self.policy(principal)) if found.visibility else "true"
        return self.run(
            principal, f"SELECT {wanted} FROM ({derived_table(found, visible)}) AS r WHERE {where}"
        )

    def call(self, principal: str, function: str, *arguments: object) -> Any:
        """Call a catalog function with constant arguments."""
        found = self.service.snapshot.system_functions[function]
        assert len(arguments) in found.arity
        given = [f"${position}" for position in range(1, len(arguments) + 1)]
        # The engine binds either by position or by name, so the arguments go by name too.
        named = [f"$a{number.removeprefix('$')}" for number in given]
        session = [f"${value.value}" for value in found.session_values]
        sql = f"SELECT {SYSTEM_CATALOG}.{found.macro[0]}.{found.macro[1]}({', '.join([*named, *session])})"
        values = {f"a{position}": value for position, value in enumerate(arguments, start=1)}
        return self.run(principal, sql, values)[0][0]

    def run(self, principal: str, sql: str, values: dict[str, object] | None = None) -> list[tuple[Any, ...]]:
        session: dict[str, object] = {
            "viewer": self.policy(principal).fingerprint,
            "database": "shop",
            "search_path": SEARCH_PATH_SEPARATOR.join(("public",)),
            "session_user": principal,
        }
        bound = {name: value for name, value in session.items() if f"${name}" in sql} | (values or {})
        return (
            self.connection.execute(sql, bound).fetchall()
            if bound
            else self.connection.execute(sql).fetchall()
        )


def derived_table(relation: SystemRelation, visible: str) -> str:
    computed = {name: sql.replace("$base", "base") for name, sql in relation.viewer_columns.items()}
    columns = ", ".join(
        f'{computed.get(column.name, f"""base."{column.name}" """)} AS "{column.name}"'
        for column in relation.columns
    )
    source = f'{SYSTEM_CATALOG}.{relation.physical[0]}."{relation.physical[1]}" AS base'
    return f"SELECT {columns} FROM {source} WHERE {visible} OFFSET 0"


@asynccontextmanager
async def open_shop() -> AsyncIterator[Shop]:
    """The shop with everybody's view published, in a locked-down instance."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(_SCRIPT)
    service = CatalogService("shop", ["shop", "hidden_catalog"])
    service.prepare_instance(connection)
    connection.execute("SET enable_external_access=false; SET lock_configuration=true")
    shop = Shop(connection, service)
    try:
        await service.refresh()
        await service.publish_policy_set(POLICIES)
        for principal in POLICIES.principals:
            await service.publish_viewer(shop.policy(principal))
        yield shop
    finally:
        await service.close()
        connection.close()
