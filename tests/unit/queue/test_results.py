"""Stored results: whole or not there, read from any row on, gone with their query."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execnode.engine.arrow_stream import END_OF_STREAM, ArrowStreamEncoder
from execnode.engine.chunks import join_chunks
from execnode.statement import RowChunk
from pgproxy.queue.results import ResultFolder, ResultTooLarge
from pgwire.errors import GatewayError

SCHEMA = pa.schema([("n", pa.int64()), ("v", pa.string())])


def chunks(sizes: list[list[int]]) -> list[RowChunk]:
    """Chunks of several batches each, as an engine gives them."""
    encoder, start, found = ArrowStreamEncoder(SCHEMA, ()), 0, []
    for position, batches in enumerate(sizes or [[]]):
        parts = [RowChunk(encoder.header(), 0)] if position == 0 else []
        for rows in batches:
            values = list(range(start, start + rows))
            start += rows
            batch = pa.record_batch([pa.array(values), pa.array([f"v{n}" for n in values])], schema=SCHEMA)
            parts.append(encoder.encode(batch))
        if position == len(sizes or [[]]) - 1:
            parts.append(RowChunk(END_OF_STREAM, 0))
        if parts:
            found.append(join_chunks(parts))
    return found


@contextmanager
def folder(path: Path, max_bytes: int = 1 << 20) -> Iterator[ResultFolder]:
    made = ResultFolder(path, "me", max_bytes)
    made.open()
    yield made
    made.close()


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=3), max_size=5),
    st.integers(0, 400),
    st.integers(1, 400),
)
def test_any_page_is_the_rows_that_it_names(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[list[int]], first: int, count: int
) -> None:
    with folder(tmp_path_factory.mktemp("results")) as results:
        writer = results.writer("q")
        for chunk in chunks(sizes):
            writer.write(chunk)
        writer.finish()
        stored = results.stored("q", "me")
    total = sum(map(sum, sizes))
    assert stored.row_count == total
    seen = [n for batch in stored.batches(first, count) for n in batch.column("n").to_pylist()]
    assert seen == list(range(first, min(first + count, total)))
    with pa.OSFile(str(stored.path)) as file:
        assert pa.ipc.open_stream(file).read_all().num_rows == total


def test_nothing_is_there_before_the_end_and_nothing_stays_of_what_is_discarded(tmp_path: Path) -> None:
    with folder(tmp_path) as results:
        writer = results.writer("q")
        writer.write(chunks([[10]])[0])
        with pytest.raises(GatewayError):
            results.stored("q", "me")
        writer.discard()
        writer.discard()
        assert [path.name for path in tmp_path.iterdir()] == ["me.alive"]
    assert list(tmp_path.iterdir()) == []


def test_a_result_has_a_largest_size(tmp_path: Path) -> None:
    with folder(tmp_path, max_bytes=300) as results:
        writer = results.writer("q")
        (chunk,) = chunks([[200]])
        with pytest.raises(ResultTooLarge):
            writer.write(chunk)
        writer.discard()


def test_files_are_for_this_user_alone(tmp_path: Path) -> None:
    with folder(tmp_path / "results") as results:
        results.writer("q").finish()
        assert (tmp_path / "results").stat().st_mode & 0o077 == 0
        assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "results").iterdir())


def test_orphans_go_and_what_is_known_stays(tmp_path: Path) -> None:
    with folder(tmp_path) as results:
        for name in ("known", "unknown"):
            results.writer(name).finish()
        for name in ("known.dead.part", "known.me.part", "unknown.me.csv", "known.me.csv"):
            (tmp_path / name).touch()
        assert results.delete_orphans(results.files(), frozenset({"known"})) == 4
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {"known.me.arrow", "known.me.index", "known.me.part", "known.me.csv", "me.alive"}
        results.delete("known")
        assert {path.name for path in tmp_path.iterdir()} == {"me.alive"}


def test_an_owner_that_left_without_a_word_is_found_dead_once(tmp_path: Path) -> None:
    (tmp_path / "gone.alive").touch()
    with folder(tmp_path):
        other = ResultFolder(tmp_path, "other", 1)
        assert other.open() == (), "the first one found it, and lives"
        other.close()
    (tmp_path / "gone.alive").touch()
    last = ResultFolder(tmp_path, "last", 1)
    assert last.open() == ("gone",)
    last.close()
