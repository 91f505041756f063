"""The clock of a server's own time."""

import os
import time

from tests.faults.patience import Patience


def test_a_sleeping_server_uses_its_time_up() -> None:
    wait = Patience(os.getpid(), 0.05).begin()
    while not wait.is_over():
        time.sleep(0.01)
    assert wait.own_seconds() <= time.monotonic() - wait.began


def test_time_without_a_core_does_not_count() -> None:
    wait = Patience(os.getpid(), 5.0).begin()
    wait.began -= 3.0  # a second more than is asked for: this process may wait for a core between two looks
    assert wait.own_seconds() >= 2.0, "what was before the first look counts"
    wait.delays = {thread: delay - 10**12 for thread, delay in (wait.delays or {}).items()}
    assert not wait.is_over()
    assert wait.own_seconds() == 0.0
