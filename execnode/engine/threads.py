"""The threads that may block in DuckDB or on spool files: the one that was idle last is woken first.

Of short statements one or two threads serve all then, and their caches are warm. A ThreadPoolExecutor wakes
the one that waited longest, and makes a lock and a condition for each job.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import ParamSpec, Protocol, TypeVar

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")


class ThreadJob(Protocol):
    """What a thread runs. It raises nothing."""

    def run(self) -> None:
        """Do it. In a thread."""
        ...

    def drop(self) -> None:
        """Tell whoever waits that it will not be done."""
        ...


class EngineThreads(Executor):
    """At most so many threads, begun when they are needed."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._lock = threading.Lock()
        self._threads: list[_Thread] = []
        self._idle: list[_Thread] = []
        self._waiting: deque[ThreadJob] = deque()
        self._is_shut = False

    def start(self, job: ThreadJob) -> None:
        """Have a thread run it, as soon as one is free.

        Raises:
            RuntimeError: the threads have been shut down.
        """
        with self._lock:
            if self._is_shut:
                raise RuntimeError("the engine's threads have been shut down")
            if self._idle:
                thread = self._idle.pop()
            elif len(self._threads) < self._most:
                thread = _Thread(self, f"{self._name}_{len(self._threads)}")
                self._threads.append(thread)
            else:
                self._waiting.append(job)
                return
        thread.jobs.put(job)

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
            if self._waiting:
                return self._waiting.popleft()
            self._idle.append(thread)
            return None


class _Thread(threading.Thread):
    """One of them. jobs: what it is woken with; None ends it."""

    def __init__(self, pool: EngineThreads, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._pool = pool
        self.jobs: SimpleQueue[ThreadJob | None] = SimpleQueue()
        self.start()

    def run(self) -> None:
        while (job := self.jobs.get()) is not None:
            while job is not None:
                job.run()
                job = self._pool.next_for(self)


class _Call:
    """A function and who waits for its result."""

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
