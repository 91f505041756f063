"""What a gateway does for the queue in the background: claim, run, renew its leases, reap, clean up."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import structlog

from execnode.engine.jobs import finish_job
from pgproxy.control.metastore import MetastoreError
from pgproxy.queue.fairness import choose_next
from pgproxy.queue.job import Job, LeaseLost, OpenDetached
from pgproxy.queue.model import Facts, QueryState, QueuedQuery
from pgproxy.queue.results import ResultFolder
from pgproxy.queue.store import GATEWAY_LOST, QueryStore, after_loss
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

log = structlog.get_logger(__name__)

_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """max_running: on this gateway. max_per_principal: over all gateways.

    lease_s: a gateway that does not renew for so long is lost, and its queries with it; the clocks of
    gateways must agree to a fraction of it. poll_s: how soon another gateway's submissions are seen.
    """

    max_running: int = 4
    max_per_principal: int = 2
    lease_s: float = 10.0
    poll_s: float = 0.5
    cleanup_s: float = 60.0
    max_result_bytes: int = 16 << 30


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


@dataclass(slots=True)
class QueueCounters:
    """Since the start of this gateway."""

    completed: int = 0
    cleaned: int = 0


class QueueWorkers:
    """The workers of one gateway. owner: its name in the metastore, new with each start."""

    def __init__(  # noqa: PLR0913, PLR0917  # the parts that the workers drive
        self,
        store: QueryStore,
        folder: ResultFolder,
        files: Executor,
        open_session: OpenDetached,
        options: WorkerOptions,
        owner: str,
        observer: QueueObserver,
    ) -> None:
        self.observer = observer
        self._store = store
        self._folder = folder
        self._files = files
        self._open_session = open_session
        self._options = options
        self._owner = owner
        self._tasks = asyncio.TaskGroup()
        self._loops: list[asyncio.Task[None]] = []
        self._jobs: dict[str, tuple[Job, asyncio.Task[None]]] = {}
        self._last_served: dict[str, float] = {}
        self._wanted = asyncio.Event()
        self._is_stopping = False
        self.counters = QueueCounters()
        self.counts: dict[QueryState, int] = {}
        self.oldest_queued_s = 0.0

    async def start(self) -> None:
        """Take over from gateways that died here, and begin to work."""
        dead = await finish_job(self._files, self._folder.open)
        await self._reap(dead)
        await self._clean()
        await self._count()
        await self._tasks.__aenter__()
        for loop in (self._claim_forever, self._renew_forever, self._clean_forever):
            self._loops.append(self._tasks.create_task(loop()))

    async def stop(self) -> None:
        """Stop what runs; reads go back to the queue for another gateway, or the next start."""
        self._is_stopping = True
        for task in (*self._loops, *(task for _, task in self._jobs.values())):
            task.cancel()
        await self._tasks.__aexit__(None, None, None)
        await finish_job(self._files, self._folder.close)

    def wake(self) -> None:
        """Something was submitted here."""
        self._wanted.set()

    @property
    def running(self) -> int:
        """How many queries run on this gateway."""
        return len(self._jobs)

    async def progress(self, query: QueuedQuery) -> float | None:
        """How far a query is: asked where it runs here, else as was last written down."""
        found = self._jobs.get(query.id)
        session = found[0].session if found is not None else None
        if session is None or query.state is not QueryState.RUNNING:
            return query.facts.progress
        try:
            return await session.read_progress()
        except GatewayError:  # it is only asked how far it is: its own end tells what went wrong
            return query.facts.progress

    async def stop_job(self, query_id: str) -> None:
        """Stop a query that runs here; returns when it has stopped."""
        found = self._jobs.get(query_id)
        if found is not None:
            found[1].cancel()
            await asyncio.wait({found[1]})

    async def _claim_forever(self) -> None:
        while True:
            self._wanted.clear()
            await _forgiving(self._claim_all)
            try:
                async with asyncio.timeout(self._options.poll_s * random.uniform(0.8, 1.2)):  # noqa: S311
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def _claim_all(self) -> None:
        while len(self._jobs) < self._options.max_running and await self._claim_one():
            continue

    async def _claim_one(self) -> bool:
        waiting, running = await self._store.waiting(self._options.max_running + 1)
        chosen = choose_next(waiting, running, self._last_served, self._options.max_per_principal)
        if chosen is None:
            return False
        now = time.time()
        query = await self._store.claim(chosen.id, self._owner, now, self._options.lease_s)
        if query is not None:
            self._last_served[query.principal] = now
            self._begin(query)
        return True

    def _begin(self, query: QueuedQuery) -> None:
        job = Job(
            query,
            self._owner,
            self._store,
            self._folder,
            self._files,
            self._open_session,
            self.observer.retried,
        )
        self.observer.started(max((query.started_at or query.submitted_at) - query.submitted_at, 0.0))
        self._jobs[query.id] = (job, self._tasks.create_task(self._run(job)))
        log.info("async_query.started", query_id=query.id, principal=query.principal, attempt=query.attempts)

    async def _run(self, job: Job) -> None:
        """Run a job and write its end down; nothing of one query may end the others."""
        query = job.query
        try:
            state, facts = await job.run()
            await self._finish(job, state, facts)
        except asyncio.CancelledError:
            if self._is_stopping:
                await _forgiving(partial(self._hand_back, job))
            raise
        except LeaseLost:
            await finish_job(self._files, partial(self._folder.delete, query.id, self._owner))
        except MetastoreError:
            log.exception("async_query.end_not_written", query_id=query.id)
        except Exception:  # the task guard: one query's bug must not end the others
            log.exception("async_query.broken", query_id=query.id)
            broken = replace(query.facts, sqlstate=SqlState.INTERNAL_ERROR.value, message="internal error")
            await _forgiving(partial(self._finish, job, QueryState.FAILED, broken))
        finally:
            self._jobs.pop(query.id, None)
            self._wanted.set()

    async def _finish(self, job: Job, state: QueryState, facts: Facts) -> None:
        ended = replace(job.query, facts=facts)
        if not await self._store.finish(ended, self._owner, state, time.time()):
            await finish_job(self._files, partial(self._folder.delete, ended.id, self._owner))
            return
        self.counters.completed += 1
        self.observer.ended(state)
        log.info(
            "async_query.ended",
            query_id=ended.id,
            principal=ended.principal,
            state=state.value,
            sqlstate=facts.sqlstate,
            rows=facts.rows,
        )

    async def _hand_back(self, job: Job) -> None:
        """This gateway stops: a read waits for the next one, of a write nobody knows how far it came."""
        failure = after_loss(job.query)
        if failure is None:
            await self._store.release(job.query, self._owner)
        else:
            await self._finish(job, QueryState.FAILED, failure)

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(min(_SECOND, self._options.lease_s / 4))
            await _forgiving(self._renew)
            await _forgiving(self._reap)
            await _forgiving(self._count)

    async def _renew(self) -> None:
        if not self._jobs:
            return
        jobs = dict(self._jobs)
        mine = await self._store.renew(self._owner, time.time() + self._options.lease_s)
        for query_id, (job, task) in jobs.items():
            if query_id not in mine:
                task.cancel()  # cancelled through another gateway, or deleted
            else:
                await self._note_progress(job)

    async def _note_progress(self, job: Job) -> None:
        progress = await self.progress(replace(job.query, state=QueryState.RUNNING))
        if progress is not None and progress != job.query.facts.progress:
            job.query = job.query.at(progress)
            await self._store.note(job.query.id, self._owner, job.query.facts, may_write=job.query.may_write)

    async def _reap(self, dead_owners: tuple[str, ...] = ()) -> None:
        """Take the queries of lost gateways."""
        now = time.time()
        for query in await self._store.lapsed(now, dead_owners):
            failure = after_loss(query)
            if await self._store.reap(query, failure, now):
                if failure is None:
                    self.observer.retried(GATEWAY_LOST)
                else:
                    self.observer.ended(QueryState.FAILED)
                log.warning("async_query.reaped", query_id=query.id, is_failed=failure is not None)
                self._wanted.set()

    async def fresh_counts(self) -> dict[QueryState, int]:
        """How many queries are in each state, over all gateways; as last known where that cannot be read."""
        await _forgiving(self._count)
        return self.counts

    async def _count(self) -> None:
        self.counts = await self._store.counts()
        oldest = await self._store.oldest_queued_at()
        self.oldest_queued_s = max(time.time() - oldest, 0.0) if oldest is not None else 0.0

    async def _clean_forever(self) -> None:
        while True:
            await asyncio.sleep(self._options.cleanup_s)
            await _forgiving(self._clean)

    async def _clean(self) -> None:
        """Drop what has expired, and files that belong to no query."""
        expired = await self._store.delete_expired(time.time())
        for query_id in expired:
            await finish_job(self._files, partial(self._folder.delete, query_id))
        self.counters.cleaned += len(expired)
        files = await finish_job(self._files, self._folder.files)
        known = await self._store.ids()  # after the files: one that is there now belongs to a query by now
        orphans = await finish_job(self._files, partial(self._folder.delete_orphans, files, known))
        if expired or orphans:
            log.info("async_queries.cleaned", queries=len(expired), orphaned_files=orphans)


async def _forgiving(work: Callable[[], Awaitable[None]]) -> None:
    """Do it; a metastore that fails now is asked again at the next turn."""
    try:
        await work()
    except (MetastoreError, GatewayError, OSError):
        log.exception("async_queue.turn_failed")
