"""The catalog that a policy file is checked against: DATABASE's own, or the running gateway's.

DATABASE is opened read-only. While a gateway has it open for writing, DuckDB lets nobody else in: then the
gateway is asked, as BOOTSTRAP_ADMIN. Without either, what needs a catalog is refused, and the reason is said.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import duckdb

from execnode.engine.parser import serialized_tree
from pgproxy.catalog.functions import system_functions
from pgproxy.catalog.introspect import introspect
from pgproxy.catalog.relations.registry import system_relations
from pgproxy.catalog.snapshot import CatalogSnapshot, ColumnInfo, RelationKind, TableInfo
from pgproxy.catalog.types import SYSTEM_TYPES
from pgproxy.control.binding import CatalogBinder
from pgproxy.policy.model import TableName
from pgproxy.settings import GatewaySettings
from pgproxy.sql.plan import EngineTree
from pgwire.types import engine_type_of

_TIMEOUT_S = 5.0
_COLUMNS = """
SELECT n.nspname, c.relname, c.relkind::text, a.attname, a.atttypid::int8, a.atttypmod, a.attnotnull
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'v') AND a.attnum > 0
AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgproxy')
ORDER BY 1, 2, a.attnum
"""


@dataclass(frozen=True, slots=True)
class LiveCatalog:
    """What exists, or why that is not known."""

    snapshot: CatalogSnapshot | None
    source: str

    @property
    def binder(self) -> CatalogBinder | None:
        """Binds expressions, where the catalog is known."""
        snapshot = self.snapshot
        return None if snapshot is None else CatalogBinder(lambda: snapshot, _engine_tree)


async def read_live_catalog(settings: GatewaySettings) -> LiveCatalog:
    """Read what exists now."""
    if settings.database is None:
        return LiveCatalog(None, "DATABASE is not set")
    try:
        return _from_file(settings.database, settings.catalog_name)
    except (duckdb.Error, OSError):
        pass  # it is open elsewhere, is no file, or is not there yet
    try:
        return await _from_gateway(settings)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        return LiveCatalog(None, f"DATABASE cannot be read and no gateway answers ({type(error).__name__})")


def _from_file(database: str, name: str) -> LiveCatalog:
    path = Path(database).resolve(strict=True)
    with duckdb.connect(":memory:") as connection:
        quoted_path, quoted_name = str(path).replace("'", "''"), name.replace('"', '""')
        connection.execute(f"ATTACH '{quoted_path}' AS \"{quoted_name}\" (READ_ONLY)")
        contents = introspect(connection, [name])
    return LiveCatalog(_snapshot(name, dict(contents.tables), contents.schemas), "DATABASE")


async def _from_gateway(settings: GatewaySettings) -> LiveCatalog:
    if settings.bootstrap_admin is None or settings.bootstrap_admin_password is None:
        raise ConnectionError("BOOTSTRAP_ADMIN is not set")
    address = settings.pg_wire_listen_addr
    login = {
        "host": "127.0.0.1" if address.host in {"0.0.0.0", "::"} else address.host,  # noqa: S104  # not bound
        "port": address.port,
        "user": settings.bootstrap_admin,
        "password": settings.bootstrap_admin_password.get_secret_value(),
        "timeout": _TIMEOUT_S,
    }
    tables: dict[TableName, TableInfo] = {}
    connection = await asyncpg.connect(database=settings.catalog_name, **login)
    try:
        databases = [row[0] for row in await connection.fetch("SELECT datname FROM pg_database")]
    finally:
        await connection.close()
    for database in databases:
        connection = await asyncpg.connect(database=database, **login)
        try:
            tables |= _tables(database, await connection.fetch(_COLUMNS))
        finally:
            await connection.close()
    schemas = frozenset(name[:2] for name in tables)
    return LiveCatalog(_snapshot(settings.catalog_name, tables, schemas), "the running gateway")


def _tables(database: str, rows: list[Any]) -> dict[TableName, TableInfo]:
    columns: dict[tuple[TableName, str], list[ColumnInfo]] = defaultdict(list)
    for schema, table, kind, column, type_oid, typmod, is_required in rows:
        info = ColumnInfo(column, engine_type_of(type_oid, typmod), not is_required)
        columns[TableName(database, schema, table), kind].append(info)
    return {name: TableInfo(name, RelationKind(kind), tuple(held)) for (name, kind), held in columns.items()}


def _snapshot(
    name: str, tables: dict[TableName, TableInfo], schemas: frozenset[tuple[str, str]]
) -> CatalogSnapshot:
    return CatalogSnapshot(1, name, tables, schemas, system_relations(), system_functions(), SYSTEM_TYPES)


def _engine_tree(sql: str) -> EngineTree:
    tree = serialized_tree(sql)
    return EngineTree(tree.statement_types, tree.relations, tree.functions)
