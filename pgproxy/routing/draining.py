"""Waiting until an endpoint that gets no new work has nothing left to do."""

import asyncio
import time
from collections.abc import Callable
from enum import StrEnum

from pgproxy.engines.errors import EngineUnavailable
from pgproxy.engines.probe import ProbedEngine
from pgwire.errors import GatewayError

_GATEWAYS_FOLLOW_S = 1.2
"""Every gateway knows a change of the metastore within a second; work begun before that still counts."""

_POLL_S = 0.2


class DrainEnding(StrEnum):
    """How a wait ended, in words for an operator."""

    IDLE = "nothing is left on it"
    UNREACHABLE = "it does not answer"
    TIMEOUT = "the time is over: what is left on it is ended"


async def wait_drained(connect: Callable[[], ProbedEngine], timeout_s: float) -> DrainEnding:
    """Wait until the node has no statement, session or cursor, is not there, or the time is over.

    connect: opens the node's engine, which is closed here.
    """
    engine = connect()
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s + _GATEWAYS_FOLLOW_S):
            while True:
                report = await engine.probe()
                if report.is_idle and time.monotonic() - started > _GATEWAYS_FOLLOW_S:
                    return DrainEnding.IDLE
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        return DrainEnding.TIMEOUT
    except (EngineUnavailable, GatewayError):
        return DrainEnding.UNREACHABLE
    finally:
        await engine.close()
