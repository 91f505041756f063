"""PostgreSQL's meaning on DuckDB: plain functions from tree to tree. Pure."""

from pgproxy.sql.dialect.engine import to_engine
from pgproxy.sql.dialect.grammar import SourceDialect, parse_source, protect_calls, restore_calls
from pgproxy.sql.dialect.names import output_names
from pgproxy.sql.dialect.result_types import declared_oids, declared_typmods
from pgproxy.sql.dialect.types import TypeSource

__all__ = [
    "SourceDialect",
    "TypeSource",
    "declared_oids",
    "declared_typmods",
    "output_names",
    "parse_source",
    "protect_calls",
    "restore_calls",
    "to_engine",
]
