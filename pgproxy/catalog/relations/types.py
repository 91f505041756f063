"""pg_type: PostgreSQL's own types, the row type and its array of every relation, and named enum types."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from pgproxy.catalog.builtin import builtin_rows, relation_definitions
from pgproxy.catalog.model import CatalogModel
from pgproxy.catalog.oids import OWNER_OID
from pgproxy.catalog.relations.table import Rule, build_rows, builtin_table
from pgproxy.catalog.snapshot import TEMP_SCHEMA
from pgproxy.catalog.visibility import key

_ARRAY_IN, _ARRAY_OUT, _ARRAY_RECV, _ARRAY_SEND = 750, 751, 2400, 2401
_RECORD_IN, _RECORD_OUT, _RECORD_RECV, _RECORD_SEND = 2290, 2291, 2402, 2403
_ENUM_IN, _ENUM_OUT, _ENUM_RECV, _ENUM_SEND = 3506, 3507, 3532, 3533

_KINDS: dict[str, dict[str, Any]] = {
    "c": {
        "typlen": -1,
        "typbyval": False,
        "typtype": "c",
        "typcategory": "C",
        "typalign": "d",
        "typstorage": "x",
        "typinput": _RECORD_IN,
        "typoutput": _RECORD_OUT,
        "typreceive": _RECORD_RECV,
        "typsend": _RECORD_SEND,
        "typsubscript": 0,
    },
    "e": {
        "typlen": 4,
        "typbyval": True,
        "typtype": "e",
        "typcategory": "E",
        "typalign": "i",
        "typstorage": "p",
        "typinput": _ENUM_IN,
        "typoutput": _ENUM_OUT,
        "typreceive": _ENUM_RECV,
        "typsend": _ENUM_SEND,
        "typsubscript": 0,
    },
    "a": {
        "typlen": -1,
        "typbyval": False,
        "typtype": "b",
        "typcategory": "A",
        "typalign": "d",
        "typstorage": "x",
        "typinput": _ARRAY_IN,
        "typoutput": _ARRAY_OUT,
        "typreceive": _ARRAY_RECV,
        "typsend": _ARRAY_SEND,
        "typsubscript": 6179,
    },
}
"""PostgreSQL docs, "pg_type": what a composite type, an enum and an array of either have in common."""


def type_rows(model: CatalogModel) -> pa.Table:
    """pg_type."""
    definition = relation_definitions()["pg_catalog", "pg_type"]
    builtin = builtin_table(definition, Rule.ROW, builtin_rows("pg_type"))
    users = [*_row_types(model), *_enum_types(model)]
    names = tuple(users[0]) if users else ()
    constants = {"typowner": OWNER_OID, "typisdefined": True, "typdelim": ",", "typtypmod": -1}
    lists = {name: [row[name] for row in users] for name in names}
    made = build_rows(definition, Rule.ROW, len(users), lists, constants)
    return pa.concat_tables([builtin, made])


def _type(kind: str, oid: int, name: str, path: tuple[str, str, int], row_key: int) -> dict[str, Any]:
    """path: (catalog, schema, schema's OID)."""
    qualified = name if path[1] == "public" or path[1].startswith(TEMP_SCHEMA) else f"{path[1]}.{name}"
    return {
        "oid": oid,
        "typname": name,
        "typnamespace": path[2],
        "typrelid": 0,
        "typelem": 0,
        "typarray": 0,
        **_KINDS[kind],
        "_database": path[0],
        "_key": row_key,
        "_format": qualified,
        "_schema": path[1],
    }


def _with_array(base: dict[str, Any], array_oid: int, path: tuple[str, str, int]) -> Iterator[dict[str, Any]]:
    yield base | {"typarray": array_oid}
    array = _type("a", array_oid, f"_{base['typname']}", path, base["_key"])
    yield array | {"typelem": base["oid"], "_format": f"{base['_format']}[]"}


def _row_types(model: CatalogModel) -> Iterator[dict[str, Any]]:
    for name, relation in model.relations.items():
        path = (name.catalog, name.schema, relation.schema_oid)
        base = _type("c", relation.row_type, name.name, path, key(relation.oid))
        yield from _with_array(base | {"typrelid": relation.oid}, relation.row_array, path)


def _enum_types(model: CatalogModel) -> Iterator[dict[str, Any]]:
    for enum in model.enums:
        name = enum.info.name
        path = (name.catalog, name.schema, model.schemas[name[:2]])
        yield from _with_array(_type("e", enum.oid, name.name, path, key(enum.oid)), enum.array_oid, path)
