"""What exists for one session alone: its temporary tables, and what its open block has defined.

Its rows stand among everybody's in SYSTEM_CATALOG, under a key that only the session's own viewer holds; so
whatever reads the catalog finds them, functions included. What the block has altered or dropped is as it was
to everybody else, and the session's viewer does not hold its keys. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from pgproxy.catalog.introspect import CatalogContents, index_tables
from pgproxy.catalog.model import CatalogModel, build_model
from pgproxy.catalog.relations.registry import CATALOG_TABLES
from pgproxy.catalog.snapshot import CatalogSnapshot, PrivateView, TableInfo
from pgproxy.catalog.visibility import private_key, visible_keys
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import TableName

_OF_EVERYBODY = frozenset({"pg_database", "pg_shdescription"})
"""Relations that a session adds nothing to."""


@dataclass(frozen=True)
class PrivateObjects:
    """The objects of one session. number: the session's. version: moves with every change of them.

    contents: these alone, with the schemas that they are in; `temp_schema` is that of the temporary tables.
    gone: relations and sequences that are not for this session what they are for others.
    """

    number: int
    version: int
    contents: CatalogContents
    temp_schema: tuple[str, str] | None = None
    gone: frozenset[TableName] = field(default_factory=frozenset)

    @cached_property
    def model(self) -> CatalogModel:
        """These objects, with their OIDs."""
        return build_model(self.contents)

    @cached_property
    def view(self) -> PrivateView:
        """What the planner knows of them."""
        oids = {name: entry.oid for name, entry in self.model.relations.items()}
        oids |= {info.name: oid for info, oid in self.model.sequences}
        schema = self.temp_schema
        return PrivateView(
            self.number,
            oids,
            temp_schema=schema[1] if schema is not None else None,
            temp_schema_oid=self.model.schemas[schema] if schema is not None else 0,
        )

    def rows(self, policy: EffectivePolicy, shared: CatalogModel) -> Iterator[tuple[str, pa.Table]]:
        """Give the rows of each relation of pg_catalog that the session has more of, under its key."""
        held = pa.array(sorted(visible_keys(policy, self.model)), pa.int64())
        known = pa.array(list(shared.schemas.values()), pa.int64())
        for name in sorted(CATALOG_TABLES.keys() - _OF_EVERYBODY):
            _, build = CATALOG_TABLES[name]
            found = build(self.model)
            kept = [
                pc.is_in(found[key], value_set=held) for key in ("_key", "_part") if key in found.column_names
            ]
            rows = found.filter(kept[0] if len(kept) == 1 else pc.or_(*kept))
            if name == "pg_namespace":
                rows = rows.filter(pc.invert(pc.is_in(rows["oid"].cast(pa.int64()), value_set=known)))
            if rows.num_rows:
                yield name, _rekeyed(rows, private_key(self.number))

    def without_gone(self, shared: CatalogModel) -> CatalogModel:
        """What exists for everybody, without what does not for this session."""
        if not self.gone:
            return shared
        kept = {name: entry for name, entry in shared.relations.items() if name not in self.gone}
        return replace(
            shared,
            relations=kept,
            constraints=tuple(c for c in shared.constraints if c.relation.table.name not in self.gone),
            indexes=tuple(index for index in shared.indexes if index.relation.table.name not in self.gone),
            sequences=tuple(held for held in shared.sequences if held[0].name not in self.gone),
            sequence_uses=tuple(u for u in shared.sequence_uses if u.relation.table.name not in self.gone),
        )


def _rekeyed(rows: pa.Table, key: int) -> pa.Table:
    keys = pa.array([key] * rows.num_rows, pa.int64())
    for name in ("_key", "_part"):
        if name in rows.column_names:
            rows = rows.set_column(rows.schema.get_field_index(name), name, keys)
    return rows


def private_contents(
    *,
    temporary: Iterable[TableInfo],
    temp_schema: tuple[str, str],
    block: CatalogContents | None,
    shared: CatalogSnapshot,
) -> tuple[CatalogContents, frozenset[TableName]]:
    """Give what is there for the session alone, and what is not.

    temporary: their names in `temp_schema`. block: all that the open block sees; None: what everybody sees.
    """
    tables = {info.name: info for info in temporary}
    own = CatalogContents(
        catalogs={temp_schema[0]: False}, schemas=frozenset({temp_schema} if tables else ()), tables=tables
    )
    if block is None:
        return own, frozenset()
    before = _indexes_by_table(shared.indexes)
    now = _indexes_by_table(index_tables(block))
    changed = {
        name
        for name in shared.tables.keys() | block.tables.keys()
        if _shape(shared.tables.get(name)) != _shape(block.tables.get(name))
        or before.get(name) != now.get(name)
    }
    sequences = tuple(info for info in block.sequences if info != shared.sequences.get(info.name))
    lost = {name for name, info in shared.sequences.items() if info not in block.sequences}
    made = {name: block.tables[name] for name in sorted(changed & block.tables.keys())}
    paths = {name[:2] for name in (*made, *(info.name for info in sequences))}
    contents = replace(
        own,
        catalogs={**block.catalogs, **own.catalogs},
        schemas=own.schemas | paths | (block.schemas - shared.schemas),
        tables={**made, **tables},
        indexes=tuple(index for index in block.indexes if index.table in made),
        sequences=sequences,
        comments={
            path: block.comments[path] for path in block.schemas - shared.schemas if path in block.comments
        },
    )
    return contents, frozenset(changed | lost)


def _indexes_by_table(indexes: Mapping[TableName, TableName]) -> Mapping[TableName, frozenset[TableName]]:
    found: dict[TableName, set[TableName]] = {}
    for index, table in indexes.items():
        found.setdefault(table, set()).add(index)
    return {table: frozenset(names) for table, names in found.items()}


def _shape(info: TableInfo | None) -> TableInfo | None:
    """A relation but for how many rows it has."""
    return info and replace(info, estimated_rows=0, estimated_bytes=0)
