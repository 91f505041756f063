"""Encoded columns → DataRow messages. PostgreSQL docs, "Message Formats", DataRow."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pgwire.errors import StatementError
from pgwire.rows.cells import Cells, Fixed, Lengths, Piece, fixed_matrix, join, values_of
from pgwire.sqlstate import SqlState

MAX_ENCODED_BYTES = 1 << 30
"""Arrow's 32-bit offsets end at 2^31; PostgreSQL's own rows end at 1 GiB."""
_SMALL_CONSTANT = 32


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Whole messages, one a row.

    data: the wire's bytes, read-only; it keeps its own memory alive.
    offsets: where each row begins in `data`, and the end: row_count + 1.
    """

    data: memoryview
    row_count: int
    offsets: npt.NDArray[np.int32]


def rows_too_large() -> StatementError:
    """Make the error for rows of one batch that are more than MAX_ENCODED_BYTES together."""
    return StatementError("result rows are too large", sqlstate=SqlState.PROGRAM_LIMIT_EXCEEDED)


def join_rows(cells: Sequence[Cells], row_count: int, tag: bytes = b"D") -> EncodedRows:
    """Put a message header before each row, and before each value its length; -1 where NULL."""
    pieces: list[Piece] = []
    body: Lengths | int = 4 + 2 + 4 * len(cells)
    for column in cells:
        if column.valid is None and isinstance(column.length, int):
            body = body + column.length
            pieces.append(Fixed((column.length.to_bytes(4, "big"),)))
            pieces += column.pieces
            continue
        length = np.broadcast_to(np.asarray(column.length, np.int32), (row_count,))
        body = body + length
        shown = length if column.valid is None else np.where(column.valid, length, np.int32(-1))
        pieces += _with_length(shown, column.pieces, row_count)
    head = Fixed((tag, _big_endian(body), len(cells).to_bytes(2, "big")))
    return assemble([head, *pieces], body, row_count)


def _with_length(length: Lengths, pieces: Sequence[Piece], row_count: int) -> list[Piece]:
    narrowed = [_narrowed(piece, row_count) for piece in pieces]
    if row_count and all(isinstance(piece, Fixed) for piece in narrowed):
        return [Fixed((int(length[0]).to_bytes(4, "big"),)), *narrowed]
    return [Fixed((length.astype(">i4"),)), *narrowed]


def _narrowed(piece: Piece, row_count: int) -> Piece:
    """Prefer fixed fields where short values happen to have one width in the whole batch."""
    if isinstance(piece, Fixed) or row_count == 0 or piece.array.null_count:
        return piece
    offsets, data = values_of(piece.array)
    width = int(offsets[1])
    if not 0 < width <= _SMALL_CONSTANT or len(data) != width * row_count:
        return piece
    if bool((np.diff(offsets) == width).all()):
        return Fixed((data.reshape(row_count, width),))
    return piece


def _big_endian(body: Lengths | int) -> npt.NDArray[np.generic] | bytes:
    return body.to_bytes(4, "big") if isinstance(body, int) else body.astype(">i4")


def assemble(pieces: Sequence[Piece], body: Lengths | int, row_count: int) -> EncodedRows:
    """Join the pieces of whole messages.

    body: each message's length word, which counts itself but not the tag.

    Raises:
        StatementError: 54000, the rows are more than 1 GiB together.
    """
    offsets = np.zeros(row_count + 1, np.int64)
    np.cumsum(np.broadcast_to(np.asarray(body, np.int64) + 1, (row_count,)), out=offsets[1:])
    if offsets[-1] > MAX_ENCODED_BYTES:
        raise rows_too_large()
    if row_count == 0:
        return EncodedRows(memoryview(b""), 0, offsets.astype(np.int32))
    if all(isinstance(piece, Fixed) for piece in pieces):
        fields = [field for piece in pieces if isinstance(piece, Fixed) for field in piece.fields]
        data = fixed_matrix(fields, row_count).reshape(-1).data
    else:
        _, joined = values_of(join(pieces, row_count))
        data = joined.data
    return EncodedRows(data.toreadonly(), row_count, offsets.astype(np.int32))
