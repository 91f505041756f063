"""pg_attribute and pg_attrdef.

PostgreSQL docs, "pg_attribute". The largest relation: built column by column.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pgproxy.catalog.builtin import builtin_rows, relation_definitions
from pgproxy.catalog.model import CatalogModel, default_key, shown_default
from pgproxy.catalog.relations.table import Rule, Values, build_rows
from pgproxy.catalog.types import column_type
from pgproxy.catalog.visibility import Aspect, column_key, key

_CONSTANTS = {
    "attstattarget": -1,
    "attcacheoff": -1,
    "attislocal": True,
    "attcompression": "",
    "attidentity": "",
    "attgenerated": "",
    "atthasmissing": False,
}


class _TypeTraits(NamedTuple):
    """What pg_attribute copies from pg_type."""

    attlen: int
    attbyval: bool
    attalign: str
    attstorage: str
    attcollation: int


def attribute_rows(model: CatalogModel) -> pa.Table:
    """pg_attribute: the columns of system relations, of users' relations, and of their indexes."""
    return pa.concat_tables([_system_attributes(), _user_attributes(model), _index_attributes(model)])


def attrdef_rows(model: CatalogModel) -> pa.Table:
    """pg_attrdef: column defaults; seen where the column is seen."""
    names = ("oid", "adrelid", "adnum", "adbin", "_database", "_key", "_part")
    rows = [
        (
            model.oids[default_key(name, column.name)],
            relation.oid,
            attnum,
            text,
            name.catalog,
            key(relation.oid, Aspect.ALL_COLUMNS),
            column_key(relation.oid, attnum),
        )
        for name, relation in model.relations.items()
        for attnum, column in enumerate(relation.table.columns, start=1)
        if (text := shown_default(column)) is not None
    ]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return build_rows(relation_definitions()["pg_catalog", "pg_attrdef"], Rule.COLUMN, len(rows), columns)


@lru_cache(maxsize=1)
def _traits() -> Mapping[int, _TypeTraits]:
    types = builtin_rows("pg_type").columns
    names = ("typlen", "typbyval", "typalign", "typstorage", "typcollation")
    values = zip(*(types[name] for name in names), strict=True)
    return {oid: _TypeTraits(*row) for oid, row in zip(types["oid"], values, strict=True)}


@lru_cache(maxsize=1)
def _system_attributes() -> pa.Table:
    types = builtin_rows("pg_type").columns
    type_oids = dict(zip(types["typname"], types["oid"], strict=True))
    found: dict[str, list[object]] = {
        name: [] for name in ("attrelid", "attname", "atttypid", "attnum", "attnotnull", "attndims")
    }
    for definition in relation_definitions().values():
        # pg_type has no composite types of the catalog itself here; text[] stands for the one that is used.
        declared = [type_oids.get(name, type_oids["_text"]) for name in definition.declared_types]
        found["attrelid"] += [definition.oid] * len(declared)
        found["attname"] += [column.name for column in definition.columns]
        found["atttypid"] += declared
        found["attnum"] += range(1, len(declared) + 1)
        found["attnotnull"] += [not column.is_nullable for column in definition.columns]
        found["attndims"] += [int(name.startswith("_")) for name in definition.declared_types]
    return _attributes(found, {**_CONSTANTS, "atttypmod": -1, "atthasdef": False})


def _user_attributes(model: CatalogModel) -> pa.Table:
    relids: list[int] = []
    widths: list[int] = []
    databases: list[str] = []
    found: dict[str, list[object]] = {
        name: []
        for name in (
            "attname",
            "atttypid",
            "atttypmod",
            "attndims",
            "attnotnull",
            "atthasdef",
            "attidentity",
        )
    }
    for name, relation in model.relations.items():
        columns = relation.table.columns
        kinds = [column_type(column) for column in columns]
        relids.append(relation.oid)
        widths.append(len(columns))
        databases.append(name.catalog)
        found["attname"] += [column.name for column in columns]
        found["atttypid"] += [kind.oid for kind in kinds]
        found["atttypmod"] += [kind.typmod for kind in kinds]
        found["attndims"] += [kind.dimensions for kind in kinds]
        found["attnotnull"] += [not column.is_nullable for column in columns]
        found["atthasdef"] += [shown_default(column) is not None for column in columns]
        found["attidentity"] += [column.identity for column in columns]
    width = np.array(widths, dtype=np.int64)
    relation_oids = np.repeat(np.array(relids, dtype=np.int64), width)
    attnums = np.arange(width.sum()) - np.repeat(np.cumsum(width) - width, width) + 1
    database_of = np.repeat(np.arange(len(databases)), width)
    return _attributes(
        {
            **found,
            "attrelid": relation_oids,
            "attnum": attnums,
            "_database": np.array(databases, dtype=object)[database_of],
            "_key": relation_oids + key(0, Aspect.ALL_COLUMNS),
            "_part": (relation_oids << 16) + attnums + column_key(0, 0),
        },
        _CONSTANTS,
    )


def _index_attributes(model: CatalogModel) -> pa.Table:
    """The columns of indexes, seen by who sees the index; expressions have none."""
    names = (
        "attrelid",
        "attname",
        "attnum",
        "atttypid",
        "atttypmod",
        "attndims",
        "_database",
        "_key",
        "_part",
    )
    rows = []
    for index in model.indexes:
        table = index.relation.table
        for place, attnum in enumerate(index.attnums, start=1):
            if attnum:
                column = table.columns[attnum - 1]
                kind = column_type(column)
                facts = (index.oid, column.name, place, kind.oid, kind.typmod, kind.dimensions)
                rows.append((*facts, table.name.catalog, key(index.oid), key(index.oid)))
    found = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return _attributes(found, {**_CONSTANTS, "attnotnull": False, "atthasdef": False})


def _attributes(found: Mapping[str, Values], constants: Mapping[str, object]) -> pa.Table:
    """Add what follows from the type."""
    types = np.asarray(found["atttypid"], dtype=np.int64)
    distinct, positions = np.unique(types, return_inverse=True)
    traits = [_traits()[int(oid)] for oid in distinct]
    derived: dict[str, Values] = {
        field: np.array([trait[place] for trait in traits], dtype=object)[positions]
        for place, field in enumerate(_TypeTraits._fields)
    }
    definition = relation_definitions()["pg_catalog", "pg_attribute"]
    return build_rows(definition, Rule.COLUMN, len(types), {**found, **derived}, constants)
