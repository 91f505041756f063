"""One value of COPY FROM at a time: the exact reading, for what the casts of whole columns do not cover."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import partial
from typing import Any
from uuid import UUID

from pgwire.copy.moments import read_date, read_time, read_timestamp
from pgwire.copy.targets import CopyTarget, TargetColumn, staging_type
from pgwire.errors import StatementError
from pgwire.rows.arrow import pa
from pgwire.sqlstate import SqlState
from pgwire.types import Oid, type_by_oid
from pgwire.values import decode_parameter

ReadCell = Callable[[str], object]
_TEXT_ARRAY = 1009
_WIDE = Context(prec=100)
_INT64 = 2**63
_FLOAT4_UNDERFLOW = 2.0**-150
"""Below half of the least subnormal, a value would become 0."""


def cell_reader(column: TargetColumn, target: CopyTarget) -> ReadCell:
    """Choose the reader of a column's text; it gives what `pyarrow.array` takes for the staging type."""
    return _reader(column.type_oid, staging_type(column.engine_type), target)


def received_cell(column: TargetColumn, target: CopyTarget) -> Callable[[bytes], object]:
    """Choose the reader of a column's binary values."""
    kind = staging_type(column.engine_type)
    adapt = _adapter(column.type_oid, kind, target)
    return lambda raw: adapt(decode_parameter(column.type_oid, 1, raw))


def _reader(oid: int, kind: Any, target: CopyTarget) -> ReadCell:  # a case a type
    if pa.types.is_list(kind):
        return partial(_read_list, oid, kind, target)
    if pa.types.is_decimal(kind):
        return lambda text: fit_decimal(_decimal(text), kind)
    if pa.types.is_date(kind):
        return lambda text: read_date(oid, text, target.forms)
    if pa.types.is_time(kind):
        return lambda text: read_time(oid, text, target.forms)
    if pa.types.is_timestamp(kind):
        zone = target.time_zone if kind.tz is not None else None
        return lambda text: read_timestamp(oid, text, target.forms, zone)
    if pa.types.is_interval(kind):
        return partial(_read_interval, target)
    if pa.types.is_string(kind):
        return partial(_read_text, oid)
    if pa.types.is_float32(kind):
        return _read_float4
    return lambda text: decode_parameter(oid, 0, text.encode())


def _read_float4(text: str) -> object:
    number = decode_parameter(Oid.FLOAT4, 0, text.encode())
    if number and isinstance(number, float) and abs(number) < _FLOAT4_UNDERFLOW:
        raise StatementError(
            f'"{text.strip()}" is out of range for type real', sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE
        )
    return number


def _decimal(text: str) -> Decimal:
    number = decode_parameter(Oid.NUMERIC, 0, text.encode())
    return number if isinstance(number, Decimal) else Decimal(str(number))


def fit_decimal(number: Decimal, kind: Any) -> Decimal:
    """Round to the column's scale, half away from zero.

    Raises:
        StatementError: 22003, the number does not fit its precision.
    """
    rounded = number.quantize(Decimal(1).scaleb(-kind.scale), ROUND_HALF_UP, _WIDE)
    if rounded and rounded.adjusted() >= kind.precision - kind.scale:
        raise StatementError(
            "numeric field overflow",
            sqlstate=SqlState.NUMERIC_VALUE_OUT_OF_RANGE,
            detail=f"A field with precision {kind.precision}, scale {kind.scale} must round to an absolute "
            f"value less than {'10^' if kind.precision > kind.scale else ''}"
            f"{kind.precision - kind.scale or 1}.",
        )
    return rounded


def _read_interval(target: CopyTarget, text: str) -> object:
    found = target.forms.interval(text)
    if found is None or not text.strip():
        raise StatementError(
            f'invalid input syntax for type interval: "{text}"', sqlstate=SqlState.INVALID_DATETIME_FORMAT
        )
    months, days, micros = found
    if abs(micros) * 1000 >= _INT64:
        raise StatementError(
            f'interval field value out of range: "{text}"', sqlstate=SqlState.DATETIME_FIELD_OVERFLOW
        )
    return pa.MonthDayNano([months, days, micros * 1000])


def _read_text(oid: int, text: str) -> str:
    return str(decode_parameter(oid, 0, text.encode())) if oid in (Oid.UUID, Oid.JSONB) else text


def _read_list(oid: int, kind: Any, target: CopyTarget, text: str) -> object:
    try:
        items = decode_parameter(_TEXT_ARRAY, 0, text.encode())
    except StatementError as error:
        error.message = f'malformed array literal: "{text}"'
        raise
    return _leaves(items, kind, lambda inner: _reader(_element_oid(oid), inner, target))


def _leaves(items: object, kind: Any, reader: Callable[[Any], ReadCell]) -> object:
    if not isinstance(items, list) or not pa.types.is_list(kind):
        raise StatementError("wrong number of array dimensions", sqlstate=SqlState.ARRAY_SUBSCRIPT_ERROR)
    inner = kind.value_type
    if pa.types.is_list(inner):
        return [None if item is None else _leaves(item, inner, reader) for item in items]
    read = reader(inner)
    return [None if item is None else _leaf(item, read) for item in items]


def _leaf(item: object, read: Callable[[str], object]) -> object:
    if isinstance(item, list):
        raise StatementError("wrong number of array dimensions", sqlstate=SqlState.ARRAY_SUBSCRIPT_ERROR)
    return read(item)  # type: ignore[arg-type]  # the reader takes what its array decoder gives


def _element_oid(oid: int) -> int:
    pg_type = type_by_oid(oid)
    return pg_type.element_oid if pg_type is not None else int(Oid.TEXT)


def _adapter(oid: int, kind: Any, target: CopyTarget) -> Callable[[object], object]:
    """From what `decode_parameter` gives for a binary value to what Arrow takes."""
    if pa.types.is_list(kind):
        return lambda value: _leaves(value, kind, lambda inner: _adapter(_element_oid(oid), inner, target))
    read = _reader(oid, kind, target)

    def adapt(value: object) -> object:
        match value:
            case Decimal() if pa.types.is_decimal(kind):
                return fit_decimal(value, kind)
            case UUID():
                return str(value)
            case str():
                return read(value.replace(" (BC)", "") + " BC" if value.find(" (BC)") >= 0 else value)
            case _:
                return value

    return adapt
