"""A system relation's rows as an Arrow table.

Columns given as lists or constants, the rest filled as PostgreSQL does.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa

from pgproxy.catalog.builtin import BuiltinRows, RelationDefinition
from pgproxy.catalog.snapshot import ColumnInfo
from pgproxy.catalog.types import arrow_type
from pgproxy.catalog.visibility import EVERYBODY

Values: TypeAlias = "Sequence[Any] | np.ndarray[Any, Any] | pa.Array[Any]"


class Rule(Enum):
    """How a relation's rows are guarded: not at all, by a key, by a key and the key of one column, by owner.

    JOURNAL: by owner; the key is the row's number.
    """

    OPEN = ()
    ROW = ("_database", "_key")
    COLUMN = ("_database", "_key", "_part")
    PRINCIPAL = ("_principal",)
    JOURNAL = ("_key", "_principal")


_HIDDEN_TYPES: Mapping[str, str] = {"_key": "BIGINT", "_part": "BIGINT", "_bytes": "BIGINT"}

_EMPTY_VALUES: Mapping[str, Any] = {"BOOLEAN": False, "VARCHAR": "", "BLOB": b"", "FLOAT": 0.0, "DOUBLE": 0.0}


TEXTS: Mapping[str, tuple[str, ...]] = {
    "pg_class": ("_schema", "_is_hidden", "_bytes"),
    "pg_type": ("_format", "_schema"),
    "pg_index": ("_definition",),
    "pg_constraint": ("_definition", "_pretty"),
    "pg_rewrite": ("_definition", "_qualified"),
    "pg_proc": ("_arguments", "_result"),
}
"""Further hidden columns of relations of pg_catalog: texts that catalog functions give."""


def build_rows(
    definition: RelationDefinition,
    rule: Rule,
    count: int,
    lists: Mapping[str, Values],
    constants: Mapping[str, Any] = MappingProxyType({}),
) -> pa.Table:
    """Build `count` rows. A column in neither mapping is NULL, or PostgreSQL's zero where it is NOT NULL."""
    given = {"_database": None, "_principal": None, "_key": EVERYBODY, "_part": EVERYBODY, **constants}
    texts = TEXTS.get(definition.name, ()) if definition.schema == "pg_catalog" else ()
    hidden = [ColumnInfo(name, _HIDDEN_TYPES.get(name, "VARCHAR")) for name in (*rule.value, *texts)]
    columns = [*definition.columns, *hidden]
    arrays = [_column(column, count, lists, given) for column in columns]
    return pa.Table.from_arrays(arrays, names=[column.name for column in columns])


def builtin_table(definition: RelationDefinition, rule: Rule, rows: BuiltinRows) -> pa.Table:
    """The rows that PostgreSQL has from the start; everybody sees them, in every database."""
    return build_rows(definition, rule, rows.count, rows.columns)


def _column(
    column: ColumnInfo, count: int, lists: Mapping[str, Values], given: Mapping[str, Any]
) -> "pa.Array[Any]":
    arrow = arrow_type(column.engine_type)
    if column.name in lists:
        return _array(lists[column.name], arrow)
    return _constant(given[column.name] if column.name in given else _empty_value(column), count, arrow)


def _array(values: Values, arrow: pa.DataType) -> "pa.Array[Any]":
    if isinstance(values, pa.Array):
        return cast("pa.Array[Any]", values.cast(arrow))
    return cast("pa.Array[Any]", pa.array(values, type=arrow))


def _constant(value: Any, count: int, arrow: pa.DataType) -> "pa.Array[Any]":
    if value is None or pa.types.is_list(arrow):
        return cast("pa.Array[Any]", pa.array([value] * count, type=arrow))
    # pa.repeat is typed per scalar class; the class is known only at run time.
    return cast("pa.Array[Any]", pa.repeat(cast(Any, pa.scalar(value, type=arrow)), count))


def _empty_value(column: ColumnInfo) -> Any:
    if column.is_nullable:
        return None
    if column.engine_type.endswith("[]"):
        return []
    return _EMPTY_VALUES.get(column.engine_type, 0)
