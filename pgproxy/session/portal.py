"""A bound portal: one statement with its parameters, and the open stream of its rows.

PostgreSQL docs, "Extended Query": Execute with a row limit reads that many rows and leaves the portal
suspended.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from execnode.statement import Parameter, RowChunk
from pgproxy.session.cursor_rows import CursorRows
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.services import PortalStream, PortalStreamContext
from pgproxy.sql.utility.statements import DeclareCursor


@dataclass(slots=True, eq=False, weakref_slot=True)
class Portal:
    """What Bind made. The stream opens at the first Execute and stays open while the portal is suspended.

    result_formats: as in Bind. rows_sent: over all Executes. is_pinned: the stream runs in the block's engine
    session. cursor: set once SQL reads it: DECLARE or FETCH. declared: the DECLARE that made it.
    rows_as_of: as in EngineStatement.
    """

    prepared: PreparedQuery
    parameters: tuple[Parameter, ...] = ()
    result_formats: tuple[int, ...] = ()
    stream: PortalStream | None = None
    rows_sent: int = 0
    cursor: CursorRows | None = None
    declared: DeclareCursor | None = None
    rows_as_of: int | None = None
    made_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _context: PortalStreamContext | None = None
    _leftover: RowChunk | None = None

    async def open(self, rows: PortalStreamContext) -> None:
        """Start the statement whose rows these are; `finish` and `close` leave them."""
        self.stream = await rows.__aenter__()
        self._context = rows

    @property
    def holds_nothing(self) -> bool:
        """Whether `close` would have nothing to do."""
        return self.stream is None and self.cursor is None and self._leftover is None

    @property
    def is_with_hold(self) -> bool:
        """Whether it is to outlive its transaction."""
        return self.declared is not None and self.declared.hold

    @property
    def is_started(self) -> bool:
        """Whether the statement has run, or runs."""
        return self.stream is not None

    @property
    def affected_rows(self) -> int:
        """Rows written, once all has been read."""
        return self.stream.affected_rows if self.stream is not None else 0

    async def next_chunk(self, max_rows: int) -> RowChunk | None:
        """Give up to `max_rows` rows (0: as many as come), or None at the end."""
        chunk, self._leftover = self._leftover, None
        if chunk is None and self.stream is not None:
            chunk = await self.stream.read()
        if chunk is None:
            return None
        if max_rows and chunk.row_count > max_rows:
            chunk, self._leftover = split_chunk(chunk, max_rows)
        self.rows_sent += chunk.row_count
        return chunk

    async def read(self) -> RowChunk | None:
        """Give as many rows as come, or None at the end."""
        return await self.next_chunk(0)

    async def finish(self) -> None:
        """Let the engine go; rows that a cursor keeps stay."""
        self._leftover = None
        context, self._context = self._context, None
        try:
            if context is not None:
                await context.__aexit__(None, None, None)
        finally:
            self.stream = None

    async def close(self) -> None:
        """Cancel the stream if it runs and drop what is kept; returns when the engine has stopped."""
        await self.finish()
        cursor, self.cursor = self.cursor, None
        if cursor is not None:
            await cursor.close()


def split_chunk(chunk: RowChunk, row_count: int) -> tuple[RowChunk, RowChunk]:
    """Split a chunk that carries row offsets after its first `row_count` rows; no row is read."""
    offsets = np.frombuffer(chunk.row_offsets, dtype="<i4")
    cut = int(offsets[row_count])
    rows = memoryview(chunk.rows)
    head = RowChunk(rows[:cut], row_count, chunk.row_offsets[: 4 * (row_count + 1)])
    tail_offsets = (offsets[row_count:] - cut).astype("<i4").tobytes()
    return head, RowChunk(rows[cut:], chunk.row_count - row_count, tail_offsets)
