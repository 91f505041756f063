"""What a gateway does for the queue in the background: claim, renew its leases, reap, clean up."""

import asyncio
import random
import time
from dataclasses import dataclass, replace
from functools import partial

import structlog

from execnode.engine.jobs import finish_job
from pgproxy.queue.fairness import choose_next
from pgproxy.queue.model import QueryState, QueuedQuery, Slot, Submission
from pgproxy.queue.running import JobParts, RunningJobs, forgiving
from pgproxy.queue.store import GATEWAY_LOST, after_loss
from pgwire.errors import GatewayError

log = structlog.get_logger(__name__)

_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """max_running: on this gateway. max_per_principal: over all gateways.

    lease_s: a gateway that does not renew for so long is lost, and its queries with it. poll_s: how soon
    another gateway's submissions are seen.
    """

    max_running: int = 4
    max_per_principal: int = 2
    lease_s: float = 10.0
    poll_s: float = 0.5
    cleanup_s: float = 60.0
    max_result_bytes: int = 16 << 30


class QueueWorkers:
    """The workers of one gateway."""

    def __init__(self, parts: JobParts, options: WorkerOptions) -> None:
        self.observer = parts.observer
        self._store = parts.store
        self._folder = parts.folder
        self._files = parts.files
        self._options = options
        self._owner = parts.owner
        self._tasks = asyncio.TaskGroup()
        self._loops: list[asyncio.Task[None]] = []
        self._wanted = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._jobs = RunningJobs(parts, self._tasks, self._wanted.set)
        self._last_served: dict[str, float] = {}
        self.cleaned = 0
        self.counts: dict[QueryState, int] = {}
        self.oldest_queued_s = 0.0

    async def start(self) -> None:
        """Take over from gateways that died here, and begin to work."""
        dead = await finish_job(self._files, self._folder.open)
        await self._reap(dead)
        await self._clean()
        await self._count()
        await self._tasks.__aenter__()
        for loop in (self._claim_forever, self._renew_forever, self._note_forever, self._clean_forever):
            self._loops.append(self._tasks.create_task(loop()))

    async def stop(self) -> None:
        """Stop what runs; reads go back to the queue for another gateway, or the next start."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.wait(self._loops)  # nothing is claimed any more
        async with self._claiming:
            await self._jobs.stop()
        await self._tasks.__aexit__(None, None, None)
        await finish_job(self._files, self._folder.close)

    async def add(self, query_id: str, submission: Submission, *, may_begin: bool) -> QueuedQuery | None:
        """Add a query; None where its principal has used its idempotency key before.

        may_begin: nothing of its principal waits. If a slot is free then, and nobody is about to take it, it
        begins without waiting for a turn: another write of the metastore, which who floods the queue delays.
        """
        if may_begin and self._is_at_rest and not self._claiming.locked():
            return await self._jobs.whole(partial(self._add_running, query_id, submission))
        try:
            return await self._store.insert(query_id, submission, time.time())
        finally:  # its submitter may have gone while it was kept
            self._wanted.set()

    async def _add_running(self, query_id: str, submission: Submission) -> QueuedQuery | None:
        async with self._claiming:
            now, options = time.time(), self._options
            limit = 1 if self._is_last_slot else options.max_per_principal
            slot = Slot(self._owner, options.lease_s, limit) if self._is_at_rest else None
            added = await self._store.insert(query_id, submission, now, slot)
            if added is not None and added.state is QueryState.RUNNING:
                self._last_served[added.principal] = now
                self._jobs.begin(added, submission.statement)
            else:
                self._wanted.set()
        return added

    @property
    def _is_at_rest(self) -> bool:
        """Whether a slot is free here because nobody who waits may take it."""
        is_free = self._jobs.may_begin and len(self._jobs) < self._options.max_running
        return is_free and not self._wanted.is_set()

    @property
    def _is_last_slot(self) -> bool:
        """Whether of several slots one is left."""
        return 1 < self._options.max_running == len(self._jobs) + 1

    @property
    def running(self) -> int:
        """How many queries run on this gateway."""
        return len(self._jobs)

    @property
    def completed(self) -> int:
        """How many queries have ended here since the start."""
        return self._jobs.completed

    async def progress(self, query: QueuedQuery) -> float | None:
        """How far a query is: asked where it runs here, else as was last written down."""
        job = self._jobs.get(query.id)
        session = job.session if job is not None else None
        if session is None or query.state is not QueryState.RUNNING:
            return query.facts.progress
        try:
            return await session.read_progress()
        except GatewayError:  # it is only asked how far it is: its own end tells what went wrong
            return query.facts.progress

    async def stop_job(self, query_id: str) -> None:
        """Stop a query that runs here; returns when it has stopped."""
        task = self._jobs.cancel(query_id)
        if task is not None:
            await asyncio.wait({task})

    async def _claim_forever(self) -> None:
        while True:
            self._wanted.clear()
            await forgiving(self._claim_all)
            try:
                async with asyncio.timeout(self._options.poll_s * random.uniform(0.8, 1.2)):  # noqa: S311
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def _claim_all(self) -> None:
        async with self._claiming:
            while len(self._jobs) < self._options.max_running and await self._claim_one():
                continue

    async def _claim_one(self) -> bool:
        options = self._options
        limit = 1 if self._is_last_slot else options.max_per_principal
        waiting, running = await self._store.waiting(options.max_running + 1, limit)
        chosen = choose_next(
            # What was taken from here and still stops: two runs of one query would share a file.
            (one for one in waiting if self._jobs.get(one.id) is None),
            running,
            self._last_served,
            options.max_per_principal,
            is_last_slot=self._is_last_slot,
        )
        return chosen is not None and await self._jobs.unbroken(partial(self._claim, chosen.id))

    async def _claim(self, query_id: str) -> None:
        now = time.time()
        query = await self._store.claim(query_id, self._owner, now, self._options.lease_s)
        if query is not None:
            self._last_served[query.principal] = now
            self._jobs.begin(query)

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(min(_SECOND, self._options.lease_s / 4))
            await forgiving(self._renew)
            await forgiving(self._reap)
            await forgiving(self._count)

    async def _renew(self) -> None:
        """Renew what runs here, and only that: what is lost is then found by its lease."""
        ids = self._jobs.ids
        if not ids:
            return
        mine = await self._store.renew(self._owner, ids, self._options.lease_s)
        for query_id in ids:
            if query_id not in mine:
                self._jobs.cancel(query_id)  # cancelled through another gateway, or deleted

    async def _note_forever(self) -> None:
        """Beside the leases: a node that does not answer holds this up."""
        while True:
            await asyncio.sleep(_SECOND)
            for query_id in self._jobs.ids:
                await forgiving(partial(self._note_progress, query_id))

    async def _note_progress(self, query_id: str) -> None:
        job = self._jobs.get(query_id)
        if job is None:
            return
        progress = await self.progress(replace(job.query, state=QueryState.RUNNING))
        if progress is not None and progress != job.query.facts.progress:
            job.query = job.query.at(progress)
            await self._store.note(query_id, self._owner, job.query.facts, may_write=job.query.may_write)

    async def _reap(self, dead_owners: tuple[str, ...] = ()) -> None:
        """Take the queries of lost gateways."""
        now = time.time()
        for query in await self._store.lapsed(dead_owners):
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
        await forgiving(self._count)
        return self.counts

    async def _count(self) -> None:
        self.counts = await self._store.counts()
        oldest = await self._store.oldest_queued_at()
        self.oldest_queued_s = max(time.time() - oldest, 0.0) if oldest is not None else 0.0

    async def _clean_forever(self) -> None:
        while True:
            await asyncio.sleep(self._options.cleanup_s)
            await forgiving(self._clean)

    async def _clean(self) -> None:
        """Drop what has expired, and files that belong to no query."""
        expired = await self._store.delete_expired(time.time())
        for query_id in expired:
            await finish_job(self._files, partial(self._folder.delete, query_id))
        self.cleaned += len(expired)
        files = await finish_job(self._files, self._folder.files)
        known = await self._store.ids()  # after the files: one that is there now belongs to a query by now
        orphans = await finish_job(self._files, partial(self._folder.delete_orphans, files, known))
        if expired or orphans:
            log.info("async_queries.cleaned", queries=len(expired), orphaned_files=orphans)
