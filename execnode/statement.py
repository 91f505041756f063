"""What an engine is asked to run and what it gives back; the same for the embedded engine and for gRPC.

These are the in-process twins of the messages in `schema.proto`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from pgwire.types import OutputSettings, ResultColumn


class RowEncoding(IntEnum):
    """How `RowChunk.rows` is encoded; the numbers are those of `schema.proto`."""

    DATA_ROW = 0
    COPY_TEXT = 1
    COPY_CSV = 2
    COPY_BINARY = 3
    ARROW_STREAM = 4


@dataclass(frozen=True, slots=True)
class Parameter:
    """One bound parameter as it came in Bind. format: 0 text, 1 binary. value: None is NULL."""

    type_oid: int
    format: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class EngineStatement:
    """One statement in the engine's dialect, rendered by the gateway from an AST.

    parameters: for $1, $2, … in `sql`; every `$n` stands inside a CAST, so its engine type is fixed.
    result_columns: the declared shape, to which rows are coerced (a NULL parameter may change the engine's
    own
        type of an expression); empty: the engine's own shape.
    result_formats: none (all text), one for all, or one a column; 0 text, 1 binary.
    with_row_offsets: chunks can then be split at a row boundary without reading rows.
    returns_rows: False: the engine answers with a count of affected rows.
    tracks_progress: the engine keeps count of how far it is; costs a little at every statement.
    keeps_plan: the engine keeps the plan for the next time, if nothing in `reads` can change; for what has no
        parameters.
    reads: the catalogs of the tables that it reads.
    rows_as_of: the number of what the rows are as of: the same statement gives the same rows again while the
        number is the same. None: they may be others each time.
    metadata: sent beside it: see `execnode.call_context`; nothing of the statement itself.
    """

    sql: str
    parameters: tuple[Parameter, ...] = ()
    result_columns: tuple[ResultColumn, ...] = ()
    result_formats: tuple[int, ...] = ()
    output: OutputSettings = field(default_factory=OutputSettings)
    encoding: RowEncoding = RowEncoding.DATA_ROW
    with_row_offsets: bool = False
    returns_rows: bool = True
    copy_options: Mapping[str, str] = field(default_factory=dict)
    tracks_progress: bool = False
    keeps_plan: bool = False
    reads: frozenset[str] = frozenset()
    rows_as_of: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowChunk:
    """Whole encoded rows.

    rows: any bytes-like; owned by the chunk, never written again.
    row_offsets: where each row begins in `rows`, and the end: row_count + 1 little-endian int32; empty if not
    asked.
    """

    rows: bytes | memoryview
    row_count: int
    row_offsets: bytes = b""


@dataclass(frozen=True, slots=True)
class CatalogDefinition:
    """One catalog to attach. kind: `duckdb`, `parquet` or `ducklake`. location: a path or URL.

    credentials: held in memory only, shown nowhere.
    """

    name: str
    kind: str
    location: str
    is_read_only: bool
    options: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class CatalogGeneration:
    """The numbered set of catalogs that a statement was planned against."""

    number: int
    catalogs: tuple[CatalogDefinition, ...]
