"""Blocking work on a DuckDB cursor, run in a thread so that stopping it is certain.

Cancelling an awaiter does not stop a thread. `stop_job` returns only when the thread has left DuckDB, and
repeats the interrupt until then, because DuckDB forgets one that comes before the query has started.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TypeVar

from execnode.wakeup import Wakeup

_Result = TypeVar("_Result")
_REPEAT_S = 0.02


async def run_job(executor: Executor, work: Callable[[], _Result], interrupt: Callable[[], None]) -> _Result:
    """Run `work` in the executor. On cancellation it has stopped before this returns."""
    job = executor.submit(work)
    waiter = asyncio.wrap_future(job)
    waiter.add_done_callback(_look_at)
    try:
        return await asyncio.shield(waiter)
    except asyncio.CancelledError:
        await stop_job(job, interrupt)
        raise


async def stop_job(job: Future[_Result], interrupt: Callable[[], None]) -> None:
    """Return once `job` runs no more; what it raised is dropped.

    Raises:
        asyncio.CancelledError: the caller was cancelled meanwhile; raised only after the job has stopped.
    """
    if job.cancel():
        return
    stopped = Wakeup()
    loop = asyncio.get_running_loop()
    job.add_done_callback(lambda _: loop.call_soon_threadsafe(stopped.wake))
    await interrupt_until(job.done, stopped, interrupt)


async def interrupt_until(
    has_stopped: Callable[[], bool], changed: Wakeup, interrupt: Callable[[], None]
) -> None:
    """Interrupt again and again until it has stopped. changed: wakes when it may have.

    Raises:
        asyncio.CancelledError: the caller was cancelled meanwhile; raised only after it has stopped.
    """
    cancelled: asyncio.CancelledError | None = None
    while not has_stopped():
        interrupt()
        try:
            async with asyncio.timeout(_REPEAT_S):
                await changed.sleep()
        except TimeoutError:
            continue
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


async def finish_job(executor: Executor, work: Callable[[], _Result]) -> _Result:
    """Run short work that must not be cut off: a cancellation is raised only after it has ended."""
    return await finished(asyncio.wrap_future(executor.submit(work)))


async def finished(waiter: "asyncio.Future[_Result]") -> _Result:
    """Wait for what must not be cut off: a cancellation is raised only after it has ended."""
    cancelled: asyncio.CancelledError | None = None
    while not waiter.done():
        try:
            await asyncio.wait({waiter})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        waiter.exception()  # seen here: else asyncio reports it as one that nobody looked at
        raise cancelled
    return waiter.result()


def _look_at(waiter: "asyncio.Future[_Result]") -> None:
    """What interrupted work ended with is nobody's any more; else asyncio reports it as never retrieved."""
    if not waiter.cancelled():
        waiter.exception()
