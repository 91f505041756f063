"""How the kernel schedules the threads of statements: behind those that somebody waits for.

DuckDB wakes a thread of its own for every task of every statement, a short one's too, which the calling
thread has mostly done by the time the other one runs. Such a waking then took the core from whoever was on
it: the event loop, or the statement itself. `man 7 sched`, SCHED_BATCH: as long a share of the processor as
any thread has, but never at the cost of one that runs.

The threads of a statement that lasts take every core that they find. Who has a moment's work then waits for
each turn until the scheduler's next tick, up to four milliseconds: so the calling one becomes nicer than the
rest as soon as another statement begins. DuckDB's own do not, which serve every statement and could not take
it back. All others have short turns instead: since version 6.12 Linux lets a thread that was woken go before
one whose turn is longer, if it has not yet had its share, which stays what it was.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_NICENESS = 5
"""A third of the usual share of a core that is wanted by both."""
_SHORT_TURN_NS = 300_000
"""What the event loop does at a time takes less; the usual turn is 1.4 ms on two cores, 2.8 on eight."""
# The kernel's asm/unistd.h: sched_setattr, sched_getattr; glibc has had functions for them since 2.41 only.
_SYSTEM_CALLS = {"x86_64": (314, 315), "aarch64": (274, 275)}
_SCHED_ATTR = struct.Struct("=IIQiIQQQ")  # the first version of `struct sched_attr`, man 2 sched_setattr


def take_short_turns() -> None:
    """Let this thread, and all that it begins, go before those with longer turns as soon as they are woken.

    Nobody needs a right for it. Nothing changes where the operator chose another policy for the process, or
    the kernel knows no such thing.
    """
    if sys.platform == "linux" and os.sched_getscheduler(0) == os.SCHED_OTHER:
        _set_turns(_SHORT_TURN_NS)


def _set_turns(turn_ns: int) -> int:
    """Say how long the calling thread's turns are; 0: as usual. Gives how long they were, 0 if not known.

    Refused, all stays as it was.
    """
    set_attr, get_attr = _SYSTEM_CALLS.get(platform.machine(), (0, 0))
    if sys.platform != "linux" or not set_attr:
        return 0
    libc, found = ctypes.CDLL(None), ctypes.create_string_buffer(_SCHED_ATTR.size)
    if libc.syscall(get_attr, 0, found, _SCHED_ATTR.size, 0) != 0:
        return 0
    _, policy, flags, niceness, priority, before_ns, *_ = _SCHED_ATTR.unpack(found.raw)
    wanted = _SCHED_ATTR.pack(_SCHED_ATTR.size, policy, flags, niceness, priority, turn_ns, 0, 0)
    libc.syscall(set_attr, 0, wanted, 0)
    return int(before_ns)


def give_way(thread_id: int | None) -> bool:
    """Let a thread go after others that want the core.

    It cannot be taken back. Linux keeps a niceness for each thread; elsewhere it would be the whole
    process's, so nothing is done: False.
    """
    if sys.platform != "linux" or thread_id is None:
        return False
    try:
        os.setpriority(os.PRIO_PROCESS, thread_id, os.getpriority(os.PRIO_PROCESS, thread_id) + _NICENESS)
    except OSError:  # it has ended
        return False
    return True


@contextmanager
def beginning_batch_threads() -> Iterator[None]:
    """Have the threads that this one begins meanwhile scheduled as batch work, with the usual turns.

    They inherit it. Where the operator chose another policy for the process, or the system has none such,
    nothing changes.
    """
    if not _set_policy("SCHED_OTHER", "SCHED_BATCH"):
        yield
        return
    before_ns = _set_turns(0)
    try:
        yield
    finally:
        _set_policy("SCHED_BATCH", "SCHED_OTHER")
        _set_turns(before_ns)


def _set_policy(before: str, after: str) -> bool:
    """Move the calling thread from one policy to another; False: it has a third one, or may not."""
    with suppress(OSError, AttributeError):  # a system without them, a sandbox that refuses them
        if os.sched_getscheduler(0) == getattr(os, before):
            os.sched_setscheduler(0, getattr(os, after), os.sched_param(0))
            return True
    return False
