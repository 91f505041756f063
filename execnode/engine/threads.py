"""The threads that may block in DuckDB or on spool files: the one that was idle last is woken first.

Of short statements one or two threads serve all then, and their caches are warm. A ThreadPoolExecutor wakes
the one that waited longest, and makes a lock and a condition for each job.

No more jobs begin at once than there are cores: sixteen short statements on two cores would take the
interpreter's lock from one another at each step, which doubled what each of them cost. A job that lasts is
no longer counted, so what is short never waits for what is long by more than PATIENCE_S. If it makes no rows
yet and another statement begins, its thread gives way from then on to whoever wants the core; a thread cannot
take that back, so this is the last job that it does. A statement alone gives way to nobody: it would lose the
core to every other program on the machine.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import ParamSpec, Protocol, TypeVar

from execnode.engine.scheduling import give_way

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")

PATIENCE_S = 0.005
"""A job that has run for so long is one that lasts."""
GIVES_WAY_AFTER_S = 0.025
"""A short statement may last, too, waiting for the interpreter's lock; nicer, it would hold that longer."""

Later = Callable[[float, Callable[[], None]], object]
"""Calls a function after so many seconds, in the thread that starts jobs."""


class ThreadJob(Protocol):
    """What a thread runs. It raises nothing.

    gives_way: a statement's first, which gives way to later ones, once it lasts, as others do to it.
    """

    gives_way: bool

    def run(self) -> None:
        """Do it. In a thread."""
        ...

    def drop(self) -> None:
        """Tell whoever waits that it will not be done."""
        ...


class EngineThreads(Executor):
    """At most so many threads, begun when they are needed. Jobs are started from one thread."""

    def __init__(
        self,
        most: int,
        name: str,
        at_once: int | None = None,
        later: Later | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """at_once: how many jobs may run before they are known to last; None: all. later: needed for that."""
        self._most = most
        self._name = name
        self._at_once = most if at_once is None or later is None else at_once
        self._later = later
        self._clock = clock
        self._lock = threading.Lock()
        self._threads: list[_Thread] = []
        self._idle: list[_Thread] = []
        self._waiting: deque[ThreadJob] = deque()
        self._brief = 0
        self._is_watching = False
        self._is_shut = False

    def start(self, job: ThreadJob) -> None:
        """Have a thread run it, as soon as one is free.

        Raises:
            RuntimeError: the threads have been shut down.
        """
        with self._lock:
            if self._is_shut:
                raise RuntimeError("the engine's threads have been shut down")
            thread = self._free_thread()
            if thread is None:
                self._waiting.append(job)
            else:
                self._begin(thread, job)
        if thread is not None:
            thread.jobs.put(job)
        elif not self._is_watching:
            self._watch()

    @property
    def is_wanted(self) -> bool:
        """Whether a job waits for a thread, so that one with long work had better end it for now."""
        return bool(self._waiting)

    def withdraw(self, job: ThreadJob) -> bool:
        """Forget a job that no thread has begun. False: one has."""
        with self._lock:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
            return True

    def submit(
        self, fn: Callable[_Arguments, _Result], /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> "Future[_Result]":
        future: Future[_Result] = Future()
        self.start(_Call(future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._is_shut = True
            dropped = tuple(self._waiting) if cancel_futures else ()
            if cancel_futures:
                self._waiting.clear()
            threads = tuple(self._threads)
        for job in dropped:
            job.drop()
        for thread in threads:
            thread.jobs.put(None)
        if wait:
            for thread in threads:
                thread.join()

    def next_for(self, thread: "_Thread") -> ThreadJob | None:
        """Give a thread its next job; None: it is idle from now on."""
        with self._lock:
            self._leave(thread)
            if thread.is_spent:  # nor does it begin another one, which would be as it is
                self._threads.remove(thread)
                thread.has_left = True
                return None
            if self._waiting and self._brief < self._at_once:
                job = self._waiting.popleft()
                self._begin(thread, job)
                return job
            self._idle.append(thread)
            return None

    def _free_thread(self) -> "_Thread | None":
        """None: as many run as may."""
        if self._brief >= self._at_once:
            self._discount_lasting()
        if self._brief >= self._at_once:
            return None
        if self._idle:
            return self._idle.pop()
        if len(self._threads) >= self._most:
            return None
        thread = _Thread(self, f"{self._name}_{len(self._threads)}")
        self._threads.append(thread)
        return thread

    def _begin(self, thread: "_Thread", job: ThreadJob) -> None:
        now_s = self._clock()
        if job.gives_way:
            for other in self._threads:
                if other.may_give_way and now_s - other.began_s >= GIVES_WAY_AFTER_S:
                    other.give_way()
        thread.is_brief, thread.began_s, thread.may_give_way = True, now_s, job.gives_way
        self._brief += 1

    def _leave(self, thread: "_Thread") -> None:
        thread.may_give_way = False
        self._discount(thread)

    def _discount(self, thread: "_Thread") -> None:
        if thread.is_brief:
            thread.is_brief = False
            self._brief -= 1

    def _discount_lasting(self) -> None:
        now_s = self._clock()
        for thread in self._threads:
            if now_s - thread.began_s >= PATIENCE_S:
                self._discount(thread)

    def _watch(self) -> None:
        """Look after a while at what runs, for as long as something waits."""
        if self._later is not None:
            self._is_watching = True
            self._later(PATIENCE_S, self._look)

    def _look(self) -> None:
        """Count no longer what lasts, and begin what may begin then."""
        with self._lock:
            while self._waiting and not self._is_shut and (free := self._free_thread()) is not None:
                job = self._waiting.popleft()
                self._begin(free, job)
                free.jobs.put(job)
            self._is_watching = bool(self._waiting) and not self._is_shut
        if self._is_watching:
            self._watch()


class _Thread(threading.Thread):
    """One of them. jobs: what it is woken with; None ends it.

    is_brief: whether what it runs is counted. may_give_way: whether what it runs does, once it lasts, and has
    not yet. is_spent: it has given way. has_left: nobody gives it another job; one that only became spent may
    have one already, which it was given before it came to take it.
    """

    def __init__(self, pool: EngineThreads, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._pool = pool
        self.is_brief = False
        self.may_give_way = False
        self.is_spent = False
        self.has_left = False
        self.began_s = 0.0
        self.jobs: SimpleQueue[ThreadJob | None] = SimpleQueue()
        self.start()

    def give_way(self) -> None:
        """Let others have the core first from now on."""
        self.may_give_way = False
        self.is_spent = give_way(self.native_id)

    def run(self) -> None:
        while (job := self.jobs.get()) is not None:
            while job is not None:
                job.run()
                job = self._pool.next_for(self)
            if self.has_left:
                return


class _Call:
    """A function and who waits for its result."""

    gives_way = False

    def __init__(self, future: "Future[_Result]", call: Callable[[], _Result]) -> None:
        self._future = future
        self._call = call

    def run(self) -> None:
        if not self._future.set_running_or_notify_cancel():
            return
        try:
            result = self._call()
        except BaseException as error:  # noqa: BLE001  # it is whoever waits that it concerns
            self._future.set_exception(error)
        else:
            self._future.set_result(result)

    def drop(self) -> None:
        self._future.cancel()
