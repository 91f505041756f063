"""Which columns the compiled kernel writes by itself, and how.

A plan pairs how Arrow stores a column's values with the form they take on the wire. What has no plan here is
rendered by `pgwire.rows.codecs` and copied by the kernel: rare types, and coercions to a declared type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

from pgwire.rows.arrow import pa
from pgwire.rows.codecs import (
    INTEGER_OIDS,
    NEVER_QUOTED,
    OID_NUMBERS,
    REG_TYPES,
    STRINGS,
    TEXT_ONLY,
    trims_zeros,
)
from pgwire.rows.zones import ZoneOffsets, zone_offsets
from pgwire.types import Oid, OutputSettings, ResultColumn, decode_typmod, type_by_oid


class Form(IntEnum):
    """How a value is written. The numbers are those of `_arrow.pxd`."""

    RENDERED = 0
    BOOL_TEXT = 1
    BOOL_BINARY = 2
    INTEGER_TEXT = 3
    INT2_BINARY = 4
    INT4_BINARY = 5
    INT8_BINARY = 6
    FLOAT4_TEXT = 7
    FLOAT8_TEXT = 8
    FLOAT4_BINARY = 9
    FLOAT8_BINARY = 10
    NUMERIC_TEXT = 11
    NUMERIC_BINARY = 12
    DATE_TEXT = 13
    DATE_BINARY = 14
    TIME_TEXT = 15
    TIME_BINARY = 16
    TIMESTAMP_TEXT = 17
    TIMESTAMP_BINARY = 18
    TIMESTAMPTZ_TEXT = 19
    BYTES = 20
    BYTEA_HEX = 21
    JSONB_BINARY = 22
    UUID_TEXT = 23
    LIST_TEXT = 24


class Storage(IntEnum):
    """How Arrow stores a value. The numbers are those of `_arrow.pxd`."""

    BITS = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    INT128 = 9
    FLOAT = 10
    DOUBLE = 11
    OFFSETS32 = 12
    OFFSETS64 = 13
    VIEWS = 14
    FIXED = 15


@dataclass(frozen=True, slots=True)
class Source:
    """An Arrow type that the kernel reads. kind: as `pgwire.rows.sources.unwrap` names it."""

    kind: str
    storage: Storage
    scale: int = 0
    micros_per_unit: int = 1
    index_storage: Storage | None = None


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """What the kernel is told of a column.

    low, high: the declared integer type's range. scale: digits after a decimal's point, or the bytes of a
    value of fixed width. micros_per_unit: of timestamps and times; 0 stands for nanoseconds.
    index_storage: of a dictionary. item: of a list; quotes_items: whether its items may need quotes.
    """

    form: Form
    storage: Storage
    low: int = 0
    high: int = 0
    scale: int = 0
    trims_zeros: bool = False
    micros_per_unit: int = 1
    index_storage: Storage | None = None
    zone: ZoneOffsets | None = None
    item: "ColumnPlan | None" = None
    quotes_items: bool = False


RENDERED = ColumnPlan(Form.RENDERED, Storage.OFFSETS32)

_SOURCES: Mapping[Any, Source] = MappingProxyType({
    pa.bool_(): Source("bool", Storage.BITS),
    pa.int8(): Source("integer", Storage.INT8),
    pa.int16(): Source("integer", Storage.INT16),
    pa.int32(): Source("integer", Storage.INT32),
    pa.int64(): Source("integer", Storage.INT64),
    pa.uint8(): Source("integer", Storage.UINT8),
    pa.uint16(): Source("integer", Storage.UINT16),
    pa.uint32(): Source("integer", Storage.UINT32),
    pa.uint64(): Source("integer", Storage.UINT64),
    pa.float32(): Source("float", Storage.FLOAT),
    pa.float64(): Source("float", Storage.DOUBLE),
    pa.date32(): Source("date", Storage.INT32),
    pa.time32("s"): Source("time", Storage.INT32, micros_per_unit=1_000_000),
    pa.time32("ms"): Source("time", Storage.INT32, micros_per_unit=1_000),
    pa.time64("us"): Source("time", Storage.INT64),
    pa.time64("ns"): Source("time", Storage.INT64, micros_per_unit=0),
    pa.string(): Source("string", Storage.OFFSETS32),
    pa.large_string(): Source("string", Storage.OFFSETS64),
    pa.string_view(): Source("string", Storage.VIEWS),
    pa.binary(): Source("binary", Storage.OFFSETS32),
    pa.large_binary(): Source("binary", Storage.OFFSETS64),
    pa.binary_view(): Source("binary", Storage.VIEWS),
})  # fmt: skip
_MICROS_PER_UNIT = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0}

_INTEGER_RANGES: Mapping[int, tuple[int, int]] = MappingProxyType({
    Oid.INT2: (-(2**15), 2**15 - 1),
    Oid.INT4: (-(2**31), 2**31 - 1),
    Oid.INT8: (-(2**63), 2**63 - 1),
})  # fmt: skip
_OID_RANGE = (0, 2**32 - 1)
_INTEGERS_BINARY = {Oid.INT2: Form.INT2_BINARY, Oid.INT4: Form.INT4_BINARY, Oid.INT8: Form.INT8_BINARY}
# Kind of values, type's OID: the forms in text and in binary.
_FORMS: Mapping[tuple[str, int], tuple[Form, Form]] = MappingProxyType({
    ("bool", Oid.BOOL): (Form.BOOL_TEXT, Form.BOOL_BINARY),
    ("date", Oid.DATE): (Form.DATE_TEXT, Form.DATE_BINARY),
    ("time", Oid.TIME): (Form.TIME_TEXT, Form.TIME_BINARY),
    ("timestamp", Oid.TIMESTAMP): (Form.TIMESTAMP_TEXT, Form.TIMESTAMP_BINARY),
    ("timestamp", Oid.TIMESTAMPTZ): (Form.TIMESTAMPTZ_TEXT, Form.TIMESTAMP_BINARY),
    ("uuid", Oid.UUID): (Form.UUID_TEXT, Form.BYTES),
    ("string", Oid.JSON): (Form.BYTES, Form.BYTES),
    ("string", Oid.JSONB): (Form.BYTES, Form.JSONB_BINARY),
    ("string", Oid.BYTEA): (Form.BYTEA_HEX, Form.BYTES),
    ("binary", Oid.BYTEA): (Form.BYTEA_HEX, Form.BYTES),
    ("float", Oid.FLOAT4): (Form.FLOAT4_TEXT, Form.FLOAT4_BINARY),
    ("float", Oid.FLOAT8): (Form.FLOAT8_TEXT, Form.FLOAT8_BINARY),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A column of the result. oid: of the elements where it is an array's."""

    oid: int
    typmod: int
    is_binary: bool
    trims_zeros: bool
    output: OutputSettings


_WRITTEN_AS_TEXT = REG_TYPES | TEXT_ONLY | {Oid.NUMERIC}
"""What may come as the text that it shows."""

_Planner: TypeAlias = Callable[[Source, _Wanted], ColumnPlan]


def column_plan(
    column: ResultColumn, format_code: int, output: OutputSettings, arrow_type: Any
) -> ColumnPlan:
    """Plan one column; `RENDERED` where the kernel has no writer for it."""
    pg_type = type_by_oid(column.type_oid)
    is_array = pg_type is not None and pg_type.name[0] == "_"
    if is_array and format_code == 1:
        return RENDERED
    oid = pg_type.element_oid if is_array and pg_type is not None else column.type_oid
    is_trimmed = oid == Oid.NUMERIC and trims_zeros(column)
    wanted = _Wanted(oid, column.typmod, format_code == 1, is_trimmed, output)
    return _plan_list(arrow_type, wanted) if is_array else _plan_scalar(arrow_type, wanted)


def _plan_scalar(arrow_type: Any, wanted: "_Wanted") -> ColumnPlan:
    source = source_of(arrow_type)
    return RENDERED if source is None else _PLANNERS.get(source.kind, _plan_form)(source, wanted)


def _plan_list(arrow_type: Any, wanted: "_Wanted") -> ColumnPlan:
    storage = _list_storage(arrow_type)
    if storage is None:
        return RENDERED
    is_nested = _list_storage(arrow_type.value_type) is not None
    item = (_plan_list if is_nested else _plan_scalar)(arrow_type.value_type, wanted)
    if item is RENDERED:
        return RENDERED
    size = arrow_type.list_size if storage is Storage.FIXED else 0
    quotes_items = not is_nested and wanted.oid not in NEVER_QUOTED
    return ColumnPlan(Form.LIST_TEXT, storage, scale=size, item=item, quotes_items=quotes_items)


def _list_storage(arrow_type: Any) -> Storage | None:
    if pa.types.is_list(arrow_type):
        return Storage.OFFSETS32
    if pa.types.is_large_list(arrow_type):
        return Storage.OFFSETS64
    return Storage.FIXED if pa.types.is_fixed_size_list(arrow_type) else None


@lru_cache(maxsize=1024)
def source_of(arrow_type: Any) -> Source | None:
    """Describe an Arrow type to the kernel, or None if it reads none such."""
    known = _SOURCES.get(arrow_type)
    if known is not None:
        return known
    if isinstance(arrow_type, pa.BaseExtensionType):
        return _extension_source(arrow_type)
    if pa.types.is_decimal128(arrow_type):
        return Source("decimal", Storage.INT128, arrow_type.scale) if arrow_type.scale >= 0 else None
    if pa.types.is_timestamp(arrow_type):
        return Source("timestamp", Storage.INT64, micros_per_unit=_MICROS_PER_UNIT[arrow_type.unit])
    if pa.types.is_fixed_size_binary(arrow_type):
        return Source("binary", Storage.FIXED, arrow_type.byte_width)
    if pa.types.is_dictionary(arrow_type):
        value, index = source_of(arrow_type.value_type), source_of(arrow_type.index_type)
        is_bytes = value is not None and value.kind in {"string", "binary"}
        return replace(value, index_storage=index.storage) if value and index and is_bytes else None
    return None


def _extension_source(arrow_type: Any) -> Source | None:
    """The extension types that DuckDB exports; see `pgwire.rows.sources`."""
    name = arrow_type.extension_name
    if name == "arrow.bool8":
        return Source("bool", Storage.INT8)
    if name == "arrow.uuid":
        return Source("uuid", Storage.FIXED, 16)
    if name == "arrow.opaque":
        return Source("decimal", Storage.INT128) if arrow_type.type_name == "hugeint" else None
    return source_of(arrow_type.storage_type)  # arrow.json among them


def _plan_integer(source: Source, wanted: _Wanted) -> ColumnPlan:
    oid = wanted.oid
    if oid == Oid.NUMERIC:
        return _plan_decimal(source, wanted)
    is_number = oid in OID_NUMBERS or (wanted.is_binary and oid in REG_TYPES)
    if oid not in INTEGER_OIDS and not is_number:
        return RENDERED
    low, high = _INTEGER_RANGES.get(oid, _OID_RANGE)
    if source.storage is Storage.UINT64:
        low = 0  # read as signed, what is above 2^63 is below 0
    form = _INTEGERS_BINARY.get(Oid(oid), Form.INT4_BINARY) if wanted.is_binary else Form.INTEGER_TEXT
    return ColumnPlan(form, source.storage, low, high)


def _plan_decimal(source: Source, wanted: _Wanted) -> ColumnPlan:
    modifiers = decode_typmod(Oid.NUMERIC, wanted.typmod)
    is_scaled = bool(modifiers) and 0 <= modifiers[1] != source.scale
    if wanted.oid != Oid.NUMERIC or is_scaled:
        return RENDERED
    form = Form.NUMERIC_BINARY if wanted.is_binary else Form.NUMERIC_TEXT
    return ColumnPlan(form, source.storage, scale=source.scale, trims_zeros=wanted.trims_zeros)


def _plan_float(source: Source, wanted: _Wanted) -> ColumnPlan:
    narrows = wanted.oid == Oid.FLOAT4 and source.storage is Storage.DOUBLE
    if narrows or (wanted.output.extra_float_digits < 1 and not wanted.is_binary):
        return RENDERED
    return _plan_form(source, wanted)


def _plan_string(source: Source, wanted: _Wanted) -> ColumnPlan:
    is_text = wanted.oid in STRINGS or (not wanted.is_binary and wanted.oid in _WRITTEN_AS_TEXT)
    if not is_text:
        return _plan_form(source, wanted)
    if wanted.oid == Oid.BPCHAR and decode_typmod(Oid.BPCHAR, wanted.typmod):
        return RENDERED
    return _bytes_plan(Form.BYTES, source)


def _plan_form(source: Source, wanted: _Wanted) -> ColumnPlan:
    forms = _FORMS.get((source.kind, wanted.oid))
    if forms is None:
        return RENDERED
    form = forms[wanted.is_binary]
    if form is Form.BYTEA_HEX and wanted.output.bytea_output != "hex":
        return RENDERED
    if form is Form.TIMESTAMPTZ_TEXT:
        zone = zone_offsets(wanted.output.time_zone)
        return ColumnPlan(form, source.storage, micros_per_unit=source.micros_per_unit, zone=zone)
    return _bytes_plan(form, source)


def _bytes_plan(form: Form, source: Source) -> ColumnPlan:
    return ColumnPlan(
        form,
        source.storage,
        scale=source.scale,
        micros_per_unit=source.micros_per_unit,
        index_storage=source.index_storage,
    )


_PLANNERS: Mapping[str, _Planner] = MappingProxyType({
    "integer": _plan_integer,
    "decimal": _plan_decimal,
    "float": _plan_float,
    "string": _plan_string,
})  # fmt: skip
