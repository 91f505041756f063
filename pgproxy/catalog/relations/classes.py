"""The small relations that follow the catalogs: pg_namespace, pg_class, pg_index, pg_constraint, others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa

from pgproxy.catalog.builtin import builtin_rows, relation_definitions
from pgproxy.catalog.constraints import pretty_definition
from pgproxy.catalog.model import CatalogModel, ConstraintEntry, IndexEntry
from pgproxy.catalog.oids import FIRST_USER_OID, OWNER_OID, PG_CATALOG_OID, PG_TOAST_OID, owner_oid
from pgproxy.catalog.relations.table import Rule, build_rows, builtin_table
from pgproxy.catalog.snapshot import TEMP_SCHEMA, RelationKind
from pgproxy.catalog.types import column_type
from pgproxy.catalog.visibility import EVERYBODY, Aspect, column_key, key

INFORMATION_SCHEMA_OID = 13207
OWN_SCHEMA_OID = 16300
_HEAP, _BTREE = 2, 403
_DEFAULT_COLLATION, _TEXTS = 100, frozenset({25, 1042, 1043})
_PUBLIC_COMMENT = "standard public schema"
_SCHEMAS = {
    "pg_catalog": PG_CATALOG_OID,
    "pg_toast": PG_TOAST_OID,
    "information_schema": INFORMATION_SCHEMA_OID,
    "pgproxy": OWN_SCHEMA_OID,
}
RULES: Mapping[str, Rule] = {
    "pg_namespace": Rule.ROW,
    "pg_class": Rule.ROW,
    "pg_index": Rule.ROW,
    "pg_constraint": Rule.ROW,
    "pg_sequence": Rule.ROW,
    "pg_description": Rule.COLUMN,
    "pg_shdescription": Rule.ROW,
    "pg_rewrite": Rule.ROW,
    "pg_database": Rule.ROW,
    "pg_enum": Rule.ROW,
}
"""How the relations that are made here are guarded."""
CLASS_OIDS = {"pg_class": 1259, "pg_namespace": 2615, "pg_database": 1262, "pg_proc": 1255, "pg_type": 1247}
"""OIDs of the catalogs that pg_description and pg_depend refer to."""


def _build(
    name: str,
    rows: Iterable[Mapping[str, Any]],
    constants: Mapping[str, Any],
    names: Sequence[str] = (),
) -> pa.Table:
    """Turn row dictionaries into columns. names: where there may be no row to take them from."""
    given = list(rows)
    columns = names or (tuple(given[0]) if given else ())
    lists = {column: [row[column] for row in given] for column in columns}
    return build_rows(relation_definitions()["pg_catalog", name], RULES[name], len(given), lists, constants)


def namespace_rows(model: CatalogModel) -> pa.Table:
    """pg_namespace: `public` and the other schemas of each catalog."""
    system: list[dict[str, Any]] = [
        {"oid": oid, "nspname": name, "nspowner": OWNER_OID, "_database": None, "_key": EVERYBODY}
        for name, oid in _SCHEMAS.items()
    ]
    owners = model.contents.schema_owners
    users: list[dict[str, Any]] = [
        {
            "oid": oid,
            "nspname": schema,
            "nspowner": owner_oid(owners.get((catalog, schema))),
            "_database": catalog,
            "_key": key(oid),
        }
        for (catalog, schema), oid in model.schemas.items()
    ]
    return _build("pg_namespace", system + users, {})


def class_rows(model: CatalogModel) -> pa.Table:
    """pg_class. A table stands twice: with its row estimate, and without for who does not read all rows."""
    rows = [*_system_classes(), *_relation_classes(model), *_index_classes(model), *_sequence_classes(model)]
    constants = {"relispopulated": True, "relfrozenxid": 0}
    return _build("pg_class", rows, constants)


def _class(
    oid: int,
    name: str,
    schema: tuple[str | None, str, int],
    kind: str,
    row_key: int,
) -> dict[str, Any]:
    """The columns that every kind of relation has. schema: (catalog, schema name, its OID)."""
    return {
        "oid": oid,
        "relname": name,
        "relnamespace": schema[2],
        "reltype": 0,
        "relowner": OWNER_OID,
        "relam": {"r": _HEAP, "i": _BTREE}.get(kind, 0),
        # DuckDB's postgres extension reads a relation that has pages by ranges of ctid, which is not here.
        "relpages": 0,
        "reltuples": -1.0,
        "relkind": kind,
        "relpersistence": "t" if schema[1].startswith(TEMP_SCHEMA) else "p",
        "relnatts": 0,
        "relchecks": 0,
        "relhasindex": False,
        "relhasrules": kind == "v",
        # PostgreSQL: a user's table has its primary key as replica identity (d), everything else nothing (n).
        "relreplident": "d" if kind == "r" and oid >= FIRST_USER_OID else "n",
        "relhastriggers": False,
        "_database": schema[0],
        "_key": row_key,
        "_schema": schema[1],
        "_bytes": 0,
        "_is_hidden": "t" if schema[1] != "pg_catalog" and name in _own_names() else None,
    }


@lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    """The relations of pg_catalog, which hide those of their names in other schemas from bare names."""
    return frozenset(name for schema, name in relation_definitions() if schema == "pg_catalog")


def _system_classes() -> Iterator[dict[str, Any]]:
    for definition in relation_definitions().values():
        schema = (None, definition.schema, _SCHEMAS[definition.schema])
        row = _class(definition.oid, definition.name, schema, definition.kind, EVERYBODY)
        yield row | {"relnatts": len(definition.columns)}


def _relation_classes(model: CatalogModel) -> Iterator[dict[str, Any]]:
    indexed = {index.relation.oid for index in model.indexes}
    keyed = {entry.oid for c in model.constraints if c.referenced for entry in (c.relation, c.referenced)}
    for name, relation in model.relations.items():
        table = relation.table
        schema = (name.catalog, name.schema, relation.schema_oid)
        row = _class(
            relation.oid, name.name, schema, table.kind.value, key(relation.oid, Aspect.ROW_ESTIMATE)
        )
        row |= {
            "reltype": relation.row_type,
            "relowner": owner_oid(table.owner),
            "relnatts": len(table.columns),
            "relchecks": sum(constraint.kind == "c" for constraint in table.constraints),
            "relhasindex": relation.oid in indexed,
            # PostgreSQL's foreign keys are triggers; psql asks for foreign keys only where this is set.
            "relhastriggers": relation.oid in keyed,
        }
        yield row | {"_key": key(relation.oid, Aspect.NO_ROW_ESTIMATE)}
        yield row | {
            "reltuples": float(table.estimated_rows) if table.kind is RelationKind.TABLE else 0.0,
            "_bytes": table.estimated_bytes,
        }


def _index_classes(model: CatalogModel) -> Iterator[dict[str, Any]]:
    for index in model.indexes:
        name = index.relation.table.name
        schema = (name.catalog, name.schema, index.relation.schema_oid)
        # As PostgreSQL has an index from its making until the first ANALYZE.
        facts = {"relnatts": len(index.columns), "reltuples": 0.0, "relpages": 1}
        facts["relowner"] = owner_oid(index.relation.table.owner)
        yield _class(index.oid, index.name, schema, "i", key(index.oid)) | facts


def _sequence_classes(model: CatalogModel) -> Iterator[dict[str, Any]]:
    for info, oid in model.sequences:
        schema = (info.name.catalog, info.name.schema, model.schemas[info.name[:2]])
        facts = {"relnatts": 3, "relowner": owner_oid(info.owner)}
        yield _class(oid, info.name.name, schema, "S", key(oid)) | facts


def index_rows(model: CatalogModel) -> pa.Table:
    """pg_index."""
    types = {"indisvalid": True, "indisready": True, "indislive": True, "indimmediate": True}
    names: tuple[str, ...] = (
        "indexrelid",
        "indrelid",
        "indnatts",
        "indnkeyatts",
        "indisunique",
        "indisprimary",
        "indkey",
    )
    names += ("indcollation", "indclass", "indoption", "indexprs", "_database", "_key", "_definition")
    rows = [_index_row(index) for index in model.indexes]
    return _build("pg_index", rows, types, names=names)


@lru_cache(maxsize=1)
def _operator_classes() -> Mapping[int, int]:
    """The btree operator class that PostgreSQL takes for a type that none was named for."""
    held = builtin_rows("pg_opclass").columns
    rows = zip(held["opcintype"], held["oid"], held["opcmethod"], held["opcdefault"], strict=True)
    return {kind: oid for kind, oid, method, is_default in rows if method == _BTREE and is_default}


def _collation(kind: int) -> int:
    return _DEFAULT_COLLATION if kind in _TEXTS else 0


def _index_row(index: IndexEntry) -> dict[str, Any]:
    width, columns = len(index.attnums), index.relation.table.columns
    kinds = [column_type(columns[number - 1]).oid if number else 0 for number in index.attnums]
    expressions = [name for name, attnum in zip(index.columns, index.attnums, strict=True) if not attnum]
    return {
        "indexrelid": index.oid,
        "indrelid": index.relation.oid,
        "indnatts": width,
        "indnkeyatts": width,
        "indisunique": index.is_unique,
        "indisprimary": index.is_primary,
        "indkey": list(index.attnums),
        "indcollation": [_collation(kind) for kind in kinds],
        "indclass": [_operator_classes().get(kind, 0) for kind in kinds],
        "indoption": [0] * width,
        "indexprs": ", ".join(expressions) or None,
        "_database": index.relation.table.name.catalog,
        "_key": key(index.oid),
        "_definition": index.definition,
    }


_CONSTRAINT_COLUMNS = (
    *("oid", "conname", "connamespace", "contype", "conrelid", "conindid", "confrelid", "conkey", "confkey"),
    *(
        "confupdtype",
        "confdeltype",
        "confmatchtype",
        "conbin",
        "connoinherit",
        "_database",
        "_key",
        "_definition",
        "_pretty",
    ),
)


def constraint_rows(model: CatalogModel) -> pa.Table:
    """pg_constraint; a constraint is seen by who sees every column that it names, on both sides."""
    rows = [_constraint_row(constraint) for constraint in model.constraints]
    constants = {"convalidated": True, "conislocal": True}
    return _build("pg_constraint", rows, constants, names=_CONSTRAINT_COLUMNS)


def _constraint_row(constraint: ConstraintEntry) -> dict[str, Any]:
    info, is_foreign = constraint.info, constraint.referenced is not None
    return {
        "oid": constraint.oid,
        "conname": info.name,
        "connamespace": constraint.relation.schema_oid,
        "contype": info.kind,
        "conrelid": constraint.relation.oid,
        "conindid": constraint.index_oid,
        "confrelid": constraint.referenced.oid if constraint.referenced else 0,
        "conkey": list(constraint.attnums),
        "confkey": list(constraint.referenced_attnums) if is_foreign else None,
        "confupdtype": "a" if is_foreign else " ",
        "confdeltype": "a" if is_foreign else " ",
        "confmatchtype": "s" if is_foreign else " ",
        "conbin": info.text.removeprefix("CHECK (").removesuffix(")") if info.kind == "c" else None,
        "connoinherit": info.kind != "c",
        "_database": constraint.relation.table.name.catalog,
        "_key": key(constraint.oid),
        "_definition": info.text,
        "_pretty": pretty_definition(info.text),
    }


def sequence_rows(model: CatalogModel) -> pa.Table:
    """pg_sequence."""
    rows = [
        {
            "seqrelid": oid,
            "seqtypid": info.type_oid,
            "seqstart": info.start,
            "seqincrement": info.increment,
            "seqmax": info.maximum,
            "seqmin": info.minimum,
            "seqcycle": info.is_cycled,
            "_database": info.name.catalog,
            "_key": key(oid),
        }
        for info, oid in model.sequences
    ]
    return _build("pg_sequence", rows, {"seqcache": 1})


def description_rows(model: CatalogModel) -> pa.Table:
    """pg_description.

    PostgreSQL's own, and comments on schemas, relations, columns and sequences, seen with their objects.
    """
    rows = [*_relation_comments(model), *_schema_comments(model), *_sequence_comments(model)]
    names = ("objoid", "classoid", "objsubid", "description", "_database", "_key", "_part")
    return pa.concat_tables([_own_descriptions(), _build("pg_description", rows, {}, names=names)])


@lru_cache(maxsize=1)
def _own_descriptions() -> pa.Table:
    definition = relation_definitions()["pg_catalog", "pg_description"]
    return builtin_table(definition, Rule.COLUMN, builtin_rows("pg_description"))


def _comment(oid: int, of: str, text: str, catalog: str) -> dict[str, Any]:
    return {
        "objoid": oid,
        "classoid": CLASS_OIDS[of],
        "objsubid": 0,
        "description": text,
        "_database": catalog,
        "_key": key(oid),
        "_part": key(oid),
    }


def _relation_comments(model: CatalogModel) -> Iterator[dict[str, Any]]:
    for name, relation in model.relations.items():
        if relation.table.comment is not None:
            yield _comment(relation.oid, "pg_class", relation.table.comment, name.catalog)
        for attnum, column in enumerate(relation.table.columns, start=1):
            if column.comment is not None:
                yield _comment(relation.oid, "pg_class", column.comment, name.catalog) | {
                    "objsubid": attnum,
                    "_key": key(relation.oid, Aspect.ALL_COLUMNS),
                    "_part": column_key(relation.oid, attnum),
                }


def _schema_comments(model: CatalogModel) -> Iterator[dict[str, Any]]:
    for path, oid in model.schemas.items():
        text = model.contents.comments.get(path)
        if text is not None or path[1] == "public":
            yield _comment(oid, "pg_namespace", text or _PUBLIC_COMMENT, path[0])


def _sequence_comments(model: CatalogModel) -> Iterator[dict[str, Any]]:
    for info, oid in model.sequences:
        if info.comment is not None:
            yield _comment(oid, "pg_class", info.comment, info.name.catalog)


def shared_description_rows(model: CatalogModel) -> pa.Table:
    """pg_shdescription: comments on databases."""
    rows = [
        {
            "objoid": oid,
            "classoid": CLASS_OIDS["pg_database"],
            "description": model.contents.comments[name,],
            "_database": None,
            "_key": key(oid),
        }
        for name, oid in model.databases.items()
        if (name,) in model.contents.comments
    ]
    return _build("pg_shdescription", rows, {})


def rewrite_rows(model: CatalogModel) -> pa.Table:
    """pg_rewrite: the rule `_RETURN` of each view, with its query for who may read that, and without."""
    rows: list[dict[str, Any]] = []
    for name, relation in model.relations.items():
        short = relation.table.view_sql
        if short is None:
            continue
        long = relation.table.qualified_view_sql or short
        rows += [
            {
                "oid": relation.rule_oid,
                "rulename": "_RETURN",
                "ev_class": relation.oid,
                "ev_type": "1",
                "ev_enabled": "O",
                "is_instead": True,
                "_database": name.catalog,
                "_key": key(relation.oid, aspect),
                "_definition": f" {short};" if aspect is Aspect.DEFINITION else None,
                "_qualified": f" {long};" if aspect is Aspect.DEFINITION else None,
            }
            for aspect in (Aspect.DEFINITION, Aspect.NO_DEFINITION)
        ]
    return _build("pg_rewrite", rows, {})


def database_rows(model: CatalogModel) -> pa.Table:
    """pg_database: one per attached catalog; seen from all of them."""
    rows = [
        {"oid": oid, "datname": name, "_database": None, "_key": key(oid)}
        for name, oid in model.databases.items()
    ]
    constants = {
        "datdba": OWNER_OID,
        "encoding": 6,
        "datlocprovider": "c",
        "datallowconn": True,
        "datconnlimit": -1,
        "datfrozenxid": 0,
        "datminmxid": 1,
        "dattablespace": 1663,
        "datcollate": "C",
        "datctype": "C",
    }
    return _build("pg_database", rows, constants)


def enum_rows(model: CatalogModel) -> pa.Table:
    """pg_enum: the labels of named enum types."""
    rows = [
        {
            "oid": oid,
            "enumtypid": enum.oid,
            "enumsortorder": float(order),
            "enumlabel": label,
            "_database": enum.info.name.catalog,
            "_key": key(enum.oid),
        }
        for enum in model.enums
        for order, (oid, label) in enumerate(zip(enum.label_oids, enum.info.labels, strict=True), start=1)
    ]
    return _build("pg_enum", rows, {})
