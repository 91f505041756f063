"""CursorRows: where a cursor stands and what each movement passes, over chunks of every size."""

import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execnode.spool import ChunkSpool, SpoolLimits
from execnode.statement import RowChunk
from pgproxy.session.cursor_rows import CursorRows, Keeps
from pgwire.backend import BackendMessage
from pgwire.errors import StatementError

LARGE_ROW = 400_000
MEMORY = SpoolLimits(Path("/nonexistent"), memory_bytes=1 << 30)


class Passed:
    """A sink that takes rows of one little-endian integer each, padded or not."""

    def __init__(self, row_bytes: int = 4) -> None:
        self.rows: list[int] = []
        self._row_bytes = row_bytes

    def send(self, message: BackendMessage) -> None:
        """Drop a message."""

    async def write_rows(self, rows: bytes | memoryview) -> None:
        """Take rows apart."""
        size = self._row_bytes
        self.rows += [struct.unpack_from("<i", rows, at)[0] for at in range(0, len(rows), size)]


def cursor(sizes: list[int], keeps: Keeps = Keeps.ALL, row_bytes: int = 4) -> CursorRows:
    """A cursor over rows 1, 2, 3, … in chunks of these sizes."""
    chunks = _chunks(sizes, row_bytes)

    async def read() -> RowChunk | None:
        return next(chunks, None)

    return CursorRows(read, ChunkSpool("test", MEMORY), keeps)


def _chunks(sizes: list[int], row_bytes: int) -> Iterator[RowChunk]:
    first = 1
    for size in sizes:
        rows = b"".join(struct.pack("<i", row).ljust(row_bytes, b"\0") for row in range(first, first + size))
        offsets = struct.pack(f"<{size + 1}i", *range(0, len(rows) + 1, row_bytes))
        first += size
        yield RowChunk(rows, size, offsets)


async def test_forward_ends_after_the_last_row_only_if_it_asked_for_more() -> None:
    rows, sink = cursor([2, 1]), Passed()
    assert await rows.forward(3, sink) == 3
    assert rows.position == 3
    assert rows.is_on_row
    assert await rows.forward(1, sink) == 0
    assert rows.position == 4
    assert sink.rows == [1, 2, 3]


async def test_backward_starts_at_the_last_row_once_past_it() -> None:
    rows, sink = cursor([2, 1]), Passed()
    await rows.forward(None, None)
    assert await rows.backward(2, sink) == 2
    assert await rows.backward(None, sink) == 1
    assert rows.position == 0
    assert sink.rows == [3, 2, 1]


async def test_the_row_it_stands_on_is_passed_again() -> None:
    rows, sink = cursor([5]), Passed()
    assert await rows.again(sink) == 0
    await rows.forward(4, None)
    assert await rows.again(sink) == 1
    assert sink.rows == [4]
    assert rows.position == 4


async def test_a_cursor_that_keeps_nothing_goes_only_forward() -> None:
    rows = cursor([1, 1, 1], Keeps.NOTHING)
    await rows.forward(2, None)
    for movement in (rows.backward(1, None), rows.rewind(), rows.again(Passed())):
        with pytest.raises(StatementError, match="can only scan forward"):
            await movement


async def test_a_window_forgets_what_is_far_behind_and_keeps_what_is_near() -> None:
    rows, sink = cursor([1] * 10, Keeps.WINDOW, LARGE_ROW), Passed(LARGE_ROW)
    await rows.forward(8, None)
    assert await rows.backward(1, sink) == 1
    assert sink.rows == [7]
    with pytest.raises(StatementError, match="can only scan forward"):
        await rows.backward(6, None)


async def test_reading_all_keeps_the_position() -> None:
    rows, sink = cursor([2, 2], Keeps.NOTHING), Passed()
    await rows.forward(1, sink)
    await rows.read_all()
    assert await rows.forward(None, sink) == 3
    assert sink.rows == [1, 2, 3, 4]


async def test_closing_frees_the_spool(tmp_path: Path) -> None:
    chunks = _chunks([100, 100], 4)

    async def read() -> RowChunk | None:
        return next(chunks, None)

    spool = ChunkSpool("test", SpoolLimits(tmp_path, memory_bytes=500))
    rows, sink = CursorRows(read, spool, Keeps.ALL), Passed()
    await rows.forward(None, None)
    assert _files(tmp_path)
    await rows.backward(None, sink)
    assert sink.rows == list(range(200, 0, -1))
    await rows.close()
    assert not _files(tmp_path)


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


_MOVES = st.lists(st.tuples(st.booleans(), st.one_of(st.none(), st.integers(1, 12))), max_size=12)


@given(sizes=st.lists(st.integers(1, 5), max_size=5), moves=_MOVES)
async def test_every_movement_is_that_of_a_list(
    sizes: list[int], moves: list[tuple[bool, int | None]]
) -> None:
    rows, total, position = cursor(sizes), sum(sizes), 0
    for is_forward, count in moves:
        sink = Passed()
        if is_forward:
            expected = list(range(position + 1, total + 1))[:count]
            passed = await rows.forward(count, sink)
            is_past = count is None or position + count > total
            position = total + 1 if is_past else position + count
        else:
            expected = list(range(position - 1, 0, -1))[:count]
            passed = await rows.backward(count, sink)
            position = 0 if count is None or len(expected) < count else position - count
        assert (sink.rows, passed, rows.position) == (expected, len(expected), position)
        assert all(abs(a - b) == 1 for a, b in pairwise(sink.rows))
