"""A system relation's rows as an Arrow table: columns given as lists or constants, the rest filled as PostgreSQL does."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa

from pgproxy.catalog.builtin import BuiltinRows, RelationDefinition
from pgproxy.catalog.snapshot import ColumnInfo
from pgproxy.catalog.types import arrow_type
from pgproxy.catalog.visibility import EVERYBODY

Values = Sequence[Any] | np.ndarray[Any, Any] | pa.Array


class Rule(Enum):
    """How a relation's rows are guarded: not at all, by a key, or by a key and the key of one column."""

    OPEN = ()
    ROW = ("_database", "_key")
    COLUMN = ("_database", "_key", "_part")


_HIDDEN_TYPES: Mapping[str, pa.DataType] = {
    "_database": pa.string(),
    "_key": pa.int64(),
    "_part": pa.int64(),
}

_EMPTY_VALUES: Mapping[str, Any] = {"BOOLEAN": False, "VARCHAR": "", "BLOB": b"", "FLOAT": 0.0, "DOUBLE": 0.0}


def build_rows(
    definition: RelationDefinition,
    rule: Rule,
    count: int,
    lists: Mapping[str, Values],
    constants: Mapping[str, Any] | None = None,
    texts: tuple[str, ...] = (),
) -> pa.Table:
    """Build `count` rows. A column in neither mapping is NULL, or PostgreSQL's zero where it may not be NULL.

    texts: names of further hidden text columns, as `_definition`.
    """
    given = {"_database": None, "_key": EVERYBODY, "_part": EVERYBODY, **(constants or {})}
    arrays: list[pa.Array] = []
    names = [column.name for column in definition.columns] + list(rule.value) + list(texts)
    for name, column in zip(
        names, [*definition.columns, *([None] * (len(names) - len(definition.columns)))], strict=True
    ):
        arrow = arrow_type(column.engine_type) if column is not None else _HIDDEN_TYPES.get(name, pa.string())
        if name in lists:
            arrays.append(_array(lists[name], arrow))
        else:
            value = given[name] if name in given else _empty_value(column)
            arrays.append(_constant(value, count, arrow))
    return pa.Table.from_arrays(arrays, names=names)


def builtin_table(
    definition: RelationDefinition, rule: Rule, rows: BuiltinRows, texts: tuple[str, ...] = ()
) -> pa.Table:
    """The rows that PostgreSQL has from the start; everybody sees them, in every database."""
    return build_rows(definition, rule, rows.count, rows.columns, texts=texts)


def _array(values: Values, arrow: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values.cast(arrow)
    return pa.array(values, type=arrow)


def _constant(value: Any, count: int, arrow: pa.DataType) -> pa.Array:
    if value is None or count == 0:
        return pa.nulls(count, arrow)
    if pa.types.is_list(arrow):
        return pa.array([value] * count, type=arrow)
    return pa.repeat(pa.scalar(value, type=arrow), count)


def _empty_value(column: ColumnInfo | None) -> Any:
    if column is None or column.is_nullable:
        return None
    if column.engine_type.endswith("[]"):
        return []
    return _EMPTY_VALUES.get(column.engine_type, 0)
