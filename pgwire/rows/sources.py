"""What DuckDB exports to Arrow, and its coercion to the storage that each PostgreSQL type is encoded from.

The engine runs with `arrow_lossless_conversion = true`: HUGEINT, UHUGEINT, TIME WITH TIME ZONE and BIT come
as `arrow.opaque`, UUID as 16 bytes, JSON as `arrow.json`, BOOLEAN as `arrow.bool8`. The lossy forms
(decimal, plain strings) are understood too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgwire.errors import FeatureNotSupported, StatementError
from pgwire.rows.arrow import pa, pc
from pgwire.rows.calendar import DAY_US, INFINITE_DATE, INFINITE_TIMESTAMP
from pgwire.rows.cells import ArrowArray, Mask, validity, values_of
from pgwire.rows.numbers import fixed_width_values, float_strings
from pgwire.sqlstate import SqlState
from pgwire.types import Oid, decode_typmod, format_type, type_by_name

_MAX_TIMETZ_OFFSET_S = 57_599  # DuckDB: the low 24 bits of a dtime_tz_t hold this minus the offset east
_MICROS_PER_UNIT = {"s": 1_000_000, "ms": 1_000, "us": 1}
_INTEGERS = {Oid.INT2: pa.int16(), Oid.INT4: pa.int32(), Oid.INT8: pa.int64()}
_FLOATS = {Oid.FLOAT4: pa.float32(), Oid.FLOAT8: pa.float64()}
_KINDS: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (pa.types.is_integer, "integer"),
    (pa.types.is_decimal, "decimal"),
    (pa.types.is_string, "string"),
    (pa.types.is_floating, "float"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_boolean, "bool"),
    (pa.types.is_time, "time"),
    (pa.types.is_interval, "interval"),
    (pa.types.is_binary, "binary"),
    (pa.types.is_fixed_size_binary, "binary"),
    (pa.types.is_list, "list"),
    (pa.types.is_struct, "struct"),
    (pa.types.is_map, "map"),
    (pa.types.is_union, "union"),
    (pa.types.is_null, "null"),
)
_OPAQUE = {"hugeint": "hugeint", "uhugeint": "uhugeint", "time_tz": "timetz", "bit": "bit"}


@dataclass(frozen=True, slots=True)
class TimeTz:
    """A column of times with offsets: microseconds since midnight, seconds east of UTC."""

    micros: npt.NDArray[np.int64]
    offset_s: npt.NDArray[np.int64]
    valid: Mask | None


def unwrap(array: ArrowArray) -> tuple[str, ArrowArray]:
    """Give the kind of values an Arrow column holds, and its plain storage.

    Raises:
        FeatureNotSupported: a type that has no encoding (BIGNUM).
    """
    arrow_type = array.type
    if isinstance(arrow_type, pa.BaseExtensionType):
        return _unwrap_extension(array)
    if pa.types.is_dictionary(arrow_type):
        return unwrap(array.dictionary_decode())
    if pa.types.is_large_string(arrow_type) or arrow_type == pa.string_view():
        return "string", array.cast(pa.string())
    if pa.types.is_large_binary(arrow_type) or arrow_type == pa.binary_view():
        return "binary", array.cast(pa.binary())
    if pa.types.is_large_list(arrow_type) or pa.types.is_fixed_size_list(arrow_type) or _is_view(arrow_type):
        return "list", array.cast(pa.list_(arrow_type.value_type))
    for is_kind, kind in _KINDS:
        if is_kind(arrow_type):
            return kind, array
    raise FeatureNotSupported(f"values of Arrow type {arrow_type} have no PostgreSQL form")


def _is_view(arrow_type: Any) -> bool:
    return bool(pa.types.is_list_view(arrow_type) or pa.types.is_large_list_view(arrow_type))


def _unwrap_extension(array: ArrowArray) -> tuple[str, ArrowArray]:
    name, storage = array.type.extension_name, array.storage
    if name == "arrow.bool8":
        return "bool", pc.not_equal(storage, 0)
    if name == "arrow.uuid":
        return "uuid", storage
    if name == "arrow.json":
        return "json", unwrap(storage)[1]
    if name == "arrow.opaque":
        kind = _OPAQUE.get(array.type.type_name)
        if kind is None:
            raise FeatureNotSupported(f"values of type {array.type.type_name} have no PostgreSQL form")
        if kind in {"hugeint", "uhugeint"}:
            return "decimal", huge_integers(storage, is_signed=kind == "hugeint")
        return kind, unwrap(storage)[1] if kind == "bit" else storage
    return unwrap(storage)


def huge_integers(storage: ArrowArray, *, is_signed: bool) -> ArrowArray:
    """Read 16-byte integers as decimals of scale 0; as 256-bit ones where an unsigned value needs that."""
    plain, valid = storage, validity(storage)
    if len(plain) == 0 or plain.buffers()[1] is None:
        return pa.nulls(len(plain), pa.decimal128(38, 0))
    halves = np.frombuffer(plain.buffers()[1], np.int64, len(plain) * 2, plain.offset * 16).reshape(-1, 2)
    if valid is not None:
        halves = np.where(valid[:, None], halves, 0)
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    if is_signed or not (halves[:, 1] < 0).any():
        data = pa.py_buffer(np.ascontiguousarray(halves))
        return pa.Array.from_buffers(pa.decimal128(38, 0), len(plain), [bitmap, data])
    wide = np.zeros((len(plain), 4), np.int64)
    wide[:, :2] = halves
    return pa.Array.from_buffers(pa.decimal256(76, 0), len(plain), [bitmap, pa.py_buffer(wide)])


def mismatch(kind: str, oid: int) -> StatementError:
    """Make the error for an engine value that cannot become the declared type."""
    return StatementError(
        f"a {kind} value cannot be returned as type {format_type(oid)}", sqlstate=SqlState.DATATYPE_MISMATCH
    )


def checked_cast(array: ArrowArray, target: Any, oid: int) -> ArrowArray:
    """Cast and refuse what does not fit.

    Raises:
        StatementError: 22003.
    """
    if array.type == target:
        return array
    try:
        return pc.cast(array, target)
    except pa.ArrowInvalid as error:
        raise StatementError(
            f"{format_type(oid)} out of range", sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE
        ) from error


def to_integers(kind: str, array: ArrowArray, oid: int) -> ArrowArray:
    """Give int2, int4, int8 as signed integers of that width, and every OID-like type as uint32."""
    target = _INTEGERS.get(Oid(oid) if oid in _INTEGERS else Oid.OID, pa.uint32())
    if oid == Oid.REGTYPE and kind == "string":
        array = _type_numbers(array)
    if kind in {"integer", "null", "bool", "string"}:
        return checked_cast(array, target, oid)
    if kind == "float":
        return checked_cast(pc.round(array, round_mode="half_to_even"), target, oid)
    if kind == "decimal":
        whole = pc.round(array, round_mode="half_towards_infinity") if array.type.scale > 0 else array
        return checked_cast(whole, target, oid)
    raise mismatch(kind, oid)


def _type_numbers(array: ArrowArray) -> ArrowArray:
    """The names of types as OIDs; each name of the batch is looked up once."""
    coded = array.dictionary_encode()
    known = [type_by_name(name) for name in coded.dictionary.to_pylist()]
    if None in known:
        raise mismatch("string", Oid.REGTYPE)
    return pa.array([one.oid if one else 0 for one in known], pa.uint32()).take(coded.indices)


def to_floats(kind: str, array: ArrowArray, oid: int) -> ArrowArray:
    """Give float4 and float8 columns."""
    target = _FLOATS[Oid(oid)]
    if kind == "integer":  # Arrow's checked cast refuses integers that a float rounds
        return pc.cast(array, target, safe=False)
    if kind in {"float", "decimal", "null"}:
        return checked_cast(array, target, oid)
    raise mismatch(kind, oid)


def to_decimals(kind: str, array: ArrowArray, oid: int, typmod: int) -> ArrowArray:
    """Give a decimal column, of the declared scale where there is one."""
    if kind == "null":
        array = pc.cast(array, pa.decimal128(38, 0))
    elif kind == "integer":
        array = pc.cast(pc.cast(array, pa.uint64() if array.type == pa.uint64() else pa.int64()),
                        pa.decimal128(20, 0))  # fmt: skip
    elif kind == "float":
        array = _decimals_of_floats(array, oid)
    elif kind != "decimal":
        raise mismatch(kind, oid)
    modifiers = decode_typmod(Oid.NUMERIC, typmod)
    if not modifiers or modifiers[1] == array.type.scale or modifiers[1] < 0:
        return array if array.type.bit_width >= 128 else pc.cast(array, pa.decimal128(38, array.type.scale))
    wide = checked_cast(array, pa.decimal256(76, array.type.scale), oid)
    if modifiers[1] < array.type.scale:
        wide = pc.round(wide, modifiers[1], "half_towards_infinity")
    target = pa.decimal128(38, modifiers[1]) if modifiers[1] <= 38 else pa.decimal256(76, modifiers[1])
    return checked_cast(wide, target, oid)


def _decimals_of_floats(array: ArrowArray, oid: int) -> ArrowArray:
    """Through the shortest text; values below 1e-21, which have no room in 38 places, become 0."""
    if not pc.all(pc.is_finite(array), min_count=0).as_py():  # of values, not of what stands behind NULLs
        raise StatementError("numeric out of range", sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE)
    tiny = pc.less(pc.abs(array), 1e-21)
    return checked_cast(pc.if_else(tiny, "0", float_strings(array)), pa.decimal256(76, 38), oid)


def to_days(kind: str, array: ArrowArray, oid: int) -> npt.NDArray[np.int32]:
    """Give days since 1970-01-01."""
    if kind == "date":
        return fixed_width_values(array.cast(pa.date32()), np.int32)
    if kind == "timestamp":
        micros = to_micros(kind, array, oid)
        infinite = np.abs(micros) >= INFINITE_TIMESTAMP
        edge = np.where(micros < 0, -INFINITE_DATE, INFINITE_DATE)
        return np.where(infinite, edge, micros // DAY_US).astype(np.int32)
    if kind == "null":
        return np.zeros(len(array), np.int32)
    raise mismatch(kind, oid)


def to_micros(kind: str, array: ArrowArray, oid: int) -> npt.NDArray[np.int64]:
    """Give timestamps as microseconds since 1970; infinity as the engine's own greatest value."""
    if kind == "date":
        days = to_days(kind, array, oid)
        edge = np.where(days < 0, -INFINITE_TIMESTAMP, INFINITE_TIMESTAMP)
        return np.where(np.abs(days) == INFINITE_DATE, edge, days * np.int64(DAY_US))
    if kind == "null":
        return np.zeros(len(array), np.int64)
    if kind != "timestamp":
        raise mismatch(kind, oid)
    values = fixed_width_values(array, np.int64)
    unit = array.type.unit
    if unit == "us":
        return values
    infinite = np.abs(values) >= INFINITE_TIMESTAMP
    finite = np.where(infinite, 0, values)
    micros = finite // 1000 if unit == "ns" else finite * _MICROS_PER_UNIT[unit]
    return np.where(infinite, values, micros)


def to_time_of_day(kind: str, array: ArrowArray, oid: int) -> npt.NDArray[np.int64]:
    """Give microseconds since midnight."""
    if kind == "null":
        return np.zeros(len(array), np.int64)
    if kind == "timetz":
        return to_timetz(kind, array, oid).micros
    if kind == "timestamp":
        micros = to_micros(kind, array, oid)
        return micros - micros // DAY_US * DAY_US
    if kind != "time":
        raise mismatch(kind, oid)
    unit = array.type.unit
    values = fixed_width_values(array, np.int32 if unit in {"s", "ms"} else np.int64)
    return values // 1000 if unit == "ns" else values.astype(np.int64, copy=False) * _MICROS_PER_UNIT[unit]


def to_timetz(kind: str, array: ArrowArray, oid: int) -> TimeTz:
    """Give times with their offsets; plain times are UTC's."""
    valid = validity(array)
    if kind == "string":
        return _timetz_of_text(array)
    if kind != "timetz":
        return TimeTz(to_time_of_day(kind, array, oid), np.zeros(len(array), np.int64), valid)
    packed = fixed_width_values(array, np.uint64)
    offset = _MAX_TIMETZ_OFFSET_S - (packed & np.uint64(0xFFFFFF)).astype(np.int64)
    return TimeTz((packed >> np.uint64(24)).astype(np.int64), offset, valid)


_TIMETZ_TEXT = (
    r"^(?P<h>\d+):(?P<m>\d+):(?P<s>\d+)(?:\.(?P<fraction>\d+))?"
    r"(?P<sign>[+-])(?P<oh>\d+)(?::(?P<om>\d+))?(?::(?P<os>\d+))?$"
)


def _timetz_of_text(array: ArrowArray) -> TimeTz:
    """Read PostgreSQL's own text, such as `23:59:59.25+02:30`."""
    parts = pc.extract_regex(pc.fill_null(array, "00:00:00+00"), _TIMETZ_TEXT)

    def number(name: str, digits: int = 2) -> npt.NDArray[np.int64]:
        text = pc.ascii_rpad(pc.struct_field(parts, name), digits, "0")
        return np.asarray(pc.cast(text, pa.int64()))

    offset_s = number("oh") * 3600 + number("om") * 60 + number("os")
    is_west = np.asarray(pc.equal(pc.struct_field(parts, "sign"), "-"))
    seconds = number("h") * 3600 + number("m") * 60 + number("s")
    micros = seconds * 1_000_000 + number("fraction", 6)
    return TimeTz(micros, np.where(is_west, -offset_s, offset_s), validity(array))


def to_interval(
    kind: str, array: ArrowArray, oid: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give months, days and microseconds."""
    if kind == "null":
        zeros = np.zeros(len(array), np.int64)
        return zeros, zeros, zeros
    if kind != "interval":
        raise mismatch(kind, oid)
    layout = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanos", "<i8")])
    buffer = array.buffers()[1]
    parts = (
        np.frombuffer(buffer, layout, len(array), array.offset * 16) if len(array) else np.zeros(0, layout)
    )
    return parts["months"].astype(np.int64), parts["days"].astype(np.int64), parts["nanos"] // 1000


def to_uuid_bytes(kind: str, array: ArrowArray, oid: int) -> npt.NDArray[np.uint8]:
    """Give 16 bytes a row; anything where NULL."""
    if kind == "null":
        return np.zeros((len(array), 16), np.uint8)
    if kind == "string":
        _, text = values_of(pc.fill_null(array, "0" * 8 + "-0000-0000-0000-" + "0" * 12))
        if len(text) != len(array) * 36:
            raise mismatch(kind, oid)
        digits = text.reshape(-1, 36)[:, [place for place in range(36) if place not in {8, 13, 18, 23}]]
        # ASCII: a letter's low four bits are 1 to 6, and its bit 6 tells it from a digit.
        nibbles = (digits & 15) + np.where(digits & 64, np.uint8(9), np.uint8(0))
        return (nibbles[:, ::2] << 4 | nibbles[:, 1::2]).astype(np.uint8)
    if kind != "uuid":
        raise mismatch(kind, oid)
    if len(array) == 0:
        return np.zeros((0, 16), np.uint8)
    return np.frombuffer(array.buffers()[1], np.uint8, len(array) * 16, array.offset * 16).reshape(-1, 16)
