"""What a connection costs: memory while it is idle, and the time to make one, by SCRAM and with TLS."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

import psutil  # type: ignore[import-untyped]  # ships no annotations

from benchmarks.data import point_data
from benchmarks.pgbench import Load, run_pgbench
from benchmarks.raw_client import RawClient
from benchmarks.suites.base import Case, Comparison, Limit, Metric, Probe, Series, Suite
from benchmarks.targets.base import RunningTarget
from benchmarks.targets.gateway import Deployment, gateway_target
from benchmarks.targets.postgres import POSTGRES

_MOST_SESSIONS = 2000
_SECONDS = 3
_BUFFER_BYTES = 1024
_KB = 1000.0
_EMBEDDED = gateway_target(
    "embedded",
    "gateway, embedded engine, TLS",
    Deployment(settings={"MAX_CONNECTIONS": str(2 * _MOST_SESSIONS)}, has_tls=True),
)


class IdleProbe:
    """Opens sessions that do nothing, and looks at the memory of the target's processes.

    Memory is that of the processes when the probe was made, taken from that with all sessions open: what was
    freed in between and used again is counted once.
    """

    def __init__(self, target: RunningTarget, sessions: int) -> None:
        self._address = target.wire_address
        self._pids = [pid for pids in target.roles.values() for pid in pids]
        self._sessions = sessions
        self._bytes_before = self._used_bytes()

    def check(self) -> Mapping[str, str]:
        return {}

    def measure(self) -> Mapping[str, float]:
        with ExitStack() as stack:
            for _ in range(self._sessions):
                stack.enter_context(RawClient(self._address, _BUFFER_BYTES))
            grown = self._used_bytes() - self._bytes_before
        return {"session_bytes": max(grown, 0) / self._sessions}

    def _used_bytes(self) -> int:
        """Give what the processes and their children hold, shared pages counted in parts (PSS)."""
        roots = [psutil.Process(pid) for pid in self._pids]
        tree = [process for root in roots for process in (root, *root.children(recursive=True))]
        return sum(int(process.memory_full_info().pss) for process in tree)


class LoadProbe:
    """pgbench with `select 1`."""

    def __init__(self, target: RunningTarget, load: Load) -> None:
        self._address = target.wire_address
        self._load = load

    def check(self) -> Mapping[str, str]:
        run_pgbench(self._address, self._load, _SECONDS)
        return {}

    def measure(self) -> Mapping[str, float]:
        found = run_pgbench(self._address, self._load, _SECONDS)
        return {"tps": found.tps, "p50_s": found.p50_s, "p99_s": found.p99_s}


@contextmanager
def _open_idle(sessions: int, target: RunningTarget) -> Iterator[Probe]:
    yield IdleProbe(target, sessions)


@contextmanager
def _open_load(load: Load, target: RunningTarget) -> Iterator[Probe]:
    yield LoadProbe(target, load)


def _idle(sessions: int, not_on: frozenset[str] = frozenset()) -> Case:
    return Case(f"idle_{sessions}", f"{sessions:,} idle sessions", partial(_open_idle, sessions), not_on)


def _load(key: str, title: str, load: Load, not_on: frozenset[str] = frozenset()) -> Case:
    return Case(key, title, partial(_open_load, load), not_on)


_ONE = "SELECT 1;\n"
_NOT_POSTGRES = frozenset({POSTGRES.name})
_ACTIVE = (16, 64, 200)

SUITE = Suite(
    name="connections",
    title="Connections",
    about=(
        "Idle sessions are logged in and send nothing. New connections are made by pgbench --connect, "
        "which logs in for each `select 1`: to the gateway by SCRAM-SHA-256 (4,096 iterations, half of "
        "the work the client's, on the same two cores), to PostgreSQL by trust, which forks a process for "
        f"each. The gateway runs with MAX_CONNECTIONS={2 * _MOST_SESSIONS}; PostgreSQL takes 210."
    ),
    metrics=(
        Metric("session_bytes", "kB a session", 1, _KB),
        Metric("tps", "statements/s", 0),
        Metric("p50_s", "median ms", 2, 1e-3),
        Metric("p99_s", "99 % ms", 2, 1e-3),
    ),
    targets=(_EMBEDDED, POSTGRES),
    data=point_data,
    rows=10_000,
    quick_rows=10_000,
    cases=(
        _idle(150),
        _idle(_MOST_SESSIONS, _NOT_POSTGRES),
        *(
            _load(f"active_{clients}", f"{clients} active sessions", Load(_ONE, "prepared", clients))
            for clients in _ACTIVE
        ),
        _load("scram", "a new connection each", Load(_ONE, "simple", 4, reconnects=True)),
        _load(
            "scram_tls",
            "a new connection each, TLS",
            Load(_ONE, "simple", 4, reconnects=True, has_tls=True),
            _NOT_POSTGRES,
        ),
    ),
    comparisons=(
        Comparison("embedded", "postgres", "tps"),
        Comparison("postgres", "embedded", "session_bytes"),
    ),
    limits=(Limit("embedded", "session_bytes", f"idle_{_MOST_SESSIONS}", at_most=60_000.0),),
    series=(Series("active sessions", "p50_s", {f"active_{clients}": clients for clients in _ACTIVE}),),
)
