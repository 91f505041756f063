"""In-process values to their twins in schema.proto, and back."""

from collections.abc import Iterable

from execnode.rpc.execnode import v1
from execnode.statement import CatalogGeneration, EngineStatement
from pgwire.types import ResultColumn


def encode_statement(statement: EngineStatement) -> v1.Statement:
    """Encode a statement."""
    output = statement.output
    return v1.Statement(
        sql=statement.sql,
        parameters=[
            v1.Parameter(type_oid=p.type_oid, format=p.format, value=p.value) for p in statement.parameters
        ],
        result_columns=[_encode_column(column) for column in statement.result_columns],
        result_formats=list(statement.result_formats),
        output=v1.OutputSettings(
            time_zone=output.time_zone,
            interval_style=output.interval_style,
            extra_float_digits=output.extra_float_digits,
            bytea_output=output.bytea_output,
        ),
        encoding=v1.RowEncoding(statement.encoding),
        with_row_offsets=statement.with_row_offsets,
        returns_rows=statement.returns_rows,
        copy_options=dict(statement.copy_options),
        tracks_progress=statement.tracks_progress,
        keeps_plan=statement.keeps_plan,
        reads=sorted(statement.reads) if statement.keeps_plan else [],
    )


def encode_generation(generation: CatalogGeneration) -> v1.AttachCatalogsRequest:
    """Encode the set of catalogs that a node is to attach."""
    return v1.AttachCatalogsRequest(
        generation=generation.number,
        catalogs=[
            v1.Catalog(
                name=catalog.name,
                kind=catalog.kind,
                location=catalog.location,
                is_read_only=catalog.is_read_only,
                options=dict(catalog.options),
                credentials=dict(catalog.credentials),
            )
            for catalog in generation.catalogs
        ],
    )


def decode_columns(columns: Iterable[v1.Column]) -> tuple[ResultColumn, ...]:
    """Decode the shape of a result."""
    return tuple(ResultColumn(c.name, c.type_oid, c.typmod, c.engine_type) for c in columns)


def _encode_column(column: ResultColumn) -> v1.Column:
    return v1.Column(
        name=column.name, type_oid=column.type_oid, typmod=column.typmod, engine_type=column.engine_type
    )
