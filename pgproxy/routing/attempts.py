"""The engines that may run one statement, in order, and the stream that hides a change from one to the next.

A change is possible only while nothing of the result has left this module.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from types import TracebackType
from typing import Self

import structlog

from execnode.call_context import ARM_KEY, TRACE_KEY
from execnode.statement import EngineStatement, RowChunk
from execnode.tracing import NO_SPAN, TraceSpan, Tracing
from pgproxy.engines.base import Engine, EngineSession
from pgproxy.engines.entered_stream import EnteredStream
from pgproxy.engines.errors import EngineUnavailable, FallbackReason, OutcomeUnknown
from pgproxy.routing.registry import EndpointLease, EndpointRegistry
from pgproxy.routing.resolve import Arm, EndpointHealth, Route, RouteReason
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState
from pgwire.types import ResultColumn

log = structlog.get_logger(__name__)

_SHED = frozenset({FallbackReason.QUEUE_FULL, FallbackReason.DRAINING})
"""Said by a node that is well and has not begun the statement."""

FailureObserver = Callable[[str, FallbackReason], None]
"""Told of each infrastructure failure of an engine: its name and the reason."""


class RetryRule(Enum):
    """Where else a statement may run.

    IF_SHED: on another endpoint of the same assignments, if the first has refused to take it.
    """

    NEVER = "never"
    IF_SHED = "if_shed"
    ANYWHERE = "anywhere"


EndObserver = Callable[[tuple[ResultColumn, ...]], None]
"""Told the shape of an answer that has been read to its end."""


@dataclass(frozen=True, slots=True)
class RouteOutcome:
    """Where a statement really ran. fallback_reason: why not where its route said; None: it ran there."""

    endpoint: str
    reason: RouteReason
    fallback_reason: FallbackReason | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One place to try. lease: held while it is tried; None: the embedded engine or a pinned session."""

    engine: Engine
    lease: EndpointLease | None = None


class Attempts:
    """The places to try for one statement, in order; at most one is held at a time.

    places: lazy, so that a place is taken only when its turn comes. outcome: what to say until the first is
    taken; its fallback_reason is why the route's own endpoint is not among the places. rule: whether there
    may be a second place at all.

    A statement that a node sheds, its queue being full or the node about to stop, goes to one other node and
    no further: what is left is the embedded engine. So overload does not go round the fleet.
    """

    def __init__(
        self,
        registry: EndpointRegistry,
        places: Iterator[Attempt],
        outcome: RouteOutcome,
        rule: RetryRule,
    ) -> None:
        self._rule = rule
        self._sheds = 0
        self._registry = registry
        self._places = places
        self._lease: EndpointLease | None = None
        self.outcome = outcome

    def first(self) -> Attempt:
        """Take the first place.

        Raises:
            EngineUnavailable: the route's endpoint is not usable, and no other may be used.
        """
        attempt = self._take(self.outcome.fallback_reason)
        if attempt is None:
            reason = self.outcome.fallback_reason or FallbackReason.UNHEALTHY
            raise EngineUnavailable("the endpoint assigned to this statement is not available", reason)
        return attempt

    def after(self, failure: EngineUnavailable) -> Attempt:
        """Take the next place, the present one having failed.

        Raises:
            EngineUnavailable: `failure` itself, when there is no next one.
        """
        self.record(failure)
        self.release()
        is_shed = failure.reason in _SHED
        self._sheds += is_shed
        may_go_on = self._rule is RetryRule.ANYWHERE or (self._rule is RetryRule.IF_SHED and is_shed)
        attempt = self._take(failure.reason) if may_go_on else None
        if attempt is None:
            raise failure
        log.info("statement.fell_back", endpoint=attempt.engine.name, cause=failure.reason)
        return attempt

    def record(self, failure: EngineUnavailable) -> None:
        """Let the present place's failure count against its endpoint."""
        self._registry.report_failure(self.outcome.endpoint, failure.reason)

    def keep(self) -> EndpointLease | None:
        """Hand the present place over to the caller, who releases it."""
        lease, self._lease = self._lease, None
        return lease

    def release(self) -> None:
        """Give the present place back; a second call does nothing."""
        lease = self.keep()
        if lease is not None:
            lease.release()

    def _take(self, cause: FallbackReason | None) -> Attempt | None:
        attempt = next(self._places, None)
        while attempt is not None and attempt.lease is not None and self._sheds > 1:
            attempt.lease.release()
            attempt = next(self._places, None)
        if attempt is not None:
            self._lease = attempt.lease
            self.outcome = RouteOutcome(attempt.engine.name, self.outcome.reason, cause)
        return attempt


def attempts_for(local: Engine, registry: EndpointRegistry, route: Route, rule: RetryRule) -> Attempts:
    """List the places for a route."""
    outcome = RouteOutcome(route.endpoint or local.name, route.reason, _skipped(registry, route))
    return Attempts(registry, _places(local, registry, route, rule), outcome, rule)


def _places(local: Engine, registry: EndpointRegistry, route: Route, rule: RetryRule) -> Iterator[Attempt]:
    own = tuple(name for name in route.candidates[:1] if name == route.endpoint)
    for name in own if rule is RetryRule.NEVER else route.candidates:
        lease = registry.lease(name)
        if lease is not None:  # else it was removed a moment ago
            yield Attempt(lease.engine, lease)
    if route.endpoint is None or rule is RetryRule.ANYWHERE:
        yield Attempt(local)


def _skipped(registry: EndpointRegistry, route: Route) -> FallbackReason | None:
    """Why the route's own endpoint is not even tried; None: it is."""
    if route.endpoint is None or route.endpoint in route.candidates:
        return None
    state = registry.statuses().get(route.endpoint)
    is_draining = state is not None and state.health is EndpointHealth.DRAINING
    return FallbackReason.DRAINING if is_draining else FallbackReason.UNHEALTHY


@dataclass(frozen=True, slots=True)
class EngineTrace:
    """How one statement's attempts are traced. traceparent: of the statement. arm: what nodes count by."""

    tracing: Tracing
    traceparent: str
    arm: Arm

    def begin(self, statement: EngineStatement, engine: str) -> tuple[EngineStatement, TraceSpan]:
        """Begin the span of one attempt; gives the statement that names it."""
        metadata = {ARM_KEY: self.arm.value}
        if not self.traceparent:
            return replace(statement, metadata=metadata), NO_SPAN
        span = self.tracing.start("engine.execute", self.traceparent)
        span.note({"endpoint": engine, "arm": self.arm.value})
        return replace(statement, metadata={**metadata, TRACE_KEY: span.traceparent}), span


_UNTRACED = EngineTrace(Tracing(), "", Arm.NONE)


class RoutedStream(EnteredStream):
    """The result of one statement, from whichever engine gives it: a `ResultStream` to be entered first.

    Leaving returns when the engine has stopped.
    """

    def __init__(  # noqa: PLR0913  # the statement, its places, and who is told
        self,
        statement: EngineStatement,
        attempts: Attempts,
        observe_failure: FailureObserver,
        session: EngineSession | None = None,
        *,
        observe_end: EndObserver | None = None,
        trace: EngineTrace = _UNTRACED,
        keeps_writes: bool = False,
    ) -> None:
        """observe_end: told when the whole answer has been read. keeps_writes: see `RouteRequest`."""
        super().__init__()
        self._trace = trace
        self._keeps_writes = keeps_writes
        self._span = NO_SPAN
        self._observe_end = observe_end
        self._statement = statement
        self._attempts = attempts
        self._observe_failure = observe_failure
        self._session = session
        self._has_rows_out = False

    async def __aenter__(self) -> Self:
        try:
            await self._open(self._attempts.first())
        except EngineUnavailable as failure:
            self._attempts.release()
            self._check_outcome(failure)
            raise
        except BaseException:
            self._attempts.release()
            raise
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
            self._end_span()
            self._attempts.release()

    @property
    def outcome(self) -> RouteOutcome:
        """Where it runs; final once the first chunk has been read."""
        return self._attempts.outcome

    async def read(self) -> RowChunk | None:
        """Give the next chunk, or None at the end.

        Raises:
            GatewayError: what the engine raised.
            EngineUnavailable: the engine failed and no other may take over.
            OutcomeUnknown: it may have written all the same.
        """
        try:
            return await self._read()
        except EngineUnavailable as failure:
            self._check_outcome(failure)
            raise

    def _check_outcome(self, failure: EngineUnavailable) -> None:
        """Say so where a write may be kept though its engine failed."""
        if self._keeps_writes and failure.outcome_is_open:
            raise OutcomeUnknown(failure.reason) from failure

    async def _read(self) -> RowChunk | None:
        while True:
            try:
                chunk = await self._opened.read()
            except EngineUnavailable as failure:
                self._end_span(failure)
                await self._take_over(failure)
            except GatewayError as error:
                self._end_span(error)
                raise
            else:
                self._has_rows_out = True
                if chunk is None:
                    self._end()
                return chunk

    def _end(self) -> None:
        """Tell once that the answer is whole."""
        observe, self._observe_end = self._observe_end, None
        if observe is not None:
            observe(self.columns)

    async def _open(self, attempt: Attempt) -> None:
        while True:
            statement, self._span = self._trace.begin(self._statement, attempt.engine.name)
            context = attempt.engine.execute(statement, self._session)
            try:
                self._stream = await context.__aenter__()
            except EngineUnavailable as failure:
                self._end_span(failure)
                self._observe_failure(attempt.engine.name, failure.reason)
                attempt = self._attempts.after(failure)
            except BaseException as error:
                self._end_span(error)
                raise
            else:
                self._context = context
                return

    def _end_span(self, error: BaseException | None = None) -> None:
        if isinstance(error, EngineUnavailable):
            self._span.note({"failure": error.reason.value})
        sqlstate = error.sqlstate if isinstance(error, GatewayError) else SqlState.QUERY_CANCELED
        self._span.end("" if error is None else sqlstate.value)
        self._span = NO_SPAN

    async def _take_over(self, failure: EngineUnavailable) -> None:
        """Go on with the next engine. The shape that was already given out must hold there too."""
        self._observe_failure(self.outcome.endpoint, failure.reason)
        if self._has_rows_out:
            self._attempts.record(failure)
            raise failure
        columns = self.columns
        context, self._context = self._context, None
        if context is not None:
            await context.__aexit__(None, None, None)
        await self._open(self._attempts.after(failure))
        if self.columns != columns:
            raise failure
