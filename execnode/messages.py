"""The in-process dataclasses of `execnode.statement` ⇄ their twins in schema.proto."""

from typing import cast

from execnode.chunk_sending import LARGE_BYTES
from execnode.rpc.execnode import v1
from execnode.statement import (
    CatalogDefinition,
    CatalogGeneration,
    EngineStatement,
    Parameter,
    RowChunk,
    RowEncoding,
)
from pgwire.types import OutputSettings, ResultColumn


def decode_generation(message: v1.AttachCatalogsRequest) -> CatalogGeneration:
    """Read a generation."""
    return CatalogGeneration(
        message.generation,
        tuple(
            CatalogDefinition(
                c.name, c.kind, c.location, c.is_read_only, dict(c.options), dict(c.credentials)
            )
            for c in message.catalogs
        ),
    )


def decode_statement(message: v1.Statement | None) -> EngineStatement:
    """Read a statement.

    Raises:
        ValueError: there is none, or its encoding is unknown.
    """
    if message is None:
        raise ValueError("the call has no statement")
    return EngineStatement(
        sql=message.sql,
        parameters=tuple(Parameter(p.type_oid, p.format, p.value) for p in message.parameters),
        result_columns=tuple(
            ResultColumn(c.name, c.type_oid, c.typmod, c.engine_type) for c in message.result_columns
        ),
        result_formats=tuple(message.result_formats),
        output=_decode_output(message.output),
        encoding=RowEncoding(int(message.encoding)),
        with_row_offsets=message.with_row_offsets,
        returns_rows=message.returns_rows,
        copy_options=dict(message.copy_options),
        tracks_progress=message.tracks_progress,
        keeps_plan=message.keeps_plan,
        reads=frozenset(message.reads),
    )


def encode_columns(columns: tuple[ResultColumn, ...]) -> list[v1.Column]:
    """Write a result's shape."""
    return [
        v1.Column(name=c.name, type_oid=c.type_oid, typmod=c.typmod, engine_type=c.engine_type)
        for c in columns
    ]


def encode_chunk(sequence: int, chunk: RowChunk) -> v1.ResultChunk:
    """Write a chunk; the caller adds columns, `is_last` and the count of affected rows.

    Many rows are not copied: such a message is for `ChunkCodec` alone.
    """
    rows = chunk.rows if len(chunk.rows) >= LARGE_BYTES else bytes(chunk.rows)
    return v1.ResultChunk(
        sequence=sequence,
        rows=cast(bytes, rows),
        row_count=chunk.row_count,
        row_offsets=chunk.row_offsets if chunk.row_count else b"",
    )


def _decode_output(message: v1.OutputSettings | None) -> OutputSettings:
    if message is None:
        return OutputSettings()
    return OutputSettings(
        time_zone=message.time_zone,
        interval_style=message.interval_style,
        extra_float_digits=message.extra_float_digits,
        bytea_output=message.bytea_output,
    )
