"""Between a statement's wire forms and the engine: parameters in, encoded rows out."""

from collections.abc import Sequence

import pyarrow as pa
from pgwire.values import decode_parameter

from execnode.engine.chunks import EncodeBatch
from execnode.engine.errors import engine_error
from execnode.statement import EngineStatement, Parameter, RowChunk, RowEncoding
from pgwire.rows import RowEncoder
from pgwire.sqlstate import SqlState
from pgwire.types import ResultColumn


def decode_parameters(parameters: Sequence[Parameter]) -> list[object]:
    """Decode Bind's values into what DuckDB binds; every `$n` stands inside a CAST in the SQL.

    Raises:
        GatewayError: a value is not of its type.
    """
    return [None if p.value is None else decode_parameter(p.type_oid, p.format, p.value) for p in parameters]


def batch_encoder(statement: EngineStatement, columns: tuple[ResultColumn, ...]) -> EncodeBatch:
    """Choose how batches of this statement become bytes.

    Raises:
        GatewayError: a column cannot be encoded in the format asked for.
    """
    if statement.encoding is not RowEncoding.DATA_ROW:
        raise engine_error(SqlState.FEATURE_NOT_SUPPORTED, message="COPY formats are not supported yet")
    encoder = RowEncoder(columns, statement.result_formats, statement.output)
    with_offsets = statement.with_row_offsets

    def encode(batch: pa.RecordBatch) -> RowChunk:
        rows = encoder.encode(batch)
        return RowChunk(rows.data, rows.row_count, bytes(rows.offsets) if with_offsets else b"")

    return encode
