"""Types.

What a system relation's PostgreSQL type is in DuckDB and in Arrow, and what a user column's type is called.

PostgreSQL docs, "Object Identifier Types", "pg_type".
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa

from pgproxy.catalog.declared_types import length_limit
from pgproxy.catalog.snapshot import ColumnInfo, SystemType
from pgwire.types import encode_typmod, postgres_type_of, type_by_name

DOMAIN_BASES: Mapping[str, str] = {
    "sql_identifier": "name",
    "character_data": "varchar",
    "yes_or_no": "varchar",
    "cardinal_number": "int4",
    "time_stamp": "timestamptz",
}
"""The domains of information_schema; RowDescription carries a domain's base type."""


def _reg(oid: int, array_oid: int, name: str) -> SystemType:
    return SystemType(oid, array_oid, "BIGINT", output=f"{name}_text", input=f"{name}_oid")


SYSTEM_TYPES: Mapping[str, SystemType] = {
    "oid": SystemType(26, 1028, "BIGINT"),
    "xid": SystemType(28, 1011, "BIGINT"),
    "name": SystemType(19, 1003, "VARCHAR"),
    "char": SystemType(18, 1002, "VARCHAR"),
    "int2vector": SystemType(22, 1006, "SMALLINT[]", is_zero_based=True),
    "oidvector": SystemType(30, 1013, "BIGINT[]", is_zero_based=True),
    "regproc": _reg(24, 1008, "regproc"),
    "regprocedure": _reg(2202, 2207, "regproc"),
    "regclass": _reg(2205, 2210, "regclass"),
    "regtype": _reg(2206, 2211, "regtype"),
    "regoper": SystemType(2203, 2208, "BIGINT", output="regoper_text"),
    "regnamespace": _reg(4089, 4090, "regnamespace"),
    "regrole": _reg(4096, 4097, "regrole"),
    "regcollation": _reg(4191, 4192, "regcollation"),
    "regdictionary": _reg(3769, 3770, "regdictionary"),
    "pg_node_tree": SystemType(194, 0, "VARCHAR"),
    "pg_ndistinct": SystemType(3361, 0, "VARCHAR"),
    "pg_dependencies": SystemType(3402, 0, "VARCHAR"),
    "pg_mcv_list": SystemType(5017, 0, "VARCHAR"),
    "aclitem": SystemType(1033, 1034, "VARCHAR"),
    "pg_lsn": SystemType(3220, 3221, "VARCHAR"),
    "void": SystemType(2278, 0, "VARCHAR"),
    "inet": SystemType(869, 1041, "VARCHAR"),
    "anyarray": SystemType(2277, 0, "VARCHAR[]"),
    "_name": SystemType(1003, 0, "VARCHAR[]"),
    "_char": SystemType(1002, 0, "VARCHAR[]"),
    "_oid": SystemType(1028, 0, "BIGINT[]"),
    "_regtype": SystemType(2211, 0, "VARCHAR[]"),
    "_aclitem": SystemType(1034, 0, "VARCHAR[]"),
    "_pg_statistic": SystemType(10028, 0, "VARCHAR[]"),
}
"""By internal name. Types that DuckDB has itself (int4, text, bool, _text, …) are not here."""

_ENGINE_TYPES: Mapping[str, str] = {
    "bool": "BOOLEAN",
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "numeric": "DECIMAL(38,0)",
    "text": "VARCHAR",
    "varchar": "VARCHAR",
    "bytea": "BLOB",
    "interval": "INTERVAL",
    "jsonb": "JSON",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "_bool": "BOOLEAN[]",
    "_int2": "SMALLINT[]",
    "_float4": "FLOAT[]",
    "_float8": "DOUBLE[]",
    "_text": "VARCHAR[]",
}

_ARROW_TYPES: Mapping[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "DECIMAL(38,0)": pa.decimal128(38, 0),
    "VARCHAR": pa.string(),
    "BLOB": pa.binary(),
    "JSON": pa.string(),
    "INTERVAL": pa.month_day_nano_interval(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
}


def system_engine_type(pg_type: str) -> str:
    """Name DuckDB's type for a system column.

    Raises KeyError for a type that no PostgreSQL 15 catalog has.
    """
    known = SYSTEM_TYPES.get(pg_type)
    return known.engine_type if known is not None else _ENGINE_TYPES[pg_type]


def arrow_type(engine_type: str) -> pa.DataType:
    """Give the Arrow type that DuckDB reads as `engine_type`, for the types of system columns."""
    if engine_type.endswith("[]"):
        return pa.list_(arrow_type(engine_type[:-2]))
    return _ARROW_TYPES[engine_type]


class UserType(NamedTuple):
    """What pg_attribute says of a user column: RowDescription's type OID and typmod, and the array depth."""

    oid: int
    typmod: int
    dimensions: int = 0


_DIMENSION = re.compile(r"\[\d*\]$")


def column_type(column: ColumnInfo) -> UserType:
    """Name the PostgreSQL type of a user's column, as declared if the engine has no such type."""
    return user_type(column.engine_type) if column.declared is None else _declared_type(column.declared)


@lru_cache(maxsize=1024)
def _declared_type(declared: str) -> UserType:
    known = type_by_name(declared.partition("(")[0])
    oid, limit = known.oid if known is not None else 0, length_limit(declared)
    return UserType(oid, encode_typmod(oid, (limit,) if limit is not None else ()))


@lru_cache(maxsize=4096)
def user_type(engine_type: str) -> UserType:
    """Name the PostgreSQL type under which a column of `engine_type` travels.

    The same that RowDescription says.
    """
    element, dimensions = engine_type, 0
    while match := _DIMENSION.search(element):
        element, dimensions = element[: match.start()], dimensions + 1
    oid, typmod = postgres_type_of(engine_type)
    return UserType(oid, typmod, dimensions)
