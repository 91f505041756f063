"""Result chunks by sequence number: bounded memory first, then disk; trimmed on acknowledgement.

All methods may touch the disk and so block; none of them is safe for two threads at once, except the
properties. A spool knows nothing of queries or time.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from itertools import count
from pathlib import Path

from execnode.statement import RowChunk
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

SEGMENT_BYTES = 32 << 20
"""A file of the spool is closed at this size and deleted once all that it holds is acknowledged."""

SEGMENT_SUFFIX = ".spool"


class SpoolBudget:
    """What all spools of a node together may hold on disk."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._used_bytes = 0
        self._lock = threading.Lock()  # spools write in threads

    @property
    def used_bytes(self) -> int:
        """What is on disk now."""
        return self._used_bytes

    def has_room(self, size: int) -> bool:
        """Whether `size` more bytes fit."""
        return self._used_bytes + size <= self.max_bytes

    def take(self, size: int) -> bool:
        """Take room if there is enough; give whether there was."""
        with self._lock:
            if not self.has_room(size):
                return False
            self._used_bytes += size
            return True

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._used_bytes -= size


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """directory: an existing private folder. memory_bytes and disk_bytes: what one spool may hold in each.

    The disk limit may be passed by one chunk. A chunk of any size goes through an empty spool in memory.
    budget: shared by all spools; None: there is none.
    """

    directory: Path
    memory_bytes: int = 8 << 20
    disk_bytes: int = 16 << 30
    budget: SpoolBudget | None = None


class SpoolFull(GatewayError):
    """Memory and disk budget of one result are used up."""

    default_sqlstate = SqlState.DISK_FULL


@dataclass(slots=True)
class _Segment:
    path: Path
    file: FileIO
    size: int = 0
    live_chunks: int = 0


@dataclass(frozen=True, slots=True)
class _OnDisk:
    segment: _Segment
    position: int
    rows_len: int
    offsets_len: int
    row_count: int


class ChunkSpool:
    """The chunks of one result, numbered 0, 1, 2, … in the order of `append`."""

    def __init__(self, name: str, limits: SpoolLimits) -> None:
        self._name = name
        self._limits = limits
        self._chunks: dict[int, RowChunk | _OnDisk] = {}
        self._first = 0
        self._next = 0
        self._segments: Iterator[int] = count()
        self._segment: _Segment | None = None
        self._is_closed = False
        self.memory_bytes = 0
        self.disk_bytes = 0

    @property
    def is_closed(self) -> bool:
        """Whether everything was dropped."""
        return self._is_closed

    @property
    def next_sequence(self) -> int:
        """The number that the next chunk gets."""
        return self._next

    @property
    def first_sequence(self) -> int:
        """The smallest number that is still held; `next_sequence` if none is."""
        return self._first

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held."""
        return self._first == self._next

    def can_take(self, chunk: RowChunk) -> bool:
        """Whether `append` would take the chunk now."""
        size = _size(chunk)
        return self.is_empty or self._fits_memory(size) or self._fits_disk(size)

    def append(self, chunk: RowChunk) -> int:
        """Add a chunk and give its sequence number.

        Raises:
            SpoolFull: the disk budget is used up, or the disk refused; nothing was added.
        """
        size = _size(chunk)
        if self._is_closed:
            raise SpoolFull("the result is gone")
        if not self._fits_memory(size) and self._fits_disk(size):
            self._chunks[self._next] = self._write_within_budget(chunk, size)
        elif self._fits_memory(size) or self.is_empty:
            self._chunks[self._next] = chunk
            self.memory_bytes += size
        else:
            raise SpoolFull("the result does not fit the spool")
        self._next += 1
        return self._next - 1

    def _fits_memory(self, size: int) -> bool:
        return self.memory_bytes + size <= self._limits.memory_bytes

    def _fits_disk(self, size: int) -> bool:
        budget = self._limits.budget
        return self.disk_bytes < self._limits.disk_bytes and (budget is None or budget.has_room(size))

    def get(self, sequence: int) -> RowChunk:
        """Read one chunk without dropping it.

        Raises:
            KeyError: it is acknowledged already or not there yet.
        """
        held = self._chunks[sequence]
        if isinstance(held, RowChunk):
            return held
        file = held.segment.file
        file.seek(held.position)
        rows = file.read(held.rows_len)
        return RowChunk(rows, held.row_count, file.read(held.offsets_len))

    def acknowledge(self, before: int) -> None:
        """Drop every chunk numbered below `before`."""
        for sequence in range(self._first, min(before, self._next)):
            self._drop(self._chunks.pop(sequence))
            self._first = sequence + 1

    def take(self) -> RowChunk:
        """Read and drop the oldest chunk.

        Raises:
            KeyError: the spool is empty.
        """
        chunk = self.get(self._first)
        self.acknowledge(self._first + 1)
        return chunk

    def close(self) -> None:
        """Drop everything, files too. Idempotent."""
        self._is_closed = True
        self.acknowledge(self._next)
        if self._segment is not None:
            self._remove(self._segment)

    def _write_within_budget(self, chunk: RowChunk, size: int) -> _OnDisk:
        budget = self._limits.budget
        if budget is not None and not budget.take(size):
            raise SpoolFull("the result does not fit the spool")
        try:
            return self._write(chunk, size)
        except OSError as error:
            if budget is not None:
                budget.give_back(size)
            raise SpoolFull("the exec node's spool cannot be written") from error

    def _write(self, chunk: RowChunk, size: int) -> _OnDisk:
        segment = self._segment
        if segment is None or segment.size >= SEGMENT_BYTES:
            segment = self._new_segment()
        position = segment.size
        segment.file.seek(position)
        _write_all(segment.file, chunk.rows)
        _write_all(segment.file, chunk.row_offsets)
        segment.size += size
        segment.live_chunks += 1
        self.disk_bytes += size
        return _OnDisk(segment, position, len(chunk.rows), len(chunk.row_offsets), chunk.row_count)

    def _new_segment(self) -> _Segment:
        path = self._limits.directory / f"{self._name}-{next(self._segments)}{SEGMENT_SUFFIX}"
        old, self._segment = self._segment, _Segment(path, path.open("x+b", buffering=0))
        if old is not None and old.live_chunks == 0:
            self._remove(old)
        return self._segment

    def _drop(self, held: RowChunk | _OnDisk) -> None:
        if isinstance(held, RowChunk):
            self.memory_bytes -= len(held.rows) + len(held.row_offsets)
            return
        size = held.rows_len + held.offsets_len
        self.disk_bytes -= size
        if self._limits.budget is not None:
            self._limits.budget.give_back(size)
        held.segment.live_chunks -= 1
        if held.segment.live_chunks == 0 and held.segment is not self._segment:
            self._remove(held.segment)

    def _remove(self, segment: _Segment) -> None:
        segment.file.close()
        segment.path.unlink(missing_ok=True)
        if segment is self._segment:
            self._segment = None


def _write_all(file: FileIO, data: bytes | memoryview) -> None:
    """Write without a buffer: a full disk is told here, not when the file is read or closed."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[file.write(rest) :]


def _size(chunk: RowChunk) -> int:
    return len(chunk.rows) + len(chunk.row_offsets)


def remove_orphans(directory: Path) -> int:
    """Delete what an earlier process left behind; give the number of files."""
    orphans = list(directory.glob(f"*{SEGMENT_SUFFIX}"))
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)
