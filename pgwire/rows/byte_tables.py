"""Byte-for-bytes translation of whole columns: hex, backslash escapes, doubled quotes, JSON escapes."""

from dataclasses import dataclass

import numpy as np

from pgwire.rows.arrow import pc
from pgwire.rows.cells import ArrowArray, Bytes, Lengths, Mask, binary_array, values_of


@dataclass(frozen=True, slots=True)
class ByteTable:
    """What each byte value becomes.

    replacement: 256 lines of the widest replacement's width. width: bytes used of each line.
    """

    replacement: Bytes
    width: Lengths

    @property
    def is_special(self) -> Mask:
        """True for the bytes that do not stay as they are."""
        unchanged: Mask = (self.width == 1) & (self.replacement[:, 0] == np.arange(256))
        return ~unchanged


def byte_table(replacements: dict[int, bytes]) -> ByteTable:
    """Make a table in which bytes that are not named stay as they are."""
    widest = max((len(new) for new in replacements.values()), default=1)
    replacement = np.zeros((256, max(widest, 1)), np.uint8)
    replacement[:, 0] = np.arange(256)
    width = np.ones(256, np.int32)
    for old, new in replacements.items():
        replacement[old, : len(new)] = np.frombuffer(new, np.uint8)
        width[old] = len(new)
    return ByteTable(replacement, width)


def translate(array: ArrowArray, table: ByteTable) -> ArrowArray:
    """Translate every byte of a string or binary array.

    NULLs become empty. Unchanged if no byte is special.
    """
    array = compacted(array)
    offsets, data = values_of(array)
    if not table.is_special[data].any():
        return binary_array(offsets, data)
    widths = table.width[data]
    ends = np.zeros(len(data) + 1, np.int64)
    np.cumsum(widths, out=ends[1:])
    keep = np.arange(table.replacement.shape[1]) < widths[:, None]
    return binary_array(ends[offsets].astype(np.int32), table.replacement[data][keep])


def contains_any(array: ArrowArray, is_wanted: Mask) -> Mask:
    """Tell for each value of an array without NULLs whether it holds one of the wanted bytes."""
    offsets, data = values_of(array)
    hits = np.zeros(len(data) + 1, np.int32)
    np.cumsum(is_wanted[data], out=hits[1:])
    return hits[offsets[1:]] > hits[offsets[:-1]]


def compacted(array: ArrowArray) -> ArrowArray:
    """Give the same values with NULLs as empty values that have no bytes."""
    return pc.fill_null(array, b"" if array.type == "binary" else "") if array.null_count else array
