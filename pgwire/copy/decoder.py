"""COPY FROM STDIN in text and csv: CopyData, cut anywhere → Arrow record batches, with bounded memory.

Whole lines are gathered to about a mebibyte and split by columns (`splitting`); where that could differ from
PostgreSQL, or something is wrong, the same lines go through `exact`. PostgreSQL docs, "COPY", File Formats.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import pyarrow

from pgwire.copy.columns import check_not_null, text_columns
from pgwire.copy.cutting import first_line_end, last_line_end
from pgwire.copy.exact import Line, LineSplitter, split_csv, split_text
from pgwire.copy.faults import in_column, in_line
from pgwire.copy.options import CopyFormat, CopyOptions, HeaderLine
from pgwire.copy.splitting import split_columns
from pgwire.copy.targets import CellError, CopyTarget
from pgwire.errors import GatewayError, StatementError
from pgwire.rows.arrow import pa
from pgwire.sqlstate import SqlState
from pgwire.values import decode_parameter

BLOCK_BYTES = 1 << 20
"""Lines are decoded in blocks of about this size."""

_MAX_LINE_BYTES = 1 << 30
_TEXT_OID = 25


class CopyTextDecoder:
    """Decodes one COPY. Not for several threads at once."""

    def __init__(self, target: CopyTarget, options: CopyOptions, *, block_bytes: int = BLOCK_BYTES) -> None:
        self.schema = target.schema
        self._target = target
        self._options = options
        self._block_bytes = self._wanted_bytes = block_bytes
        self._buffer = bytearray()
        self._lines: LineSplitter | None = None
        self._needs_header = options.header is not HeaderLine.NONE

    def feed(self, data: bytes) -> Iterator[pyarrow.RecordBatch]:
        """Take a piece of data; give the rows of what is whole.

        Raises:
            GatewayError: 22P04, 22P02 and the like, with the line in `where`.
        """
        if self._has_ended:
            return
        self._buffer += data
        if len(self._buffer) >= self._wanted_bytes:
            yield from self._decode(is_last=False)

    def finish(self) -> Iterator[pyarrow.RecordBatch]:
        """Give the rows of what is left.

        Raises:
            GatewayError: as `feed`.
        """
        if not self._has_ended:
            yield from self._decode(is_last=True)

    @property
    def _has_ended(self) -> bool:
        return self._lines is not None and self._lines.has_ended

    def _decode(self, *, is_last: bool) -> Iterator[pyarrow.RecordBatch]:
        block = self._next_block(is_last=is_last)
        # What is left is looked through again with the next data: let that at least double it.
        self._wanted_bytes = self._block_bytes + 2 * len(self._buffer)
        if len(self._buffer) > _MAX_LINE_BYTES:
            raise StatementError("a line of COPY data is too long", sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED)
        if not block or self._lines is None:
            return
        if self._needs_header:
            block = self._take_header(block, self._lines)
        if block and not self._lines.has_ended:
            batch = self._fast_batch(block, self._lines)
            if batch is None:
                batch = self._exact_batch(block, self._lines)
            if batch.num_rows:
                yield batch

    def _next_block(self, *, is_last: bool) -> bytes:
        if self._lines is None:
            eol = first_line_end(self._buffer, self._options, is_last=is_last)
            if eol is None:
                return b""
            self._eol = eol
            self._lines = LineSplitter(self._options, eol)
        end = len(self._buffer) if is_last else last_line_end(self._buffer, self._options, self._eol)
        block = bytes(self._buffer[:end])
        del self._buffer[:end]
        return block

    def _fast_batch(self, block: bytes, lines: LineSplitter) -> pyarrow.RecordBatch | None:
        texts = split_columns(block, self._options, self._eol, [c.name for c in self._target.columns])
        if texts is None:
            return None
        try:
            batch = self._batch(texts)
        except CellError:
            return None  # the exact way finds the line
        lines.number += self._line_count(block, batch.num_rows, is_first=lines.number == 0)
        return batch

    def _line_count(self, block: bytes, rows: int, *, is_first: bool) -> int:
        if self._options.format is not CopyFormat.CSV or self._options.quote.encode() not in block:
            return rows
        counted = b"\n" if self._eol == b"\n" else b"\r"
        first = next(LineSplitter(self._options, self._eol).lines(block), None) if is_first else None
        return block.count(counted) - (first.data.count(counted) if first is not None else 0)

    def _batch(self, texts: Sequence[object]) -> pyarrow.RecordBatch:
        columns = text_columns(self._target, texts)
        check_not_null(self._target, columns)
        return pyarrow.RecordBatch.from_arrays(columns, schema=self.schema)

    def _take_header(self, block: bytes, lines: LineSplitter) -> bytes:
        self._needs_header = False
        end = len(block)
        probe = LineSplitter(self._options, self._eol)
        try:
            first = next(probe.lines(block), None)
        except GatewayError as error:
            raise in_line(error, self._target, probe.number, None) from None
        lines.has_ended = probe.has_ended and (first is None or len(first.data) == 0)
        if first is None:
            return b""
        lines.number = first.number
        end = min(len(first.data) + len(self._eol), len(block))
        if self._options.header is HeaderLine.MATCH:
            self._check_header(first)
        return block[end:]

    def _check_header(self, line: Line) -> None:
        names = [column.name for column in self._target.columns]
        fields = self._fields(line)
        problem = None
        if len(fields) != len(names):
            problem = f"wrong number of fields in header line: got {len(fields)}, expected {len(names)}"
        for place, (field, name) in enumerate(zip(fields, names, strict=False), start=1):
            shown = f'null value ("{self._options.null}")' if field is None else f'"{field}"'
            if problem is None and field != name:
                problem = f'column name mismatch in header line field {place}: got {shown}, expected "{name}"'
        if problem is not None:
            error = StatementError(problem, sqlstate=SqlState.BAD_COPY_FILE_FORMAT)
            raise in_line(error, self._target, line.number, line.data)

    def _exact_batch(self, block: bytes, lines: LineSplitter) -> pyarrow.RecordBatch:
        rows: list[list[str | None]] = []
        places: list[Line] = []
        fault: GatewayError | None = None
        try:
            for line in lines.lines(block):
                places.append(line)
                row, fault = self._row(line)
                rows.append(row)
                if fault is not None:
                    break
        except GatewayError as error:
            fault = error if error.where is not None else in_line(error, self._target, lines.number, None)
        texts = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        if not rows:
            texts = [pa.array([], pa.string())] * len(self._target.columns)
        try:
            batch = self._batch(texts)
        except CellError as error:
            place = places[error.row]
            if fault is not None and error.column < 0 and error.row == len(rows) - 1:
                raise fault from None
            if error.column < 0:
                raise in_line(error.error, self._target, place.number, place.data) from None
            value = rows[error.row][error.column]
            column = self._target.columns[error.column].name
            raise in_column(error.error, self._target, place.number, column, value) from None
        if fault is not None:
            raise fault
        return batch

    def _row(self, line: Line) -> tuple[list[str | None], GatewayError | None]:
        """Split one line. Values before a missing one are still read: a fault in them is told first."""
        fields = self._fields(line)
        names = [column.name for column in self._target.columns]
        if len(fields) > len(names):
            raise self._bad_line("extra data after last expected column", line)
        if len(fields) < len(names):
            fault = self._bad_line(f'missing data for column "{names[len(fields)]}"', line)
            return fields + [None] * (len(names) - len(fields)), fault
        options = self._options
        for place, (name, field) in enumerate(zip_longest(names, fields)):
            if field is None and name in options.force_not_null:
                fields[place] = options.null
            elif field == options.null and name in options.force_null:
                fields[place] = None
        return fields, None

    def _bad_line(self, problem: str, line: Line) -> GatewayError:
        error = StatementError(problem, sqlstate=SqlState.BAD_COPY_FILE_FORMAT)
        return in_line(error, self._target, line.number, line.data)

    def _fields(self, line: Line) -> list[str | None]:
        is_csv = self._options.format is CopyFormat.CSV
        try:
            _utf8(line.data)
        except GatewayError as error:
            raise in_line(error, self._target, line.number, None) from None
        try:
            raw = split_csv(line.data, self._options) if is_csv else split_text(line.data, self._options)
            return [None if field is None else _utf8(field) for field in raw]
        except GatewayError as error:
            raise in_line(error, self._target, line.number, line.data) from None


def _utf8(data: bytes) -> str:
    """Decode text.

    Raises:
        StatementError: 22021, it is not UTF-8 or holds a zero byte.
    """
    text = decode_parameter(_TEXT_OID, 0, data)
    return text if isinstance(text, str) else ""
