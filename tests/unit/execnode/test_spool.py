"""The spool: order, budgets, trimming, files."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from execnode.spool import (
    SEGMENT_BYTES,
    ChunkSpool,
    SpoolBudget,
    SpoolFull,
    SpoolLimits,
    remove_orphans,
)
from execnode.statement import RowChunk


def chunk(number: int, size: int = 100) -> RowChunk:
    return RowChunk(bytes([number % 256]) * size, number, number.to_bytes(4, "little"))


Make = Callable[..., ChunkSpool]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with ExitStack() as stack:

        def build(memory: int = 250, disk: int = 1000) -> ChunkSpool:
            spool = ChunkSpool("q", SpoolLimits(tmp_path, memory, disk))
            stack.callback(spool.close)
            return spool

        yield build


def test_chunks_come_back_in_order_from_memory_and_from_disk(make: Make, tmp_path: Path) -> None:
    spool = make()
    assert [spool.append(chunk(n)) for n in range(6)] == list(range(6))
    assert spool.memory_bytes == 208
    assert spool.disk_bytes == 416
    assert [spool.get(n) for n in range(6)] == [chunk(n) for n in range(6)]


def test_acknowledged_chunks_are_dropped_and_make_room(make: Make, tmp_path: Path) -> None:
    spool = make(memory=250, disk=0)
    spool.append(chunk(0))
    spool.append(chunk(1))
    with pytest.raises(SpoolFull):
        spool.append(chunk(2))
    spool.acknowledge(1)
    assert spool.append(chunk(2)) == 2
    assert spool.first_sequence == 1
    with pytest.raises(KeyError):
        spool.get(0)


def test_a_chunk_larger_than_every_budget_goes_through_a_spool_with_room(make: Make, tmp_path: Path) -> None:
    spool = make(memory=10, disk=20)
    assert spool.append(chunk(0, size=5000)) == 0
    assert not spool.can_take(chunk(1, size=5000))
    assert spool.take() == chunk(0, size=5000)
    assert spool.can_take(chunk(1, size=5000))


def test_a_full_segment_is_deleted_once_all_in_it_is_acknowledged(make: Make, tmp_path: Path) -> None:
    spool = make(memory=0, disk=3 * SEGMENT_BYTES)
    for number in range(3):
        spool.append(chunk(number, size=SEGMENT_BYTES))
    assert len(list(tmp_path.iterdir())) == 3
    spool.acknowledge(2)
    assert len(list(tmp_path.iterdir())) == 1
    assert spool.get(2).row_count == 2


def test_closing_removes_the_files_and_refuses_more(make: Make, tmp_path: Path) -> None:
    spool = make(memory=0)
    spool.append(chunk(0))
    spool.close()
    spool.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SpoolFull):
        spool.append(chunk(1))


def test_what_an_earlier_process_left_is_removed_and_nothing_else(make: Make, tmp_path: Path) -> None:
    (tmp_path / "query-1-0.spool").write_bytes(b"x")
    (tmp_path / "data.duckdb").write_bytes(b"x")
    assert remove_orphans(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data.duckdb"]


def test_one_budget_bounds_all_spools_and_is_given_back(tmp_path: Path) -> None:
    budget = SpoolBudget(500)
    first, second = (ChunkSpool(n, SpoolLimits(tmp_path, 0, 10_000, budget)) for n in ("a", "b"))
    for number in range(4):
        first.append(chunk(number))
    assert budget.used_bytes == 416
    second.append(chunk(0))  # a chunk goes through an empty spool in memory
    assert not second.can_take(chunk(1))
    with pytest.raises(SpoolFull):
        second.append(chunk(1))
    first.acknowledge(2)
    assert second.append(chunk(1)) == 1
    first.close()
    second.close()
    assert budget.used_bytes == 0


def test_a_disk_that_refuses_is_a_full_spool_and_nothing_is_added(tmp_path: Path) -> None:
    budget = SpoolBudget(10_000)
    spool = ChunkSpool("q", SpoolLimits(tmp_path / "gone", 0, 10_000, budget))
    with pytest.raises(SpoolFull, match="cannot be written"):
        spool.append(chunk(0))
    assert (spool.next_sequence, spool.disk_bytes, budget.used_bytes) == (0, 0, 0)
