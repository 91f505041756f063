"""Arrow batches in, chunks of encoded rows out, of about the size that a gRPC message and a socket like."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from execnode.statement import RowChunk
from pgwire.copy import join_header

BATCH_ROWS = 8192
"""Rows that DuckDB hands over at once: four of its vectors, small enough for the cache while they are
encoded.
"""

TARGET_CHUNK_BYTES = 512 << 10
"""A chunk ends once it has this many bytes; a batch that would give more than twice that is cut first, into
equal pieces of one to two times as many, so that no piece is copied to be joined to another.
"""

FIRST_CHUNK_BYTES = 32 << 10
"""About what is encoded before the first row leaves: a client that waits for it need not wait for a batch."""

_FEW_ROWS = 256
"""A first batch of so few, which takes no more memory than a first chunk, is not cut."""

EncodeBatch = Callable[[pa.RecordBatch], RowChunk]


@dataclass(frozen=True, slots=True)
class BatchEncoding:
    """How batches become bytes. header and trailer: COPY has them even without rows.

    joins_header: the header goes into the first row's (or the trailer's) CopyData message.
    """

    encode: EncodeBatch
    header: bytes = b""
    trailer: bytes = b""
    joins_header: bool = False


class ChunkBuilder:
    """Pulls batches and encodes them. Blocking; used by one thread at a time.

    The first chunk is the head of the first batch: time to the first row matters. Later ones are coalesced up
    to TARGET_CHUNK_BYTES, and a batch of wide rows is cut before it is encoded.
    """

    def __init__(self, batches: Iterator[pa.RecordBatch], encoding: BatchEncoding) -> None:
        self._batches = batches
        self._encoding = encoding
        self._pending: deque[pa.RecordBatch] = deque()
        self._row_bytes = 0.0
        self._is_first = True
        self.is_exhausted = False

    def next_chunk(self) -> RowChunk | None:
        """Give the next chunk, None if nothing was left; not called again once `is_exhausted`."""
        parts: list[RowChunk] = []
        has_header = self._is_first and bool(self._encoding.header)
        if has_header:
            parts.append(RowChunk(self._encoding.header, 0))
        parts.extend(self._encode_rows())
        if self.is_exhausted and self._encoding.trailer:
            parts.append(RowChunk(self._encoding.trailer, 0))
        if has_header and self._encoding.joins_header:
            whole = join_chunks(parts)
            return RowChunk(join_header(whole.rows), whole.row_count)
        return join_chunks(parts) if parts else None

    def _encode_rows(self) -> Iterator[RowChunk]:
        size = 0
        while size < TARGET_CHUNK_BYTES:
            batch = self._next_batch()
            if batch is None:
                break
            chunk = self._encoding.encode(batch)
            size += len(chunk.rows)
            self._row_bytes = len(chunk.rows) / max(chunk.row_count, 1)
            if batch.num_rows < BATCH_ROWS and not self._pending:
                self._pull()
            is_first, self._is_first = self._is_first, False
            yield chunk
            if is_first:
                break

    def _next_batch(self) -> pa.RecordBatch | None:
        if not self._pending:
            self._pull()
        return self._pending.popleft() if self._pending else None

    def _pull(self) -> None:
        while not self._pending and not self.is_exhausted:
            batch = next(self._batches, None)
            if batch is None:
                self.is_exhausted = True
            elif batch.num_rows:
                self._pending.extend(self._cut(batch))

    def _cut(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        is_small = batch.num_rows <= _FEW_ROWS and batch.get_total_buffer_size() <= FIRST_CHUNK_BYTES
        if is_small and not self._row_bytes:
            yield batch  # `nbytes`, which leaves out what is not referred to, takes longer than encoding them
            return
        # Before anything is encoded, what Arrow holds tells about how wide a row will be.
        row_bytes = self._row_bytes or batch.nbytes / batch.num_rows
        if self._is_first and row_bytes * batch.num_rows > 4 * FIRST_CHUNK_BYTES:
            head = math.ceil(FIRST_CHUNK_BYTES / max(row_bytes, 1.0))
            yield batch.slice(0, head)
            batch = batch.slice(head)
        pieces = max(math.ceil(row_bytes * batch.num_rows / (2 * TARGET_CHUNK_BYTES)), 1)
        rows = math.ceil(batch.num_rows / pieces)
        for start in range(0, batch.num_rows, max(rows, 1)):
            yield batch.slice(start, rows)


def join_chunks(parts: list[RowChunk]) -> RowChunk:
    """Join chunks of one result; row offsets move along."""
    if len(parts) == 1:
        return parts[0]
    return RowChunk(
        b"".join(part.rows for part in parts), sum(part.row_count for part in parts), _join_offsets(parts)
    )


def _join_offsets(parts: list[RowChunk]) -> bytes:
    if not parts[0].row_offsets:
        return b""
    bases = [0]
    for part in parts:
        bases.append(bases[-1] + len(part.rows))
    moved = [
        (np.frombuffer(part.row_offsets, dtype="<i4")[:-1] + base).astype("<i4")
        for part, (base, _) in zip(parts, pairwise(bases), strict=True)
    ]
    return b"".join(array.tobytes() for array in moved) + bases[-1].to_bytes(4, "little")
