"""Arrow batches → an Arrow IPC stream in pieces: what is stored and only later given a format.

Header, batches and trailer one behind the other are one stream ("Arrow Columnar Format", IPC Streaming
Format). Every batch is whole by itself, without dictionaries, so that a reader may begin at any of them.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pyarrow as pa

from execnode.statement import RowChunk
from pgwire.types import ResultColumn

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)


class ArrowStreamEncoder:
    """Encodes the batches of one result. columns: give the fields their names."""

    def __init__(self, schema: pa.Schema, columns: Sequence[ResultColumn]) -> None:
        names = [column.name for column in columns] or schema.names
        self._schema = pa.schema(
            [
                pa.field(name, plain_type(field.type), field.nullable, field.metadata)
                for name, field in zip(names, schema, strict=True)
            ]
        )

        self._sink = BytesIO()
        self._writer = pa.ipc.new_stream(self._sink, self._schema, options=_OPTIONS)
        # The writer puts the schema before its first batch, which may never come: `header` gives it.
        self._writer.write_batch(pa.RecordBatch.from_pylist([], self._schema))
        self._taken()

    def header(self) -> bytes:
        """Give the schema's message."""
        return bytes(self._schema.serialize())

    def encode(self, batch: pa.RecordBatch) -> RowChunk:
        """Give one batch's message."""
        plain = [
            column if column.type == field.type else column.cast(field.type)
            for column, field in zip(batch.columns, self._schema, strict=True)
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(plain, schema=self._schema))
        return RowChunk(self._taken(), batch.num_rows)

    def _taken(self) -> bytes:
        written = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return written


def plain_type(kind: Any) -> Any:
    """Give the type without dictionaries, as which DuckDB hands over its ENUMs."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(plain_type(kind.value_type)))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(plain_type(kind.value_type)), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(plain_type(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(plain_type(kind.key_type), plain_type(kind.item_type))
    return kind
