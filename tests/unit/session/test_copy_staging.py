"""Staging a COPY's rows: many at a time, beside the decoder, and nothing at work once it is over."""

import asyncio
from collections.abc import Iterator

import pyarrow as pa
import pytest

from pgproxy.session.copy_staging import STORED_BYTES, CopyStaging
from pgwire.errors import StatementError


class Engine:
    """A session that stores what it is given once it is let, and says what it has."""

    def __init__(self) -> None:
        self.stored: list[list[int]] = []
        self.begun, self.may_store = asyncio.Event(), asyncio.Event()
        self.stopped = False
        self.error: Exception | None = None

    async def append_staging(self, table: str, batch: pa.RecordBatch) -> None:
        assert table == "staged"
        self.begun.set()
        try:
            await self.may_store.wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise
        if self.error is not None:
            raise self.error
        self.stored.append(batch.column(0)[::STEP].to_pylist())

    async def create_staging(self, table: str, schema: pa.Schema) -> None:
        raise NotImplementedError

    async def drop_staging(self, table: str) -> None:
        raise NotImplementedError


STEP = STORED_BYTES // 8 // 4
"""Rows of a quarter of what is stored at once."""


def pieces(*numbers: int, fails: bool = False) -> Iterator[pa.RecordBatch]:
    for number in numbers:
        yield pa.record_batch([pa.array([number] * STEP, pa.int64())], names=["n"])
    if fails:
        raise StatementError("bad row")


async def test_small_batches_are_stored_together_and_in_order() -> None:
    engine = Engine()
    engine.may_store.set()
    async with CopyStaging(engine, "staged") as staging:
        for number in range(6):
            await staging.take(pieces(number))
        await staging.take(pieces())
        await staging.store()
    assert engine.stored == [[0, 1, 2, 3], [4, 5]]


async def test_the_decoder_goes_on_while_rows_are_stored() -> None:
    engine = Engine()
    async with CopyStaging(engine, "staged") as staging:
        await staging.take(pieces(0, 1, 2, 3))
        await engine.begun.wait()
        await staging.take(pieces(4))
        assert not engine.stored
        engine.may_store.set()
        await staging.store()
    assert engine.stored == [[0, 1, 2, 3], [4]]


async def test_no_more_than_one_lot_waits_for_the_one_that_is_stored() -> None:
    engine = Engine()
    async with CopyStaging(engine, "staged") as staging:
        await staging.take(pieces(0, 1, 2, 3))
        second = asyncio.ensure_future(staging.take(pieces(4, 5, 6, 7)))
        await engine.begun.wait()
        assert not second.done()
        engine.may_store.set()
        await second
    assert engine.stored == [[0, 1, 2, 3], [4, 5, 6, 7]]


async def copy(engine: Engine, *of_pieces: Iterator[pa.RecordBatch]) -> None:
    async with CopyStaging(engine, "staged") as staging:
        for batches in of_pieces:
            await staging.take(batches)
        await staging.store()


async def test_a_row_that_cannot_be_decoded_ends_what_is_stored_meanwhile() -> None:
    engine = Engine()
    with pytest.raises(StatementError, match="bad row"):
        await copy(engine, pieces(0, 1, 2, 3), pieces(4), pieces(5, fails=True))
    assert engine.stopped == engine.begun.is_set(), "nothing is at work any more"
    assert not engine.stored


@pytest.mark.parametrize("later", [(4, 5, 6, 7), ()], ids=["at the next turn", "at the end"])
async def test_what_could_not_be_stored_is_told(later: tuple[int, ...]) -> None:
    engine = Engine()
    engine.error = StatementError("out of memory")
    engine.may_store.set()
    with pytest.raises(StatementError, match="out of memory"):
        await copy(engine, pieces(0, 1, 2, 3), pieces(*later))
