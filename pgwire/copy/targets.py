"""What COPY FROM fills: columns with their types, and the Arrow types in which values go to the engine."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from pgwire.errors import GatewayError

Duration = tuple[int, int, int]
"""Months, days, microseconds."""

_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\((\d+),\s*(\d+)\)\Z", re.IGNORECASE)
_LIST_SUFFIX = re.compile(r"\[\d*\]\Z")
_ARROW_TYPES: dict[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int16(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "UTINYINT": pa.int16(),
    "USMALLINT": pa.int32(),
    "UINTEGER": pa.int64(),
    "UBIGINT": pa.decimal128(38, 0),
    "HUGEINT": pa.decimal128(38, 0),
    "UHUGEINT": pa.decimal128(38, 0),
    "BIGNUM": pa.decimal128(38, 0),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "BLOB": pa.binary(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMP_S": pa.timestamp("us"),
    "TIMESTAMP_MS": pa.timestamp("us"),
    "TIMESTAMP_NS": pa.timestamp("us"),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
    "INTERVAL": pa.month_day_nano_interval(),
}


_ENGINE_NAMES: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.binary(): "BLOB",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.time64("us"): "TIME",
    pa.timestamp("us"): "TIMESTAMP",
    pa.timestamp("us", "UTC"): "TIMESTAMP WITH TIME ZONE",
    pa.month_day_nano_interval(): "INTERVAL",
}


@dataclass(frozen=True, slots=True)
class MomentForms:
    """Readers of PostgreSQL's many spellings; each gives None for what it cannot read.

    date: ISO form and what follows it. time: `hh:mm:ss[.f]` and its zone. timestamp: both in ISO form, the
    zone kept where asked. interval: a duration.
    """

    date: Callable[[str], tuple[str, str] | None]
    time: Callable[[str], tuple[str, str] | None]
    timestamp: Callable[[str, bool], str | None]
    interval: Callable[[str], Duration | None]


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column that COPY FROM fills. engine_type: DuckDB's name of its type."""

    name: str
    type_oid: int
    engine_type: str
    is_nullable: bool = True


@dataclass(frozen=True, slots=True)
class CopyTarget:
    """The table's name as errors show it, and the columns in the order of the data.

    time_zone: of the session, for timestamptz without an offset.
    """

    table: str
    columns: tuple[TargetColumn, ...]
    forms: MomentForms
    time_zone: str = "UTC"

    @property
    def schema(self) -> pa.Schema:
        """The shape of the batches that a decoder gives."""
        return pa.schema([(column.name, staging_type(column.engine_type)) for column in self.columns])


class CellError(Exception):
    """A value that cannot be stored. row, column: places in the batch; error: what PostgreSQL says of it."""

    def __init__(self, row: int, column: int, error: GatewayError) -> None:
        super().__init__(error.message)
        self.row = row
        self.column = column
        self.error = error


def staging_engine_type(engine_type: str) -> str:
    """Name DuckDB's type of what `staging_type` gives."""
    return _engine_name(staging_type(engine_type))


def _engine_name(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return _engine_name(kind.value_type) + "[]"
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return _ENGINE_NAMES[kind]


def staging_type(engine_type: str) -> pa.DataType:
    """Give the Arrow type in which values of a column travel.

    Types that Arrow lacks travel as text, which the engine casts when it stores them.
    """
    suffix = _LIST_SUFFIX.search(engine_type)
    if suffix is not None:
        return pa.list_(staging_type(engine_type[: suffix.start()]))
    decimal = _DECIMAL.match(engine_type)
    if decimal is not None:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return _ARROW_TYPES.get(engine_type.upper(), pa.string())
