"""Batches → chunks: sizes, cutting and joining."""

from collections.abc import Iterator

import pyarrow as pa

from execnode.engine.chunks import (
    BATCH_ROWS,
    FIRST_CHUNK_BYTES,
    TARGET_CHUNK_BYTES,
    BatchEncoding,
    ChunkBuilder,
)
from execnode.statement import RowChunk


def batches(count: int, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    return iter([pa.record_batch([pa.array(range(rows))], names=["x"])] * count)


def encoding_of(row_bytes: int, encoded: list[int]) -> BatchEncoding:
    """Rows of equal width; notes how many are encoded at once."""

    def encode(batch: pa.RecordBatch) -> RowChunk:
        encoded.append(batch.num_rows)
        return RowChunk(memoryview(bytes(batch.num_rows * row_bytes)), batch.num_rows)

    return BatchEncoding(encode)


def chunks_of(builder: ChunkBuilder) -> list[RowChunk]:
    made = []
    while not builder.is_exhausted:
        chunk = builder.next_chunk()
        if chunk is not None:
            made.append(chunk)
    return made


def test_narrow_rows_are_joined_up_to_the_target_after_the_first_batch() -> None:
    encoded: list[int] = []
    chunks = chunks_of(ChunkBuilder(batches(20), encoding_of(25, encoded)))
    assert encoded == [BATCH_ROWS] * 20
    assert chunks[0].row_count == BATCH_ROWS
    assert all(len(chunk.rows) >= TARGET_CHUNK_BYTES for chunk in chunks[1:-1])
    assert sum(chunk.row_count for chunk in chunks) == 20 * BATCH_ROWS


def test_wide_rows_are_cut_into_chunks_that_are_never_joined() -> None:
    for row_bytes in (129, 181, 200, 700, 3 * TARGET_CHUNK_BYTES):
        encoded: list[int] = []
        rows = BATCH_ROWS if row_bytes < 1000 else 3
        chunks = chunks_of(ChunkBuilder(batches(4, rows), encoding_of(row_bytes, encoded)))
        assert [chunk.row_count for chunk in chunks] == encoded
        assert sum(encoded) == 4 * rows
        for chunk in chunks[1:]:
            assert len(chunk.rows) >= TARGET_CHUNK_BYTES
            assert len(chunk.rows) <= 2 * TARGET_CHUNK_BYTES + row_bytes or chunk.row_count == 1


def test_the_first_chunk_of_a_wide_batch_is_small_and_the_rest_is_cut() -> None:
    encoded: list[int] = []
    wide = pa.record_batch([pa.array(["w" * 1500] * BATCH_ROWS)], names=["x"])
    chunks = chunks_of(ChunkBuilder(iter([wide] * 2), encoding_of(1511, encoded)))
    assert 0 < len(chunks[0].rows) <= 2 * FIRST_CHUNK_BYTES
    assert sum(encoded) == 2 * BATCH_ROWS
    for chunk in chunks[1:]:
        assert TARGET_CHUNK_BYTES <= len(chunk.rows) <= 2 * TARGET_CHUNK_BYTES + 1511


def test_no_batches_give_no_chunk() -> None:
    builder = ChunkBuilder(batches(0), encoding_of(1, []))
    assert builder.next_chunk() is None
    assert builder.is_exhausted
