"""COPY … TO STDOUT: Arrow record batches → CopyData messages, one a row, vectorised.

PostgreSQL docs, "COPY", File Formats. The encoders share their columns' codecs with DataRow; what differs is
escaping, delimiters and the row's end.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow

from pgwire.copy.lines import CopyCsvOptions, CopyTextOptions, csv_line, text_line
from pgwire.rows.arrow import pa, pc
from pgwire.rows.byte_tables import ByteTable, byte_table, contains_any, translate
from pgwire.rows.cells import (
    ArrowArray,
    Cells,
    Fixed,
    Lengths,
    Mask,
    Piece,
    Varying,
    compress,
    join,
    value_lengths,
    values_of,
)
from pgwire.rows.codecs import Encode, encoder_of
from pgwire.rows.compiled import CompiledRows, compiled_rows
from pgwire.rows.lines import COPY_BINARY, Check, Layout, Line
from pgwire.rows.message import EncodedRows, assemble, join_rows
from pgwire.types import OutputSettings, ResultColumn

BINARY_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_DEFAULT_OUTPUT = OutputSettings()


class CopyTextEncoder:
    """COPY TO STDOUT in text format."""

    def __init__(
        self,
        columns: Sequence[ResultColumn],
        options: CopyTextOptions | None = None,
        output: OutputSettings = _DEFAULT_OUTPUT,
        *,
        pure: bool = False,
    ) -> None:
        """Prepare the columns' encoders. pure: as in `pgwire.rows.RowEncoder`.

        Raises:
            StatementError: 0A000 or 22023, the delimiter cannot be one.
        """
        self._options = options if options is not None else CopyTextOptions()
        self._line = text_line(self._options, columns)
        self._columns = tuple(columns)
        self._encoders = _text_encoders(columns, output)
        self._escapes = _text_escapes(self._options.delimiter)
        self._compiled = None if pure else _compiled_lines(columns, output, self._encoders, self._line)

    def header(self) -> bytes:
        """Give the CopyData message with the column names, or nothing."""
        if not self._options.header:
            return b""
        names = pa.array([column.name for column in self._columns], pa.string())
        return copy_data(
            self._options.delimiter.encode().join(translate(names, self._escapes).to_pylist()) + b"\n"
        )

    def encode(self, batch: pyarrow.RecordBatch) -> EncodedRows:
        """Encode all rows of one batch, each as one CopyData message."""
        if self._compiled is not None:
            return self._compiled.encode(batch)
        null = self._options.null.encode()
        rows: list[Cells] = []
        for encode, column, check in zip(self._encoders, batch.columns, self._line.checks, strict=True):
            cells = encode(column)
            if check is not Check.CLEAN:
                cells = _text_of(translate(join(cells.pieces, batch.num_rows), self._escapes), cells.valid)
            rows.append(_with_null(cells, null))
        return _delimited(rows, self._options.delimiter.encode(), batch.num_rows)


class CopyCsvEncoder:
    """COPY TO STDOUT in csv format."""

    def __init__(
        self,
        columns: Sequence[ResultColumn],
        options: CopyCsvOptions | None = None,
        output: OutputSettings = _DEFAULT_OUTPUT,
        *,
        pure: bool = False,
    ) -> None:
        """Prepare the columns' encoders. pure: as in `pgwire.rows.RowEncoder`.

        Raises:
            StatementError: 0A000 or 22023, delimiter, quote or escape cannot be one.
        """
        self._options = options if options is not None else CopyCsvOptions()
        self._line = csv_line(self._options, columns)
        self._columns = tuple(columns)
        self._encoders = _text_encoders(columns, output)
        quote, escape = self._options.quote.encode(), self._options.escape.encode()
        self._escapes = byte_table({quote[0]: escape + quote, escape[0]: escape + escape})
        special = np.frombuffer(self._options.delimiter.encode() + quote + b"\r\n", np.uint8)
        self._special: Mask = np.isin(np.arange(256), special)
        lines = replace(self._line, is_framed=False)
        self._compiled, self._compiled_file = (
            None if pure else _compiled_lines(columns, output, self._encoders, line)
            for line in (self._line, lines)
        )

    def header(self) -> bytes:
        """Give the CopyData message with the column names, or nothing."""
        if not self._options.header:
            return b""
        fields = [
            self._quoted(pa.array([column.name], pa.string()), forced=False)[0] for column in self._columns
        ]
        return copy_data(self._options.delimiter.encode().join(name.as_py() for name in fields) + b"\n")

    def encode(self, batch: pyarrow.RecordBatch) -> EncodedRows:
        """Encode all rows of one batch, each as one CopyData message."""
        if self._compiled is not None:
            return self._compiled.encode(batch)
        return _delimited(self._fields(batch), self._options.delimiter.encode(), batch.num_rows)

    def file_header(self) -> bytes:
        """Give the line of column names as a file has it, or nothing."""
        return self.header()[5:]

    def file_lines(self, batch: pyarrow.RecordBatch) -> bytes:
        """Encode all rows of one batch as a file has them, without messages around."""
        if self._compiled_file is not None:
            return bytes(self._compiled_file.encode(batch).data)
        pieces: list[Piece] = []
        for place, cells in enumerate(self._fields(batch)):
            pieces += [Fixed((self._options.delimiter.encode(),))] if place else []
            pieces += cells.pieces
        lines = join((*pieces, Fixed((b"\n",))), batch.num_rows)
        return values_of(lines)[1].tobytes()

    def _fields(self, batch: pyarrow.RecordBatch) -> list[Cells]:
        null = self._options.null.encode()
        rows: list[Cells] = []
        for encode, column, check in zip(self._encoders, batch.columns, self._line.checks, strict=True):
            cells = encode(column)
            forced = check is Check.FORCED
            text = self._quoted(join(cells.pieces, batch.num_rows), forced=forced)
            rows.append(_with_null(_text_of(text, cells.valid), null))
        return rows

    def _quoted(self, text: ArrowArray, *, forced: bool) -> ArrowArray:
        """Quote where a value could be misread. PostgreSQL source, copyto.c `CopyAttributeOutCSV`."""
        text = text.view(pa.binary()) if text.type == pa.string() else text
        count = len(text)
        if forced:
            needs = np.ones(count, np.bool_)
        else:
            needs = contains_any(text, self._special)
            null = pa.scalar(self._options.null.encode(), pa.binary())
            needs |= pc.equal(text, null).to_numpy(zero_copy_only=False)
            if len(self._columns) == 1:
                needs |= pc.equal(text, pa.scalar(b"\\.", pa.binary())).to_numpy(zero_copy_only=False)
        if not needs.any():
            return text
        quote = compress(Fixed((self._options.quote.encode(),)), needs)
        inner = pc.if_else(pa.array(needs), translate(text, self._escapes), text)
        return join((quote, Varying(inner), quote), count)


class CopyBinaryEncoder:
    """COPY TO STDOUT in binary format: `header` before the first row, `trailer` after the last."""

    def __init__(
        self,
        columns: Sequence[ResultColumn],
        output: OutputSettings = _DEFAULT_OUTPUT,
        *,
        pure: bool = False,
    ) -> None:
        """Prepare the columns' encoders. pure: as in `pgwire.rows.RowEncoder`.

        Raises:
            FeatureNotSupported: a column's type has no binary format.
        """
        self._encoders = tuple(encoder_of(column, 1, output) for column in columns)
        self._compiled = (
            None if pure else compiled_rows(columns, (1,) * len(columns), output, self._encoders, COPY_BINARY)
        )

    def header(self) -> bytes:
        """Give signature, flags and the length of no extension as one CopyData message."""
        return copy_data(BINARY_SIGNATURE + bytes(8))

    def encode(self, batch: pyarrow.RecordBatch) -> EncodedRows:
        """Encode all rows of one batch, each as one CopyData message: as DataRow, but for the tag."""
        if self._compiled is not None:
            return self._compiled.encode(batch)
        cells = [encode(column) for encode, column in zip(self._encoders, batch.columns, strict=True)]
        return join_rows(cells, batch.num_rows, tag=b"d")

    def trailer(self) -> bytes:
        """Give the end mark, a field count of -1, as one CopyData message."""
        return copy_data(b"\xff\xff")


def copy_data(payload: bytes) -> bytes:
    """Wrap bytes as one CopyData message."""
    return b"d" + (len(payload) + 4).to_bytes(4, "big") + payload


def join_header(rows: bytes | memoryview) -> bytes:
    """Put the first CopyData message's bytes into the second one: the binary header before the first row.

    PostgreSQL sends it so, and ADBC 1.13 reads a row from what follows the header in the same message.
    """
    second = 1 + int.from_bytes(rows[1:5], "big")
    if second >= len(rows):
        return bytes(rows)
    end = second + 1 + int.from_bytes(rows[second + 1 : second + 5], "big")
    joined = copy_data(bytes(rows[5:second]) + bytes(rows[second + 5 : end]))
    return joined + bytes(rows[end:])


def _compiled_lines(
    columns: Sequence[ResultColumn], output: OutputSettings, encoders: tuple[Encode, ...], line: Line
) -> CompiledRows | None:
    return compiled_rows(columns, (0,) * len(columns), output, encoders, Layout(ord("d"), line))


def _text_encoders(columns: Sequence[ResultColumn], output: OutputSettings) -> tuple[Encode, ...]:
    return tuple(encoder_of(column, 0, output) for column in columns)


def _text_escapes(delimiter: str) -> ByteTable:
    named = {8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v", 12: b"\\f", 13: b"\\r", ord("\\"): b"\\\\"}
    return byte_table({ord(delimiter): b"\\" + delimiter.encode(), **named})


def _text_of(text: ArrowArray, valid: Mask | None) -> Cells:
    piece = Varying(text)
    if valid is not None:
        piece = compress(piece, valid)
    return Cells((piece,), value_lengths(piece.array), valid)


def _with_null(cells: Cells, null: bytes) -> Cells:
    """Write the word for NULL where the column is NULL."""
    if cells.valid is None:
        return cells
    is_null = ~cells.valid
    length: Lengths = cells.length + np.where(is_null, np.int32(len(null)), np.int32(0))
    return Cells((*cells.pieces, compress(Fixed((null,)), is_null)), length)


def _delimited(columns: Sequence[Cells], delimiter: bytes, row_count: int) -> EncodedRows:
    body: Lengths | int = 4 + max(len(columns), 1)
    pieces: list[Piece] = []
    for place, cells in enumerate(columns):
        body = body + cells.length
        if place:
            pieces.append(Fixed((delimiter,)))
        pieces += cells.pieces
    word = body.to_bytes(4, "big") if isinstance(body, int) else body.astype(">i4")
    return assemble([Fixed((b"d", word)), *pieces, Fixed((b"\n",))], body, row_count)
