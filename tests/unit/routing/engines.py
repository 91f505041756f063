"""An engine whose behaviour is scripted; it keeps the `Engine` contract."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from execnode.statement import CatalogGeneration, EngineStatement, RowChunk
from pgproxy.engines.base import EngineSession, ResultStream
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.probe import ProbeReport
from pgwire.types import ResultColumn

ONE_COLUMN = (ResultColumn("x", 23, -1, "INTEGER"),)


def lost(reason: FallbackReason = FallbackReason.NODE_LOST) -> EngineUnavailable:
    return EngineUnavailable("lost", reason)


@dataclass
class ScriptedStream:
    script: list[RowChunk | Exception]
    columns: tuple[ResultColumn, ...] = ONE_COLUMN
    affected_rows: int = 0

    async def read(self) -> RowChunk | None:
        if not self.script:
            return None
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


@dataclass
class ScriptedSession:
    is_closed: bool = False

    async def execute_utility(self, sql: str) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        self.is_closed = True


@dataclass
class ScriptedEngine:
    """on_start: raised instead of starting. script: what reads give. probes: answers; the last repeats."""

    name: str
    script: list[RowChunk | Exception] = field(default_factory=list)
    on_start: Exception | None = None
    columns: tuple[ResultColumn, ...] = ONE_COLUMN
    probes: list[ProbeReport | Exception] = field(default_factory=list)
    started: int = 0
    open_streams: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    probed: asyncio.Event = field(default_factory=asyncio.Event)
    attached: list[int] = field(default_factory=list)
    expected: list[int] = field(default_factory=list)

    async def attach_catalogs(self, generation: CatalogGeneration) -> None:
        self.attached.append(generation.number)

    def expect_catalogs(self, generation: CatalogGeneration) -> None:
        self.expected.append(generation.number)

    async def probe(self) -> ProbeReport:
        self.probed.set()
        answer = self.probes.pop(0) if len(self.probes) > 1 else self.probes[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def open_session(self) -> EngineSession:
        if self.on_start is not None:
            raise self.on_start
        return ScriptedSession()

    async def describe(
        self, statement: EngineStatement, session: EngineSession | None = None
    ) -> tuple[ResultColumn, ...]:
        return self.columns

    @asynccontextmanager
    async def execute(
        self, statement: EngineStatement, session: EngineSession | None = None
    ) -> AsyncIterator[ResultStream]:
        self.started += 1
        if self.on_start is not None:
            raise self.on_start
        self.open_streams += 1
        try:
            yield ScriptedStream(list(self.script), self.columns)
        finally:
            self.open_streams -= 1

    async def close(self) -> None:
        self.closed.set()
