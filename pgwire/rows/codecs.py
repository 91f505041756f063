"""Which encoder writes which PostgreSQL type: the one place where an OID becomes bytes."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from pgwire.errors import FeatureNotSupported
from pgwire.rows import binary, calendar, intervals, nested, numbers, sources, strings, zones
from pgwire.rows.arrow import pa, pc
from pgwire.rows.cells import (
    ArrowArray,
    Cells,
    Mask,
    Varying,
    compress,
    fixed_cells,
    join,
    joined_cells,
    validity,
    varying_cells,
)
from pgwire.rows.numbers import bool_values
from pgwire.types import (
    UNCONSTRAINED_NUMERIC,
    Oid,
    OutputSettings,
    ResultColumn,
    decode_typmod,
    format_type,
    type_by_oid,
)

INTEGER_OIDS = frozenset({Oid.INT2, Oid.INT4, Oid.INT8})
NEVER_QUOTED = INTEGER_OIDS | {Oid.BOOL, Oid.NUMERIC, Oid.FLOAT4, Oid.FLOAT8, Oid.UUID}
"""Elements of these types stand in an array's text as they are."""
OID_NUMBERS = frozenset({Oid.OID, Oid.XID, 29})
# Catalog columns hold these as names or as numbers; PostgreSQL prints names.
REG_TYPES = frozenset({24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096})
STRINGS = frozenset({Oid.TEXT, Oid.VARCHAR, Oid.BPCHAR, Oid.NAME, Oid.UNKNOWN, 142, 194, 1790, 2275})
_CHAR = 18
"""`"char"`, the one-byte type of the catalogs."""
TEXT_ONLY = frozenset({
    27, 650, 774, 790, 829, 869, 1033, 3220, 2276, 2277, 2279, 2283, 5069,
})  # fmt: skip
VECTORS: Mapping[int, int] = MappingProxyType({22: Oid.INT2, 30: Oid.OID})
"""int2vector and oidvector, the catalogs' own lists, by element: no braces, and subscripts from 0."""

_NATURAL: Mapping[str, int] = MappingProxyType({
    "bool": Oid.BOOL, "integer": Oid.INT8, "decimal": Oid.NUMERIC, "float": Oid.FLOAT8, "binary": Oid.BYTEA,
    "date": Oid.DATE, "time": Oid.TIME, "timetz": Oid.TIMETZ, "interval": Oid.INTERVAL, "uuid": Oid.UUID,
    "bit": Oid.VARBIT, "struct": Oid.JSON, "map": Oid.JSON, "union": Oid.JSON,
})  # fmt: skip

_INTEGERS_BY_WIDTH: Mapping[object, int] = MappingProxyType({
    pa.int8(): Oid.INT2, pa.uint8(): Oid.INT2, pa.int16(): Oid.INT2, pa.uint16(): Oid.INT4,
    pa.int32(): Oid.INT4, pa.uint64(): Oid.NUMERIC,
})  # fmt: skip

Encode = Callable[[ArrowArray], Cells]


def encoder_of(column: ResultColumn, format_code: int, output: OutputSettings) -> Encode:
    """Give the function that encodes one column.

    Raises:
        FeatureNotSupported: binary was asked of a type that has none here, or the format code is unknown.
        StatementError: 22023, the session's time zone does not exist.
    """
    if format_code not in {0, 1}:
        raise FeatureNotSupported(f"format code {format_code} is not supported")
    text = TextCodec(column, output)
    if format_code == 0:
        return text.encode
    return BinaryCodec(column, text).encode


class TextCodec:
    """One column as text."""

    def __init__(self, column: ResultColumn, output: OutputSettings) -> None:
        pg_type = type_by_oid(column.type_oid)
        self._element_oid = pg_type.element_oid if pg_type is not None and pg_type.name[0] == "_" else 0
        self._oid = column.type_oid
        self._typmod = column.typmod
        self._trims_zeros = trims_zeros(column)
        self._output = output
        # Read even if no column needs it now: a bad zone is an error of the statement, not of a batch.
        self._zone = zones.zone_offsets(output.time_zone)

    def encode(self, array: ArrowArray) -> Cells:
        """Encode one batch's column."""
        kind, plain = sources.unwrap(array)
        if self._element_oid and kind == "list":
            return self._array(plain)
        if self._oid in VECTORS and kind == "list":
            return nested.vector_text(plain, lambda items: self.strings(items, VECTORS[self._oid]))
        return self._scalar(self._element_oid or self._oid, kind, plain, self._typmod)

    def strings(self, array: ArrowArray, oid: int = 0) -> ArrowArray:
        """Give a scalar column's text as a binary array with the column's NULLs.

        oid: 0, the values' own type.
        """
        kind, plain = sources.unwrap(array)
        cells = self._scalar(oid or self.natural_oid(kind, plain), kind, plain, self._typmod)
        text = join(cells.pieces, len(plain))
        return text if cells.valid is None else Varying(compress(Varying(text), cells.valid).array).array

    def _array(self, array: ArrowArray) -> Cells:
        element = self._element_oid
        may_need_quotes = element not in NEVER_QUOTED

        def item_text(items: ArrowArray) -> ArrowArray:
            return self.strings(items, element)

        return nested.array_text(array, item_text, may_need_quotes=may_need_quotes)

    def natural_oid(self, kind: str, array: ArrowArray) -> int:
        if kind == "timestamp":
            return Oid.TIMESTAMPTZ if array.type.tz else Oid.TIMESTAMP
        if kind == "float":
            return Oid.FLOAT4 if array.type == pa.float32() else Oid.FLOAT8
        if kind == "integer":
            return _INTEGERS_BY_WIDTH.get(array.type, Oid.INT8)
        if kind == "list":
            element = type_by_oid(self.natural_oid(*sources.unwrap(array.values)))
            return element.array_oid if element is not None and element.array_oid else Oid.JSON
        return _NATURAL.get(kind, Oid.TEXT)

    def _scalar(self, oid: int, kind: str, array: ArrowArray, typmod: int) -> Cells:
        """Dispatch, commonest types first."""
        if kind == "null":
            return varying_cells(pa.nulls(len(array), pa.binary()))
        if oid in INTEGER_OIDS or oid in OID_NUMBERS:
            return numbers.integer_text(sources.to_integers(kind, array, oid))
        if oid == Oid.NUMERIC:
            return self._numeric(kind, array, typmod)
        if oid in {Oid.FLOAT4, Oid.FLOAT8}:
            return numbers.float_text(sources.to_floats(kind, array, oid), self._output.extra_float_digits)
        if oid == Oid.BOOL:
            return numbers.bool_text(to_bool(kind, array))
        if oid in {Oid.DATE, Oid.TIME, Oid.TIMETZ, Oid.TIMESTAMP, Oid.TIMESTAMPTZ, Oid.INTERVAL}:
            return self._temporal(oid, kind, array)
        if oid in {Oid.JSON, Oid.JSONB}:
            return varying_cells(self.json_text(kind, array))
        return self._other(oid, kind, array, typmod)

    def _numeric(self, kind: str, array: ArrowArray, typmod: int) -> Cells:
        if kind == "string":
            return varying_cells(array)  # the gateway's SQL wrote each value with its own scale
        trims = self._trims_zeros or (kind == "float" and typmod == -1)
        return numbers.decimal_text(sources.to_decimals(kind, array, Oid.NUMERIC, typmod), trim_zeros=trims)

    def _temporal(self, oid: int, kind: str, array: ArrowArray) -> Cells:
        valid = validity(array)
        if oid == Oid.DATE:
            return calendar.date_text(sources.to_days(kind, array, oid), valid)
        if oid == Oid.TIMESTAMP:
            return calendar.timestamp_text(sources.to_micros(kind, array, oid), valid)
        if oid == Oid.TIMESTAMPTZ:
            return self._timestamptz(sources.to_micros(kind, array, oid), valid)
        if oid == Oid.TIME:
            return calendar.time_text(sources.to_time_of_day(kind, array, oid), valid)
        if oid == Oid.INTERVAL:
            style = self._output.interval_style
            text = intervals.interval_text(*sources.to_interval(kind, array, oid), style)
            return joined_cells((Varying(text),), valid)
        if kind == "string":
            return varying_cells(array)
        times = sources.to_timetz(kind, array, oid)
        pieces = (*calendar.time_text(times.micros, None).pieces, *zones.offset_pieces(times.offset_s))
        return joined_cells(pieces, valid)

    def _timestamptz(self, micros: calendar.Ints, valid: Mask | None) -> Cells:
        infinite = (micros >= calendar.INFINITE_TIMESTAMP) | (micros <= -calendar.INFINITE_TIMESTAMP)
        offsets = self._zone.at(micros)
        local = np.where(infinite, micros, micros + np.where(infinite, 0, offsets) * 1_000_000)
        return calendar.timestamp_text(local, valid, zones.offset_pieces(offsets))

    def _other(self, oid: int, kind: str, array: ArrowArray, typmod: int) -> Cells:
        if oid == Oid.BYTEA:
            if kind not in {"binary", "string"}:
                raise sources.mismatch(kind, oid)
            return strings.bytea_text(as_binary(array), self._output.bytea_output)
        if oid == Oid.UUID and kind == "uuid":
            return strings.uuid_text(sources.to_uuid_bytes(kind, array, oid), validity(array))
        if oid in {Oid.BIT, Oid.VARBIT} and kind in {"bit", "binary"}:
            return strings.bit_text(as_binary(array))
        if oid == Oid.VOID:
            return joined_cells((Varying(nested.empty_binary(len(array))),), None)
        if oid == Oid.RECORD and kind == "struct":
            return nested.record_text(array, self._field)
        return varying_cells(self.string_column(oid, kind, array, typmod))

    def _field(self, array: ArrowArray, oid: int) -> ArrowArray:
        """A record's field as text: what else is a column of its own."""
        known = oid or self.natural_oid(*sources.unwrap(array))
        cells = TextCodec(ResultColumn("", known, -1, ""), self._output).encode(array)
        text = join(cells.pieces, len(array))
        return text if cells.valid is None else compress(Varying(text), cells.valid).array

    def string_column(self, oid: int, kind: str, array: ArrowArray, typmod: int) -> ArrowArray:
        """Give what PostgreSQL's cast to text gives, padded for char(n)."""
        if kind in {"string", "json"}:
            text = array
        elif kind == "bool":
            text = pc.if_else(array, "true", "false")
        elif kind == "list":
            text = self.json_text(kind, array)
        else:
            text = self.strings(array)
        length = decode_typmod(Oid.BPCHAR, typmod) if oid == Oid.BPCHAR else ()
        return strings.padded_text(text, length[0]) if length else text

    def json_text(self, kind: str, array: ArrowArray) -> ArrowArray:
        """Give JSON text with the column's NULLs."""
        if kind in {"json", "string"}:
            return array
        text = nested.json_strings(array, self._json_scalar)
        return text if kind == "union" else pc.if_else(array.is_valid(), text, pa.scalar(None, pa.binary()))

    def _json_scalar(self, array: ArrowArray) -> ArrowArray:
        text = self.strings(array)
        if sources.unwrap(array)[0] != "timestamp":
            return text
        # PostgreSQL source, json.c `JsonEncodeDateTime`: ISO 8601 with a T.
        return pc.replace_substring(text, b" ", b"T", max_replacements=1)


class BinaryCodec:
    """One column in binary format."""

    def __init__(self, column: ResultColumn, text: TextCodec) -> None:
        pg_type = type_by_oid(column.type_oid)
        self._is_vector = column.type_oid in VECTORS
        self._is_array = self._is_vector or (pg_type is not None and pg_type.name[0] == "_")
        self._oid = pg_type.element_oid if pg_type is not None and self._is_array else column.type_oid
        self._typmod = column.typmod
        self._text = text
        if pg_type is None or self._oid in TEXT_ONLY:
            raise FeatureNotSupported(
                f"no binary output function available for type {format_type(column.type_oid)}",
                hint="Ask for the column in text format.",
            )

    def encode(self, array: ArrowArray) -> Cells:
        """Encode one batch's column."""
        kind, plain = sources.unwrap(array)
        if self._is_array and kind == "list":
            return nested.array_binary(plain, self._oid, self._item, lower_bound=int(not self._is_vector))
        if self._is_array and kind != "null":
            raise sources.mismatch(kind, self._oid)
        return self._scalar(kind, plain)

    def _item(self, items: ArrowArray) -> Cells:
        return self._scalar(*sources.unwrap(items))

    def _scalar(self, kind: str, array: ArrowArray) -> Cells:
        oid = self._oid
        if kind == "null":
            return varying_cells(pa.nulls(len(array), pa.binary()))
        if oid in INTEGER_OIDS or oid in OID_NUMBERS or oid in REG_TYPES:
            return binary.integer_binary(sources.to_integers(kind, array, oid))
        if oid in {Oid.FLOAT4, Oid.FLOAT8}:
            return binary.float_binary(sources.to_floats(kind, array, oid))
        if oid == Oid.NUMERIC:
            return self._numeric(kind, array)
        if oid == Oid.BOOL:
            from_bool = to_bool(kind, array)
            return fixed_cells((bool_values(from_bool).view(np.uint8),), validity(array))
        if oid in {Oid.DATE, Oid.TIME, Oid.TIMETZ, Oid.TIMESTAMP, Oid.TIMESTAMPTZ, Oid.INTERVAL}:
            return self._temporal(kind, array)
        return self._bytes(kind, array)

    def _numeric(self, kind: str, array: ArrowArray) -> Cells:
        if kind == "string":
            return binary.numeric_binary_of_text(array)
        decimals = sources.to_decimals(kind, array, Oid.NUMERIC, self._typmod)
        return binary.numeric_binary(decimals)

    def _temporal(self, kind: str, array: ArrowArray) -> Cells:
        oid, valid = self._oid, validity(array)
        if oid == Oid.DATE:
            return binary.date_binary(sources.to_days(kind, array, oid), valid)
        if oid in {Oid.TIMESTAMP, Oid.TIMESTAMPTZ}:
            return binary.timestamp_binary(sources.to_micros(kind, array, oid), valid)
        if oid == Oid.TIME:
            return fixed_cells((sources.to_time_of_day(kind, array, oid).astype(">i8"),), valid)
        if oid == Oid.INTERVAL:
            return binary.interval_binary(sources.to_interval(kind, array, oid), valid)
        times = sources.to_timetz(kind, array, oid)
        # PostgreSQL counts a time zone in seconds west.
        return fixed_cells((times.micros.astype(">i8"), (-times.offset_s).astype(">i4")), valid)

    def _bytes(self, kind: str, array: ArrowArray) -> Cells:
        oid = self._oid
        if oid == Oid.BYTEA and kind in {"binary", "string"}:
            return varying_cells(as_binary(array))
        if oid == Oid.UUID:
            return fixed_cells((sources.to_uuid_bytes(kind, array, oid),), validity(array))
        if oid in {Oid.BIT, Oid.VARBIT} and kind in {"bit", "binary", "string"}:
            return strings.bit_binary(array if kind == "string" else as_binary(array))
        if oid == Oid.RECORD and kind == "struct":
            return nested.record_binary(array, self._field)
        if oid == Oid.JSON:
            return varying_cells(self._text.json_text(kind, array))
        if oid == Oid.JSONB:
            return binary.json_version(self._text.json_text(kind, array))
        if oid == Oid.VOID:
            return joined_cells((Varying(nested.empty_binary(len(array))),), None)
        if oid == _CHAR and kind == "string":
            # charsend: one byte always, zero where the text is empty.
            byte = pc.binary_slice(as_binary(array), 0, 1)
            return varying_cells(pc.if_else(pc.equal(byte, b""), b"\0", byte))
        if oid in STRINGS:
            return varying_cells(self._text.string_column(oid, kind, array, self._typmod))
        raise sources.mismatch(kind, oid)

    def _field(self, array: ArrowArray, oid: int) -> tuple[int, Cells]:
        known = oid or self._text.natural_oid(*sources.unwrap(array))
        return known, BinaryCodec(ResultColumn("", known, -1, ""), self._text).encode(array)


def trims_zeros(column: ResultColumn) -> bool:
    """Whether a numeric column's text goes without the zeros that end its fraction."""
    return column.typmod == -1 and column.engine_type.rstrip("[]") == UNCONSTRAINED_NUMERIC


def to_bool(kind: str, array: ArrowArray) -> ArrowArray:
    """Give a boolean column; integers are true unless 0."""
    if kind == "bool":
        return array
    if kind == "integer":
        return pc.not_equal(array, 0)
    raise sources.mismatch(kind, Oid.BOOL)


def as_binary(array: ArrowArray) -> ArrowArray:
    """Give strings and fixed-size binary as binary with 32-bit offsets."""
    return array if array.type == pa.binary() else array.cast(pa.binary())
