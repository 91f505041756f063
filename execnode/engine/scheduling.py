"""How the kernel schedules DuckDB's own threads: behind those that somebody waits for.

DuckDB wakes one of them for every task of every statement, a short one's too, which the calling thread has
mostly done by the time the other one runs. Such a waking then took the core from whoever was on it: the event
loop, or the statement itself. `man 7 sched`, SCHED_BATCH: as long a share of the processor as any thread
has, but never at the cost of one that runs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def beginning_batch_threads() -> Iterator[None]:
    """Have the threads that this one begins meanwhile scheduled as batch work; they inherit it.

    Where the operator chose another policy for the process, or the system has none such, nothing changes.
    """
    if not _set_policy("SCHED_OTHER", "SCHED_BATCH"):
        yield
        return
    try:
        yield
    finally:
        _set_policy("SCHED_BATCH", "SCHED_OTHER")


def _set_policy(before: str, after: str) -> bool:
    """Move the calling thread from one policy to another; False: it has a third one, or may not."""
    with suppress(OSError, AttributeError):  # a system without them, a sandbox that refuses them
        if os.sched_getscheduler(0) == getattr(os, before):
            os.sched_setscheduler(0, getattr(os, after), os.sched_param(0))
            return True
    return False
