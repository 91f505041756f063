"""PostgreSQL's types by name, as sqlglot and DuckDB call them. PostgreSQL docs, "Data Types"."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from sqlglot import exp

INTEGERS = ("int2", "int4", "int8")
FLOATS = ("float4", "float8")
TEXTS = ("text", "varchar", "bpchar", "name")
DOCUMENTS = ("json", "jsonb")
NUMBER_ORDER = ("int2", "int4", "int8", "numeric", "float4", "float8")


ENGINE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "int2": "SMALLINT",
        "int4": "INTEGER",
        "int8": "BIGINT",
        "float4": "FLOAT",
        "float8": "DOUBLE",
        "numeric": "DECIMAL(38, 10)",
        "bool": "BOOLEAN",
        "date": "DATE",
        "timestamp": "TIMESTAMP",
        "timestamptz": "TIMESTAMPTZ",
        "uuid": "UUID",
    }
)
"""What the engine calls a type; text where it is not here."""


_SQL_NAMES = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
    "bool": "boolean", "varchar": "character varying", "bpchar": "character",
    "timestamp": "timestamp without time zone", "timestamptz": "timestamp with time zone",
    "time": "time without time zone", "timetz": "time with time zone",
}  # fmt: skip


_DATA_TYPES: Mapping[exp.DType, str] = MappingProxyType(
    {
        exp.DType.TINYINT: "int2",
        exp.DType.SMALLINT: "int2",
        exp.DType.INT: "int4",
        exp.DType.BIGINT: "int8",
        exp.DType.INT128: "numeric",
        exp.DType.DECIMAL: "numeric",
        exp.DType.FLOAT: "float4",
        exp.DType.DOUBLE: "float8",
        exp.DType.BOOLEAN: "bool",
        exp.DType.CHAR: "bpchar",
        exp.DType.VARCHAR: "varchar",
        exp.DType.BPCHAR: "bpchar",
        exp.DType.NAME: "name",
        exp.DType.TEXT: "text",
        exp.DType.VARBINARY: "bytea",
        exp.DType.BIT: "bit",
        exp.DType.DATE: "date",
        exp.DType.TIME: "time",
        exp.DType.TIMETZ: "timetz",
        exp.DType.TIMESTAMP: "timestamp",
        exp.DType.TIMESTAMPNTZ: "timestamp",
        exp.DType.TIMESTAMP_S: "timestamp",
        exp.DType.TIMESTAMP_MS: "timestamp",
        exp.DType.TIMESTAMP_NS: "timestamp",
        exp.DType.TIMESTAMPTZ: "timestamptz",
        exp.DType.INTERVAL: "interval",
        exp.DType.JSON: "json",
        exp.DType.JSONB: "jsonb",
        exp.DType.UUID: "uuid",
    }
)


def sql_name(kind: str) -> str:
    """A type as PostgreSQL's messages call it."""
    if kind.endswith("[]"):
        return sql_name(kind.removesuffix("[]")) + "[]"
    return _SQL_NAMES.get(kind, kind)


def type_of_data_type(kind: exp.DataType) -> str | None:
    """Give PostgreSQL's name of a type in a cast."""
    if kind.this in (exp.DType.ARRAY, exp.DType.LIST) and kind.expressions:
        element = type_of_data_type(kind.expressions[0])
        return f"{element}[]" if element else None
    return _DATA_TYPES.get(kind.this)


def is_declared(name: str) -> bool:
    """Whether a type is as a column was declared (`varchar(5)`); the engine's own are in capitals."""
    return name[:1].islower()


@lru_cache(maxsize=4096)
def type_of_engine_type(name: str) -> str | None:
    """Give PostgreSQL's name of a DuckDB type, or of a declared one. Remembered: each column asks."""
    dialect = "postgres" if is_declared(name) else "duckdb"
    try:
        return type_of_data_type(exp.DataType.build(name, dialect=dialect))
    except (ValueError, TypeError):
        return None
