"""What exists, with its OIDs: the bridge from the engine's contents to the rows of pg_catalog. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pgproxy.catalog.constraints import quote_identifier
from pgproxy.catalog.defaults import default_text
from pgproxy.catalog.introspect import CatalogContents, EnumInfo, IndexInfo, constraint_columns
from pgproxy.catalog.oids import ObjectKey, ObjectKind, assign_oids
from pgproxy.catalog.sequences import SequenceInfo, sequence_of_default
from pgproxy.catalog.snapshot import TEMP_SCHEMA, ColumnInfo, ConstraintInfo, TableInfo
from pgproxy.policy.model import TableName


@dataclass(frozen=True, slots=True)
class RelationEntry:
    """A table or view. row_type, row_array: the composite type that every relation has, and its array."""

    table: TableInfo
    oid: int
    row_type: int
    row_array: int
    schema_oid: int
    rule_oid: int


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """An index. attnums: 0 stands for an expression."""

    name: str
    oid: int
    relation: RelationEntry
    attnums: tuple[int, ...]
    columns: tuple[str, ...]
    is_unique: bool
    is_primary: bool

    @property
    def definition(self) -> str:
        """As pg_get_indexdef words it."""
        table = self.relation.table.name
        unique = "UNIQUE " if self.is_unique else ""
        columns = ", ".join(
            quote_identifier(name) if attnum else name
            for name, attnum in zip(self.columns, self.attnums, strict=True)
        )
        schema = "pg_temp" if table.schema.startswith(TEMP_SCHEMA) else table.schema
        target = f"{quote_identifier(schema)}.{quote_identifier(table.name)}"
        return f"CREATE {unique}INDEX {quote_identifier(self.name)} ON {target} USING btree ({columns})"


@dataclass(frozen=True, slots=True)
class ConstraintEntry:
    """A constraint.

    Index_oid: the index behind a key, or behind the key that a foreign key refers to; 0: none.
    """

    info: ConstraintInfo
    oid: int
    relation: RelationEntry
    attnums: tuple[int, ...]
    referenced: RelationEntry | None
    referenced_attnums: tuple[int, ...]
    index_oid: int


@dataclass(frozen=True, slots=True)
class EnumEntry:
    """A named enum type and the OIDs of the type, its array and its labels."""

    info: EnumInfo
    oid: int
    array_oid: int
    label_oids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SequenceUse:
    """A column whose default is a sequence's next value. is_own: the sequence belongs to it."""

    sequence: SequenceInfo
    oid: int
    relation: RelationEntry
    attnum: int

    @property
    def is_own(self) -> bool:
        """Whether the sequence was made with the column."""
        return self.sequence.column is not None


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """Everything that exists, with its OIDs. databases, schemas: name → OID."""

    contents: CatalogContents
    databases: Mapping[str, int]
    schemas: Mapping[tuple[str, str], int]
    relations: Mapping[TableName, RelationEntry]
    constraints: tuple[ConstraintEntry, ...]
    indexes: tuple[IndexEntry, ...]
    sequences: tuple[tuple[SequenceInfo, int], ...]
    sequence_uses: tuple[SequenceUse, ...]
    enums: tuple[EnumEntry, ...]
    oids: Mapping[ObjectKey, int]


def build_model(contents: CatalogContents) -> CatalogModel:
    """Give every object its OID and resolve names to OIDs and attnums."""
    oids = assign_oids(_keys(contents))
    schemas = {path: oids[ObjectKey(ObjectKind.SCHEMA, path)] for path in contents.schemas}
    relations = {
        name: RelationEntry(
            table,
            oids[ObjectKey(ObjectKind.RELATION, name)],
            oids[ObjectKey(ObjectKind.ROW_TYPE, name)],
            oids[ObjectKey(ObjectKind.ROW_ARRAY_TYPE, name)],
            schemas[name.catalog, name.schema],
            oids.get(ObjectKey(ObjectKind.RULE, name), 0),
        )
        for name, table in contents.tables.items()
    }
    constraints = tuple(_constraints(relations, oids))
    sequences = {
        info.name: (info, oids[ObjectKey(ObjectKind.SEQUENCE, info.name)]) for info in contents.sequences
    }
    return CatalogModel(
        contents=contents,
        databases={name: oids[ObjectKey(ObjectKind.DATABASE, (name,))] for name in contents.catalogs},
        schemas=schemas,
        relations=relations,
        constraints=constraints,
        indexes=tuple(_indexes(contents, relations, constraints, oids)),
        sequences=tuple(sequences.values()),
        sequence_uses=tuple(_sequence_uses(relations, sequences)),
        enums=tuple(_enum(info, oids) for info in contents.enums),
        oids=oids,
    )


def _sequence_uses(
    relations: Mapping[TableName, RelationEntry], sequences: Mapping[TableName, tuple[SequenceInfo, int]]
) -> Iterator[SequenceUse]:
    for name, relation in relations.items() if sequences else ():
        for attnum, column in enumerate(relation.table.columns, start=1):
            sequence = sequence_of_default(column.default, name)
            if sequence is not None and sequence in sequences:
                yield SequenceUse(*sequences[sequence], relation, attnum)


def default_key(name: TableName, column: str) -> ObjectKey:
    """The key of a column's default (pg_attrdef)."""
    return ObjectKey(ObjectKind.DEFAULT, (*name, column))


def shown_default(column: ColumnInfo) -> str | None:
    """A column's default as PostgreSQL shows it; None where there is none, as of an identity."""
    return None if column.identity else default_text(column.default, column.shown_type)


def _keys(contents: CatalogContents) -> Iterator[ObjectKey]:
    for catalog in contents.catalogs:
        yield ObjectKey(ObjectKind.DATABASE, (catalog,))
    for path in contents.schemas:
        yield ObjectKey(ObjectKind.SCHEMA, path)
    for name, table in contents.tables.items():
        yield from (
            ObjectKey(kind, name)
            for kind in (ObjectKind.RELATION, ObjectKind.ROW_TYPE, ObjectKind.ROW_ARRAY_TYPE)
        )
        if table.view_sql is not None:
            yield ObjectKey(ObjectKind.RULE, name)
        for constraint in table.constraints:
            yield ObjectKey(ObjectKind.CONSTRAINT, (*name, constraint.name))
            if constraint.kind in "pu":
                yield ObjectKey(ObjectKind.INDEX, (*name[:2], constraint.name))
        yield from (default_key(name, column.name) for column in table.columns if shown_default(column))
    for index in contents.indexes:
        yield ObjectKey(ObjectKind.INDEX, (*index.table[:2], index.name))
    for sequence in contents.sequences:
        yield ObjectKey(ObjectKind.SEQUENCE, sequence.name)
    for enum in contents.enums:
        yield ObjectKey(ObjectKind.ENUM, enum.name)
        yield ObjectKey(ObjectKind.ENUM_ARRAY, enum.name)
        yield from (ObjectKey(ObjectKind.ENUM_LABEL, (*enum.name, label)) for label in enum.labels)


def _constraints(
    relations: Mapping[TableName, RelationEntry], oids: Mapping[ObjectKey, int]
) -> Iterator[ConstraintEntry]:
    for name, relation in relations.items():
        for info in relation.table.constraints:
            referenced = relations.get(info.referenced_table) if info.referenced_table else None
            if info.kind == "f" and referenced is None:
                continue
            yield ConstraintEntry(
                info,
                oids[ObjectKey(ObjectKind.CONSTRAINT, (*name, info.name))],
                relation,
                constraint_columns(relation.table, info),
                referenced,
                _attnums(referenced.table, info.referenced_columns) if referenced else (),
                _key_index(referenced, info, oids) if referenced else _own_index(name, info, oids),
            )


def _own_index(name: TableName, info: ConstraintInfo, oids: Mapping[ObjectKey, int]) -> int:
    return oids.get(ObjectKey(ObjectKind.INDEX, (*name[:2], info.name)), 0) if info.kind in "pu" else 0


def _key_index(referenced: RelationEntry, info: ConstraintInfo, oids: Mapping[ObjectKey, int]) -> int:
    """The index of the key that a foreign key refers to."""
    for key in referenced.table.constraints:
        if key.kind in "pu" and key.columns == info.referenced_columns:
            return _own_index(referenced.table.name, key, oids)
    return 0


def _attnums(table: TableInfo, columns: tuple[str, ...]) -> tuple[int, ...]:
    """Give the attnums of the named columns; 0 for what is no column."""
    numbers = {column.name: number for number, column in enumerate(table.columns, start=1)}
    return tuple(numbers.get(name, 0) for name in columns)


def _indexes(
    contents: CatalogContents,
    relations: Mapping[TableName, RelationEntry],
    constraints: tuple[ConstraintEntry, ...],
    oids: Mapping[ObjectKey, int],
) -> Iterator[IndexEntry]:
    for constraint in constraints:
        if constraint.info.kind in "pu":
            yield IndexEntry(
                constraint.info.name,
                constraint.index_oid,
                constraint.relation,
                constraint.attnums,
                constraint.info.columns,
                is_unique=True,
                is_primary=constraint.info.kind == "p",
            )
    for index in contents.indexes:
        relation = relations.get(index.table)
        if relation is not None:
            yield _created_index(index, relation, oids)


def _created_index(index: IndexInfo, relation: RelationEntry, oids: Mapping[ObjectKey, int]) -> IndexEntry:
    return IndexEntry(
        index.name,
        oids[ObjectKey(ObjectKind.INDEX, (*index.table[:2], index.name))],
        relation,
        _attnums(relation.table, index.columns),
        index.columns,
        is_unique=index.is_unique,
        is_primary=False,
    )


def _enum(info: EnumInfo, oids: Mapping[ObjectKey, int]) -> EnumEntry:
    return EnumEntry(
        info,
        oids[ObjectKey(ObjectKind.ENUM, info.name)],
        oids[ObjectKey(ObjectKind.ENUM_ARRAY, info.name)],
        tuple(oids[ObjectKey(ObjectKind.ENUM_LABEL, (*info.name, label))] for label in info.labels),
    )
