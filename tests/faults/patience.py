"""How long a server may take by its own doing: time in which the machine let it run.

Where other processes share the cores, a thread that could run waits for one; Linux counts that wait for every
thread (`/proc/PID/task/TID/schedstat`, the second number). It is not the server's, so it does not count here.
On a machine that has nothing else to do this is a plain clock.
"""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_S = 180.0
"""No wait is longer than this, whatever the machine does."""


@dataclass(frozen=True)
class Patience:
    """With one server process: how many seconds of its own one answer may take."""

    pid: int
    seconds: float = 5.0

    def begin(self) -> "Wait":
        """Start to wait for one answer."""
        return Wait(self)


@dataclass
class Wait:
    """One wait, in the thread that made it."""

    patience: Patience
    began: float = field(default_factory=time.monotonic)
    delays: dict[str, int] | None = None

    def own_seconds(self) -> float:
        """What has passed without the time in which threads were ready to run and no core was free.

        The first second counts whole: nearly every answer comes within it, and to look at every thread of the
        server costs more than the answer.
        """
        passed = time.monotonic() - self.began
        if passed < 1:
            return passed
        if self.delays is None:
            self.delays = self._delays()
        starved_ns = sum(max(now - self.delays.get(thread, 0), 0) for thread, now in self._delays().items())
        return passed if passed > LONGEST_S else passed - min(starved_ns / 1e9, passed)

    def is_over(self) -> bool:
        """Whether the server took too long."""
        return self.own_seconds() > self.patience.seconds

    def _delays(self) -> dict[str, int]:
        """Of the server's threads and of this one, which reads the answer."""
        threads = [*Path(f"/proc/{self.patience.pid}/task").glob("*")]
        threads.append(Path(f"/proc/self/task/{threading.get_native_id()}"))
        found: dict[str, int] = {}
        for thread in threads:
            try:
                found[str(thread)] = int((thread / "schedstat").read_text().split()[1])
            except (OSError, IndexError):  # it has ended, or this is no Linux
                continue
        return found
