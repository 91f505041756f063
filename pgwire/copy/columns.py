"""Whole columns of text → Arrow arrays in the staging types.

A cast of the whole column is taken where it reads exactly what PostgreSQL reads; where it fails, or could
read more, the values are read one by one, which also finds the one at fault.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pgwire.copy.cells import cell_reader
from pgwire.copy.targets import CellError, CopyTarget, staging_type
from pgwire.errors import GatewayError, StatementError
from pgwire.rows.arrow import pa, pc
from pgwire.rows.cells import ArrowArray, binary_array, values_of
from pgwire.sqlstate import SqlState
from pgwire.types import Oid

_TRUE = ("t", "true", "1", "y", "yes", "on")
_FALSE = ("f", "false", "0", "n", "no", "off")
_FIRST_DAY = -719_162  # 0001-01-01: Arrow also reads a year 0
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$"
_JUST_AN_HOUR = r"^[^:]* \d+$|T\d+$"
_NIBBLES = np.full(256, 255, np.uint8)
for _digits in (b"0123456789abcdef", b"0123456789ABCDEF"):
    _NIBBLES[np.frombuffer(_digits, np.uint8)] = np.arange(16)

FastCast = Callable[[ArrowArray], "ArrowArray | None"]


def text_columns(target: CopyTarget, texts: Sequence[ArrowArray]) -> list[ArrowArray]:
    """Convert all columns of a batch. texts: string arrays, NULL where the data says so.

    Raises:
        CellError: the first value, by row and then by column, that PostgreSQL would refuse.
    """
    found: list[ArrowArray] = []
    errors: list[CellError] = []
    for place, text in enumerate(texts):
        try:
            found.append(_text_column(target, place, text))
        except CellError as error:
            errors.append(error)
    if errors:
        raise min(errors, key=lambda error: (error.row, error.column))
    return found


def check_not_null(target: CopyTarget, columns: Sequence[ArrowArray]) -> None:
    """Find the first NULL in a column that allows none.

    Raises:
        CellError: 23502; its `column` is -1: PostgreSQL shows the line, not the value.
    """
    found: list[tuple[int, int]] = []
    for place, (column, array) in enumerate(zip(target.columns, columns, strict=True)):
        if not column.is_nullable and array.null_count:
            found.append((pc.index(pc.is_null(array), True).as_py(), place))
    if found:
        row, place = min(found)
        message = (
            f'null value in column "{target.columns[place].name}" of relation "{target.table}" '
            "violates not-null constraint"
        )
        raise CellError(row, -1, StatementError(message, sqlstate=SqlState.NOT_NULL_VIOLATION))


def _text_column(target: CopyTarget, place: int, text: ArrowArray) -> ArrowArray:
    column = target.columns[place]
    kind = staging_type(column.engine_type)
    is_document = column.type_oid == Oid.JSONB  # each is made canonical
    fast = None if is_document else _fast_cast(kind, column.engine_type, target.time_zone)
    if fast is not None:
        try:
            found = fast(text)
        except pa.ArrowInvalid:
            found = None
        if found is not None:
            return found
    return read_cells(place, text.to_pylist(), cell_reader(column, target), kind)


def read_cells(place: int, values: Sequence[Any], read: Callable[[Any], object], kind: object) -> ArrowArray:
    """Read values one by one; None stays NULL.

    Raises:
        CellError: the first that cannot be read.
    """
    cells: list[object] = []
    for row, value in enumerate(values):
        try:
            cells.append(None if value is None else read(value))
        except GatewayError as error:
            raise CellError(row, place, error) from error
    if pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind):
        return _numbered(cells, kind)
    return pa.array(cells, kind)


def _numbered(cells: list[object], kind: object) -> ArrowArray:
    """Make dates and times of numbers (infinity, years that Python lacks) or of Python's values."""
    is_number = pa.array([isinstance(cell, int) or cell is None for cell in cells], pa.bool_())
    storage = pa.int32() if pa.types.is_date(kind) else pa.int64()
    numbers = pa.array([cell if isinstance(cell, int) else None for cell in cells], storage).view(kind)
    if pc.all(is_number).as_py() is not False:
        return numbers
    values = pa.array([None if isinstance(cell, int) else cell for cell in cells], kind)
    return pc.coalesce(numbers, values)


def _fast_cast(kind: Any, engine_type: str, time_zone: str) -> FastCast | None:  # a type each
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return lambda text: None if _holds_x(text) else pc.cast(text, kind)
    if pa.types.is_floating(kind):
        return lambda text: _floats(text, kind)
    if pa.types.is_boolean(kind):
        return _booleans
    if pa.types.is_date(kind):
        return lambda text: _after_first_day(pc.cast(text, kind), pa.int32(), _FIRST_DAY)
    if pa.types.is_timestamp(kind):
        return lambda text: _timestamps(text, time_zone if kind.tz is not None else None)
    if pa.types.is_time(kind):
        return _times
    if pa.types.is_binary(kind):
        return _hex_bytes
    if pa.types.is_string(kind):
        return _uuids if engine_type.upper() == "UUID" else lambda text: text
    return None


def _holds_x(text: ArrowArray) -> bool:
    """Arrow reads 0x1F as a number; PostgreSQL 15 does not."""
    _, data = values_of(text.view(pa.binary()))
    return bool(((data | 0x20) == ord("x")).any())


def _floats(text: ArrowArray, kind: object) -> ArrowArray | None:
    if _holds_x(text):
        return None
    numbers = pc.cast(text, kind)
    known = pc.fill_null(numbers, 1.0).to_numpy(zero_copy_only=False)
    if not np.isfinite(known).all():
        return None
    zeros = known == 0
    if zeros.any():
        spelled = text.filter(pa.array(zeros))
        if pc.any(pc.match_substring_regex(spelled, r"^[^eE]*[1-9]")).as_py():
            return None  # it underflowed
    return numbers


def _booleans(text: ArrowArray) -> ArrowArray | None:
    is_true = pc.is_in(text, value_set=pa.array(_TRUE))
    is_known = pc.or_(pc.or_(is_true, pc.is_in(text, value_set=pa.array(_FALSE))), pc.is_null(text))
    if pc.all(is_known).as_py() is False:
        return None
    return pc.if_else(pc.is_null(text), pa.scalar(None, pa.bool_()), is_true)


def _timestamps(text: ArrowArray, zone: str | None) -> ArrowArray | None:
    if pc.any(pc.match_substring_regex(text, _JUST_AN_HOUR)).as_py():
        return None
    first = _FIRST_DAY * 86_400_000_000
    if zone is None:
        return _after_first_day(pc.cast(text, pa.timestamp("us")), pa.int64(), first)
    try:
        moments = pc.cast(text, pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        if zone.upper() not in {"UTC", "ETC/UTC", "GMT"}:
            return None
        local = pc.cast(text, pa.timestamp("us"))
        moments = local.cast(pa.timestamp("us", "UTC"))
    return _after_first_day(moments, pa.int64(), first + 86_400_000_000)


def _after_first_day(array: ArrowArray, storage: object, first: int) -> ArrowArray | None:
    lowest = pc.min(array.view(storage)).as_py()
    return None if lowest is not None and lowest < first else array


def _times(text: ArrowArray) -> ArrowArray | None:
    if pc.all(pc.match_substring_regex(text, _CLOCK)).as_py() is False:
        return None
    moments = pc.cast(pc.binary_join_element_wise("1970-01-01", text, " "), pa.timestamp("us"))
    return moments.view(pa.int64()).view(pa.time64("us"))


def _uuids(text: ArrowArray) -> ArrowArray | None:
    return None if pc.all(pc.match_substring_regex(text, _UUID)).as_py() is False else text


def _hex_bytes(text: ArrowArray) -> ArrowArray | None:
    r"""Decode `\x…` of a whole column: every pair of digits of the joined column is one byte."""
    if pc.all(pc.starts_with(text, "\\x")).as_py() is False:
        return None
    digits = pc.fill_null(pc.binary_slice(text.view(pa.binary()), 2), b"")
    offsets, data = values_of(digits)
    if (offsets & 1).any():
        return None
    nibbles = _NIBBLES[data]
    if (nibbles == 255).any():
        return None
    decoded = binary_array(
        (offsets // 2).astype(np.int32), ((nibbles[0::2] << 4) | nibbles[1::2]).astype(np.uint8)
    )
    return pc.if_else(pc.is_null(text), pa.scalar(None, pa.binary()), decoded)
