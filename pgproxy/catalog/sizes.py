"""How large a table is: an estimate from what the engine says of a whole database.

DuckDB tells the blocks that a database uses cheaply, those of a table only by reading every segment. So a
database's bytes are shared out over its tables by rows and by the widths of their columns; where the engine
tells no blocks (in memory, over Parquet, DuckLake), a table counts as its values without compression.
"""

from collections import defaultdict
from collections.abc import Mapping

import duckdb

from pgproxy.catalog.snapshot import RelationKind, TableInfo
from pgproxy.policy.model import TableName

_WIDTHS = {
    "BOOLEAN": 1, "TINYINT": 1, "UTINYINT": 1, "SMALLINT": 2, "USMALLINT": 2, "INTEGER": 4, "UINTEGER": 4,
    "FLOAT": 4, "DATE": 4, "HUGEINT": 16, "UHUGEINT": 16, "UUID": 16, "INTERVAL": 16,
}  # fmt: skip
_NUMBER, _TEXT = 8, 24
_OF_OPEN_LENGTH = ("VARCHAR", "BLOB", "JSON", "BIT")


def used_bytes(connection: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    """The bytes of the blocks that each attached database uses; 0 where the engine tells none."""
    sql = "SELECT database_name, block_size * used_blocks FROM pragma_database_size()"
    return {name: int(size or 0) for name, size in connection.execute(sql).fetchall()}


def estimated_sizes(
    tables: Mapping[TableName, TableInfo], used: Mapping[str, int]
) -> Mapping[TableName, int]:
    """Bytes of each table. used: those of each catalog, shared out in whole."""
    plain = {
        name: info.estimated_rows * sum(_width(column.engine_type) for column in info.columns)
        for name, info in tables.items()
        if info.kind is RelationKind.TABLE
    }
    of_catalog: dict[str, int] = defaultdict(int)
    for name, size in plain.items():
        of_catalog[name.catalog] += size
    return {
        name: size * used[name.catalog] // of_catalog[name.catalog]
        if used.get(name.catalog) and size
        else size
        for name, size in plain.items()
    }


def _width(engine_type: str) -> int:
    if engine_type.endswith("]") or engine_type.startswith(("STRUCT", "MAP", *_OF_OPEN_LENGTH)):
        return _TEXT
    return _WIDTHS.get(engine_type, _NUMBER)
