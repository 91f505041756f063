"""The engine's threads: who is woken, what waits, and what becomes of it at the end."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from execnode.engine.threads import GIVES_WAY_AFTER_S, PATIENCE_S, EngineThreads


@pytest.fixture
def threads() -> Iterator[EngineThreads]:
    pool = EngineThreads(2, "test")
    yield pool
    pool.shutdown(cancel_futures=True)


class Held:
    """A job that runs until it is let go."""

    def __init__(self, *, gives_way: bool = False) -> None:
        self.gives_way = gives_way
        self.niceness = 0
        self.begun, self.let_go, self.dropped = threading.Event(), threading.Event(), threading.Event()

    def run(self) -> None:
        self.begun.set()
        self.let_go.wait(20)
        self.niceness = os.getpriority(os.PRIO_PROCESS, 0)

    def drop(self) -> None:
        self.dropped.set()


def test_results_and_errors_reach_whoever_waits(threads: EngineThreads) -> None:
    assert threads.submit(divmod, 7, 2).result(20) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 7, 0).result(20)


def test_one_thread_serves_what_comes_one_after_the_other(threads: EngineThreads) -> None:
    names = set()
    for _ in range(20):
        names.add(threads.submit(threading.current_thread).result(20).name)
        while not threads._idle:  # the thread that told its result is about to be idle
            pass
    assert names == {"test_0"}


def test_what_no_thread_is_free_for_waits_and_can_be_withdrawn(threads: EngineThreads) -> None:
    running, waiting, other = (Held(), Held()), Held(), Held()
    for job in (*running, waiting, other):
        threads.start(job)
    assert all(job.begun.wait(20) for job in running)
    assert threads.withdraw(waiting)
    assert not threads.withdraw(waiting)
    assert not threads.withdraw(running[0])
    running[0].let_go.set()
    assert other.begun.wait(20)
    for job in (*running, other):
        job.let_go.set()
    assert not waiting.begun.is_set()


def test_the_end_drops_what_waits_and_waits_for_what_runs(threads: EngineThreads) -> None:
    running, waiting = (Held(), Held()), Held()
    for job in (*running, waiting):
        threads.start(job)
    late = threads.submit(divmod, 7, 2)
    assert all(job.begun.wait(20) for job in running)
    ending = threading.Thread(target=lambda: threads.shutdown(cancel_futures=True))
    ending.start()
    assert waiting.dropped.wait(20)
    for job in running:
        job.let_go.set()
    ending.join(20)
    assert not ending.is_alive()
    with pytest.raises(CancelledError):
        late.result(20)
    with pytest.raises(RuntimeError):
        threads.submit(divmod, 7, 2)
    assert not [t for t in threading.enumerate() if t.name.startswith("test_")]


class Time:
    """A clock that stands until it is told otherwise, and what is to be called later by it."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.due: list[Callable[[], None]] = []

    def later(self, _delay_s: float, call: Callable[[], None]) -> None:
        self.due.append(call)

    def passes(self, time_s: float = PATIENCE_S) -> None:
        self.now_s += time_s
        due, self.due = self.due, []
        for call in due:
            call()


def test_more_jobs_than_cores_begin_only_once_those_that_run_are_known_to_last() -> None:
    time = Time()
    pool = EngineThreads(4, "test", 1, time.later, lambda: time.now_s)
    long, first, second = Held(), Held(), Held()
    try:
        for job in (long, first, second):
            pool.start(job)
        assert long.begun.wait(20)
        assert not first.begun.is_set()
        time.passes()  # the long one is not counted any more
        assert first.begun.wait(20)
        assert not second.begun.is_set()
        first.let_go.set()
        assert second.begun.wait(20)
        assert pool.withdraw(second) is False
        second.let_go.set()
        while len(pool._idle) < 1:  # the thread of what was brief is about to be idle
            pass
        assert pool.submit(divmod, 7, 2).result(20) == (3, 1)  # beside the long one, at once
        time.passes()
        assert not time.due  # nothing waits, so nobody looks
    finally:
        for job in (long, first, second):
            job.let_go.set()
        pool.shutdown(cancel_futures=True)


def test_no_more_threads_begin_than_there_may_be_however_long_their_jobs_last() -> None:
    time = Time()
    pool = EngineThreads(2, "test", 1, time.later, lambda: time.now_s)
    jobs = [Held() for _ in range(3)]
    try:
        for job in jobs:
            pool.start(job)
        time.passes()
        assert jobs[1].begun.wait(20)
        time.passes()
        assert not jobs[2].begun.is_set()
        jobs[0].let_go.set()
        assert jobs[2].begun.wait(20)
    finally:
        for job in jobs:
            job.let_go.set()
        pool.shutdown(cancel_futures=True)


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is the whole process's elsewhere")
def test_a_job_that_lasts_gives_way_to_the_next_statement_whose_thread_does_not() -> None:
    time = Time()
    pool = EngineThreads(3, "test", 1, time.later, lambda: time.now_s)
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    lasting, brief, after = Held(gives_way=True), Held(gives_way=True), Held(gives_way=True)
    try:
        pool.start(lasting)
        assert lasting.begun.wait(20)
        time.passes(GIVES_WAY_AFTER_S)
        pool.start(brief)
        assert brief.begun.wait(20)
        assert not time.due, "what lasts is known when another job comes; nobody looks meanwhile"
        lasting.let_go.set()
        while len(pool._threads) > 1:  # it is about to end
            pass
        brief.let_go.set()
        while not pool._idle:
            pass
        pool.start(after)
    finally:
        for job in (lasting, brief, after):
            job.let_go.set()
        pool.shutdown(cancel_futures=True)
    assert lasting.niceness > usual
    assert (brief.niceness, after.niceness) == (usual, usual)


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is the whole process's elsewhere")
def test_a_statement_alone_gives_way_neither_to_other_programs_nor_to_a_readers_rows() -> None:
    time = Time()
    pool = EngineThreads(2, "test", 1, time.later, lambda: time.now_s)
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    lasting, rows = Held(gives_way=True), Held()
    try:
        pool.start(lasting)
        assert lasting.begun.wait(20)
        time.passes(GIVES_WAY_AFTER_S)
        pool.start(rows)
        assert rows.begun.wait(20)
    finally:
        for job in (lasting, rows):
            job.let_go.set()
        pool.shutdown(cancel_futures=True)
    assert lasting.niceness == usual


def test_a_job_that_waited_for_its_turn_does_not_give_way_yet() -> None:
    time = Time()
    pool = EngineThreads(2, "test", 1, time.later, lambda: time.now_s)
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    waited, other = Held(gives_way=True), Held(gives_way=True)
    try:
        pool.start(waited)
        assert waited.begun.wait(20)
        time.passes()
        pool.start(other)
        assert other.begun.wait(20), "but it is not counted any more"
    finally:
        for job in (waited, other):
            job.let_go.set()
        pool.shutdown(cancel_futures=True)
    assert waited.niceness == usual


class LateForIdling(EngineThreads):
    """Its threads are held up after they were told to be idle, as where somebody else has the core."""

    def __init__(self, *arguments: Any, **facts: Any) -> None:
        super().__init__(*arguments, **facts)
        self.idles, self.goes_on = threading.Event(), threading.Event()

    def next_for(self, thread: Any) -> Any:
        job = super().next_for(thread)
        self.idles.set()
        self.goes_on.wait(20)
        return job


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is the whole process's elsewhere")
def test_a_job_is_done_though_its_thread_became_nicer_before_it_had_taken_it() -> None:
    time = Time()
    pool = LateForIdling(2, "test", 2, time.later, lambda: time.now_s)
    done, taken_late, other = Held(gives_way=True), Held(gives_way=True), Held(gives_way=True)
    done.let_go.set()
    try:
        pool.start(done)
        assert pool.idles.wait(20)
        pool.start(taken_late)
        time.passes(GIVES_WAY_AFTER_S)
        pool.start(other)
        pool.goes_on.set()
        assert taken_late.begun.wait(20)
    finally:
        for job in (taken_late, other):
            job.let_go.set()
        pool.shutdown(cancel_futures=True)
