"""Arrow batches → an Arrow IPC stream in pieces: what is stored and only later given a format.

Header, batches and trailer one behind the other are one stream ("Arrow Columnar Format", IPC Streaming
Format). Every batch is whole by itself, without dictionaries, so that a reader may begin at any of them.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pyarrow as pa

from execnode.statement import RowChunk
from pgwire.rows.codecs import TextCodec
from pgwire.rows.sources import unwrap
from pgwire.types import Oid, OutputSettings, ResultColumn

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
        plain = [plain_array(column) for column in batch.columns]
        self._writer.write_batch(pa.RecordBatch.from_arrays(plain, schema=self._schema))
        return RowChunk(self._taken(), batch.num_rows)

    def _taken(self) -> bytes:
        written = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return written


def plain_type(kind: Any) -> Any:
    """Give the type that every reader of Arrow knows: none of dictionaries, none of DuckDB's extensions."""
    if isinstance(kind, pa.BaseExtensionType):
        return _PLAIN_EXTENSIONS.get(_extension_name(kind)) or plain_type(kind.storage_type)
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


_PLAIN_EXTENSIONS = {
    "arrow.bool8": pa.bool_(),
    "arrow.uuid": pa.string(),
    "hugeint": pa.decimal128(38, 0),
    "uhugeint": pa.decimal256(39, 0),
    "time_tz": pa.string(),
    "bit": pa.string(),
}
_TEXTS = {"arrow.uuid": Oid.UUID, "time_tz": Oid.TIMETZ, "bit": Oid.VARBIT}
"""What is text in `plain_type`: PostgreSQL's text of this type."""


def plain_array(array: Any) -> Any:
    """Give the array in its `plain_type`."""
    kind = array.type
    plain = plain_type(kind)
    if plain == kind:
        return array
    if isinstance(kind, pa.BaseExtensionType):
        return _without_extension(array, plain)
    if pa.types.is_dictionary(kind):
        return array.cast(plain)
    if pa.types.is_struct(kind):
        fields = [plain_array(array.field(place)) for place in range(kind.num_fields)]
        return pa.StructArray.from_arrays(fields, fields=list(plain), mask=array.is_null())
    if pa.types.is_map(kind):
        entries = [plain_array(array.keys), plain_array(array.items)]
        children = [pa.StructArray.from_arrays(entries, fields=[plain.key_field, plain.item_field])]
    else:
        children = [plain_array(array.values)]
    own = array.buffers()[: 2 if pa.types.is_list(kind) or pa.types.is_map(kind) else 1]
    return pa.Array.from_buffers(plain, len(array), own, array.null_count, array.offset, children)


def _without_extension(array: Any, plain: Any) -> Any:
    oid = _TEXTS.get(_extension_name(array.type))
    if oid is not None:
        return TextCodec(ResultColumn("", oid, -1, ""), OutputSettings()).strings(array, oid).cast(plain)
    kind, storage = unwrap(array)
    return storage if kind == "json" else storage.cast(plain)


def _extension_name(kind: Any) -> str:
    """Arrow's own name of an extension, or DuckDB's."""
    return str(getattr(kind, "type_name", kind.extension_name))
