"""Running one claimed query: tries, the stored result, and what is said of its end."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import structlog

from execnode.engine.jobs import finish_job
from execnode.statement import RowChunk
from pgproxy.control.metastore import ControlPlaneUnavailable, MetastoreError
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.queue.model import MAX_ATTEMPTS, Facts, QueryState, QueuedQuery, Statement
from pgproxy.queue.results import ResultFolder, ResultWriter
from pgproxy.queue.store import QueryStore
from pgproxy.session.detached import DetachedSession
from pgproxy.session.prepared import PreparedQuery
from pgwire.errors import GatewayError

log = structlog.get_logger(__name__)

_Result = TypeVar("_Result")

_RETRY_PAUSE_S = 0.5
_CERTAINLY_NOT_RUN = frozenset({
    FallbackReason.UNHEALTHY, FallbackReason.CONNECT, FallbackReason.QUEUE_FULL, FallbackReason.DRAINING,
})  # fmt: skip
"""After these a write has not begun, and may be tried again."""

OpenDetached = Callable[[str, Statement], Awaitable[DetachedSession]]
"""Opens the session of a principal for a statement. Raises: it may not come in any more."""


class LeaseLost(Exception):
    """The query belongs to this gateway no more: it was cancelled, or given to another one."""


@dataclass(slots=True)
class Job:
    """A query that runs here. `run` is its whole life; `session` tells how far it is.

    statement: None where it is still to be read. has_begun: its task has. has_ended: its end is written down.
    """

    query: QueuedQuery
    owner: str
    store: QueryStore
    folder: ResultFolder
    files: Executor
    open_session: OpenDetached
    observe_retry: Callable[[str], None]
    statement: Statement | None = None
    session: DetachedSession | None = None
    has_begun: bool = False
    has_ended: bool = False

    async def run(self) -> tuple[QueryState, Facts]:
        """Run to the end; gives what it is. Cancelling stops the engine and drops what was stored.

        Raises:
            LeaseLost: nothing is to be written about it any more.
        """
        statement = self.statement or await _patiently(lambda: self.store.statement(self.query.id))
        if statement is None:
            raise LeaseLost
        while True:
            try:
                return QueryState.SUCCEEDED, await self._attempt(statement)
            except EngineUnavailable as failure:
                if not self._may_try_again(failure):
                    return QueryState.FAILED, self._failed(failure)
                await self._note_retry(failure.reason)
            except GatewayError as error:
                return QueryState.FAILED, self._failed(error)

    async def _attempt(self, statement: Statement) -> Facts:
        """Plan and run it once, under the policy of now."""
        session = self.session = await _patiently(lambda: self.open_session(self.query.principal, statement))
        prepared = await session.prepare(statement.sql, statement.parameters)
        await self._note_plan(prepared)
        writer = self.folder.writer(self.query.id)
        try:
            end = await session.run(prepared, statement.parameters, partial(self._write, writer))
            await finish_job(self.files, writer.finish)
        finally:
            await finish_job(self.files, writer.discard)
        outcome = end.outcome
        return replace(
            self.query.facts,
            progress=1.0,
            tag=end.tag,
            rows=end.rows,
            bytes=writer.bytes,
            place=self.owner,
            columns=prepared.columns or (),
            route=outcome.endpoint if outcome is not None else "",
            route_reason=outcome.reason.value if outcome is not None else "",
        )

    async def _write(self, writer: ResultWriter, chunk: RowChunk) -> None:
        await finish_job(self.files, partial(writer.write, chunk))

    async def _note_plan(self, prepared: PreparedQuery) -> None:
        """Say before it runs whether it may write: who finds it without its gateway must know."""
        may_write = prepared.plan is None or not prepared.plan.is_read_only
        if may_write != self.query.may_write:  # else it was said at the submission
            self.query = replace(self.query, may_write=may_write)
            await self._keep()

    async def _note_retry(self, reason: FallbackReason) -> None:
        facts = replace(self.query.facts, retries=(*self.query.facts.retries, reason.value))
        self.query = replace(self.query, facts=facts)
        await self._keep()
        self.observe_retry(reason.value)
        log.info("async_query.retried", query_id=self.query.id, cause=reason.value)
        await asyncio.sleep(_RETRY_PAUSE_S * len(facts.retries))

    async def _keep(self) -> None:
        query = self.query
        kept = await _patiently(
            lambda: self.store.note(query.id, self.owner, query.facts, may_write=query.may_write)
        )
        if not kept:
            raise LeaseLost

    def _may_try_again(self, failure: EngineUnavailable) -> bool:
        if self.query.may_write and failure.reason not in _CERTAINLY_NOT_RUN:
            return False
        return len(self.query.facts.retries) + 1 < MAX_ATTEMPTS

    def _failed(self, error: GatewayError) -> Facts:
        return replace(self.query.facts, sqlstate=error.sqlstate.value, message=error.message)


async def _patiently(ask: Callable[[], Awaitable[_Result]]) -> _Result:
    """Ask the control plane while nothing runs: if it is away, the query waits for as long as it is ours."""
    while True:
        try:
            return await ask()
        except (MetastoreError, ControlPlaneUnavailable):
            await asyncio.sleep(_RETRY_PAUSE_S)
