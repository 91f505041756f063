"""bytea, uuid, bit and json as text. PostgreSQL source: bytea `byteaout`, uuid.c, varbit.c."""

from functools import cache

import numpy as np
import numpy.typing as npt

from pgwire.rows.arrow import pa, pc
from pgwire.rows.byte_tables import ByteTable, byte_table, compacted, translate
from pgwire.rows.cells import (
    ArrowArray,
    Bytes,
    Cells,
    Fixed,
    Lengths,
    Mask,
    Varying,
    binary_array,
    fixed_cells,
    joined_cells,
    validity,
    values_of,
)
from pgwire.rows.digits import hex_digits


def bytea_text(array: ArrowArray, output: str) -> Cells:
    r"""`\x6162`, or with bytea_output = escape `a\000\\`."""
    valid = validity(array)
    if output == "escape":
        return joined_cells((Varying(translate(array, _bytea_escapes())),), valid)
    offsets, data = values_of(compacted(array))
    text = binary_array(offsets * np.int32(2), hex_digits()[data].view(np.uint8))
    return joined_cells((Fixed((b"\\x",)), Varying(text)), valid)


@cache
def _bytea_escapes() -> ByteTable:
    replacements = {byte: b"\\%03o" % byte for byte in (*range(0x20), *range(0x7F, 0x100))}
    return byte_table({**replacements, ord("\\"): b"\\\\"})


def uuid_text(raw: Bytes, valid: Mask | None) -> Cells:
    """`c20fd3fd-9250-46ee-9229-fe103f5a599a`."""
    text = np.ascontiguousarray(hex_digits()[raw])  # 16 words of two digits a row
    quads = text.view(np.uint32)  # 8 words of four
    halves = text.view(np.uint64)  # 4 words of eight
    fields = (halves[:, 0], b"-", quads[:, 2], b"-", quads[:, 3], b"-", quads[:, 4], b"-")
    return fixed_cells((*fields, quads[:, 5], halves[:, 3]), valid)


def bit_text(array: ArrowArray) -> Cells:
    """`101`; DuckDB stores a count of padding bits, then the bits behind that padding."""
    lengths, bits = unpack_bits(array)
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return joined_cells((Varying(binary_array(offsets, bits + np.uint8(ord("0")))),), validity(array))


def bit_binary(array: ArrowArray) -> Cells:
    """A count of bits, then the bits from the left, filled up with zeros."""
    lengths, bits = bits_of_text(array) if array.type == pa.string() else unpack_bits(array)
    byte_counts = (lengths + 7) // 8
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(byte_counts, out=offsets[1:])
    room = np.zeros(int(offsets[-1]) * 8, np.uint8)
    starts = np.repeat(offsets[:-1].astype(np.int64) * 8, lengths)
    firsts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    room[starts + np.arange(len(bits)) - firsts] = bits
    packed = binary_array(offsets, np.packbits(room))
    return joined_cells((Fixed((lengths.astype(">i4"),)), Varying(packed)), validity(array))


def bits_of_text(array: ArrowArray) -> tuple[Lengths, npt.NDArray[np.uint8]]:
    """Give the bits of texts like `101`, as `unpack_bits` does."""
    offsets, data = values_of(pc.fill_null(array, "") if array.null_count else array)
    return np.diff(offsets).astype(np.int32), data - np.uint8(ord("0"))


def unpack_bits(array: ArrowArray) -> tuple[Lengths, npt.NDArray[np.uint8]]:
    """Give how many bits each value has, and all bits one after the other as 0 and 1."""
    # A NULL stands as "eight bits of padding in no byte", so that every value has its first byte.
    plain = pc.fill_null(array, b"\x00") if array.null_count else array
    offsets, data = values_of(plain)
    padding = data[offsets[:-1]].astype(np.int64)
    starts, ends = offsets[:-1].astype(np.int64) * 8, offsets[1:].astype(np.int64) * 8
    skipped = np.zeros(len(data) * 8 + 1, np.int8)
    np.add.at(skipped, starts, 1)
    np.subtract.at(skipped, starts + 8 + padding, 1)
    keep = np.cumsum(skipped[:-1], dtype=np.int8) == 0
    return (ends - starts - 8 - padding).astype(np.int32), np.unpackbits(data)[keep]


@cache
def json_escapes() -> ByteTable:
    """What JSON strings escape. PostgreSQL source, json.c `escape_json`."""
    controls = {byte: b"\\u%04x" % byte for byte in range(0x20)}
    named = {8: b"\\b", 9: b"\\t", 10: b"\\n", 12: b"\\f", 13: b"\\r", ord('"'): b'\\"', ord("\\"): b"\\\\"}
    return byte_table({**controls, **named})


def padded_text(array: ArrowArray, length: int) -> ArrowArray:
    """Fill char(n) up with blanks."""
    return pc.utf8_rpad(array.view(pa.string()) if array.type == pa.binary() else array, length, " ")
