"""What becomes of queries when their gateway, their metastore or their caller stops at an awkward moment."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from execnode.statement import RowChunk
from pgproxy.control import Metastore, MetastoreError, open_metastore
from pgproxy.control.metastore import ControlPlaneUnavailable
from pgproxy.control.state import ControlState
from pgproxy.queue import job, running
from pgproxy.queue.model import Facts, QueryState, QueuedQuery, Slot, Statement, Submission
from pgproxy.queue.results import ResultFolder
from pgproxy.queue.running import JobParts, RunningJobs
from pgproxy.queue.store import QueryStore
from pgproxy.queue.workers import QueueWorkers, WorkerOptions
from pgproxy.session.detached import DetachedEnd, DetachedSession
from tests.unit.control.states import user

OWNER = "gateway1"


class Moment:
    """A place where a test holds up what passes."""

    def __init__(self) -> None:
        self.reached, self.passed = asyncio.Event(), asyncio.Event()

    async def wait(self) -> None:
        self.reached.set()
        await self.passed.wait()


class HeldStore(QueryStore):
    """The store, held up after a submission or a claim, or before an end is written; it may fail first."""

    def __init__(self, metastore: Metastore) -> None:
        super().__init__(metastore)
        self.adding: Moment | None = None
        self.claimed: Moment | None = None
        self.ending: Moment | None = None
        self.failures = self.outages = self.unkept = 0

    async def statement(self, query_id: str) -> Statement | None:
        if self.outages:
            self.outages -= 1
            raise MetastoreError("the metastore failed")
        return await super().statement(query_id)

    async def note(self, query_id: str, owner: str, facts: Facts, *, may_write: bool) -> bool:
        if self.unkept:
            self.unkept -= 1
            raise MetastoreError("the metastore failed")
        return await super().note(query_id, owner, facts, may_write=may_write)

    async def insert(
        self, query_id: str, submission: Submission, now: float, slot: Slot | None = None
    ) -> QueuedQuery | None:
        added = await super().insert(query_id, submission, now, slot)
        if self.adding is not None:
            await self.adding.wait()
        return added

    async def claim(self, query_id: str, owner: str, now: float, lease_s: float) -> QueuedQuery | None:
        query = await super().claim(query_id, owner, now, lease_s)
        if self.claimed is not None:
            await self.claimed.wait()
        return query

    async def finish(self, query: QueuedQuery, owner: str, state: QueryState, now: float) -> bool:
        if self.ending is not None:
            await self.ending.wait()
        if self.failures:
            self.failures -= 1
            raise MetastoreError("the metastore failed")
        return await super().finish(query, owner, state, now)


class Statements:
    """Sessions that store a chunk, and then last until told. stopping: holds up those that are cancelled."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.changed = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_stop = asyncio.Event()
        self.may_stop.set()
        self.outages = 0

    async def open(self, principal: str, statement: Statement) -> DetachedSession:
        if self.outages:
            self.outages -= 1
            raise ControlPlaneUnavailable("the control plane cannot be read")
        return cast(DetachedSession, _Session(self))

    async def reached(self, *texts: str) -> None:
        while self.begun != list(texts):
            self.changed.clear()
            await self.changed.wait()


class _Session:
    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._text = ""

    async def prepare(self, text: str, parameters: Sequence[str | None]) -> object:
        self._text = text
        return SimpleNamespace(plan=SimpleNamespace(is_read_only="SELECT" in text), columns=())

    async def run(
        self, prepared: object, parameters: object, write: Callable[[RowChunk], Awaitable[None]]
    ) -> DetachedEnd:
        statements = self._statements
        await write(RowChunk(b"rows", 1))
        statements.begun.append(self._text)
        statements.changed.set()
        try:
            await statements.may_end.wait()
        finally:
            await statements.may_stop.wait()
        return DetachedEnd("SELECT 1", 1, None)

    async def read_progress(self) -> float | None:
        return None


class Ends:
    """A `QueueObserver` that wakes whoever waits for an end."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()

    def started(self, waited_s: float) -> None: ...

    def ended(self, state: QueryState) -> None:
        self.changed.set()

    def retried(self, reason: str) -> None: ...


class World:
    """The parts of a gateway's queue."""

    def __init__(self, metastore: Metastore, folder: Path, files: ThreadPoolExecutor) -> None:
        self.store = HeldStore(metastore)
        self.statements = Statements()
        self.ends = Ends()
        self.path = folder
        self.parts = JobParts(
            self.store,
            ResultFolder(folder, OWNER, 1 << 20),
            files,
            self.statements.open,
            OWNER,
            self.ends,
        )
        self.workers = QueueWorkers(self.parts, WorkerOptions(lease_s=60, poll_s=60))

    def another(self, owner: str) -> QueueWorkers:
        """The workers of another gateway."""
        parts = replace(self.parts, folder=ResultFolder(self.path, owner, 1 << 20), owner=owner)
        return QueueWorkers(parts, WorkerOptions(lease_s=60, poll_s=60))

    async def submit(self, query_id: str, text: str = "SELECT 1", *, may_begin: bool = False) -> QueuedQuery:
        submission = Submission("ann", Statement(text), 60.0, may_write="SELECT" not in text)
        added = await self.workers.add(query_id, submission, may_begin=may_begin)
        assert added is not None
        return added

    async def claim(self, query_id: str) -> QueuedQuery:
        query = await self.store.claim(query_id, OWNER, 2.0, 10.0)
        assert query is not None
        return query

    async def get(self, query_id: str) -> QueuedQuery:
        query = await self.store.get(query_id)
        assert query is not None
        return query

    async def ended(self, query_id: str) -> QueuedQuery:
        while not (query := await self.get(query_id)).state.has_ended:
            await self.ends.changed.wait()
            self.ends.changed.clear()
        return query

    @property
    def files(self) -> set[str]:
        return {path.suffix for path in self.path.iterdir()} - {".alive"}

    @asynccontextmanager
    async def working(self, workers: QueueWorkers | None = None) -> AsyncIterator[QueueWorkers]:
        workers = workers or self.workers
        await workers.start()
        try:
            yield workers
        finally:
            await workers.stop()


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(running, "_AGAIN_S", 0)
    monkeypatch.setattr(job, "_RETRY_PAUSE_S", 0)
    async with open_metastore(f"sqlite:///{tmp_path / 'metastore.sqlite'}") as metastore:
        await metastore.change("tester", lambda _: ControlState({"ann": user("ann")}))
        with ThreadPoolExecutor(1) as files:
            made = World(metastore, tmp_path / "results", files)
            made.path.mkdir()
            yield made


async def test_one_that_is_cancelled_before_its_task_begins_takes_no_slot(world: World) -> None:
    await world.submit("q1")
    async with asyncio.TaskGroup() as tasks:
        jobs = RunningJobs(world.parts, tasks, lambda: None)
        jobs.begin(await world.claim("q1"))
        task = jobs.cancel("q1")
        assert task is not None
        await asyncio.wait({task})
        assert len(jobs) == 0


@pytest.mark.parametrize("text", ["SELECT 1", "INSERT 1"])
async def test_one_that_has_not_begun_when_the_gateway_stops_waits_for_the_next(
    world: World, text: str
) -> None:
    await world.submit("q1", text)
    async with asyncio.TaskGroup() as tasks:
        jobs = RunningJobs(world.parts, tasks, lambda: None)
        jobs.begin(await world.claim("q1"))
        await jobs.stop()
    found = await world.get("q1")
    assert (found.state, found.attempts) == (QueryState.QUEUED, 0)


async def test_one_that_is_claimed_while_the_gateway_stops_waits_for_the_next(world: World) -> None:
    held = world.store.claimed = Moment()
    await world.submit("q1")
    await world.workers.start()
    await held.reached.wait()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(world.workers.stop())
        await asyncio.sleep(0)
        held.passed.set()
    found = await world.get("q1")
    assert (found.state, found.attempts) == (QueryState.QUEUED, 0)


async def test_one_that_finds_a_free_slot_never_waits(world: World) -> None:
    world.store.claimed = Moment()  # where it would stay if it had to be claimed
    async with world.working() as workers:
        added = await world.submit("q1", may_begin=True)
        assert (added.state, added.attempts, added.started_at) == (QueryState.RUNNING, 1, added.submitted_at)
        await world.statements.reached("SELECT 1")
        assert workers.running == 1
        world.statements.may_end.set()
        assert (await world.ended("q1")).state is QueryState.SUCCEEDED


async def test_one_more_than_its_role_may_have_waits_although_a_slot_is_free(world: World) -> None:
    async with world.working() as workers:
        states = [(await world.submit(f"q{n}", f"SELECT {n}", may_begin=True)).state for n in range(3)]
        assert states == [QueryState.RUNNING, QueryState.RUNNING, QueryState.QUEUED]
        await world.statements.reached("SELECT 0", "SELECT 1")
        assert workers.running == 2
        world.statements.may_end.set()
        assert (await world.ended("q2")).state is QueryState.SUCCEEDED


async def test_none_begins_while_others_are_given_their_turns(world: World) -> None:
    held = world.store.claimed = Moment()
    async with world.working():
        await world.submit("q1", "SELECT 'first'")
        await held.reached.wait()
        assert (await world.submit("q2", "SELECT 'second'", may_begin=True)).state is QueryState.QUEUED
        held.passed.set()
        await world.statements.reached("SELECT 'first'", "SELECT 'second'")
        world.statements.may_end.set()
        await world.ended("q2")


async def test_one_that_begins_while_the_gateway_stops_waits_for_the_next(world: World) -> None:
    held = world.store.adding = Moment()
    await world.workers.start()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(world.submit("q1", "INSERT 1", may_begin=True))
        await held.reached.wait()
        tasks.create_task(world.workers.stop())
        await asyncio.sleep(0)
        held.passed.set()
    found = await world.get("q1")
    assert (found.state, found.attempts) == (QueryState.QUEUED, 0)


async def test_one_whose_submitter_goes_while_it_begins_runs_all_the_same(world: World) -> None:
    held = world.store.adding = Moment()
    world.statements.may_end.set()
    async with world.working(), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(world.submit("q1", may_begin=True))
        await held.reached.wait()
        task.cancel()
        held.passed.set()
        assert (await world.ended("q1")).state is QueryState.SUCCEEDED


async def test_a_write_that_ends_while_the_gateway_stops_has_succeeded_and_keeps_its_result(
    world: World,
) -> None:
    held = world.store.ending = Moment()
    world.statements.may_end.set()
    await world.submit("q1", "INSERT 1")
    await world.workers.start()
    await held.reached.wait()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(world.workers.stop())
        await asyncio.sleep(0)
        held.passed.set()
    assert (await world.get("q1")).state is QueryState.SUCCEEDED
    assert world.files == {".arrow", ".index"}


async def test_one_that_is_cancelled_while_its_end_is_written_leaves_no_result(world: World) -> None:
    held = world.store.ending = Moment()
    world.statements.may_end.set()
    await world.submit("q1")
    async with world.working() as workers, asyncio.TaskGroup() as tasks:
        await held.reached.wait()
        assert await world.store.cancel("q1", 3.0)
        tasks.create_task(workers.stop_job("q1"))
        await asyncio.sleep(0)
        held.passed.set()
    assert (await world.get("q1")).state is QueryState.CANCELED
    assert world.files == set()


async def test_an_end_is_written_down_once_the_metastore_answers_again(world: World) -> None:
    world.store.failures = 1
    world.statements.may_end.set()
    await world.submit("q1", "INSERT 1")
    async with world.working():
        found = await world.ended("q1")
    assert (found.state, found.attempts) == (QueryState.SUCCEEDED, 1)


@pytest.mark.parametrize("text", ["SELECT 1", "INSERT 1"])
async def test_one_that_is_to_begin_while_the_metastore_is_away_begins_when_it_is_back(
    world: World, text: str
) -> None:
    world.store.outages = world.store.unkept = world.statements.outages = 2
    world.statements.may_end.set()
    async with world.working():
        submission = Submission(
            "ann", Statement(text), 60.0, may_write="SELECT" in text
        )  # it has changed since
        await world.workers.add("q1", submission, may_begin=False)
        found = await world.ended("q1")
    assert (found.state, found.attempts, found.facts.retries) == (QueryState.SUCCEEDED, 1, ())
    assert found.may_write is ("SELECT" not in text)


async def test_one_that_was_taken_from_here_begins_again_only_after_it_has_stopped(world: World) -> None:
    world.statements.may_stop.clear()
    await world.submit("q1", "SELECT 'first'")
    async with world.working():
        await world.statements.reached("SELECT 'first'")
        assert await world.store.reap(await world.get("q1"), None, 3.0)
        await world.submit("q2", "SELECT 'second'")
        await world.statements.reached("SELECT 'first'", "SELECT 'second'")
        world.statements.may_stop.set()
        await world.statements.reached("SELECT 'first'", "SELECT 'second'", "SELECT 'first'")
        world.statements.may_end.set()
        ends = [await world.ended("q1"), await world.ended("q2")]
    assert [(end.state, end.attempts) for end in ends] == [
        (QueryState.SUCCEEDED, 2),
        (QueryState.SUCCEEDED, 1),
    ]


@pytest.mark.parametrize("wrong_by_s", [-3600.0, 3600.0])
async def test_a_gateway_whose_clock_is_wrong_takes_nothing_from_others_and_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, wrong_by_s: float
) -> None:
    right_time = time.time
    async with world.working():
        await world.submit("q1", "INSERT 1")
        await world.statements.reached("INSERT 1")
        monkeypatch.setattr(time, "time", lambda: right_time() + wrong_by_s)
        wrong = world.another("wrong")
        async with world.working(wrong):  # it takes at its start what others have lost
            await wrong.add(
                "q2", Submission("ann", Statement("INSERT 2"), 60.0, may_write=True), may_begin=True
            )
            await world.statements.reached("INSERT 1", "INSERT 2")
            monkeypatch.setattr(time, "time", right_time)
            async with world.working(world.another("right")):
                assert [(await world.get(name)).state for name in ("q1", "q2")] == [QueryState.RUNNING] * 2
                world.statements.may_end.set()
                assert [(await world.ended(name)).state for name in ("q1", "q2")] == [
                    QueryState.SUCCEEDED
                ] * 2
