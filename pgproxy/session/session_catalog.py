"""What exists for one session: the shared catalog, its block's uncommitted definitions, its temporary tables.

A block that defines sees its own definitions before anybody else does, through the engine session that it is
pinned to; they become the shared catalog's when it commits. The engine's transaction sees what was there when
it began: a name that others have given to something else since then would show the first one's rows with the
second one's privileges, so it has no meaning until the block ends.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count

from execnode.engine import DuckSession
from execnode.statement import EngineStatement
from pgproxy.catalog.constraints import RawConstraint, name_constraints
from pgproxy.catalog.declared_types import split_declared
from pgproxy.catalog.introspect import CatalogContents, index_tables, introspect
from pgproxy.catalog.private import PrivateObjects, private_contents
from pgproxy.catalog.snapshot import (
    TEMP_CATALOG,
    TEMP_SCHEMA,
    CatalogSnapshot,
    ColumnInfo,
    RelationKind,
    TableInfo,
)
from pgproxy.policy.model import TableName
from pgproxy.routing.router import PinnedSession
from pgproxy.session.kept_rows import KeptRows
from pgproxy.session.services import Catalogs, Identity
from pgproxy.session.transaction import Transaction
from pgproxy.sql.plan import Plan

_private_generations = count(-1, -1)
"""No shared generation is negative, and no two blocks share one: cached plans never meet."""

_private_numbers = count(1)

_TEMP_COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable::VARCHAR, column_default, comment "
    "FROM duckdb_columns() WHERE database_name = 'temp' AND NOT internal ORDER BY table_name, column_index"
)
_TEMP_CONSTRAINTS = (
    "SELECT table_name, constraint_type, to_json(constraint_column_names)::VARCHAR, expression "
    "FROM duckdb_constraints() WHERE database_name = 'temp' ORDER BY table_name, constraint_index"
)


class SessionCatalog:
    """The catalog as one session's statements see it."""

    def __init__(self, shared: Catalogs, transaction: Transaction, identity: Identity) -> None:
        self._shared = shared
        self._identity = identity
        self._transaction = transaction
        self._in_block: CatalogSnapshot | None = None
        self._block_contents: CatalogContents | None = None
        self._private_number = 0
        self._private_versions = 0
        self._private: tuple[tuple[CatalogSnapshot, int], PrivateObjects] | None = None
        self._at_start = shared.snapshot
        """What there was before the engine's transaction began."""
        self._told: tuple[CatalogSnapshot, CatalogSnapshot, CatalogSnapshot] | None = None
        self.temp_tables: dict[str, TableInfo] = {}
        """Tables of this session alone, by lower-case name."""
        self._temp_version = 0

    @property
    def snapshot(self) -> CatalogSnapshot:
        """What exists now."""
        shared = self._shared.snapshot
        if not self._transaction.is_engine_open:
            self._at_start = shared
        seen = self._in_block or shared
        return seen if shared is self._at_start else self._without_replaced(seen, shared)

    def _without_replaced(self, seen: CatalogSnapshot, shared: CatalogSnapshot) -> CatalogSnapshot:
        if self._told is None or self._told[0] is not seen or self._told[1] is not shared:
            replaced = frozenset(
                name
                for name, info in seen.tables.items()
                if _identity(self._at_start, name) != _identity(shared, name)
                and (seen is shared or info.engine_oid == _identity(self._at_start, name))
            )
            told = replace(seen, replaced=replaced, generation=next(_private_generations))
            self._told = (seen, shared, told if replaced else seen)
        return self._told[2]

    @property
    def version(self) -> tuple[int, int]:
        """Moves with everything that `snapshot` and `temp_tables` tell."""
        return self.snapshot.generation, self._temp_version

    @property
    def private(self) -> PrivateObjects | None:
        """What the catalog shows to this session alone; None: it shows what everybody sees."""
        if self._block_contents is None and not self.temp_tables:
            return None
        shared = self._shared.snapshot
        versions = (self._in_block or shared, self._temp_version)
        if self._private is None or self._private[0] != versions:
            self._private = (versions, self._private_objects(shared))
        return self._private[1]

    def _private_objects(self, shared: CatalogSnapshot) -> PrivateObjects:
        self._private_number = self._private_number or next(_private_numbers)
        self._private_versions += 1
        schema = (self._identity.database, f"{TEMP_SCHEMA}{self._identity.connection_id}")
        owner = self._identity.principal
        temporary = [
            replace(info, name=TableName(*schema, info.name.name), owner=owner)
            for info in self.temp_tables.values()
        ]
        contents, gone = private_contents(
            temporary=temporary, temp_schema=schema, block=self._block_contents, shared=shared
        )
        temp_schema = schema if temporary else None
        return PrivateObjects(self._private_number, self._private_versions, contents, temp_schema, gone)

    async def close(self) -> None:
        """Leave nothing of the session in the catalog."""
        if self._private_number:
            await self._shared.forget_private(self._private_number)

    @property
    def has_own_view(self) -> bool:
        """Whether the open block sees what nobody else does."""
        return self._in_block is not None

    def described_by(self, plan: Plan) -> PinnedSession | None:
        """Give the engine session that must describe a plan, where no other knows its relations."""
        needs_own = plan.uses_temp or self._in_block is not None
        return self._transaction.pinned if needs_own and not plan.is_catalog else None

    async def follow(self, plan: Plan) -> None:
        """Take up what a statement that ended has defined.

        Raises:
            GatewayError: the engine could not be read.
        """
        if plan.uses_temp:
            await self._read_temp_tables()
        elif self._transaction.is_open:
            await self._read_block()
        else:
            await self._shared.refresh()

    async def end_block(self, *, is_commit: bool, has_definitions: bool) -> None:
        """Forget the block's own view after its end; after a commit everybody gets it.

        Raises:
            GatewayError: the engine could not be read.
        """
        self._in_block = self._block_contents = None
        if self._transaction.has_temp_tables and not is_commit:
            await self._read_temp_tables()
        if is_commit and has_definitions:
            await self._shared.refresh()

    async def drop_temp_tables(self) -> None:
        """DISCARD TEMP.

        Raises:
            GatewayError: the engine refused.
        """
        pinned = self._transaction.pinned
        if not self._transaction.has_temp_tables or pinned is None:
            return
        if self._transaction.is_open:
            for info in self.temp_tables.values():
                name = info.name.name.replace('"', '""')
                await pinned.session.execute_utility(f'DROP TABLE temp.main."{name}"')
            await self._read_temp_tables()
        else:
            await self._transaction.unpin()
            self._set_temp_tables({})

    def _set_temp_tables(self, tables: Mapping[str, TableInfo]) -> None:
        self.temp_tables.clear()
        self.temp_tables.update(tables)
        self._temp_version += 1
        self._transaction.has_temp_tables = bool(tables)

    async def _read_block(self) -> None:
        pinned = self._transaction.pinned
        if pinned is None or not isinstance(pinned.session, DuckSession):
            return
        shared = self._shared.snapshot
        catalogs = sorted({catalog for catalog, _ in shared.schemas})
        of_files = self._shared.catalogs_of_files
        contents = await pinned.session.run(partial(introspect, catalogs=catalogs, of_files=of_files))
        self._block_contents = contents
        self._in_block = replace(
            shared,
            generation=next(_private_generations),
            tables=contents.tables,
            schemas=contents.schemas,
            sequences={info.name: info for info in contents.sequences},
            indexes=index_tables(contents),
            schema_owners=contents.schema_owners,
        )

    async def _read_temp_tables(self) -> None:
        pinned = self._transaction.pinned
        if pinned is None:
            return
        columns: dict[str, list[ColumnInfo]] = {}
        for table, name, engine_type, is_nullable, default, kept in await _read(pinned, _TEMP_COLUMNS):
            declared, comment = split_declared(kept or None, engine_type)
            is_optional = is_nullable == "true"
            info = ColumnInfo(name, engine_type, is_optional, default or None, comment, declared=declared)
            columns.setdefault(table, []).append(info)
        constraints: dict[str, list[RawConstraint]] = {}
        for table, kind, names, expression in await _read(pinned, _TEMP_CONSTRAINTS) if columns else ():
            found = RawConstraint(kind, tuple(json.loads(names or "[]")), expression or None)
            constraints.setdefault(table, []).append(found)
        self._set_temp_tables(
            {
                name.lower(): _temp_table(name, held, constraints.get(name, ()))
                for name, held in columns.items()
            }
        )
        if not columns and not self._transaction.is_open:
            await self._transaction.unpin()


def _identity(snapshot: CatalogSnapshot, name: TableName) -> int | None:
    info = snapshot.tables.get(name)
    return info.engine_oid if info is not None else None


async def _read(pinned: PinnedSession, sql: str) -> list[list[str]]:
    """The rows of a query to the pinned engine session, as texts; NULL is empty."""
    rows = KeptRows()
    async with pinned.engine.execute(EngineStatement(sql), pinned.session) as stream:
        while (chunk := await stream.read()) is not None:
            await rows.write_rows(chunk.rows)
    return [[(value or b"").decode() for value in row] for row in rows.rows()]


def _temp_table(name: str, columns: list[ColumnInfo], constraints: Iterable[RawConstraint]) -> TableInfo:
    known = TableName(TEMP_CATALOG, "public", name)
    return TableInfo(known, RelationKind.TABLE, tuple(columns), name_constraints(known, constraints))
