"""The Protocols that every engine implements; the only view that sessions and routing have of one."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

import pyarrow as pa

from execnode.statement import CatalogGeneration, EngineStatement, RowChunk
from pgwire.types import ResultColumn


class ResultStream(Protocol):
    """One running statement. Nothing is read ahead of the reader but a bounded window."""

    @property
    def columns(self) -> tuple[ResultColumn, ...]:
        """The shape of the rows; known as soon as the stream is open."""
        ...

    @property
    def affected_rows(self) -> int:
        """Rows written, once `read` has returned None; for a statement that returns no rows."""
        ...

    async def read(self) -> RowChunk | None:
        """Give the next chunk, or None at the end.

        Raises:
            GatewayError: what the engine raised, translated; the stream is then closed.
        """
        ...

    async def read_progress(self) -> float | None:
        """How far the statement is, from 0 to 1, by the engine's own estimate; None where it has none.

        Raises:
            EngineUnavailable: the engine could not be asked.
        """
        ...


class EngineSession(Protocol):
    """A pinned connection to one engine: a transaction, temporary tables, session settings."""

    async def execute_utility(self, sql: str) -> None:
        """Run a gateway-made statement without rows (BEGIN, COMMIT, ROLLBACK, SET TimeZone)."""
        ...

    async def close(self) -> None:
        """Roll back what is open and release the connection. Never raises."""
        ...


@runtime_checkable
class StagingSession(EngineSession, Protocol):
    """A pinned connection that also takes rows, for COPY FROM: into a temporary table of its own."""

    async def create_staging(self, table: str, schema: pa.Schema) -> None:
        """Make the table `temp.main.<table>`."""
        ...

    async def append_staging(self, table: str, batch: pa.RecordBatch) -> None:
        """Append rows to it."""
        ...

    async def drop_staging(self, table: str) -> None:
        """Drop it."""
        ...


class Engine(Protocol):
    """Runs already-rewritten statements."""

    @property
    def name(self) -> str:
        """`local` or the endpoint's name: what logs, metrics and `SHOW pgproxy.last_route` say."""
        ...

    async def attach_catalogs(self, generation: CatalogGeneration) -> None:
        """Attach exactly these catalogs; a generation already attached is a no-op."""
        ...

    async def open_session(self) -> EngineSession:
        """Open a pinned session."""
        ...

    async def describe(
        self, statement: EngineStatement, session: EngineSession | None = None
    ) -> tuple[ResultColumn, ...]:
        """Bind without executing; parameters need no value."""
        ...

    def execute(
        self, statement: EngineStatement, session: EngineSession | None = None
    ) -> AbstractAsyncContextManager[ResultStream]:
        """Run a statement.

        Entering returns once the statement has started and its columns are known. Leaving early (error,
        closed portal, cancelled task) interrupts the engine and returns when the engine has confirmed the
        stop.

        Raises:
            GatewayError: translated engine error, by exception type.
            EngineUnavailable: the engine could not be reached, shed the work or died.
        """
        ...

    async def close(self) -> None:
        """Stop what runs and release everything."""
        ...
