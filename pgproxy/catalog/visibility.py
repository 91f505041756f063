"""Who sees which row of a system relation: keys on the rows, and the keys that each viewer holds.

A row that names something of a user's carries `_key`; a viewer holds keys in `acl.visible`. So one hash
semi-join decides, and a row whose key nobody was given is seen by nobody. Key 0 is PostgreSQL's own objects':
every viewer holds it. Keys of several kinds share one 64-bit space, apart by their upper bits.

DuckDB plans a question to the catalog for longer than it takes to answer it, and each semi-join is a good
part of that. An administrator holds all keys but those of the twins of what it sees whole: its guard names
these.
"""

from collections.abc import Iterator
from enum import IntEnum

from pgproxy.catalog.model import CatalogModel, ConstraintEntry, IndexEntry, RelationEntry
from pgproxy.catalog.oids import owner_oid
from pgproxy.catalog.snapshot import SYSTEM_CATALOG
from pgproxy.policy.effective import EffectivePolicy, TablePolicy
from pgproxy.policy.model import Privilege

EVERYBODY = 0
_PRIVATE = 1 << 50
"""Above all other keys: those of what exists for one session alone."""


class Aspect(IntEnum):
    """What of an object is seen. The value is the upper half of the key."""

    EXISTENCE = 0
    ALL_COLUMNS = 1
    ROW_ESTIMATE = 2
    """How many rows there are: only for who reads all of them."""
    NO_ROW_ESTIMATE = 3
    DEFINITION = 4
    """A view's query, which may name what the viewer may not see."""
    NO_DEFINITION = 5


def key(oid: int, aspect: Aspect = Aspect.EXISTENCE) -> int:
    """The key of an aspect of an object."""
    return (aspect << 32) | oid


def column_key(relation_oid: int, attnum: int) -> int:
    """The key of one column, for a viewer who does not see all of them."""
    return (1 << 48) | (relation_oid << 16) | attnum


def private_key(session: int) -> int:
    """The key of all that exists for one session alone."""
    return _PRIVATE | session


_TWINS = f"{Aspect.NO_ROW_ESTIMATE:d}, {Aspect.NO_DEFINITION:d}"


def row_predicate(viewer: str = "$viewer", database: str = "$database", prefix: str = "") -> str:
    """SQL: the row is in this database, or in every one, and the viewer holds its key."""
    return f"{_is_here(database, prefix)} AND {prefix}_key IN ({held_keys(viewer)})"


def column_predicate(viewer: str = "$viewer", database: str = "$database", prefix: str = "") -> str:
    """SQL.

    As `row_predicate`, or the viewer holds the key of the one column that the row is about (`_part`).
    """
    return (
        f"{_is_here(database, prefix)} AND "
        f"({prefix}_key IN ({held_keys(viewer)}) OR {prefix}_part IN ({held_keys(viewer)}))"
    )


def administrator_predicate() -> str:
    """SQL: the row is in this database, or in every one; neither a twin for who may know less nor private."""
    return f"{_is_here('$database')} AND _key < {_PRIVATE} AND (_key >> 32) NOT IN ({_TWINS})"


def _is_here(database: str, prefix: str = "") -> str:
    return f"({prefix}_database IS NULL OR {prefix}_database = {database})"


def principal_predicate() -> str:
    """SQL: the row is the viewer's own (`_principal`), or the viewer sees what everybody does."""
    who = f"SELECT m_w.principal FROM {SYSTEM_CATALOG}.acl.viewer AS m_w WHERE m_w.viewer = $viewer"
    return f"_principal IN ({who}) OR EXISTS ({who} AND m_w.sees_activity)"


def held_keys(viewer: str = "$viewer") -> str:
    """SQL: the keys that the viewer holds."""
    return f"SELECT m_v.key FROM {SYSTEM_CATALOG}.acl.visible AS m_v WHERE m_v.viewer = {viewer}"


def visible_keys(policy: EffectivePolicy, model: CatalogModel) -> Iterator[int]:
    """Every key that one principal holds."""
    seen = {}
    databases: set[str] = set()
    schemas: set[tuple[str, str]] = set()
    owners: set[str | None] = {None}
    for name, relation in model.relations.items():
        table_policy = policy.table(name, relation.table.owner)
        if not table_policy.is_visible:
            continue
        columns = _visible_columns(table_policy, relation)
        seen[relation.oid] = columns
        owners.add(relation.table.owner)
        databases.add(name.catalog)
        schemas.add((name.catalog, name.schema))
        yield from _relation_keys(policy, table_policy, relation, columns)
    for constraint in model.constraints:
        if _sees_constraint(seen, constraint):
            yield key(constraint.oid)
    for use in model.sequence_uses:
        if use.is_own and _sees(seen, use.relation, (use.attnum,)):
            yield key(use.oid)
    for index in model.indexes:
        if _sees_index(seen, index):
            yield key(index.oid)
    yield from (key(owner_oid(owner)) for owner in sorted(owners - {None}, key=str))
    yield from _container_keys(policy, model, databases, schemas)


def _relation_keys(
    policy: EffectivePolicy, table: TablePolicy, relation: RelationEntry, columns: frozenset[int] | None
) -> Iterator[int]:
    yield key(relation.oid)
    yield key(relation.oid, Aspect.NO_ROW_ESTIMATE if table.is_filtered else Aspect.ROW_ESTIMATE)
    yield key(relation.oid, Aspect.DEFINITION if policy.is_admin else Aspect.NO_DEFINITION)
    if columns is None:
        yield key(relation.oid, Aspect.ALL_COLUMNS)
    else:
        yield from (column_key(relation.oid, attnum) for attnum in columns)


def _visible_columns(table: TablePolicy, relation: RelationEntry) -> frozenset[int] | None:
    """The attnums that a principal may know of; None: all."""
    if table.privileges:
        return None
    return frozenset(
        attnum
        for attnum, column in enumerate(relation.table.columns, start=1)
        if table.column_privileges.get(column.name)
    )


def _sees(seen: dict[int, frozenset[int] | None], relation: RelationEntry, attnums: tuple[int, ...]) -> bool:
    """Whether all these columns are seen.

    An expression (0), or no column at all, needs the whole relation.
    """
    if relation.oid not in seen:
        return False
    columns = seen[relation.oid]
    return columns is None or (bool(attnums) and all(attnum in columns for attnum in attnums))


def _sees_constraint(seen: dict[int, frozenset[int] | None], constraint: ConstraintEntry) -> bool:
    if not _sees(seen, constraint.relation, constraint.attnums):
        return False
    return constraint.referenced is None or _sees(seen, constraint.referenced, constraint.referenced_attnums)


def _sees_index(seen: dict[int, frozenset[int] | None], index: IndexEntry) -> bool:
    return _sees(seen, index.relation, index.attnums)


def _container_keys(
    policy: EffectivePolicy, model: CatalogModel, databases: set[str], schemas: set[tuple[str, str]]
) -> Iterator[int]:
    """Schemas and databases that hold something visible, or on which there is a privilege.

    What lies in a schema.
    """
    usable = schemas | {
        path
        for path in model.schemas
        if policy.schema_allows(Privilege.USAGE, *path) or policy.schema_allows(Privilege.CREATE, *path)
    }
    catalogs = databases | {catalog for catalog, _ in usable}
    for path, oid in model.schemas.items():
        # `public` is in every PostgreSQL database: that it exists tells nothing, and drivers expect it.
        if path in usable or (path[1] == "public" and _sees_catalog(policy, catalogs, path[0])):
            yield key(oid)
        if policy.schema_allows(Privilege.USAGE, *path):
            yield from _loose_keys(model, path)
    yield from (key(oid) for info, oid in model.sequences if policy.may_use_sequence(info.name, info.owner))
    for name, oid in model.databases.items():
        if _sees_catalog(policy, catalogs, name):
            yield key(oid)


def _sees_catalog(policy: EffectivePolicy, databases: set[str], catalog: str) -> bool:
    return policy.is_admin or catalog in databases or any(g.catalog == catalog for g in policy.grants)


def _loose_keys(model: CatalogModel, path: tuple[str, str]) -> Iterator[int]:
    """Sequences and enum types: who may use the schema may see them."""
    yield from (key(oid) for info, oid in model.sequences if info.name[:2] == path)
    yield from (key(enum.oid) for enum in model.enums if enum.info.name[:2] == path)
