"""The way of a COPY's rows from the decoder into the engine's temporary table."""

import asyncio
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import pyarrow as pa

from pgproxy.engines.base import StagingSession

STORED_BYTES = 8 << 20
"""Decoded rows that the engine takes at once; of an eighth of them, each costs it twice as much."""


class CopyStaging:
    """Where decoded batches go: many at a time, beside the decoder. Nothing is at work once it is left."""

    def __init__(self, session: StagingSession, table: str) -> None:
        self._session = session
        self._table = table
        self._decoded: list[pa.RecordBatch] = []
        self._storing: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        storing, self._storing = self._storing, None
        if storing is None:
            return
        if exc is None:
            await storing
            return
        storing.cancel()
        await asyncio.gather(storing, return_exceptions=True)

    async def take(self, batches: Iterator[pa.RecordBatch]) -> None:
        """Decode all of them; have them stored once they are many.

        Raises:
            GatewayError: a batch could not be decoded, or one before not stored.
        """
        self._decoded += await asyncio.to_thread(list, batches)
        if sum(batch.nbytes for batch in self._decoded) >= STORED_BYTES:
            await self.store()

    async def store(self) -> None:
        """Begin to store what was decoded, once what came before is stored.

        Raises:
            GatewayError: that could not be.
        """
        if self._storing is not None:
            await self._storing
        decoded, self._decoded = self._decoded, []
        self._storing = asyncio.ensure_future(self._append(decoded))

    async def _append(self, decoded: list[pa.RecordBatch]) -> None:
        if decoded:
            whole = await asyncio.to_thread(pa.concat_batches, decoded)  # type: ignore[attr-defined]  # the stubs lack it
            await self._session.append_staging(self._table, whole)
