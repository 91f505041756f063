"""A stored result in the formats in which it is given out. What may block is called in threads.

Values look the same in all of them: they are made by the encoders that write DataRow and COPY.
"""

import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pgproxy.queue.results import StoredResult
from pgwire.copy import CopyCsvEncoder, CopyCsvOptions
from pgwire.rows.cells import join
from pgwire.rows.codecs import encoder_of
from pgwire.rows.json_rows import JsonRowEncoder
from pgwire.types import OutputSettings, ResultColumn, type_by_oid

_GROUP_ROWS = 122_880
"""Rows of a Parquet row group, as DuckDB writes them."""


class ResultFormat(StrEnum):
    """What GET /queries/{id}/results may give."""

    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """The Content-Type."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    ResultFormat.JSON: "application/json",
    ResultFormat.CSV: "text/csv; charset=utf-8; header=present",
    ResultFormat.ARROW: "application/vnd.apache.arrow.stream",
    ResultFormat.PARQUET: "application/vnd.apache.parquet",
}

BinaryFile = io.BufferedIOBase
Batches = Iterable[pa.RecordBatch]


def render(
    result: StoredResult, columns: Sequence[ResultColumn], form: ResultFormat, target: Path, place: str
) -> None:
    """Write the whole result as a file, which appears under its name once it is whole. place: of the draft.

    Raises:
        OSError: the disk refused.
    """
    draft = target.with_name(f"{target.name}.{place}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            write_format(result.schema, columns, result.batches(), form, file)
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)


def write_format(  # noqa: PLR0913, PLR0917  # the whole input of one encoding
    schema: pa.Schema,
    columns: Sequence[ResultColumn],
    batches: Batches,
    form: ResultFormat,
    file: BinaryFile,
    tail: str = "",
) -> None:
    """Write rows in a format. tail: further members of the JSON object, each with a comma before it."""
    match form:
        case ResultFormat.JSON:
            _write_all(file, _json(columns, batches, tail))
        case ResultFormat.CSV:
            _write_all(file, _csv(columns, batches))
        case ResultFormat.ARROW:
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            with pa.ipc.new_stream(pa.PythonFile(file), schema, options=options) as arrow:
                for batch in batches:
                    arrow.write_batch(batch)
        case ResultFormat.PARQUET:
            _write_parquet(schema, columns, batches, file)


def column_facts(columns: Sequence[ResultColumn]) -> list[dict[str, str]]:
    """Names and PostgreSQL's types, for JSON."""
    return [{"name": c.name, "type": _type_name(c.type_oid)} for c in columns]


def _type_name(oid: int) -> str:
    known = type_by_oid(oid)
    return known.name if known is not None else "text"


def _write_all(file: BinaryFile, parts: Iterable[bytes]) -> None:
    for part in parts:
        file.write(part)


def _json(columns: Sequence[ResultColumn], batches: Batches, tail: str) -> Iterator[bytes]:
    yield b'{"columns":' + json.dumps(column_facts(columns)).encode() + b',"rows":[\n'
    encoder = JsonRowEncoder(columns)
    waiting = b""
    for batch in batches:
        yield waiting
        waiting = encoder.encode(batch)
    yield waiting.removesuffix(b",\n") + b"\n]" + tail.encode() + b"}\n"


def _csv(columns: Sequence[ResultColumn], batches: Batches) -> Iterator[bytes]:
    encoder = CopyCsvEncoder(columns, CopyCsvOptions(header=True))
    yield encoder.file_header()
    for batch in batches:
        yield encoder.file_lines(batch)


def _write_parquet(
    schema: pa.Schema, columns: Sequence[ResultColumn], batches: Batches, file: BinaryFile
) -> None:
    """Columns whose type Parquet lacks (intervals) become PostgreSQL's text."""
    changes = [
        _to_text(column) if _is_foreign(field.type) else None
        for field, column in zip(schema, columns, strict=True)
    ]
    plain = pa.schema(
        [
            field if change is None else pa.field(field.name, pa.string())
            for field, change in zip(schema, changes, strict=True)
        ]
    )
    with pq.ParquetWriter(pa.PythonFile(file), plain, compression="zstd") as writer:
        held: list[pa.RecordBatch] = []
        for batch in batches:
            arrays = [a if c is None else c(a) for a, c in zip(batch.columns, changes, strict=True)]
            held.append(pa.RecordBatch.from_arrays(arrays, schema=plain))
            if sum(b.num_rows for b in held) >= _GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(held, plain))
                held = []
        if held:
            writer.write_table(pa.Table.from_batches(held, plain))


def _is_foreign(kind: Any) -> bool:
    """Whether Parquet has no such type, at any depth."""
    if pa.types.is_interval(kind) or pa.types.is_null(kind):
        return True
    if pa.types.is_struct(kind) and kind.num_fields == 0:
        return True
    return any(_is_foreign(kind.field(place).type) for place in range(kind.num_fields))


def _to_text(column: ResultColumn) -> Callable[[Any], Any]:
    encode = encoder_of(column, 0, OutputSettings())

    def text(array: Any) -> Any:
        cells = encode(array)
        found = join(cells.pieces, len(array)).cast(pa.string())
        if cells.valid is None:
            return found
        return pa.compute.if_else(pa.array(cells.valid), found, pa.scalar(None, pa.string()))

    return text
