"""OIDs, typmods, and DuckDB type ⇄ PostgreSQL type."""

from pgwire.types.catalogue import ALL_TYPES, Oid, PgType, type_by_name, type_by_oid
from pgwire.types.columns import OutputSettings, ResultColumn
from pgwire.types.engine import UNCONSTRAINED_NUMERIC, engine_type_of, postgres_type_of, result_column
from pgwire.types.typmod import decode_typmod, encode_typmod, format_type

__all__ = [
    "ALL_TYPES",
    "UNCONSTRAINED_NUMERIC",
    "Oid",
    "OutputSettings",
    "PgType",
    "ResultColumn",
    "decode_typmod",
    "encode_typmod",
    "engine_type_of",
    "format_type",
    "postgres_type_of",
    "result_column",
    "type_by_name",
    "type_by_oid",
]
