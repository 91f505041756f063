"""The result of a statement that stays here whoever asks: one engine, and nothing to fall back to.

What most short statements are; the ways of the others are in `attempts.py`.
"""

from functools import lru_cache
from types import TracebackType
from typing import Self

from execnode.statement import EngineStatement, RowChunk
from execnode.tracing import NO_SPAN, Tracing
from pgproxy.engines.base import Engine
from pgproxy.engines.entered_stream import EnteredStream
from pgproxy.routing.attempts import RouteOutcome
from pgproxy.routing.resolve import RouteReason
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState


class LocalStream(EnteredStream):
    """A `ResultStream` to be entered first; leaving returns when the engine has stopped."""

    __slots__ = ("_engine", "_span", "_statement", "outcome")

    def __init__(
        self,
        engine: Engine,
        statement: EngineStatement,
        reason: RouteReason,
        tracing: Tracing,
        traceparent: str,
    ) -> None:
        super().__init__()
        self.outcome = local_outcome(engine.name, reason)
        self._engine = engine
        self._statement = statement
        self._span = NO_SPAN
        if traceparent:
            self._span = tracing.start("engine.execute", traceparent)
            self._span.note({"endpoint": engine.name, "arm": reason.arm.value})

    async def __aenter__(self) -> Self:
        context = self._engine.execute(self._statement)
        try:
            self._stream = await context.__aenter__()
        except BaseException as error:
            self._end_span(error)
            raise
        self._context = context
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        context, self._context = self._context, None
        try:
            return None if context is None else await context.__aexit__(exc_type, exc, traceback)
        finally:
            self._end_span(exc)

    async def read(self) -> RowChunk | None:
        """Give the next chunk, or None at the end.

        Raises:
            GatewayError: what the engine raised.
        """
        try:
            return await self._opened.read()
        except GatewayError as error:
            self._end_span(error)
            raise

    def _end_span(self, error: BaseException | None) -> None:
        span, self._span = self._span, NO_SPAN
        if span is NO_SPAN:
            return
        sqlstate = error.sqlstate if isinstance(error, GatewayError) else SqlState.QUERY_CANCELED
        span.end("" if error is None else sqlstate.value)


@lru_cache(maxsize=64)
def local_outcome(engine: str, reason: RouteReason) -> RouteOutcome:
    """Where such a statement runs."""
    return RouteOutcome(engine, reason)
