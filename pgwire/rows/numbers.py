"""Numbers as PostgreSQL prints them. PostgreSQL source: float.c, numeric.c `get_str_from_var`."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pgwire.rows.arrow import pa, pc
from pgwire.rows.cells import (
    ArrowArray,
    Cells,
    Fixed,
    Mask,
    Varying,
    fixed_cells,
    join,
    joined_cells,
    validity,
    varying_cells,
)
from pgwire.rows.digits import padded_digits

_INT64_DIGITS = 18  # 10^18 still fits a signed 64-bit integer
_WORDS = {128: 2, 256: 4}


def bool_text(array: ArrowArray) -> Cells:
    """`t` and `f`."""
    truth = bool_values(array)
    return fixed_cells((np.where(truth, np.uint8(ord("t")), np.uint8(ord("f"))),), validity(array))


def bool_values(array: ArrowArray) -> Mask:
    """Give a boolean column as a mask; NULLs are False."""
    values: Mask = pc.fill_null(array, False).to_numpy(zero_copy_only=False)
    return values


def integer_text(array: ArrowArray) -> Cells:
    """Decimal digits."""
    return varying_cells(pc.cast(array, pa.string()))


def float_text(array: ArrowArray, extra_float_digits: int) -> Cells:
    """Shortest digits that read back the same, or `%.{n}g` when extra_float_digits is below 1."""
    return varying_cells(float_strings(array, extra_float_digits))


def float_strings(array: ArrowArray, extra_float_digits: int = 1) -> ArrowArray:
    """Give the text of a float column as an Arrow string array."""
    is_single = array.type == pa.float32()
    values = fixed_width_values(array, np.float32 if is_single else np.float64)
    if extra_float_digits < 1:
        # A setting of the years before PostgreSQL 12; numpy formats value by value here.
        digits = max((6 if is_single else 15) + extra_float_digits, 1)
        text = pa.array(np.strings.mod(f"%.{digits}g", values.astype(np.float64)).astype(object), pa.string())
        text = pc.if_else(array.is_valid(), text, pa.scalar(None, pa.string()))
    else:
        text = pc.cast(array, pa.string())
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        odd = ~(size < 1e15) | ((size < 1e-4) & (size > 0))
        if bool((size >= 1e6).any()):
            # Arrow turns to exponents at 10^10, PostgreSQL at 10^15, or 10^6 where there are four bytes.
            odd |= (
                (size >= 1e6)
                if is_single
                else pc.fill_null(pc.match_substring(text, "e"), False).to_numpy(zero_copy_only=False)
            )
    valid = validity(array)
    odd = odd if valid is None else odd & valid
    if not odd.any():
        return text
    mask = pa.array(odd)
    return pc.replace_with_mask(text, mask, _odd_floats(text.filter(mask), values[odd], is_single=is_single))


def _odd_floats(text: ArrowArray, values: npt.NDArray[Any], *, is_single: bool) -> ArrowArray:
    """Rewrite Arrow's text of the values whose form differs from PostgreSQL's: exponents, NaN, Infinity."""
    text = _without_ties(text, values)
    size = np.abs(values)
    if is_single:
        needs_exponent = pa.array((size >= 1e6) & (size < 1e16))
        text = pc.if_else(needs_exponent, _with_exponent(text), text)
    else:
        is_plain = pa.array((size >= 1e6) & (size < 1e15))
        wide = pc.cast(pc.if_else(is_plain, text, "0"), pa.decimal256(76, 38))
        text = pc.if_else(is_plain, decimal_strings(wide, trim_zeros=True), text)
        text = pc.if_else(pa.array(size >= 1e15), _with_exponent(text), text)
    for zeros, exponent in (("0000", "05"), ("00000", "06"), ("000000", "07")):
        text = pc.replace_substring_regex(text, rf"^(-?)0\.{zeros}([1-9])(\d+)$", rf"\1\2.\3e-{exponent}")
        text = pc.replace_substring_regex(text, rf"^(-?)0\.{zeros}([1-9])$", rf"\1\2e-{exponent}")
    text = pc.replace_substring_regex(text, r"e([+-])(\d)$", r"e\10\2")
    text = pc.if_else(pa.array(np.isnan(values)), "NaN", text)
    text = pc.if_else(pa.array(np.isposinf(values)), "Infinity", text)
    return pc.if_else(pa.array(np.isneginf(values)), "-Infinity", text)


def _without_ties(text: ArrowArray, values: npt.NDArray[Any]) -> ArrowArray:
    """Give one digit more to integers whose shortest text lies exactly between two floats.

    Arrow takes such a text where it reads back by round-half-even; PostgreSQL's Ryu does not
    (`acceptBounds`). Values above 2^64, where exact ties are next to impossible, are left.
    """
    bound = 2.0**24 if values.dtype == np.float32 else 2.0**53
    size = np.abs(values)
    candidate = (size >= bound) & (size < 2.0**64)
    if not candidate.any():
        return text
    exact = values[candidate].astype(np.longdouble)
    half_gap = np.spacing(size[candidate]).astype(np.longdouble) / 2
    shortest = np.array(text.filter(pa.array(candidate)).to_pylist(), dtype=np.str_)
    is_tie = np.abs(shortest.astype(np.longdouble) - exact) >= half_gap
    if not is_tie.any():
        return text
    result = shortest
    for digits in range(17, 5, -1):
        longer = np.strings.mod(f"%.{digits}g", values[candidate].astype(np.float64))
        is_inside = np.abs(longer.astype(np.longdouble) - exact) < half_gap
        result = np.where(is_inside & is_tie, longer, result)
    return pc.replace_with_mask(text, pa.array(candidate), pa.array(result.tolist(), pa.string()))


def _with_exponent(text: ArrowArray) -> ArrowArray:
    """`-16777216` to `-1.6777216e+07`; text that has an exponent already stays."""
    whole = pc.replace_substring_regex(text, r"^-|\..*$", "")
    exponent = pc.cast(pc.subtract(pc.binary_length(whole), 1), pa.string())
    moved = pc.replace_substring_regex(text, r"^(-?\d)(\d*)\.?(\d*)$", r"\1.\2\3")
    trimmed = pc.utf8_rtrim(pc.utf8_rtrim(moved, "0"), ".")
    joined = pc.binary_join_element_wise(trimmed, "e+", pc.utf8_lpad(exponent, 2, "0"), "")
    return pc.if_else(pc.match_substring(text, "e"), text, joined)


def decimal_text(array: ArrowArray, *, trim_zeros: bool = False) -> Cells:
    """All digits of the scale; `trim_zeros` takes the zeros after the point away."""
    scale = array.type.scale
    unscaled = int64_unscaled(array)
    if unscaled is None or scale > _INT64_DIGITS:
        return varying_cells(_trim(_wide_strings(array)) if trim_zeros else _wide_strings(array))
    if scale <= 0:
        return varying_cells(_wide_strings(array) if scale < 0 else _with_validity(unscaled, array))
    if trim_zeros:
        return varying_cells(_trim(_plain_text(_short_decimal(array, unscaled, scale), array)))
    return _short_decimal(array, unscaled, scale)


def _short_decimal(array: ArrowArray, unscaled: npt.NDArray[np.int64], scale: int) -> Cells:
    one = 10**scale
    size = np.abs(unscaled)
    whole = size // one
    fraction = size - whole * one
    is_negative = unscaled < 0
    text = pc.cast(pa.array(np.where(is_negative, -whole, whole)), pa.string())
    lost_sign = is_negative & (whole == 0)
    if lost_sign.any():
        text = pc.if_else(pa.array(lost_sign), "-0", text)
    return joined_cells((Varying(text), Fixed((b".", *padded_digits(fraction, scale)))), validity(array))


def _plain_text(cells: Cells, array: ArrowArray) -> ArrowArray:
    text = join(cells.pieces, len(array)).view(pa.string())
    return (
        text if cells.valid is None else pc.if_else(pa.array(cells.valid), text, pa.scalar(None, pa.string()))
    )


def _with_validity(unscaled: npt.NDArray[np.int64], array: ArrowArray) -> ArrowArray:
    valid = validity(array)
    return pc.cast(pa.array(unscaled, mask=None if valid is None else ~valid), pa.string())


def decimal_strings(array: ArrowArray, *, trim_zeros: bool = False) -> ArrowArray:
    """Give the text of a decimal column as an Arrow string array."""
    return _plain_text(decimal_text(array, trim_zeros=trim_zeros), array)


def _trim(text: ArrowArray) -> ArrowArray:
    return pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")


def _wide_strings(array: ArrowArray) -> ArrowArray:
    """Any decimal through its text as an integer; Arrow's own text turns to exponents at high scales."""
    scale = array.type.scale
    digits = unscaled_digits(array)
    is_negative = pc.starts_with(digits, "-")
    if scale <= 0:
        return digits if scale == 0 else pc.binary_join_element_wise(digits, "0" * -scale, "")
    padded = pc.utf8_lpad(pc.utf8_ltrim(digits, "-"), scale + 1, "0")
    whole = pc.utf8_slice_codeunits(padded, 0, -scale)
    fraction = pc.utf8_slice_codeunits(padded, -scale)
    sign = pc.if_else(is_negative, "-", "")
    return pc.binary_join_element_wise(sign, whole, ".", fraction, "")


def unscaled_digits(array: ArrowArray) -> ArrowArray:
    """Give the integers that a decimal column stores, as text."""
    bits = array.type.bit_width
    as_integers = pa.decimal128(38, 0) if bits == 128 else pa.decimal256(76, 0)
    plain = pa.Array.from_buffers(as_integers, len(array), array.buffers(), offset=array.offset)
    return pc.cast(plain, pa.string())


def int64_unscaled(array: ArrowArray) -> npt.NDArray[np.int64] | None:
    """Give the integers that a decimal column stores (0 where NULL), or None beyond 64 bits."""
    words = _WORDS.get(array.type.bit_width)
    if words is None or array.buffers()[1] is None:
        return None if len(array) else np.zeros(0, np.int64)
    start = array.offset * words * 8
    matrix = np.frombuffer(array.buffers()[1], np.int64, len(array) * words, start).reshape(-1, words)
    low = matrix[:, 0]
    valid = validity(array)
    if valid is not None:
        matrix = np.where(valid[:, None], matrix, np.int64(0))
        low = matrix[:, 0]
    sign = low >> 63
    if (matrix[:, 1:] != sign[:, None]).any() or (low == np.iinfo(np.int64).min).any():
        return None
    return low


def fixed_width_values(array: ArrowArray, dtype: Any) -> npt.NDArray[Any]:
    """Give the storage of a fixed-width column as numpy, without a copy; 0 where NULL."""
    kind = np.dtype(dtype)
    buffer = array.buffers()[1]
    if buffer is None or len(array) == 0:
        return np.zeros(len(array), kind)
    values = np.frombuffer(buffer, kind, len(array), array.offset * kind.itemsize)
    valid = validity(array)
    return values if valid is None else np.where(valid, values, kind.type(0))
