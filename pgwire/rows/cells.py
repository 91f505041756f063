"""Columns of encoded bytes and how they are laid side by side.

The kernel under rows, arrays, JSON and COPY.

A column of n values is a sequence of pieces. `Fixed` has the same width in every row and is a set of numpy
arrays that one strided copy each puts in place (about 0.5 ns a value for 1, 2, 4 and 8 bytes); `Varying` is
an Arrow binary array (about 9 ns a value in the join). `join` merges neighbouring fixed pieces into one, so
a row of integers in binary needs no join at all. No Python code runs per row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pgwire.rows.arrow import pa, pc

ArrowArray: TypeAlias = Any  # pyarrow's stubs give every array kind another type; kernels here take them all
Bytes: TypeAlias = npt.NDArray[np.uint8]
Lengths: TypeAlias = npt.NDArray[np.int32]
Mask: TypeAlias = npt.NDArray[np.bool_]
Field: TypeAlias = npt.NDArray[Any]

_WORD_SIZES = (8, 4, 2, 1)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Bytes of equal width in every row.

    fields: 1-d arrays with a value a row, 2-d uint8 arrays with a line a row, or bytes that every row
    repeats.
    """

    fields: tuple[Field | bytes, ...]

    @property
    def width(self) -> int:
        """Bytes a row."""
        return sum(_field_width(field) for field in self.fields)


@dataclass(frozen=True, slots=True)
class Varying:
    """Bytes of varying width.

    An Arrow string or binary array with 32-bit offsets; NULL stands for no bytes.
    """

    array: ArrowArray


Piece: TypeAlias = Fixed | Varying


@dataclass(frozen=True, slots=True)
class Cells:
    """The encoded values of one column.

    pieces: side by side they are the value; no bytes where it is NULL.
    length: bytes of each value, one number if all are the same; 0 where NULL.
    valid: False where NULL; None if there is none.
    """

    pieces: tuple[Piece, ...]
    length: int | Lengths
    valid: Mask | None = None


def fixed_cells(fields: Sequence[Field | bytes], valid: Mask | None) -> Cells:
    """Give a column of equal width, with the bytes of NULLs taken out."""
    piece = Fixed(tuple(fields))
    if valid is None:
        return Cells((piece,), piece.width)
    return Cells((compress(piece, valid),), np.where(valid, np.int32(piece.width), np.int32(0)), valid)


def varying_cells(array: ArrowArray) -> Cells:
    """Give a column whose encoded values are an Arrow string or binary array."""
    valid = validity(array)
    return Cells((Varying(array),), value_lengths(array), valid)


def joined_cells(pieces: Sequence[Piece], valid: Mask | None) -> Cells:
    """Give a column made of several pieces, with the bytes of NULLs taken out."""
    if valid is not None:
        pieces = [compress(piece, valid) for piece in pieces]
    length: int | Lengths = 0
    for piece in pieces:
        length = length + (piece.width if isinstance(piece, Fixed) else value_lengths(piece.array))
    return Cells(tuple(pieces), length, valid)


def compress(piece: Piece, keep: Mask) -> Varying:
    """Empty the rows where `keep` is False."""
    if isinstance(piece, Varying):
        if keep.all():
            return piece
        return Varying(pc.if_else(pa.array(keep), piece.array, pa.scalar(None, piece.array.type)))
    row_count = len(keep)
    matrix = fixed_matrix(piece.fields, row_count)
    offsets = np.zeros(row_count + 1, np.int32)
    np.cumsum(keep, out=offsets[1:])
    offsets *= np.int32(piece.width)
    return Varying(binary_array(offsets, matrix[keep]))


def validity(array: ArrowArray) -> Mask | None:
    """Give a mask that is False where the array is NULL, or None if nothing is."""
    if array.null_count == 0:
        return None
    mask: Mask = pc.is_valid(array).to_numpy(zero_copy_only=False)
    return mask


def offsets_of(array: ArrowArray) -> Lengths:
    """Give the n+1 offsets of a string, binary or list array, for its own slice."""
    return np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, array.offset * 4)


def value_lengths(array: ArrowArray) -> Lengths:
    """Give the bytes of each value of a string or binary array; 0 where NULL."""
    if len(array) == 0:
        return np.zeros(0, np.int32)
    lengths: Lengths = np.diff(offsets_of(array))
    valid = validity(array)
    return lengths if valid is None else np.where(valid, lengths, np.int32(0))


def values_of(array: ArrowArray) -> tuple[Lengths, Bytes]:
    """Give offsets from 0 and the bytes between the first and last offset.

    NULLs may have bytes: compact first.
    """
    if len(array) == 0:
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    offsets = offsets_of(array)
    first, last = int(offsets[0]), int(offsets[-1])
    buffer = array.buffers()[2]
    if buffer is None or first == last:
        return offsets - offsets[0], np.zeros(0, np.uint8)
    return offsets - offsets[0], np.frombuffer(buffer, np.uint8, last - first, first)


def binary_array(offsets: Lengths, data: Bytes) -> ArrowArray:
    """Make an Arrow binary array without NULLs of n+1 offsets and its bytes; nothing is copied."""
    offsets = np.ascontiguousarray(offsets, np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data).reshape(-1))]
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)


def as_binary_field(values: Field) -> Field:
    """Give numbers in network byte order."""
    return values.astype(values.dtype.newbyteorder(">"))


def fixed_matrix(fields: Sequence[Field | bytes], row_count: int) -> Bytes:
    """Lay fixed fields side by side, one line a row."""
    width = sum(_field_width(field) for field in fields)
    matrix = np.empty((row_count, width), np.uint8)
    if row_count == 0:
        return matrix
    start = 0
    for field in fields:
        if isinstance(field, bytes):
            _repeat_bytes(matrix, start, field)
        elif field.ndim == 2:
            matrix[:, start : start + field.shape[1]] = field
        else:
            _column_view(matrix, start, field.dtype)[:] = field
        start += _field_width(field)
    return matrix


def join(pieces: Sequence[Piece], row_count: int) -> ArrowArray:
    """Lay pieces side by side: a binary array whose data buffer is the rows one after the other."""
    merged = [_as_binary(run, row_count) for run in _merge_fixed(pieces)]
    if not merged:
        return _equal_widths(np.empty((row_count, 0), np.uint8))
    if len(merged) == 1:
        return pc.fill_null(merged[0], b"") if merged[0].null_count else merged[0]
    return pc.binary_join_element_wise(*merged, b"", null_handling="replace", null_replacement=b"")


def regroup(items: ArrowArray, list_offsets: Lengths) -> ArrowArray:
    """Concatenate the items of each list.

    Same bytes, fewer offsets. `items` are those of the lists' slice.
    """
    item_offsets, data = values_of(items)
    return binary_array(item_offsets[list_offsets - list_offsets[0]], data)


def _merge_fixed(pieces: Sequence[Piece]) -> list[Piece]:
    runs: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Fixed) and runs and isinstance(runs[-1], Fixed):
            runs[-1] = Fixed(runs[-1].fields + piece.fields)
        else:
            runs.append(piece)
    return [run for run in runs if not (isinstance(run, Fixed) and run.width == 0)]


def _as_binary(piece: Piece, row_count: int) -> ArrowArray:
    if isinstance(piece, Fixed):
        return _equal_widths(fixed_matrix(piece.fields, row_count))
    array = piece.array
    return array if array.type == pa.binary() else array.view(pa.binary())


def _equal_widths(matrix: Bytes) -> ArrowArray:
    row_count, width = matrix.shape
    buffers = [None, _equal_offsets(row_count, width), pa.py_buffer(matrix.reshape(-1))]
    return pa.Array.from_buffers(pa.binary(), row_count, buffers)


@lru_cache(maxsize=64)
def _equal_offsets(row_count: int, width: int) -> Any:
    return (
        pa.py_buffer(np.arange(0, (row_count + 1) * width, width, dtype=np.int32))
        if width
        else pa.py_buffer(np.zeros(row_count + 1, np.int32))
    )


def _field_width(field: Field | bytes) -> int:
    if isinstance(field, bytes):
        return len(field)
    return field.shape[1] if field.ndim == 2 else field.dtype.itemsize


def _column_view(matrix: Bytes, start: int, dtype: np.dtype[Any]) -> Field:
    return np.ndarray(matrix.shape[0], dtype, matrix, start, (matrix.shape[1],))


def _repeat_bytes(matrix: Bytes, start: int, value: bytes) -> None:
    """Write one value to every row in machine words: five times faster than broadcasting bytes."""
    position = 0
    while position < len(value):
        size = next(size for size in _WORD_SIZES if size <= len(value) - position)
        word = np.frombuffer(value, f"u{size}", 1, position)
        _column_view(matrix, start + position, word.dtype)[:] = word[0]
        position += size
