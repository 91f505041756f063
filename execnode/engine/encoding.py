"""Between a statement's wire forms and the engine: parameters in, encoded rows out."""

import json
from collections.abc import Mapping, Sequence
from typing import Protocol, assert_never

import pyarrow as pa

from execnode.engine.arrow_stream import END_OF_STREAM, ArrowStreamEncoder
from execnode.engine.chunks import BatchEncoding, EncodeBatch
from execnode.statement import EngineStatement, Parameter, RowChunk, RowEncoding
from pgwire.copy import CopyBinaryEncoder, CopyCsvEncoder, CopyCsvOptions, CopyTextEncoder, CopyTextOptions
from pgwire.rows import EncodedRows, RowEncoder
from pgwire.types import ResultColumn
from pgwire.values import decode_parameter


def decode_parameters(parameters: Sequence[Parameter]) -> list[object]:
    """Decode Bind's values into what DuckDB binds; every `$n` stands inside a CAST in the SQL.

    Raises:
        GatewayError: a value is not of its type.
    """
    return [None if p.value is None else decode_parameter(p.type_oid, p.format, p.value) for p in parameters]


def batch_encoding(
    statement: EngineStatement, columns: tuple[ResultColumn, ...], schema: pa.Schema
) -> BatchEncoding:
    """Choose how batches of this statement become bytes. schema: of the batches that will come.

    Raises:
        GatewayError: a column cannot be encoded in the format asked for, or a COPY option is wrong.
    """
    match statement.encoding:
        case RowEncoding.DATA_ROW:
            rows = RowEncoder(columns, statement.result_formats, statement.output)
            return BatchEncoding(_encode_with(rows, statement.with_row_offsets))
        case RowEncoding.COPY_TEXT:
            text = CopyTextEncoder(columns, _text_options(statement.copy_options), statement.output)
            return BatchEncoding(_encode_with(text), header=text.header())
        case RowEncoding.COPY_CSV:
            csv = CopyCsvEncoder(columns, _csv_options(statement.copy_options), statement.output)
            return BatchEncoding(_encode_with(csv), header=csv.header())
        case RowEncoding.COPY_BINARY:
            binary = CopyBinaryEncoder(columns, statement.output)
            return BatchEncoding(
                _encode_with(binary), header=binary.header(), trailer=binary.trailer(), joins_header=True
            )
        case RowEncoding.ARROW_STREAM:
            arrow = ArrowStreamEncoder(schema, columns)
            return BatchEncoding(arrow.encode, header=arrow.header(), trailer=END_OF_STREAM)
        case _:
            assert_never(statement.encoding)


class _Encoder(Protocol):
    def encode(self, batch: pa.RecordBatch) -> EncodedRows: ...


def _encode_with(encoder: _Encoder, with_offsets: bool = False) -> EncodeBatch:
    def encode(batch: pa.RecordBatch) -> RowChunk:
        rows = encoder.encode(batch)
        return RowChunk(rows.data, rows.row_count, bytes(rows.offsets) if with_offsets else b"")

    return encode


def _text_options(options: Mapping[str, str]) -> CopyTextOptions:
    """`delimiter`, `null`, and `header` = `true`; what is absent has PostgreSQL's default."""
    texts = {name: options[name] for name in ("delimiter", "null") if name in options}
    return CopyTextOptions(**texts, header=options.get("header") == "true")


def _csv_options(options: Mapping[str, str]) -> CopyCsvOptions:
    """As for text, and `quote`, `escape`, and `force_quote`: a JSON array of column names, or `["*"]`."""
    texts = {name: options[name] for name in ("delimiter", "null", "quote", "escape") if name in options}
    forced: list[str] = json.loads(options.get("force_quote", "[]"))
    return CopyCsvOptions(**texts, header=options.get("header") == "true", force_quote=frozenset(forced))
