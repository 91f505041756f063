"""Shadowing: a statement that was served here is answered by an exec node as well, and the answers compared.

Beside the traffic, never in its way: statements wait in a short queue, run one at a time with rests in
between, and are dropped when the queue is full or the node is busy. Only reads; a statement that its client
did not wait for is none.
"""

import asyncio
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from execnode.statement import EngineStatement
from pgproxy.engines.base import Engine
from pgproxy.rollout.digest import Digest, digest_sql, parse_digest
from pgproxy.routing.registry import EndpointRegistry
from pgwire.errors import GatewayError
from pgwire.types import OutputSettings

log = structlog.get_logger(__name__)

_QUEUE_LIMIT = 16
_TIMEOUT_S = 60.0
_KEPT_MISMATCHES = 50
_REST = 49
"""After a comparison it rests so many times as long as that and a statement of its kind take: one of fifty
statements at most meets a comparison, whether that begins during it or it during that. With one of twenty
the 95th percentile would be one that met it."""

_LONGEST_REST_S = 10.0
_BUSY_LOAD = 4
"""Statements on the endpoint from which on it is spared."""

_HEADER = struct.Struct("!ciH")
_LENGTH = struct.Struct("!i")


class ShadowOutcome(StrEnum):
    """What came of one offered statement; the same word in metrics and logs."""

    MATCH = "match"
    MISMATCH = "mismatch"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class ShadowResult:
    """One comparison. difference: what differs. local_ms, remote_ms: how long each digest took."""

    endpoint: str
    fingerprint: str
    outcome: ShadowOutcome
    difference: str = ""
    local_ms: float = 0.0
    remote_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class SeenMismatch:
    """An answer that differed. at: Unix seconds."""

    result: ShadowResult
    at: float


@dataclass(frozen=True, slots=True)
class _Offer:
    statement: EngineStatement
    endpoint: str
    fingerprint: str


class Shadow:
    """Takes offers at once and compares them one after another.

    counts: by endpoint and outcome, since the start. mismatches: the last ones, oldest first.
    """

    def __init__(
        self, local: Engine, registry: EndpointRegistry, observe: Callable[[ShadowResult], None]
    ) -> None:
        self._local = local
        self._registry = registry
        self._observe = observe
        self.counts: dict[str, Counter[str]] = {}
        self.mismatches: deque[SeenMismatch] = deque(maxlen=_KEPT_MISMATCHES)
        self._offers = asyncio.Queue[_Offer](_QUEUE_LIMIT)

    def offer(self, statement: EngineStatement, endpoint: str, fingerprint: str) -> None:
        """Compare this statement some time soon, or drop it.

        statement: with its result columns; it was just answered by the embedded engine.
        """
        status = self._registry.statuses().get(endpoint)
        is_spared = status is None or not status.is_usable or status.load >= _BUSY_LOAD
        if is_spared or self._offers.full() or not statement.result_columns:
            self._tell(ShadowResult(endpoint, fingerprint, ShadowOutcome.DROPPED))
        else:
            self._offers.put_nowait(_Offer(statement, endpoint, fingerprint))

    async def run(self) -> None:
        """Compare for as long as the gateway runs."""
        while True:
            offer = await self._offers.get()
            began = time.perf_counter()
            result = await self._guarded(offer)
            took_s = time.perf_counter() - began
            if result.outcome is ShadowOutcome.MISMATCH:
                log.warning(
                    "shadow.mismatch",
                    endpoint=result.endpoint,
                    fingerprint=result.fingerprint,
                    difference=result.difference,
                )
                self.mismatches.append(SeenMismatch(result, time.time()))
            self._tell(result)
            await asyncio.sleep(min((took_s + result.local_ms / 1000) * _REST, _LONGEST_REST_S))

    def _tell(self, result: ShadowResult) -> None:
        self.counts.setdefault(result.endpoint, Counter())[result.outcome.value] += 1
        self._observe(result)

    async def _guarded(self, offer: _Offer) -> ShadowResult:
        try:
            return await self._compared(offer)
        except Exception as error:  # noqa: BLE001  # the task guard: no answer of a node ends the gateway
            # Its text may quote the statement.
            log.error("shadow.broken", endpoint=offer.endpoint, cause=type(error).__name__)  # noqa: TRY400
            return ShadowResult(offer.endpoint, offer.fingerprint, ShadowOutcome.FAILED)

    async def _compared(self, offer: _Offer) -> ShadowResult:
        lease = self._registry.lease(offer.endpoint)
        if lease is None:
            return ShadowResult(offer.endpoint, offer.fingerprint, ShadowOutcome.DROPPED)
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                columns = offer.statement.result_columns
                sql = await asyncio.to_thread(digest_sql, offer.statement.sql, columns)
                asked = EngineStatement(sql, offer.statement.parameters, output=OutputSettings())
                here, local_ms = await _timed(self._local, asked)
                there, remote_ms = await _timed(lease.engine, asked)
        except (GatewayError, TimeoutError) as error:
            log.info("shadow.failed", endpoint=offer.endpoint, cause=type(error).__name__)
            return ShadowResult(offer.endpoint, offer.fingerprint, ShadowOutcome.FAILED)
        finally:
            lease.release()
        difference = here.difference(there)
        outcome = ShadowOutcome.MISMATCH if difference else ShadowOutcome.MATCH
        return ShadowResult(offer.endpoint, offer.fingerprint, outcome, difference, local_ms, remote_ms)


async def _timed(engine: Engine, statement: EngineStatement) -> tuple[Digest, float]:
    """Run a digest's statement; give the digest and the milliseconds that it took."""
    started = time.perf_counter()
    rows = bytearray()
    async with engine.execute(statement) as stream:
        while (chunk := await stream.read()) is not None:
            rows += chunk.rows
    return parse_digest(_fields(rows)), (time.perf_counter() - started) * 1000


def _fields(message: bytes | bytearray) -> list[str | None]:
    """Read one DataRow message in text format. Raises: ValueError, there is none."""
    if len(message) < _HEADER.size:
        raise ValueError("not the row of a digest")
    _, _, count = _HEADER.unpack_from(message)
    fields: list[str | None] = []
    at = _HEADER.size
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(message, at)
        at += _LENGTH.size
        fields.append(None if length < 0 else message[at : at + length].decode())
        at += max(length, 0)
    return fields
