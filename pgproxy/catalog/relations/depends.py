"""pg_depend: which object goes with which, as far as clients follow it.

Keys to their indexes, constraints and defaults to their columns, views to their rules. PostgreSQL docs,
"pg_depend".
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from pgproxy.catalog.builtin import relation_definitions
from pgproxy.catalog.constraints import quote_identifier
from pgproxy.catalog.model import CatalogModel, default_key, shown_default
from pgproxy.catalog.relations.table import Rule, build_rows
from pgproxy.catalog.visibility import Aspect, column_key, key

CLASS, CONSTRAINT, DEFAULT, RULE = 1259, 2606, 2604, 2618
"""OIDs of pg_class, pg_constraint, pg_attrdef and pg_rewrite."""
_COLUMNS = (
    *("classid", "objid", "objsubid", "refclassid", "refobjid", "refobjsubid", "deptype"),
    *("_database", "_key", "_part"),
)


_SERIAL_TYPES = (
    *(("column", pa.string()), ("sequence", pa.string()), ("sequence_oid", pa.int64())),
    *(("_database", pa.string()), ("_key", pa.int64()), ("_part", pa.int64())),
)


def depend_rows(model: CatalogModel) -> pa.Table:
    """Every row; each is seen with the object that depends."""
    rows = [*_of_constraints(model), *_of_defaults(model), *_of_sequences(model), *_of_views(model)]
    lists = {name: [row[place] for row in rows] for place, name in enumerate(_COLUMNS)}
    return build_rows(relation_definitions()["pg_catalog", "pg_depend"], Rule.COLUMN, len(rows), lists)


def serial_rows(model: CatalogModel) -> pa.Table:
    """The sequence of each column that owns one, found by the table's OID and the column's name at once.

    What pg_get_serial_sequence reads: drivers ask it of every column, and pg_depend answers through joins.
    """
    rows = [
        (
            f"{use.relation.oid}.{use.relation.table.columns[use.attnum - 1].name}",
            ".".join(map(quote_identifier, use.sequence.name[1:])),
            use.oid,
            use.relation.table.name.catalog,
            key(use.relation.oid, Aspect.ALL_COLUMNS),
            column_key(use.relation.oid, use.attnum),
        )
        for use in model.sequence_uses
        if use.is_own
    ]
    return pa.table(
        {
            name: pa.array([row[place] for row in rows], kind)
            for place, (name, kind) in enumerate(_SERIAL_TYPES)
        }
    )


def _of_constraints(model: CatalogModel) -> Iterator[tuple[Any, ...]]:
    for entry in model.constraints:
        guard = (entry.relation.table.name.catalog, key(entry.oid), key(entry.oid))
        for number in entry.attnums:
            yield (CONSTRAINT, entry.oid, 0, CLASS, entry.relation.oid, number, "a", *guard)
        if entry.referenced is not None:
            for number in entry.referenced_attnums:
                yield (CONSTRAINT, entry.oid, 0, CLASS, entry.referenced.oid, number, "n", *guard)
            yield (CONSTRAINT, entry.oid, 0, CLASS, entry.index_oid, 0, "n", *guard)
        elif entry.info.kind in "pu":
            yield (CLASS, entry.index_oid, 0, CONSTRAINT, entry.oid, 0, "i", *guard)


def _of_defaults(model: CatalogModel) -> Iterator[tuple[Any, ...]]:
    for name, relation in model.relations.items():
        for number, column in enumerate(relation.table.columns, start=1):
            if shown_default(column) is not None:
                guard = (
                    name.catalog,
                    key(relation.oid, Aspect.ALL_COLUMNS),
                    column_key(relation.oid, number),
                )
                oid = model.oids[default_key(name, column.name)]
                yield (DEFAULT, oid, 0, CLASS, relation.oid, number, "a", *guard)


def _of_sequences(model: CatalogModel) -> Iterator[tuple[Any, ...]]:
    """A column's sequence goes with it, and its default with the sequence."""
    for use in model.sequence_uses:
        table, column = use.relation.table.name, use.relation.table.columns[use.attnum - 1]
        guard = (
            table.catalog,
            key(use.relation.oid, Aspect.ALL_COLUMNS),
            column_key(use.relation.oid, use.attnum),
        )
        if use.is_own:
            kind = "i" if column.identity else "a"
            yield (CLASS, use.oid, 0, CLASS, use.relation.oid, use.attnum, kind, *guard)
        if not column.identity:
            default = model.oids[default_key(table, column.name)]
            yield (DEFAULT, default, 0, CLASS, use.oid, 0, "n", *guard)


def _of_views(model: CatalogModel) -> Iterator[tuple[Any, ...]]:
    for name, relation in model.relations.items():
        if relation.rule_oid:
            guard = (name.catalog, key(relation.oid), key(relation.oid))
            yield (RULE, relation.rule_oid, 0, CLASS, relation.oid, 0, "i", *guard)
