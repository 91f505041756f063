"""The rows of one SQL cursor and where it stands among them. PostgreSQL docs, "FETCH".

Rows come forward from a stream and are kept, in bounded memory and then on disk, only as far as the cursor
may go back. Rows count from 1; position 0 is before the first, one more than the last is after the last.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator
from enum import Enum, auto
from typing import TypeVar

import numpy as np

from execnode.spool import ChunkSpool
from execnode.statement import RowChunk
from pgproxy.session.sink import Sink
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_Result = TypeVar("_Result")
WINDOW_BYTES = 1 << 20
"""What a cursor keeps that is neither SCROLL nor NO SCROLL: small results can be read backwards, as
PostgreSQL's mostly can, and large ones cost no disk."""


class Keeps(Enum):
    """How far back a cursor may go. WINDOW: as far as memory reaches."""

    NOTHING = auto()
    WINDOW = auto()
    ALL = auto()


class CursorRows:
    """A position in a stream of row chunks that carry row offsets.

    read: gives the next chunk, None at the end. `close` frees what is kept.
    """

    def __init__(
        self, read: Callable[[], Awaitable[RowChunk | None]], spool: ChunkSpool, keeps: Keeps
    ) -> None:
        self._read = read
        self._spool = spool
        self.keeps = keeps
        self._starts: list[int] = []
        self._first_kept = 0
        self._row_count = 0
        self._is_complete = False
        self._latest: tuple[int, RowChunk] | None = None
        self.position = 0

    @property
    def is_on_row(self) -> bool:
        """Whether the cursor stands on a row."""
        return 0 < self.position <= self._row_count

    @property
    def is_touched(self) -> bool:
        """Whether anything has been read."""
        return self._row_count > 0 or self._is_complete

    async def forward(self, count: int | None, sink: Sink | None) -> int:
        """Pass the next `count` rows (None: all) to the sink; give their number."""
        row = self.position + 1
        end = None if count is None else self.position + count
        while True:
            last = self._row_count if end is None else min(end, self._row_count)
            if row <= last:
                if sink is not None:
                    await self._emit(row, last, sink)
                row = last + 1
                self._forget_before(row)
            if self._is_complete or (end is not None and row > end):
                break
            await self._pull()
        passed = max(row - 1 - self.position, 0)
        is_past = end is None or end > self._row_count
        self.position = self._row_count + 1 if is_past else end or 0
        return passed

    async def again(self, sink: Sink) -> int:
        """Pass the row on which the cursor stands once more; give 0 where it stands on none.

        Raises:
            StatementError: 55000, the row is not kept.
        """
        if not self.is_on_row:
            return 0
        self._check_can_go_back(self.position)
        await self._emit(self.position, self.position, sink)
        return 1

    async def backward(self, count: int | None, sink: Sink | None) -> int:
        """Pass `count` rows (None: all) before the position to the sink, last first; give their number.

        Raises:
            StatementError: 55000, the rows are not kept.
        """
        self._check_can_go_back(0)
        available = max(self.position - 1, 0)
        wanted = available if count is None else min(count, available)
        lowest = self.position - wanted
        if wanted:
            self._check_can_go_back(lowest)
            if sink is not None:
                await self._emit_backwards(lowest, self.position - 1, sink)
        self.position = 0 if count is None or available < count else lowest
        return wanted

    async def rewind(self) -> None:
        """Stand before the first row.

        Raises:
            StatementError: 55000.
        """
        if self.position:
            self._check_can_go_back(1)
            self.position = 0

    async def read_all(self) -> None:
        """Read the stream to its end, keeping what may still be asked for; the position stays."""
        if self.keeps is Keeps.WINDOW:
            self.keeps = Keeps.ALL
        while not self._is_complete:
            await self._pull()

    async def close(self) -> None:
        """Free memory and files."""
        self._latest = None
        await _blocking(self._spool.close)

    async def _pull(self) -> None:
        chunk = await self._read()
        if chunk is None:
            self._is_complete = True
            return
        if not chunk.row_count:
            return
        sequence = await _blocking(lambda: self._spool.append(chunk))
        self._starts.append(self._row_count + 1)
        self._latest = (sequence, chunk)
        self._row_count += chunk.row_count

    def _forget_before(self, row: int) -> None:
        """Drop whole chunks that end before `row`, where this cursor need not keep them."""
        limit = {Keeps.NOTHING: 0, Keeps.WINDOW: WINDOW_BYTES}.get(self.keeps)
        if limit is None:
            return
        while self._first_kept < len(self._starts) - 1 and self._starts[self._first_kept + 1] <= row:
            if self._spool.memory_bytes + self._spool.disk_bytes <= limit:
                return
            self._first_kept += 1
            self._spool.acknowledge(self._first_kept)

    def _check_can_go_back(self, row: int) -> None:
        is_gone = bool(self._first_kept) and 0 < row < self._starts[self._first_kept]
        if self.keeps is Keeps.NOTHING or is_gone:
            raise StatementError(
                "cursor can only scan forward",
                sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
                hint="Declare it with SCROLL option to enable backward scan.",
            )

    async def _emit(self, first: int, last: int, sink: Sink) -> None:
        for index, low, high in self._pieces(first, last):
            await sink.write_rows(_slice(await self._chunk(index), low, high))

    async def _emit_backwards(self, first: int, last: int, sink: Sink) -> None:
        for index, low, high in reversed(list(self._pieces(first, last))):
            chunk = await self._chunk(index)
            rows = [bytes(_slice(chunk, row, row + 1)) for row in range(high - 1, low - 1, -1)]
            await sink.write_rows(b"".join(rows))

    def _pieces(self, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """Give (chunk, from, to) for the rows `first` to `last`, counted from 0 inside the chunk."""
        row = first
        while row <= last:
            index = bisect_right(self._starts, row) - 1
            start = self._starts[index]
            next_start = self._starts[index + 1] if index + 1 < len(self._starts) else self._row_count + 1
            end = min(last + 1, next_start)
            yield index, row - start, end - start
            row = end

    async def _chunk(self, index: int) -> RowChunk:
        if self._latest is None or self._latest[0] != index:
            self._latest = (index, await _blocking(lambda: self._spool.get(index)))
        return self._latest[1]


def _slice(chunk: RowChunk, low: int, high: int) -> memoryview:
    offsets = np.frombuffer(chunk.row_offsets, dtype="<i4")
    return memoryview(chunk.rows)[int(offsets[low]) : int(offsets[high])]


async def _blocking(work: Callable[[], _Result]) -> _Result:
    """Run work that may touch the disk in a thread. On cancellation it has ended before this returns."""
    job = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        await asyncio.wait([job])
        raise
