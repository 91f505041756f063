"""The queue as its callers see it: submit, look, cancel, delete, read. For owners and administrators only.

What belongs to somebody else is not there at all: the same error as for an id that nobody has.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from execnode.engine.jobs import finish_job
from execnode.query_ids import new_query_id
from pgproxy.policy.model import WHOLE_SCOPE, CredentialScope
from pgproxy.queue.formats import ResultFormat, render
from pgproxy.queue.job import OpenDetached
from pgproxy.queue.model import QueryState, QueuedQuery, Statement, Submission, scope_text
from pgproxy.queue.results import ResultFolder, StoredResult
from pgproxy.queue.running import JobParts, QueueObserver
from pgproxy.queue.store import QueryStore
from pgproxy.queue.workers import QueueWorkers, WorkerOptions
from pgproxy.session.detached import DetachedSession
from pgwire.errors import FeatureNotSupported, GatewayError, InternalError, StatementError
from pgwire.sqlstate import SqlState

_Result = TypeVar("_Result")
_FILE_THREADS = 4


class UnknownQuery(GatewayError):
    """There is no such query, or the caller may not know of it."""

    default_sqlstate = SqlState.UNDEFINED_OBJECT

    def __init__(self) -> None:
        super().__init__("query does not exist")


class QueueLimit(GatewayError):
    """The principal has as many queries waiting as it may."""

    default_sqlstate = SqlState.CONFIGURATION_LIMIT_EXCEEDED


class NotReady(GatewayError):
    """The query has no result: not yet, or not at all."""

    default_sqlstate = SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. scope: of the credential: one that is narrower sees only what was submitted with its like."""

    principal: str
    is_admin: bool
    scope: CredentialScope = WHOLE_SCOPE
    key_id: str | None = None

    def may_see(self, query: QueuedQuery) -> bool:
        """Whether the query is there for this viewer."""
        if self.is_admin and self.scope.is_whole:
            return True
        is_within = self.scope.is_whole or scope_text(self.scope) == query.facts.scope
        return query.principal == self.principal and is_within


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """max_queued: of one principal. ttl_s: of a result that does not ask for one; max_ttl_s: at most.

    is_on: asked at each submission; what was submitted before goes on, and can be read.
    """

    max_queued: int = 100
    ttl_s: float = 600.0
    max_ttl_s: float = 7 * 86_400.0
    is_on: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller submits. ttl_s: None for the usual one."""

    statement: Statement
    ttl_s: float | None = None
    priority: int = 0
    idempotency_key: str | None = None


class AsyncQueue:
    """The queue of this gateway. An async context manager: its workers live inside."""

    def __init__(  # the parts that it is made of
        self,
        store: QueryStore,
        folder: Path,
        limits: QueueLimits,
        options: WorkerOptions,
        observer: QueueObserver,
    ) -> None:
        self._open: OpenDetached | None = None
        owner = secrets.token_hex(8)
        self._store = store
        self._folder = ResultFolder(folder, owner, options.max_result_bytes)
        self._limits = limits
        self._files = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="results")
        self._submitting = asyncio.Lock()
        self._rendering: dict[str, asyncio.Lock] = {}
        parts = JobParts(store, self._folder, self._files, self._open_session, owner, observer)
        self.workers = QueueWorkers(parts, options)

    def opens_with(self, open_session: OpenDetached) -> None:
        """Say how the sessions of submitted statements are opened; before the queue is entered."""
        self._open = open_session

    async def _open_session(self, principal: str, statement: Statement) -> DetachedSession:
        if self._open is None:
            raise InternalError("the queue was entered before it could open sessions")
        return await self._open(principal, statement)

    async def __aenter__(self) -> Self:
        await self.workers.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.workers.stop()
        finally:
            self._files.shutdown(wait=True, cancel_futures=True)

    @property
    def limits(self) -> QueueLimits:
        """What submissions are held to."""
        return self._limits

    async def submit(self, viewer: Viewer, request: Request) -> tuple[QueuedQuery, bool]:
        """Add a query, planned now as its principal so that what is wrong or denied is said at once.

        Gives it, and whether it is new: an idempotency key that was used before gives the query of then.

        Raises:
            GatewayError: the statement is wrong or denied; 53400, too many wait; 22023, a bad time to live,
                or the key belongs to another statement; 0A000, the queue is switched off.
        """
        if not self._limits.is_on():
            raise FeatureNotSupported("async queries are switched off", hint="Set FEATURE_ASYNC_QUEUE.")
        ttl_s = self._limits.ttl_s if request.ttl_s is None else request.ttl_s
        if not 0 < ttl_s <= self._limits.max_ttl_s:
            raise StatementError(
                f"a time to live is more than 0 and at most {self._limits.max_ttl_s:g} seconds",
                sqlstate=SqlState.INVALID_PARAMETER_VALUE,
            )
        principal = viewer.principal
        statement = replace(request.statement, scope=viewer.scope, key_id=viewer.key_id)
        request = replace(request, statement=statement)
        known = await self._known(principal, request)
        if known is not None:
            return known, False
        session = await self._open_session(principal, statement)
        prepared = await session.check(statement.sql, statement.parameters)
        submission = Submission(
            principal,
            statement,
            ttl_s,
            may_write=prepared.plan is None or not prepared.plan.is_read_only,
            priority=request.priority,
            idempotency_key=request.idempotency_key,
        )
        query_id = new_query_id()
        async with self._submitting:
            queued = await self._store.count_queued(principal)
            if queued >= self._limits.max_queued:
                raise QueueLimit("too many queries of this role wait already")
            added = await self.workers.add(query_id, submission, may_begin=not queued)
        if added is None:  # another gateway was given the same key meanwhile
            known = await self._known(principal, request)
            if known is None:
                raise UnknownQuery  # and it was deleted there
            return known, False
        return added, True

    async def get(self, viewer: Viewer, query_id: str) -> QueuedQuery:
        """Find a query, with its progress of now where it runs here.

        Raises:
            UnknownQuery: there is none for this viewer.
        """
        query = await self._existing(query_id)
        if not viewer.may_see(query):
            raise UnknownQuery
        return query.at(await self.workers.progress(query))

    async def page(
        self, viewer: Viewer, *, state: QueryState | None = None, before_id: str = "", limit: int = 100
    ) -> tuple[QueuedQuery, ...]:
        """List queries, newest first: one's own; an administrator's list is of everybody."""
        principal = None if viewer.is_admin else viewer.principal
        found = await self._store.page(principal, state, before_id, limit)
        return tuple(query for query in found if viewer.may_see(query))

    async def newest(self, limit: int) -> tuple[QueuedQuery, ...]:
        """The newest queries of everybody: for relations that show each viewer its own."""
        return await self._store.page(None, None, "", limit)

    async def cancel(self, viewer: Viewer, query_id: str) -> QueuedQuery:
        """Cancel a query that has not ended; what runs here has stopped when this returns.

        Raises:
            UnknownQuery: there is none for this viewer.
        """
        await self.get(viewer, query_id)
        if await self._store.cancel(query_id, time.time()):
            self.workers.observer.ended(QueryState.CANCELED)
            await self.workers.stop_job(query_id)
        return await self._existing(query_id)

    async def delete(self, viewer: Viewer, query_id: str) -> None:
        """Cancel a query and forget it with its result.

        Raises:
            UnknownQuery: there is none for this viewer.
        """
        await self.cancel(viewer, query_id)
        await self._store.delete(query_id)
        await self._blocking(partial(self._folder.delete, query_id))

    async def result(self, viewer: Viewer, query_id: str) -> tuple[QueuedQuery, StoredResult]:
        """Open the result of a query that succeeded.

        Raises:
            UnknownQuery: there is none for this viewer. NotReady: 55000, it has no result.
            GatewayError: 58030, the result is not here.
        """
        query = await self.get(viewer, query_id)
        if query.state is not QueryState.SUCCEEDED:
            raise _not_ready(query)
        return query, await self._blocking(partial(self._folder.stored, query_id, query.facts.place))

    async def rendered(self, query: QueuedQuery, result: StoredResult, form: ResultFormat) -> Path:
        """Give the whole result as a file in a format, made once and kept as long as the result.

        Raises:
            GatewayError: 53100, the disk refused.
        """
        if form is ResultFormat.ARROW:
            return result.path
        target = result.path.with_suffix(f".{form.value}")
        lock = self._rendering.setdefault(target.name, asyncio.Lock())
        try:
            async with lock:
                if not await self._blocking(target.exists):
                    place = secrets.token_hex(4)
                    await self._blocking(partial(render, result, query.facts.columns, form, target, place))
        except OSError:
            raise GatewayError("could not write the result", sqlstate=SqlState.DISK_FULL) from None
        finally:
            if not lock.locked():
                self._rendering.pop(target.name, None)
        return target

    async def run_in_thread(self, work: Callable[[], _Result]) -> _Result:
        """Read or encode a page of a result."""
        return await self._blocking(work)

    async def _known(self, principal: str, request: Request) -> QueuedQuery | None:
        if request.idempotency_key is None:
            return None
        found = await self._store.by_key(principal, request.idempotency_key)
        if found is None:
            return None
        query, digest = found
        if digest != self._store.digest(request.statement):
            raise StatementError(
                "the idempotency key was used for another statement",
                sqlstate=SqlState.INVALID_PARAMETER_VALUE,
            )
        return query

    async def _existing(self, query_id: str) -> QueuedQuery:
        query = await self._store.get(query_id) if "\0" not in query_id else None
        if query is None:
            raise UnknownQuery
        return query

    async def _blocking(self, work: Callable[[], _Result]) -> _Result:
        return await finish_job(self._files, work)


def _not_ready(query: QueuedQuery) -> GatewayError:
    match query.state:
        case QueryState.QUEUED | QueryState.RUNNING:
            return NotReady(f"the query is {query.state.value.lower()}: it has no result yet")
        case QueryState.CANCELED:
            return NotReady("the query was canceled: it has no result")
        case _:
            return NotReady(f"the query failed: {query.facts.message}")
