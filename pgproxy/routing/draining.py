"""Waiting until an endpoint that gets no new work has nothing left to do."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.probe import ProbeReport
from pgwire.errors import GatewayError

_GATEWAYS_FOLLOW_S = 1.2
"""Every gateway knows a change of the metastore within a second; work begun before that still counts."""

_REFUSES_S = 5.0
"""So long after each question the node itself takes nothing new (one of an older version does not know this).
A gateway that is late, its machine being busy, is sent elsewhere; a node that is used
again forgets it soon."""

_POLL_S = 0.2

_ABSENT_S = 2.0
"""A node that refuses connections for so long is not there. One that answers late is busy with what is waited
for."""


class DrainedEngine(Protocol):
    """A node that can be told to take nothing new."""

    async def probe(self, *, refuse_new_s: float) -> ProbeReport:
        """Ask how it is; it shall take nothing new for so long."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


class DrainEnding(StrEnum):
    """How a wait ended, in words for an operator."""

    IDLE = "nothing is left on it"
    UNREACHABLE = "it does not answer"
    TIMEOUT = "the time is over: what is left on it is ended"


async def wait_drained(connect: Callable[[], DrainedEngine], timeout_s: float) -> DrainEnding:
    """Wait until the node has no statement, session or cursor, is not there, or the time is over.

    connect: opens the node's engine, which is closed here.
    """
    watch = _Watch(connect(), time.monotonic())
    try:
        async with asyncio.timeout(timeout_s + _GATEWAYS_FOLLOW_S):
            while True:
                ending = await watch.ask()
                if ending is not None:
                    return ending
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        return DrainEnding.TIMEOUT if watch.has_answered else DrainEnding.UNREACHABLE
    finally:
        await watch.engine.close()


@dataclass(slots=True)
class _Watch:
    """What is known of the node. has_answered: the last question. absent_since_s: it refuses connections."""

    engine: DrainedEngine
    started_s: float
    has_answered: bool = False
    absent_since_s: float | None = None

    async def ask(self) -> DrainEnding | None:
        """Ask once; None: not yet."""
        now_s = time.monotonic()
        try:
            report = await self.engine.probe(refuse_new_s=_REFUSES_S)
        except EngineUnavailable as failure:
            self.has_answered = False
            return self._absence(failure, now_s)
        except GatewayError:  # it answers that it is ill; what runs on it may end all the same
            self.has_answered = True
            return None
        self.has_answered, self.absent_since_s = True, None
        knows_all = time.monotonic() - self.started_s > _GATEWAYS_FOLLOW_S
        return DrainEnding.IDLE if report.is_idle and knows_all else None

    def _absence(self, failure: EngineUnavailable, now_s: float) -> DrainEnding | None:
        if failure.reason is not FallbackReason.CONNECT:
            self.absent_since_s = None
            return None
        if self.absent_since_s is None:
            self.absent_since_s = now_s
        return DrainEnding.UNREACHABLE if now_s - self.absent_since_s >= _ABSENT_S else None
