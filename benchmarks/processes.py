"""The processes of a target: started with their output in a file, and metered by CPU time and peak memory.

Peak memory is the kernel's own high-water mark (VmHWM), reset before each measurement, so nothing samples
while something is measured.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no annotations

_START_S = 60.0
_STOP_S = 20.0


@contextmanager
def running_program(
    command: Sequence[str | Path], environment: Mapping[str, str], log: Path, ready_text: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program until the block ends. It is ready when it prints `ready_text`; its output goes to `log`.

    Raises:
        RuntimeError: it ended, or a minute passed, before it was ready. The text ends with its last output.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_ready(process, log, ready_text)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(process: "subprocess.Popen[bytes]", log: Path, ready_text: str) -> None:
    deadline = time.monotonic() + _START_S
    while ready_text not in (text := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{log.stem} was not ready; it said: …{text[-300:]}")
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes used while something was measured, by role.

    cpu_s: user and system time, children included. peak_mib: of the role's largest process.
    other_s: CPU time of everything else on this machine; of a short measurement it is coarse, a tick or two
    less than nothing at times.
    """

    cpu_s: Mapping[str, float]
    peak_mib: Mapping[str, float]
    other_s: float
    wall_s: float


class ProcessMeter:
    """Meters groups of process trees. roles: process ids of the trees' roots, by name of the role."""

    def __init__(self, roles: Mapping[str, Sequence[int]]) -> None:
        self._roles = roles
        self._before: dict[str, float] = {}
        self._busy_before = 0.0
        self._own_before = 0.0
        self._clock = 0.0

    def start(self) -> None:
        """Begin: connections that will be used are already open, so that their processes exist."""
        for role in self._roles:
            for process in self._tree(role):
                _reset_peak(process.pid)
        self._before = {role: self._cpu_s(role) for role in self._roles}
        self._own_before = time.process_time()
        self._busy_before = _busy_s()
        self._clock = time.perf_counter()

    def stop(self) -> Usage:
        """End and give what was used since `start`."""
        wall_s = time.perf_counter() - self._clock
        busy_s = _busy_s() - self._busy_before
        own_s = time.process_time() - self._own_before
        used = {role: self._cpu_s(role) - self._before[role] for role in self._roles}
        # A role that is this process is counted once.
        known_s = own_s + sum(s for role, s in used.items() if os.getpid() not in self._roles[role])
        peaks = {role: max((_peak_mib(p.pid) for p in self._tree(role)), default=0.0) for role in self._roles}
        return Usage(used, peaks, busy_s - known_s, wall_s)

    def _tree(self, role: str) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for pid in self._roles[role]:
            with suppress(psutil.NoSuchProcess):
                root = psutil.Process(pid)
                # This process has the servers as its children: as a role it is itself alone.
                found += [root] if pid == os.getpid() else [root, *root.children(recursive=True)]
        return found

    def _cpu_s(self, role: str) -> float:
        total = 0.0
        for process in self._tree(role):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total


def _busy_s() -> float:
    times = psutil.cpu_times()
    busy: float = times.user + times.nice + times.system + times.irq + times.softirq
    return busy


def _reset_peak(pid: int) -> None:
    """Set VmHWM to what is in use now (proc(5), clear_refs). Not permitted: peaks count from the start."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak_mib(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0
