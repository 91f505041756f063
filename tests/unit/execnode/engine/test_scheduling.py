"""How the kernel schedules the threads of a process: read back from it, each time in a process of its own."""

import json
import platform
import subprocess
import sys

import pytest

_PROGRAM = """
import ctypes, json, os, struct, sys, threading
import duckdb
from execnode.engine.scheduling import beginning_batch_threads, take_short_turns

def attributes(thread_id):
    found = ctypes.create_string_buffer(48)
    number = {"x86_64": 315, "aarch64": 275}[os.uname().machine]  # sched_getattr
    assert ctypes.CDLL(None).syscall(number, thread_id, found, 48, 0) == 0
    _, policy, _, niceness, _, turn_ns, _, _ = struct.unpack("=IIQiIQQQ", found.raw)
    return policy, niceness, turn_ns

def thread_ids():
    return {int(name) for name in os.listdir("/proc/self/task")}

class Waiting(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.start()
    def run(self):
        threading.Event().wait()

os.nice(3)
if "batch" in sys.argv:
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
before = attributes(0)
if "short" in sys.argv:
    take_short_turns()
known = thread_ids()
with beginning_batch_threads():
    connection = duckdb.connect(":memory:", config={"threads": 3})
engines = [attributes(thread) for thread in thread_ids() - known]
waiting = Waiting()
print(json.dumps({
    "before": before, "after": attributes(0), "begun": attributes(waiting.native_id), "engines": engines,
}))
"""
_SHORT_NS = 300_000
_OTHER, _BATCH = 0, 3


def scheduled(*arguments: str) -> dict[str, list[int]]:
    output = subprocess.check_output([sys.executable, "-c", _PROGRAM, *arguments], text=True)
    found: dict[str, list[int]] = json.loads(output)
    return found


def _knows_turns() -> bool:
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        return False
    release = platform.release().split(".")
    return (int(release[0]), int(release[1])) >= (6, 12)


pytestmark = pytest.mark.skipif(not _knows_turns(), reason="Linux has turns of a length since 6.12")


def test_all_threads_but_duckdbs_own_have_short_turns_and_the_same_share() -> None:
    found = scheduled("short")
    policy, niceness, turn_ns = found["before"]
    assert policy == _OTHER
    assert turn_ns > _SHORT_NS
    assert found["after"] == found["begun"] == [_OTHER, niceness, _SHORT_NS]
    assert found["engines"] == [[_BATCH, niceness, turn_ns]] * 2


def test_an_operators_own_policy_stands() -> None:
    found = scheduled("short", "batch")
    assert found["before"] == found["after"] == found["begun"]


def test_a_thread_that_begins_duckdbs_is_then_as_it_was() -> None:
    found = scheduled()
    assert found["before"] == found["after"] == found["begun"]
    assert found["engines"] == [[_BATCH, *found["before"][1:]]] * 2
