"""Waiting until an endpoint that gets no new work has nothing left to do."""

import asyncio
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from pgproxy.engines.errors import EngineUnavailable
from pgproxy.engines.probe import ProbeReport
from pgwire.errors import GatewayError

_GATEWAYS_FOLLOW_S = 1.2
"""Every gateway knows a change of the metastore within a second; work begun before that still counts."""

_REFUSES_S = 5.0
"""So long after each question the node itself takes nothing new (one of an older version does not know this).
A gateway that is late, its machine being busy, is sent elsewhere; a node that is used
again forgets it soon."""

_POLL_S = 0.2


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
    engine = connect()
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s + _GATEWAYS_FOLLOW_S):
            while True:
                report = await engine.probe(refuse_new_s=_REFUSES_S)
                if report.is_idle and time.monotonic() - started > _GATEWAYS_FOLLOW_S:
                    return DrainEnding.IDLE
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        return DrainEnding.TIMEOUT
    except (EngineUnavailable, GatewayError):
        return DrainEnding.UNREACHABLE
    finally:
        await engine.close()
