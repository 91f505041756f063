"""Values in binary format. PostgreSQL source: each type's send function, `numeric_send`, `array_send`."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pgwire.rows.arrow import pa, pc
from pgwire.rows.calendar import INFINITE_DATE, INFINITE_TIMESTAMP
from pgwire.rows.cells import (
    ArrowArray,
    Cells,
    Fixed,
    Mask,
    Varying,
    as_binary_field,
    binary_array,
    fixed_cells,
    joined_cells,
    validity,
    values_of,
)
from pgwire.rows.numbers import fixed_width_values, int64_unscaled, unscaled_digits

_EPOCH_DAYS = 10_957  # PostgreSQL counts from 2000-01-01
_EPOCH_US = _EPOCH_DAYS * 86_400_000_000
_NEGATIVE = 0x4000


def integer_binary(array: ArrowArray) -> Cells:
    """Two's complement of the column's own width."""
    kind = np.dtype(array.type.to_pandas_dtype())
    return fixed_cells((as_binary_field(fixed_width_values(array, kind)),), validity(array))


def float_binary(array: ArrowArray) -> Cells:
    """IEEE 754."""
    return integer_binary(array)


def date_binary(days: npt.NDArray[np.int32], valid: Mask | None) -> Cells:
    """Days since 2000-01-01; the greatest and the smallest int4 are infinity and -infinity."""
    infinite = np.abs(days.astype(np.int64)) == INFINITE_DATE
    moved = np.where(infinite, np.where(days < 0, np.int32(-(2**31)), days), days - np.int32(_EPOCH_DAYS))
    return fixed_cells((as_binary_field(moved),), valid)


def timestamp_binary(micros: npt.NDArray[np.int64], valid: Mask | None) -> Cells:
    """Microseconds since 2000-01-01 (UTC for timestamptz)."""
    infinite = (micros >= INFINITE_TIMESTAMP) | (micros <= -INFINITE_TIMESTAMP)
    if infinite.any():
        edge = np.where(micros < 0, np.int64(-(2**63)), micros)
        moved = np.where(infinite, edge, np.where(infinite, 0, micros) - _EPOCH_US)
    else:
        moved = micros - _EPOCH_US
    return fixed_cells((as_binary_field(moved),), valid)


def numeric_binary(array: ArrowArray) -> Cells:
    """Digits in base 10,000 after their count, weight, sign and display scale."""
    scale = array.type.scale
    unscaled = int64_unscaled(array)
    valid = validity(array)
    if unscaled is not None and 0 <= scale <= 18:
        groups, negative = _groups_of_int64(unscaled, scale), unscaled < 0
    else:
        groups, negative = _groups_of_text(pc.fill_null(unscaled_digits(array), "0"), scale)
    fraction_groups = (max(scale, 0) + 3) // 4
    scales = np.full(len(groups), max(scale, 0))
    return _numeric_cells(groups, fraction_groups, negative, scales, valid)


def numeric_binary_of_text(array: ArrowArray) -> Cells:
    """The same of plain digits, each value with a scale of its own."""
    valid = validity(array)
    text = pc.fill_null(array, "0")
    has_point = pc.match_substring(text, ".")
    parts = pc.split_pattern(pc.if_else(has_point, text, pc.binary_join_element_wise(text, "", ".")), ".")
    fraction = pc.list_element(parts, 1)
    scales = pc.binary_length(fraction).to_numpy(zero_copy_only=False)
    widest = (int(scales.max()) + 3) // 4 * 4 if len(scales) else 0
    digits = pc.binary_join_element_wise(pc.list_element(parts, 0), pc.utf8_rpad(fraction, widest, "0"), "")
    groups, negative = _groups_of_text(digits, widest)
    return _numeric_cells(groups, widest // 4, negative, scales, valid)


def _numeric_cells(
    groups: npt.NDArray[np.int64],
    fraction_groups: int,
    negative: Mask,
    scales: npt.NDArray[Any],
    valid: Mask | None,
) -> Cells:
    whole_groups = groups.shape[1] - fraction_groups
    used = groups != 0
    is_zero = ~used.any(axis=1)
    first = np.argmax(used, axis=1)
    last = groups.shape[1] - 1 - np.argmax(used[:, ::-1], axis=1)
    count = np.where(is_zero, 0, last - first + 1)
    weight = np.where(is_zero, 0, whole_groups - 1 - first)
    sign = np.where(negative & ~is_zero, _NEGATIVE, 0)
    places = np.arange(groups.shape[1])
    keep = (places >= first[:, None]) & (places < (first + count)[:, None])
    offsets = np.zeros(len(groups) + 1, np.int32)
    np.cumsum(count * 2, out=offsets[1:])
    digits = binary_array(offsets, np.ascontiguousarray(groups[keep].astype(">u2")).view(np.uint8))
    words = (count.astype(">i2"), weight.astype(">i2"), sign.astype(">u2"), scales.astype(">i2"))
    return joined_cells((Fixed(words), Varying(digits)), valid)


def _groups_of_int64(unscaled: npt.NDArray[np.int64], scale: int) -> npt.NDArray[np.int64]:
    fraction_groups = (scale + 3) // 4
    one = 10**scale
    size = np.abs(unscaled)
    whole = size // one
    fraction = size - whole * one
    largest = int(whole.max()) if len(whole) else 0
    whole_groups = max((len(str(largest)) + 3) // 4, 1)
    groups = np.empty((len(unscaled), whole_groups + fraction_groups), np.int64)
    for place in range(whole_groups - 1, -1, -1):
        rest = whole // 10_000
        groups[:, place] = whole - rest * 10_000
        whole = rest
    if fraction_groups:
        # The last group is filled up with zeros; splitting it off first keeps all below 2^63.
        tail = 10 ** (scale - 4 * (fraction_groups - 1))
        head, last = fraction // tail, fraction % tail
        groups[:, -1] = last * (10_000 // tail)
        for place in range(whole_groups + fraction_groups - 2, whole_groups - 1, -1):
            rest = head // 10_000
            groups[:, place] = head - rest * 10_000
            head = rest
    return groups


def _groups_of_text(digits: ArrowArray, scale: int) -> tuple[npt.NDArray[np.int64], Mask]:
    negative: Mask = pc.starts_with(digits, "-").to_numpy(zero_copy_only=False)
    text = pc.utf8_ltrim(digits, "-")
    zeros = -scale if scale < 0 else -scale % 4
    text = pc.binary_join_element_wise(text, "0" * zeros, "")
    fraction_width = max(scale, 0) + (zeros if scale > 0 else 0)
    longest = pc.max(pc.binary_length(text)).as_py() or 1
    width = max((longest + 3) // 4 * 4, fraction_width + 4)
    _, data = values_of(pc.utf8_lpad(text, width, "0"))
    places = data.reshape(len(digits), width // 4, 4).astype(np.int64) - ord("0")
    groups: npt.NDArray[np.int64] = places @ np.array([1000, 100, 10, 1])
    return groups, negative


def interval_binary(
    parts: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]], valid: Mask | None
) -> Cells:
    """Microseconds, days, months."""
    months, days, micros = parts
    return fixed_cells((micros.astype(">i8"), days.astype(">i4"), months.astype(">i4")), valid)


def json_version(array: ArrowArray) -> Cells:
    """Version byte 1 before a jsonb's text."""
    return joined_cells((Fixed((b"\x01",)), Varying(array.view(pa.binary()))), validity(array))
