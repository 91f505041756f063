"""The queries that run on this gateway: begun, stopped, and their ends written down whatever happens."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

import structlog

from execnode.engine.jobs import finish_job, finished
from pgproxy.control.metastore import MetastoreError
from pgproxy.queue.job import Job, LeaseLost, OpenDetached
from pgproxy.queue.model import Facts, QueryState, QueuedQuery, Statement
from pgproxy.queue.results import ResultFolder
from pgproxy.queue.store import QueryStore, after_loss
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

log = structlog.get_logger(__name__)

_Result = TypeVar("_Result")

_AGAIN_S = 1.0


class QueueObserver(Protocol):
    """Is told what becomes of queries, for the metrics."""

    def started(self, waited_s: float) -> None:
        """One has begun, so long after its submission; one that is tried again begins again."""
        ...

    def ended(self, state: QueryState) -> None:
        """One has ended."""
        ...

    def retried(self, reason: str) -> None:
        """One will be tried again."""
        ...


@dataclass(frozen=True, slots=True)
class JobParts:
    """What jobs work with. owner: this gateway's name in the metastore."""

    store: QueryStore
    folder: ResultFolder
    files: Executor
    open_session: OpenDetached
    owner: str
    observer: QueueObserver


class RunningJobs:
    """The claimed queries, each with a task of its own. on_end: told when one runs no more."""

    def __init__(self, parts: JobParts, tasks: asyncio.TaskGroup, on_end: Callable[[], None]) -> None:
        self._parts = parts
        self._tasks = tasks
        self._on_end = on_end
        self._jobs: dict[str, tuple[Job, asyncio.Task[None]]] = {}
        self._is_stopping = False
        self.completed = 0

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the queries that run here, or are about to stop."""
        return tuple(self._jobs)

    def get(self, query_id: str) -> Job | None:
        """Find the job of a query that runs here."""
        found = self._jobs.get(query_id)
        return found[0] if found is not None else None

    async def unbroken(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do what must be done whole; False where the metastore failed. A cancellation is raised after it."""
        return await finished(self._tasks.create_task(forgiving(work)))

    async def whole(self, work: Callable[[], Awaitable[_Result]]) -> _Result:
        """Do what must be done whole. A cancellation is raised after it.

        Raises:
            MetastoreError: the metastore failed.
        """
        found = await finished(self._tasks.create_task(_result_of(work)))
        if isinstance(found, MetastoreError):
            raise found
        return found

    @property
    def may_begin(self) -> bool:
        """Whether this gateway still begins anything."""
        return not self._is_stopping

    def begin(self, query: QueuedQuery, statement: Statement | None = None) -> None:
        """Run a query that was claimed. statement: what was submitted, where it is known already."""
        parts = self._parts
        job = Job(
            query,
            parts.owner,
            parts.store,
            parts.folder,
            parts.files,
            parts.open_session,
            parts.observer.retried,
            statement,
        )
        parts.observer.started(max((query.started_at or query.submitted_at) - query.submitted_at, 0.0))
        task = self._tasks.create_task(self._run(job))
        self._jobs[query.id] = (job, task)
        task.add_done_callback(lambda _: self._forget(query.id))  # one that is cancelled at once never runs
        log.info("async_query.started", query_id=query.id, principal=query.principal, attempt=query.attempts)

    def cancel(self, query_id: str) -> asyncio.Task[None] | None:
        """Stop a query; gives what to wait for. A second time would cut short the engine's stop."""
        found = self._jobs.get(query_id)
        if found is None:
            return None
        task = found[1]
        if not task.cancelling():
            task.cancel()
        return task

    async def stop(self) -> None:
        """Stop all; reads go back to the queue for another gateway, or the next start. Nothing begins now."""
        self._is_stopping = True
        jobs = tuple(job for job, _ in self._jobs.values())
        tasks = [task for query_id in self.ids if (task := self.cancel(query_id)) is not None]
        if tasks:
            await asyncio.wait(tasks)
        for job in jobs:
            if not job.has_begun:
                await forgiving(partial(self._hand_back, job))

    async def _run(self, job: Job) -> None:
        """Run a job and write its end down; nothing of one query may end the others."""
        job.has_begun = True
        try:
            await self._write_end(job, *await self._end_of(job))
        except asyncio.CancelledError:
            await self.unbroken(partial(self._give_up, job))
            raise
        except LeaseLost:
            await self._drop_files(job)
        except MetastoreError:  # nothing ran: the lease ends, and another try begins
            log.exception("async_query.not_begun", query_id=job.query.id)

    async def _end_of(self, job: Job) -> tuple[QueryState, Facts]:
        try:
            return await job.run()
        except (LeaseLost, MetastoreError):
            raise
        except Exception:  # the task guard: one query's bug must not end the others
            log.exception("async_query.broken", query_id=job.query.id)
            internal = SqlState.INTERNAL_ERROR.value
            return QueryState.FAILED, replace(job.query.facts, sqlstate=internal, message="internal error")

    def _forget(self, query_id: str) -> None:
        del self._jobs[query_id]
        self._on_end()

    async def _write_end(self, job: Job, state: QueryState, facts: Facts) -> None:
        """Write it down as soon as the metastore takes it; until then the query is this gateway's."""
        while True:
            if await self.unbroken(partial(self._finish, job, state, facts)):
                return
            await asyncio.sleep(_AGAIN_S)

    async def _finish(self, job: Job, state: QueryState, facts: Facts) -> None:
        ended = replace(job.query, facts=facts)
        is_mine = await self._parts.store.finish(ended, self._parts.owner, state, time.time())
        job.has_ended = True
        if not is_mine:
            await self._drop_files(job)
            return
        self.completed += 1
        self._parts.observer.ended(state)
        log.info(
            "async_query.ended",
            query_id=ended.id,
            principal=ended.principal,
            state=state.value,
            sqlstate=facts.sqlstate,
            rows=facts.rows,
        )

    async def _give_up(self, job: Job) -> None:
        """What was cancelled leaves nothing, unless its end was written down meanwhile."""
        if job.has_ended:
            return
        if self._is_stopping:
            await self._hand_back(job)
        if not job.has_ended:
            await self._drop_files(job)

    async def _hand_back(self, job: Job) -> None:
        """This gateway stops: a read waits for the next one, of a write nobody knows how far it came."""
        failure = after_loss(job.query) if job.has_begun else None
        if failure is None:
            await self._parts.store.release(job.query, self._parts.owner)
        else:
            await self._finish(job, QueryState.FAILED, failure)

    async def _drop_files(self, job: Job) -> None:
        parts = self._parts
        await finish_job(parts.files, partial(parts.folder.delete, job.query.id, parts.owner))


async def _result_of(work: Callable[[], Awaitable[_Result]]) -> _Result | MetastoreError:
    """Give an error back instead of raising it: in a group of tasks it would end the others."""
    try:
        return await work()
    except MetastoreError as error:
        return error


async def forgiving(work: Callable[[], Awaitable[None]]) -> bool:
    """Do it; False where it failed: a metastore that fails now is asked again at the next turn."""
    try:
        await work()
    except MetastoreError as error:  # one line a turn: it may be away for long
        log.warning("async_queue.metastore_failed", problem=str(error))
        return False
    except (GatewayError, OSError):
        log.exception("async_queue.turn_failed")
        return False
    return True
