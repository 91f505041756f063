"""The engine in this process: execnode's own, so that local and remote results come from one code path."""

from contextlib import AbstractAsyncContextManager

from execnode.engine import DuckEngine, DuckSession
from execnode.statement import CatalogGeneration, EngineStatement
from pgproxy.engines.base import EngineSession, ResultStream
from pgproxy.engines.kept_answers import KeptAnswers
from pgwire.types import ResultColumn

LOCAL = "local"
"""The embedded engine's name; no endpoint may have it."""


class EmbeddedEngine:
    """`DuckEngine` as an `Engine`. Owns it: `close` closes it."""

    def __init__(self, engine: DuckEngine) -> None:
        self._engine = engine
        self._answers = KeptAnswers()

    @property
    def name(self) -> str:
        return LOCAL

    @property
    def duck(self) -> DuckEngine:
        """For what only the embedded engine does: reading the catalogs, parsing with DuckDB's own parser."""
        return self._engine

    async def attach_catalogs(self, generation: CatalogGeneration) -> None:
        await self._engine.attach(generation)

    async def open_session(self) -> EngineSession:
        return await self._engine.open_session()

    async def describe(
        self, statement: EngineStatement, session: EngineSession | None = None
    ) -> tuple[ResultColumn, ...]:
        return await self._engine.describe(statement, _own(session))

    def execute(
        self, statement: EngineStatement, session: EngineSession | None = None
    ) -> AbstractAsyncContextManager[ResultStream]:
        run = self._engine.execute(statement, _own(session))
        return run if session is not None else self._answers.asked(statement, run)

    async def close(self) -> None:
        await self._engine.close()


def _own(session: EngineSession | None) -> DuckSession | None:
    """Check that the session is of this engine.

    Raises:
        TypeError: it belongs to another one.
    """
    if session is not None and not isinstance(session, DuckSession):
        raise TypeError("the session belongs to another engine")
    return session
