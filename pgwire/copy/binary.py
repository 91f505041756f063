"""COPY FROM STDIN in binary: CopyData, cut anywhere → Arrow record batches, with bounded memory.

PostgreSQL docs, "COPY", Binary Format; PostgreSQL source, copyfromparse.c `CopyReadBinaryAttribute`.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow

from pgwire.copy.cells import received_cell
from pgwire.copy.columns import check_not_null, read_cells
from pgwire.copy.encoders import BINARY_SIGNATURE
from pgwire.copy.faults import in_binary_column
from pgwire.copy.moments import DAY_US, INFINITE_DATE, INFINITE_TIMESTAMP
from pgwire.copy.targets import CellError, CopyTarget, TargetColumn, staging_type
from pgwire.errors import FeatureNotSupported, GatewayError, StatementError
from pgwire.rows.arrow import pa
from pgwire.rows.cells import ArrowArray, Bytes, binary_array
from pgwire.sqlstate import SqlState
from pgwire.types import Oid

BATCH_ROWS = 16_384
BLOCK_BYTES = 1 << 20
_PG_EPOCH_DAYS = 10_957
"""Days from 1970 to 2000, from where PostgreSQL counts."""

_END = -1
_read_length = struct.Struct("!i").unpack_from
_NUMBERS: dict[int, str] = {Oid.INT2: ">i2", Oid.INT4: ">i4", Oid.INT8: ">i8", Oid.FLOAT4: ">f4",
                            Oid.FLOAT8: ">f8", Oid.BOOL: "u1"}  # fmt: skip
_TEXTS = frozenset({Oid.TEXT, Oid.VARCHAR, Oid.JSON, Oid.BPCHAR})

Places = npt.NDArray[np.int64]


class CopyBinaryDecoder:
    """Decodes one COPY. Not for several threads at once."""

    def __init__(self, target: CopyTarget, *, block_bytes: int = BLOCK_BYTES) -> None:
        self.schema = target.schema
        self._target = target
        self._block_bytes = block_bytes
        self._buffer = bytearray()
        self._has_header = False
        self._has_ended = False
        self._row = 0
        self._wanted_bytes = block_bytes

    def feed(self, data: bytes) -> Iterator[pyarrow.RecordBatch]:
        """Take a piece of data; give the rows of what is whole.

        Raises:
            GatewayError: 22P04, 22P03 and the like, with the row in `where`.
        """
        if self._has_ended and data:
            raise self._bad("received copy data after EOF marker")
        self._buffer += data
        if len(self._buffer) >= self._wanted_bytes:
            yield from self._decode()
            self._wanted_bytes = self._block_bytes + 2 * len(self._buffer)

    def finish(self) -> Iterator[pyarrow.RecordBatch]:
        """Give the rows of what is left; data without the end mark is taken as PostgreSQL takes it.

        Raises:
            GatewayError: as `feed`.
        """
        yield from self._decode()
        if not self._has_header:
            raise self._bad("COPY file signature not recognized", row=None)
        if self._buffer:
            self._row += 1
            raise self._bad("unexpected EOF in COPY data")

    def _decode(self) -> Iterator[pyarrow.RecordBatch]:
        at = 0 if self._has_header else self._read_header()
        if not self._has_header:
            return
        content = bytes(self._buffer)
        while True:
            starts, lengths, at, fault = self._walk(content, at)
            if len(starts):
                yield self._batch(content, starts, lengths)
                self._row += len(starts)
            if fault is not None:
                self._row += 1
                raise in_binary_column(fault, self._target, self._row, None)
            if len(starts) < BATCH_ROWS:
                break
        if self._has_ended and at < len(content):
            raise self._bad("received copy data after EOF marker")
        del self._buffer[:at]

    def _read_header(self) -> int:
        start = len(BINARY_SIGNATURE)
        head = bytes(self._buffer[: start + 8])
        if head[:start] != BINARY_SIGNATURE[: len(head)]:
            raise self._bad("COPY file signature not recognized", row=None)
        if len(head) < start + 8:
            return 0
        flags, extension = struct.unpack_from("!Ii", head, start)
        if flags & 1 << 16:
            raise self._bad("invalid COPY file header (WITH OIDS)", row=None)
        if flags >> 16:
            raise self._bad("unrecognized critical flags in COPY file header", row=None)
        if extension < 0:
            raise self._bad("invalid COPY file header (wrong length)", row=None)
        if len(self._buffer) < start + 8 + extension:
            return 0
        self._has_header = True
        return start + 8 + int(extension)

    def _walk(self, content: bytes, at: int) -> tuple[Places, Places, int, GatewayError | None]:
        """Find where the values of whole rows stand. Rows that repeat one layout are found at once."""
        count = len(self._target.columns)
        starts: list[int] = []
        lengths: list[int] = []
        rows, fault = 0, None
        while rows < BATCH_ROWS and at + 2 <= len(content):
            fields = int.from_bytes(content[at : at + 2], "big", signed=True)
            if fields == _END:
                self._has_ended, at = True, at + 2
                break
            if fields != count:
                fault = _bad_data(f"row field count is {fields}, expected {count}")
                break
            row = _Row(content, at, count)
            fault = row.fault
            if not row.is_whole:
                break
            repeats = row.repeats(content, BATCH_ROWS - rows)
            steps = np.arange(repeats)[:, None] * row.size
            starts += row.starts if repeats == 1 else (np.array(row.starts) + steps).reshape(-1).tolist()
            lengths += row.lengths * repeats
            at += repeats * row.size
            rows += repeats
        shape = (rows, count)
        return (
            np.array(starts, np.int64).reshape(shape),
            np.array(lengths, np.int64).reshape(shape),
            at,
            fault,
        )

    def _batch(self, content: bytes, starts: Places, lengths: Places) -> pyarrow.RecordBatch:
        data = np.frombuffer(content, np.uint8)
        columns: list[ArrowArray] = []
        errors: list[CellError] = []
        for place in range(len(self._target.columns)):
            try:
                columns.append(self._column(data, place, starts[:, place], lengths[:, place]))
            except CellError as error:
                errors.append(error)
        try:
            if errors:
                raise min(errors, key=lambda error: (error.row, error.column))
            check_not_null(self._target, columns)
        except CellError as error:
            name = self._target.columns[error.column].name if error.column >= 0 else None
            raise in_binary_column(error.error, self._target, self._row + error.row + 1, name) from None
        return pyarrow.RecordBatch.from_arrays(columns, schema=self.schema)

    def _column(self, data: Bytes, place: int, starts: Places, lengths: Places) -> ArrowArray:
        column = self._target.columns[place]
        kind = staging_type(column.engine_type)
        fast = _fixed_width(column, kind, data, starts, lengths)
        if fast is None:
            fast = _variable_width(column, kind, data, starts, lengths)
        if fast is not None:
            return fast
        values = [
            None if length < 0 else data[start : start + length].tobytes()
            for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
        ]
        return read_cells(place, values, _told_apart(received_cell(column, self._target)), kind)

    def _bad(self, message: str, *, row: int | None = 0) -> GatewayError:
        error = _bad_data(message)
        return error if row is None else in_binary_column(error, self._target, self._row + 1, None)


def _bad_data(message: str) -> StatementError:
    return StatementError(message, sqlstate=SqlState.BAD_COPY_FILE_FORMAT)


def _told_apart(read: Callable[[bytes], object]) -> Callable[[object], object]:
    """Say of a malformed value what COPY says of it, not what Bind does."""

    def receive(raw: object) -> object:
        try:
            return read(raw if isinstance(raw, bytes) else b"")
        except FeatureNotSupported:
            raise
        except StatementError as error:
            if error.sqlstate is SqlState.INVALID_BINARY_REPRESENTATION:
                error.message = "incorrect binary data format"
            raise

    return receive


class _Row:
    """Where one row's values stand. is_whole: False where its end has not come, or where it is malformed."""

    __slots__ = ("_at", "fault", "is_whole", "lengths", "size", "starts")

    def __init__(self, content: bytes, at: int, count: int) -> None:
        self.starts: list[int] = []
        self.lengths: list[int] = []
        self.fault: StatementError | None = None
        self.is_whole = False
        self._at = at
        place, end = at + 2, len(content)
        for _ in range(count):
            if place + 4 > end:
                return
            (length,) = _read_length(content, place)
            if length < -1:
                self.fault = _bad_data("invalid field size")
                return
            place += 4
            self.starts.append(place)
            self.lengths.append(length)
            place += length if length > 0 else 0
        self.size = place - at
        self.is_whole = place <= end

    def repeats(self, content: bytes, limit: int) -> int:
        """Count how many rows from here on have the same field lengths."""
        at, size = self._at, self.size
        count = min((len(content) - at) // size, limit)
        if count < 2 or content[at : at + 2] != content[at + size : at + size + 2]:
            return 1
        rows = np.frombuffer(content, np.uint8, count * size, at).reshape(count, size)
        same = (rows[:, :2] == rows[0, :2]).all(axis=1)
        for start in self.starts:
            head = slice(start - 4 - at, start - at)
            if (rows[1, head] != rows[0, head]).any():
                return 1
            same &= (rows[:, head] == rows[0, head]).all(axis=1)
        differing = np.flatnonzero(~same)
        return int(differing[0]) if len(differing) else count


def _fixed_width(
    column: TargetColumn, kind: object, data: Bytes, starts: Places, lengths: Places
) -> ArrowArray | None:
    layout, width = _layout(column.type_oid)
    valid = lengths >= 0
    if layout is None or not (lengths[valid] == width).all():
        return None
    gathered = data[np.where(valid, starts, 0)[:, None] + np.arange(width)] if len(data) >= width else None
    if gathered is None:
        return None
    numbers = np.ascontiguousarray(gathered).view(layout).reshape(-1)
    values = _counted_from_1970(column.type_oid, numbers.astype(numbers.dtype.newbyteorder("=")))
    if values is None:
        return None
    array = pa.array(values, mask=~valid)
    if pa.types.is_temporal(kind):
        return array.view(kind)
    return array.cast(kind)


def _layout(oid: int) -> tuple[str | None, int]:
    layout = {**_NUMBERS, Oid.DATE: ">i4", Oid.TIMESTAMP: ">i8", Oid.TIMESTAMPTZ: ">i8", Oid.TIME: ">i8"}.get(
        oid
    )
    return (layout, np.dtype(layout).itemsize) if layout is not None else (None, 0)


def _counted_from_1970(oid: int, numbers: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Move PostgreSQL's epoch; None where a value is out of range, for the exact way to say so."""
    match oid:
        case Oid.BOOL:
            truth: npt.NDArray[Any] = np.not_equal(numbers, 0)
            return truth
        case Oid.DATE:
            moved = numbers.astype(np.int64) + _PG_EPOCH_DAYS
            moved = np.where(numbers == 2**31 - 1, INFINITE_DATE, moved)
            moved = np.where(numbers == -(2**31), -INFINITE_DATE, moved)
            fits = bool((np.abs(moved) <= INFINITE_DATE).all())
            return moved.astype(np.int32) if fits else None
        case Oid.TIMESTAMP | Oid.TIMESTAMPTZ:
            shift = np.int64(_PG_EPOCH_DAYS * DAY_US)
            is_late, is_early = numbers == 2**63 - 1, numbers == -(2**63)
            if (~is_late & (numbers > 2**63 - 1 - shift)).any():
                return None
            moved = np.where(is_late | is_early, np.int64(0), numbers) + shift
            return np.where(is_late, INFINITE_TIMESTAMP, np.where(is_early, -INFINITE_TIMESTAMP, moved))
        case Oid.TIME:
            is_clock = bool(((numbers >= 0) & (numbers <= DAY_US)).all())
            return numbers if is_clock else None
        case _:
            return numbers


def _variable_width(
    column: TargetColumn, kind: object, data: Bytes, starts: Places, lengths: Places
) -> ArrowArray | None:
    """Text and bytea: gather the bytes of all values."""
    is_text = column.type_oid in _TEXTS and pa.types.is_string(kind)
    if not is_text and not (column.type_oid == Oid.BYTEA and pa.types.is_binary(kind)):
        return None
    valid = lengths >= 0
    sizes = np.where(valid, lengths, 0)
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    places = np.repeat(starts - offsets[:-1], sizes) + np.arange(offsets[-1])
    content = data[places]
    if is_text and (content == 0).any():
        return None
    array = binary_array(offsets.astype(np.int32), content)
    if not valid.all():
        array = pa.Array.from_buffers(
            pa.binary(), len(array), [pa.array(valid).buffers()[1], *array.buffers()[1:]]
        )
    try:
        return array.cast(kind)
    except pa.ArrowInvalid:
        return None  # no UTF-8: the exact way says which value
