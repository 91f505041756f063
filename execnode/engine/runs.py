"""The life of one statement on a connection: entered when it starts, left when it has stopped.

Plain objects instead of generators: a short statement feels each call.
"""

from collections.abc import Awaitable, Callable
from types import TracebackType

from execnode.engine.alarm import Alarm
from execnode.engine.cursor import EngineCursor
from execnode.engine.instance import EngineInstance
from execnode.engine.session import DuckSession
from execnode.engine.stream import StatementStream
from execnode.engine.threads import EngineThreads
from execnode.statement import EngineStatement

PORTAL_GRACE_S = 1.0
"""A session's portal that is closed early may finish the chunk it is at, so that its transaction survives."""


class StatementRun:
    """A statement on a connection that it has to itself."""

    def __init__(
        self,
        statement: EngineStatement,
        current: Callable[[], Awaitable[EngineInstance]],
        threads: EngineThreads,
        slow: Alarm,
    ) -> None:
        """current: gives the instance; waits while there is none. slow: for the stream."""
        self._slow = slow
        self._statement = statement
        self._current = current
        self._threads = threads
        self._instance: EngineInstance | None = None
        self._cursor: EngineCursor | None = None
        self._stream: StatementStream | None = None

    async def __aenter__(self) -> StatementStream:
        instance = self._instance = await self._current()
        cursor = self._cursor = self._take(instance)
        stream = self._stream = StatementStream(cursor, self._statement, self._threads, self._slow)
        try:
            await stream.open()
        except BaseException:
            await self._leave()
            raise
        return stream

    def _take(self, instance: EngineInstance) -> EngineCursor:
        if draws_at_random(self._statement.sql):
            return EngineCursor(instance.lease(), is_clean=False)
        statement = self._statement
        return instance.take(keeps_plans=statement.keeps_plan and instance.are_fixed(statement.reads))

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._leave()

    async def _leave(self) -> None:
        instance, cursor, stream = self._instance, self._cursor, self._stream
        if instance is None or cursor is None or stream is None:
            return
        self._instance = None
        has_succeeded = stream.has_succeeded
        try:
            if not has_succeeded:
                await stream.close()
        finally:
            instance.give_back(cursor, is_idle=has_succeeded)


def draws_at_random(sql: str) -> bool:
    """Whether a statement may ask its connection's generator of random numbers.

    Such a statement shares no connection: who has seen a few numbers could tell the next session's. A name
    that only reads so costs no more than a fresh connection.
    """
    text = sql.lower()
    return "random" in text or "uuid" in text or "setseed" in text


class SessionRun:
    """A statement on a pinned session's connection."""

    def __init__(
        self, statement: EngineStatement, session: DuckSession, threads: EngineThreads, slow: Alarm
    ) -> None:
        self._session = session
        self._stream = StatementStream(session.cursor, statement, threads, slow)
        self._grace_s = 0.0

    async def __aenter__(self) -> StatementStream:
        await self._session.claim(self._stream)
        try:
            await self._stream.open()
        except BaseException:
            await self._leave(0.0)
            raise
        return self._stream

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._leave(PORTAL_GRACE_S if exc_type is None else 0.0)

    async def _leave(self, grace_s: float) -> None:
        try:
            await self._stream.close(grace_s)
        finally:
            self._session.leave(self._stream)
