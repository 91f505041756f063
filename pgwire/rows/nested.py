"""Arrays, records and JSON made of lists, structs, maps and unions.

PostgreSQL source: `array_out`, `array_send`, `record_out`, json.c `datum_to_json`.

A list's bytes are its items' bytes one after the other, so an item column is encoded once and regrouped by
the list's offsets: nothing here runs per row.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from pgwire.errors import StatementError
from pgwire.rows.arrow import pa, pc
from pgwire.rows.byte_tables import ByteTable, byte_table, compacted, contains_any, translate
from pgwire.rows.cells import (
    ArrowArray,
    Cells,
    Field,
    Fixed,
    Lengths,
    Mask,
    Piece,
    Varying,
    binary_array,
    compress,
    join,
    joined_cells,
    regroup,
    validity,
)
from pgwire.rows.sources import unwrap
from pgwire.rows.strings import json_escapes
from pgwire.sqlstate import SqlState

ToText = Callable[[ArrowArray], ArrowArray]
"""Gives the text of a scalar column as an Arrow string or binary array with the same NULLs."""


def list_parts(array: ArrowArray) -> tuple[Lengths, ArrowArray]:
    """Give offsets from 0 and the items of this slice; a NULL list has none."""
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(array) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return offsets, array.flatten()


def array_text(array: ArrowArray, item_text: ToText, *, may_need_quotes: bool) -> Cells:
    """`{1,NULL,"a b"}`, nested lists as `{{1,2},{3,4}}`."""
    strings = _array_strings(array, item_text, may_need_quotes=may_need_quotes)
    return joined_cells((Varying(strings),), validity(array))


def vector_text(array: ArrowArray, item_text: ToText) -> Cells:
    """`1 2`: int2vector and oidvector, which hold numbers and no NULLs."""
    text = _array_strings(array, item_text, may_need_quotes=False).view(pa.string())
    spaced = pc.replace_substring(pc.utf8_trim(text, "{}"), ",", " ")
    return joined_cells((Varying(spaced.view(pa.binary())),), validity(array))


def _array_strings(array: ArrowArray, item_text: ToText, *, may_need_quotes: bool) -> ArrowArray:
    offsets, items = list_parts(array)
    kind, plain = unwrap(items)
    if kind == "list":
        content = _array_strings(plain, item_text, may_need_quotes=may_need_quotes)
    else:
        content = item_text(items)
        content = (
            _quoted(content, _array_quotes(), _array_special()) if may_need_quotes else compacted(content)
        )
    content = pc.if_else(items.is_valid(), content.view(pa.binary()), b"NULL")
    return enclosed(content, offsets, b"{", b"}")


def enclosed(content: ArrowArray, offsets: Lengths, left: bytes, right: bytes) -> ArrowArray:
    """Write each list's items between brackets, with commas. content: the items' text, no NULLs."""
    starts = np.full(len(content), ord(","), np.uint8)
    is_empty = offsets[1:] == offsets[:-1]
    starts[offsets[:-1][~is_empty]] = left[0]
    grouped = regroup(join((Fixed((starts,)), Varying(content)), len(content)), offsets)
    if not is_empty.any():
        return join((Varying(grouped), Fixed((right,))), len(grouped))
    return join(
        (Varying(grouped), Varying(pc.if_else(pa.array(is_empty), left + right, right))), len(grouped)
    )


def _quoted(text: ArrowArray, escapes: ByteTable, special: Mask) -> ArrowArray:
    """Put quotes around the values that hold a special byte, are empty or read NULL."""
    text = compacted(text)
    needs = contains_any(text, special) | (pc.binary_length(text).to_numpy() == 0)
    is_null_word = pc.equal(pc.ascii_lower(text.view(pa.string())), "null")
    needs |= is_null_word.to_numpy(zero_copy_only=False)
    if not needs.any():
        return text
    quote = compress(Fixed((b'"',)), needs)
    return join((quote, Varying(translate(text, escapes)), quote), len(text))


@cache
def _array_quotes() -> ByteTable:
    return byte_table({ord('"'): b'\\"', ord("\\"): b"\\\\"})


@cache
def _array_special() -> Mask:
    return np.isin(np.arange(256), np.frombuffer(b'{},"\\ \t\n\v\f\r', np.uint8))


@cache
def _record_quotes() -> ByteTable:
    return byte_table({ord('"'): b'""', ord("\\"): b"\\\\"})


@cache
def _record_special() -> Mask:
    return np.isin(np.arange(256), np.frombuffer(b'(),"\\ \t\n\v\f\r', np.uint8))


def record_fields(array: ArrowArray) -> list[tuple[int, ArrowArray]]:
    """The fields of a record with the OID of each one's type; 0 where its name does not tell.

    A field is named by its place and type, `1:23`; a record without fields has one named `0:0`.
    """
    found: list[tuple[int, ArrowArray]] = []
    for field, values in zip(array.type, array.flatten(), strict=True):
        place, colon, oid = field.name.partition(":")
        is_typed = bool(colon) and place.isdigit() and oid.isdigit()
        if not is_typed or place != "0":
            found.append((int(oid) if is_typed else 0, values))
    return found


def record_text(array: ArrowArray, field_text: Callable[[ArrowArray, int], ArrowArray]) -> Cells:
    """`(1,"a b",)`: a NULL field is nothing at all."""
    pieces: list[Piece] = []
    for oid, field in record_fields(array):
        text = compacted(field_text(field, oid))
        needs = contains_any(text, _record_special()) | (pc.binary_length(text).to_numpy() == 0)
        quote = compress(Fixed((b'"',)), needs)
        content = join((quote, Varying(translate(text, _record_quotes())), quote), len(text))
        shown = pc.if_else(field.is_valid(), content, b"")
        pieces += [Fixed((b"," if pieces else b"(",)), Varying(shown)]
    return joined_cells((*pieces, Fixed((b")" if pieces else b"()",))), validity(array))


def record_binary(array: ArrowArray, field_cells: Callable[[ArrowArray, int], tuple[int, Cells]]) -> Cells:
    """The number of fields; of each its type, length (-1: NULL) and bytes.

    field_cells: gives the type and the bytes of a field with a declared type, or 0.
    """
    fields = record_fields(array)
    pieces: list[Piece] = [Fixed((len(fields).to_bytes(4, "big"),))]
    for declared, values in fields:
        oid, cells = field_cells(values, declared)
        length: Field = np.broadcast_to(np.asarray(cells.length, np.int32), (len(array),))
        if cells.valid is not None:
            length = np.where(cells.valid, length, np.int32(-1))
        pieces += [Fixed((oid.to_bytes(4, "big"), length.astype(">i4"))), *cells.pieces]
    return joined_cells(pieces, validity(array))


def json_strings(array: ArrowArray, scalar_text: ToText) -> ArrowArray:
    """Give any column as JSON text, `null` for NULL, as a binary array without NULLs."""
    kind, plain = unwrap(array)
    writer = {"list": _json_list, "struct": _json_struct, "map": _json_map, "union": _json_union}.get(kind)
    if writer is not None:
        text = writer(plain, scalar_text)
    elif kind == "bool":
        text = pc.if_else(pc.fill_null(plain, False), b"true", b"false")
    elif kind in {"integer", "decimal", "json"}:
        text = compacted(scalar_text(array)).view(pa.binary())
    elif kind == "float":
        bare = compacted(scalar_text(array)).view(pa.binary())
        is_number = pc.fill_null(pc.is_finite(plain), False)
        text = pc.if_else(is_number, bare, pc.binary_join_element_wise(b'"', bare, b'"', b""))
    else:
        text = _json_quoted(scalar_text(array))
    # A union has no validity of its own: its members' NULLs are written already.
    return text if kind == "union" else pc.if_else(plain.is_valid(), text, b"null")


def _json_quoted(text: ArrowArray) -> ArrowArray:
    quote = Fixed((b'"',))
    return join((quote, Varying(translate(text, json_escapes())), quote), len(text))


def _json_list(array: ArrowArray, scalar_text: ToText) -> ArrowArray:
    offsets, items = list_parts(array)
    return enclosed(json_strings(items, scalar_text), offsets, b"[", b"]")


def _json_struct(array: ArrowArray, scalar_text: ToText) -> ArrowArray:
    pieces: list[Piece] = []
    names = pa.array([field.name for field in array.type], pa.string())
    keys = _json_quoted(names).to_pylist() if len(names) else []
    for key, field in zip(keys, array.flatten(), strict=True):
        pieces += [
            Fixed(((b"," if pieces else b"{") + key + b":",)),
            Varying(json_strings(field, scalar_text)),
        ]
    return join((*pieces, Fixed((b"}" if pieces else b"{}",))), len(array))


def _json_map(array: ArrowArray, scalar_text: ToText) -> ArrowArray:
    as_list = array.cast(pa.list_(pa.struct([("key", array.type.key_type), ("value", array.type.item_type)])))
    offsets, entries = list_parts(as_list)
    keys = _json_quoted(scalar_text(entries.field(0)))
    values = json_strings(entries.field(1), scalar_text)
    return enclosed(join((Varying(keys), Fixed((b":",)), Varying(values)), len(entries)), offsets, b"{", b"}")


def _json_union(array: ArrowArray, scalar_text: ToText) -> ArrowArray:
    """The member that is set, without its tag, as DuckDB's to_json writes it."""
    codes = np.frombuffer(array.buffers()[1], np.int8, len(array), array.offset)
    text = pa.array([b"null"] * len(array), pa.binary())
    for place, code in enumerate(array.type.type_codes):
        member = array.field(place)
        text = pc.if_else(pa.array(codes == code), json_strings(member, scalar_text), text)
    return text


def array_binary(
    array: ArrowArray, element_oid: int, item_cells: Callable[[ArrowArray], Cells], *, lower_bound: int = 1
) -> Cells:
    """Dimensions, then each element's length and bytes.

    Raises:
        StatementError: 2202E, lists inside a list differ in length: PostgreSQL's arrays are rectangular.
    """
    rows, items = list_parts(array)
    sizes: list[Lengths] = [np.diff(rows)]
    kind, plain = unwrap(items)
    while kind == "list":
        if plain.null_count:
            raise _ragged()
        offsets, items = list_parts(plain)
        sizes.append(_equal_sizes(np.diff(offsets), rows))
        rows = offsets[rows]
        kind, plain = unwrap(items)
    cells = item_cells(items)
    length: Field = np.broadcast_to(np.asarray(cells.length, np.int32), (len(items),))
    nulls = np.zeros(len(items) + 1, np.int32)
    if cells.valid is not None:
        length = np.where(cells.valid, length, np.int32(-1))
        np.cumsum(~cells.valid, out=nulls[1:])
    joined = join((Fixed((length.astype(">i4"),)), *cells.pieces), len(items))
    is_filled = rows[1:] > rows[:-1]
    depth = np.where(is_filled, len(sizes), 0).astype(">i4")
    flags = (nulls[rows[1:]] > nulls[rows[:-1]]).astype(">i4")
    head = Fixed((depth, flags, element_oid.to_bytes(4, "big")))
    first = lower_bound.to_bytes(4, "big")
    dimensions = Fixed(tuple(word for size in sizes for word in (size.astype(">i4"), first)))
    pieces = (head, compress(dimensions, is_filled), Varying(regroup(joined, rows)))
    return joined_cells(pieces, validity(array))


def _equal_sizes(lengths: Lengths, rows: Lengths) -> Lengths:
    """Give each row's common length of inner lists, 0 where the row is empty."""
    is_filled = rows[1:] > rows[:-1]
    first = np.zeros(len(rows) - 1, np.int32)
    first[is_filled] = lengths[rows[:-1][is_filled]]
    if (np.repeat(first, np.diff(rows)) != lengths).any():
        raise _ragged()
    return first


def _ragged() -> StatementError:
    return StatementError(
        "multidimensional arrays must have array expressions with matching dimensions",
        sqlstate=SqlState.ARRAY_SUBSCRIPT_ERROR,
    )


def empty_binary(row_count: int) -> ArrowArray:
    """Give a column of empty values."""
    return binary_array(np.zeros(row_count + 1, np.int32), np.zeros(0, np.uint8))
