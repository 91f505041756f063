"""Runs a statement where its route says, and elsewhere when an engine, not the statement, fails.

A statement is tried again only before its first row has been handed out, only if it is read-only, only
outside a pinned session and only if the caller's own assignment allows it. Writes are never sent twice.
"""

import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from execnode.statement import EngineStatement
from execnode.tracing import Tracing
from pgproxy.control.fleet import Fallback
from pgproxy.engines.base import Engine, EngineSession
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.routing.attempts import (
    Attempt,
    Attempts,
    EndObserver,
    EngineTrace,
    FailureObserver,
    RetryRule,
    RoutedStream,
    RouteOutcome,
    attempts_for,
)
from pgproxy.routing.local_stream import LocalStream
from pgproxy.routing.registry import EndpointLease, EndpointRegistry
from pgproxy.routing.resolve import (
    Route,
    RouteReason,
    RoutingFlags,
    StatementTraits,
    reason_to_stay,
    resolve_route,
    resolve_shadow,
)
from pgwire.types import ResultColumn


@dataclass(frozen=True, slots=True)
class PinnedSession:
    """An engine session and where it is: every statement of it runs there. Whoever opened it closes it."""

    engine: Engine
    session: EngineSession
    outcome: RouteOutcome
    lease: EndpointLease | None = None

    async def close(self) -> None:
        """Roll back and release the connection and the place on its endpoint. Never raises."""
        try:
            await self.session.close()
        finally:
            if self.lease is not None:
                self.lease.release()


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """A statement and all that decides where it runs. groups: transitive. pin: the session it belongs to.

    keeps_writes: what it writes is kept without a COMMIT to come.
    """

    statement: EngineStatement
    principal: str
    groups: frozenset[str]
    traits: StatementTraits
    pin: PinnedSession | None = None
    session: str = ""
    fingerprint: str = ""
    traceparent: str = ""
    keeps_writes: bool = False


class ShadowSink(Protocol):
    """Takes statements that were served here, to be compared elsewhere."""

    def offer(self, statement: EngineStatement, endpoint: str, fingerprint: str) -> None:
        """Take one at once, or drop it. statement: with its result columns."""
        ...


class Router:
    """The one way from a session to an engine."""

    def __init__(  # noqa: PLR0913, PLR0917  # what every statement needs on its way
        self,
        local: Engine,
        registry: EndpointRegistry,
        flags: Callable[[], RoutingFlags],
        observe_failure: FailureObserver | None = None,
        shadow: ShadowSink | None = None,
        shared_writable: Callable[[], frozenset[str]] = frozenset,
        tracing: Tracing | None = None,
    ) -> None:
        """shared_writable: the catalogs that every node may write."""
        self._tracing = tracing or Tracing()
        self._shared_writable = shared_writable
        self._local = local
        self._registry = registry
        self._flags = flags
        self._observe_failure = observe_failure or _ignore_failure
        self._shadow = shadow

    @property
    def local(self) -> Engine:
        """The embedded engine."""
        return self._local

    def can_write_remotely(self, catalogs: frozenset[str]) -> bool:
        """Whether a statement that writes these catalogs may run on a node."""
        return bool(catalogs) and catalogs <= self._shared_writable()

    def resolve(self, request: RouteRequest) -> Route:
        """Resolve where the statement would run now, outside a pinned session and without running it."""
        return resolve_route(
            self._flags(),
            request.principal,
            request.groups,
            self._registry.assignments,
            self._registry.statuses(),
            request.traits,
            request.session,
        )

    def run(self, request: RouteRequest) -> AbstractAsyncContextManager[RoutedStream | LocalStream]:
        """Run a statement. Entering returns when an engine has started it; leaving, when that has stopped.

        Raises:
            GatewayError: what the engine raised; never tried again.
            EngineUnavailable: no engine that may run it could.
            OutcomeUnknown: it may have written, and nobody can tell.
        """
        pin = request.pin
        if pin is not None:
            outcome = RouteOutcome(pin.engine.name, RouteReason.PINNED)
            attempts = Attempts(self._registry, iter((Attempt(pin.engine),)), outcome, RetryRule.NEVER)
            trace = EngineTrace(self._tracing, request.traceparent, outcome.reason.arm)
            return RoutedStream(
                request.statement,
                attempts,
                self._observe_failure,
                pin.session,
                trace=trace,
                keeps_writes=request.keeps_writes,
            )
        stays = reason_to_stay(self._flags(), request.traits)
        if stays is not None:
            return LocalStream(self._local, request.statement, stays, self._tracing, request.traceparent)
        route = self.resolve(request)
        rule = _retry_rule(route.fallback) if request.traits.is_read_only else RetryRule.NEVER
        attempts = attempts_for(self._local, self._registry, route, rule)
        return RoutedStream(
            request.statement,
            attempts,
            self._observe_failure,
            observe_end=self._shadowing(request, route),
            trace=EngineTrace(self._tracing, request.traceparent, route.reason.arm),
            keeps_writes=request.keeps_writes,
        )

    def _shadowing(self, request: RouteRequest, route: Route) -> EndObserver | None:
        """What to do once the statement has been answered here; None: nothing."""
        shadow, registry = self._shadow, self._registry
        if shadow is None or route.endpoint is not None or not request.traits.is_read_only:
            return None
        found = resolve_shadow(
            route, request.principal, request.groups, registry.assignments, registry.statuses()
        )
        if found is None or random.random() * 100 >= found[1]:  # noqa: S311 - a sample, not a secret
            return None
        endpoint = found[0]

        def offer(columns: tuple[ResultColumn, ...]) -> None:
            statement = replace(request.statement, result_columns=columns)
            shadow.offer(statement, endpoint, request.fingerprint)

        return offer

    async def describe(self, request: RouteRequest) -> tuple[ResultColumn, ...]:
        """Bind without executing: in the pinned session (temporary tables), else on the embedded engine.

        The embedded engine attaches the same catalogs and is the same code, so a call over the network is
        saved.

        Raises:
            GatewayError: the statement does not bind.
        """
        if request.pin is not None:
            return await request.pin.engine.describe(request.statement, request.pin.session)
        return await self._local.describe(request.statement)

    async def open_session(self, request: RouteRequest) -> PinnedSession:
        """Open a pinned session where the request's route says.

        Nothing has run yet, so an assignment with automatic fallback may take another engine whatever
        follows.

        Raises:
            EngineUnavailable: no engine that may hold it could.
        """
        route = self.resolve(request)
        attempts = attempts_for(self._local, self._registry, route, _retry_rule(route.fallback))
        try:
            attempt = attempts.first()
            while True:
                try:
                    session = await attempt.engine.open_session()
                except EngineUnavailable as failure:
                    self._observe_failure(attempt.engine.name, failure.reason)
                    attempt = attempts.after(failure)
                else:
                    return PinnedSession(attempt.engine, session, attempts.outcome, attempts.keep())
        finally:
            attempts.release()


def _retry_rule(fallback: Fallback) -> RetryRule:
    return RetryRule.ANYWHERE if fallback is Fallback.AUTOMATIC else RetryRule.IF_SHED


def _ignore_failure(endpoint: str, reason: FallbackReason) -> None:
    """Observe nothing."""
