"""Whole lines of COPY data → one string array a column, by Arrow's csv reader where that reads the same.

What Arrow would read otherwise (escaped delimiters, quotes amid a field, stray carriage returns, zero bytes,
the end-of-data mark) is told from the bytes before, and left to `exact`.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow.csv

from pgwire.copy.exact import END_OF_DATA, unescape
from pgwire.copy.options import CopyFormat, CopyOptions
from pgwire.rows.arrow import pa, pc
from pgwire.rows.cells import ArrowArray, Bytes

_BACKSLASH = ord("\\")


def split_columns(
    block: bytes, options: CopyOptions, eol: bytes, names: Sequence[str]
) -> list[ArrowArray] | None:
    """Split lines into columns; None where `exact` has to."""
    if b"\0" in block or eol == b"\r" or not _has_plain_ends(block, eol):
        return None
    is_csv = options.format is CopyFormat.CSV
    is_plain = _is_plain_csv(block, options) if is_csv else _is_plain_text(block, options)
    if not is_plain:
        return None
    try:
        table = _read(block, options, len(names))
    except pa.ArrowInvalid:
        return None
    columns = [column.combine_chunks() for column in table.columns]
    if not is_csv:
        return _unescaped(columns, has_escapes=b"\\" in block)
    return [_forced(column, name, options) for column, name in zip(columns, names, strict=True)]


def _has_plain_ends(block: bytes, eol: bytes) -> bool:
    if eol == b"\n":
        return b"\r" not in block
    return block.count(b"\r") == block.count(b"\n") == block.count(b"\r\n")


def _is_plain_text(block: bytes, options: CopyOptions) -> bool:
    if b"\\" not in block:
        return True
    if END_OF_DATA in block:
        return False
    content = np.frombuffer(block, np.uint8)
    marks = np.flatnonzero(content == _BACKSLASH)
    is_first = np.diff(marks, prepend=-2) != 1
    run_start = marks[np.maximum.accumulate(np.where(is_first, np.arange(len(marks)), 0))]
    escaping = marks[(marks - run_start) % 2 == 0]
    if escaping[-1] + 1 == len(block):
        return False
    escaped = content[escaping + 1]
    return not np.isin(escaped, np.frombuffer(options.delimiter.encode() + b"\r\n", np.uint8)).any()


def _is_plain_csv(block: bytes, options: CopyOptions) -> bool:
    # One byte is found at memory's speed, three take a tenth of the decoding.
    if b"\\" in block and (block.startswith(END_OF_DATA) or b"\n\\." in block):
        return False
    quote = options.quote.encode()
    if quote not in block:
        return True
    if options.escape != options.quote and options.escape.encode() in block:
        return False
    return _are_whole_fields(np.frombuffer(block, np.uint8), options)


def _are_whole_fields(content: Bytes, options: CopyOptions) -> bool:
    """Whether quotes stand only around whole fields, or doubled inside of them."""
    quotes = np.flatnonzero(content == ord(options.quote))
    if len(quotes) % 2:
        return False
    around = np.zeros(256, np.bool_)
    around[[ord(options.delimiter), ord("\n"), ord("\r")]] = True
    padded = np.concatenate(([ord("\n")], content, [ord("\n")]))
    opening, closing = quotes[0::2], quotes[1::2]
    is_doubled = np.zeros(len(opening) + 1, np.bool_)
    is_doubled[1:-1] = opening[1:] == closing[:-1] + 1
    if is_doubled.any() and options.escape != options.quote:
        return False
    return bool(
        (around[padded[opening]] | is_doubled[:-1]).all()
        and (around[padded[closing + 2]] | is_doubled[1:]).all()
    )


def _read(block: bytes, options: CopyOptions, count: int) -> pyarrow.Table:
    names = [str(place) for place in range(count)]
    is_csv = options.format is CopyFormat.CSV
    csv = pyarrow.csv
    return csv.read_csv(
        pa.py_buffer(block),
        csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
        csv.ParseOptions(
            delimiter=options.delimiter,
            quote_char=options.quote if is_csv else False,
            double_quote=is_csv,
            escape_char=False,
            newlines_in_values=is_csv,
            ignore_empty_lines=False,
        ),
        csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            null_values=[options.null],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _unescaped(columns: Sequence[ArrowArray], *, has_escapes: bool) -> list[ArrowArray] | None:
    if not has_escapes:
        return list(columns)
    try:
        return [_unescaped_column(column) for column in columns]
    except pa.ArrowInvalid:
        return None  # an escape made bytes that are not UTF-8


def _unescaped_column(column: ArrowArray) -> ArrowArray:
    """Doubled backslashes, as bytea has them, by the column; other sequences in the values that have them."""
    has_any = pc.fill_null(pc.match_substring(column, "\\"), False)
    if not pc.any(has_any).as_py():
        return column
    rest = pc.replace_substring(column, "\\\\", "")
    if not pc.any(pc.match_substring(rest, "\\")).as_py():
        return pc.replace_substring(column, "\\\\", "\\")
    values = [unescape(value) for value in column.filter(has_any).cast(pa.binary()).to_pylist()]
    if any(b"\0" in value for value in values):
        raise pa.ArrowInvalid("a zero byte")
    replaced = pc.replace_with_mask(column.cast(pa.binary()), has_any, pa.array(values, pa.binary()))
    return replaced.cast(pa.string())


def _forced(column: ArrowArray, name: str, options: CopyOptions) -> ArrowArray:
    if name in options.force_not_null:
        column = pc.fill_null(column, options.null)
    if name in options.force_null:
        is_null = pc.fill_null(pc.equal(column, options.null), True)
        column = pc.if_else(is_null, pa.scalar(None, pa.string()), column)
    return column
