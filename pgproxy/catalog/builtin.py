"""PostgreSQL 15's own catalog, read lazily from `data/`.

Every system relation's columns, and the built-in rows.

`data/relations.json` holds [schema, relation, OID, relkind, "column:type[!] …"] with `!` for NOT NULL, and
`data/own_relations.json` the same of this gateway's own; `data/rows/NAME.json` holds the rows that a fresh
PostgreSQL 15 has, constant columns apart. Columns whose name begins with an underscore are ours: texts that
PostgreSQL computes (`_format`: format_type).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from pgproxy.catalog.snapshot import ColumnInfo
from pgproxy.catalog.types import DOMAIN_BASES, system_engine_type

RelationKey = tuple[str, str]
"""(schema, relation)."""


@dataclass(frozen=True, slots=True)
class RelationDefinition:
    """A system relation as PostgreSQL 15 has it. declared_types: pg_type.typname, domains not resolved."""

    schema: str
    name: str
    oid: int
    kind: str
    columns: tuple[ColumnInfo, ...]
    declared_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuiltinRows:
    """Rows in columns; all columns have `count` values."""

    count: int
    columns: Mapping[str, Sequence[Any]]


@cache
def relation_definitions() -> Mapping[RelationKey, RelationDefinition]:
    """Every relation of pg_catalog, information_schema and pgproxy, by (schema, name)."""
    stored = [*json.loads(_read("relations.json")), *json.loads(_read("own_relations.json"))]
    return {
        (schema, name): _definition(schema, name, oid, kind, columns)
        for schema, name, oid, kind, columns in stored
    }


@cache
def builtin_rows(relation: str) -> BuiltinRows:
    """The rows that PostgreSQL 15 has in `relation` of pg_catalog from the start."""
    stored = json.loads(_read(f"rows/{relation}.json"))
    rows = stored["rows"]
    columns: dict[str, Sequence[Any]] = {
        name: [row[index] for row in rows] for index, name in enumerate(stored["columns"])
    }
    for name, value in stored["constants"].items():
        columns[name] = [value] * len(rows)
    definition = relation_definitions()["pg_catalog", relation]
    for column in definition.columns:
        if column.name in columns:
            columns[column.name] = _typed(columns[column.name], column.engine_type)
    return BuiltinRows(len(rows), columns)


@cache
def keyword_rows() -> BuiltinRows:
    """What pg_get_keywords() gives, in this order of columns."""
    names = ("word", "catcode", "barelabel", "catdesc", "baredesc")
    columns = zip(*json.loads(_read("keywords.json")), strict=True)
    found = dict(zip(names, columns, strict=True))
    return BuiltinRows(len(found["word"]), found)


@cache
def reserved_words() -> frozenset[str]:
    """The words that are no names unless they are quoted."""
    found = keyword_rows().columns
    return frozenset(
        word for word, code in zip(found["word"], found["catcode"], strict=True) if code in ("R", "T")
    )


def _read(name: str) -> str:
    return resources.files("pgproxy.catalog.data").joinpath(name).read_text(encoding="utf-8")


def _definition(schema: str, name: str, oid: int, kind: str, columns: str) -> RelationDefinition:
    declared = [part.rstrip("!").split(":") for part in columns.split(" ")]
    nullable = [not part.endswith("!") for part in columns.split(" ")]
    bases = [DOMAIN_BASES.get(pg_type, pg_type) for _, pg_type in declared]
    return RelationDefinition(
        schema=schema,
        name=name,
        oid=oid,
        kind=kind,
        columns=tuple(
            ColumnInfo(column, system_engine_type(base), is_nullable, pg_type=base)
            for (column, _), base, is_nullable in zip(declared, bases, nullable, strict=True)
        ),
        declared_types=tuple(pg_type for _, pg_type in declared),
    )


def _typed(values: Sequence[Any], engine_type: str) -> Sequence[Any]:
    """Undo the data file's shorthands: booleans as 0 and 1, vectors of numbers as text."""
    if engine_type == "BOOLEAN":
        return [None if value is None else bool(value) for value in values]
    if engine_type in ("SMALLINT[]", "BIGINT[]"):
        return [None if value is None else [int(part) for part in value.split()] for value in values]
    return values
