"""A statement that runs on a node, seen as a result stream; a source brings its chunks."""

import asyncio
from typing import Protocol

from execnode.statement import RowChunk
from pgproxy.engines.chunk_codec import ReceivedChunk
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.remote_messages import decode_columns
from pgwire.types import ResultColumn


class ChunkSource(Protocol):
    """Chunks of one statement in order, none lost and none twice."""

    async def start(self) -> None:
        """Have the node take the statement. `next_chunk` does it where nobody did."""
        ...

    async def next_chunk(self) -> ReceivedChunk:
        """Give the next chunk; never called after the last."""
        ...

    async def read_progress(self) -> float | None:
        """How far it is, from 0 to 1; None where nobody can tell."""
        ...

    async def stop(self) -> None:
        """Interrupt the statement if it runs; returns when the node has confirmed, or could not in time."""
        ...


class RemoteStream:
    """A `ResultStream` over chunks from a node."""

    def __init__(self, source: ChunkSource) -> None:
        self._source = source
        self._columns: tuple[ResultColumn, ...] = ()
        self._pending: RowChunk | None = None
        self._has_ended = False
        self._affected_rows = 0

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        return self._columns

    @property
    def affected_rows(self) -> int:
        return self._affected_rows

    async def open(self, timeout_s: float) -> None:
        """Start, within the deadline, and wait for the first chunk, which has the columns.

        Raises:
            EngineUnavailable: with reason DEADLINE, if the node does not take the statement in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._source.start()
        except TimeoutError as error:
            raise EngineUnavailable(
                "the exec node did not start the statement in time", FallbackReason.DEADLINE
            ) from error
        self._pending = await self._receive()

    async def read(self) -> RowChunk | None:
        chunk, self._pending = self._pending, None
        while chunk is None and not self._has_ended:
            chunk = await self._receive()
        return chunk

    async def read_progress(self) -> float | None:
        return await self._source.read_progress()

    async def stop(self) -> None:
        """Interrupt what still runs."""
        await self._source.stop()

    async def _receive(self) -> RowChunk | None:
        """Receive a chunk; None if it brings no bytes (a COPY header has bytes but no rows)."""
        received = await self._source.next_chunk()
        if received.columns:
            self._columns = decode_columns(received.columns)
        if received.is_last:
            self._has_ended = True
            self._affected_rows = received.affected_rows
        if not received.row_count and not received.rows:
            return None
        return RowChunk(received.rows, received.row_count, bytes(received.row_offsets))
