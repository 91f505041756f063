"""What watching costs: a gateway that counts, logs, audits and traces beside one that does not; shadowing.

Run: `python -m benchmarks.overhead [--quick]`. Aims: point lookups lose less than 5 % of their throughput to
metrics, audit and traces together, both sides writing their log lines, traces of the default sample
(`TRACE_SAMPLE_RATIO`, 1 % of the statements); shadowing 10 % of a principal's reads costs it less than 3 % of
its p95. What the log lines cost besides is told too.

The sides run one after the other on the same machine, in turns, and only ratios are told.
"""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no annotations
import psycopg

from benchmarks.machine import describe_machine, load_average
from benchmarks.pgbench import Load, run_pgbench
from benchmarks.raw_client import Address
from benchmarks.spread import Spread, percentile_ratio, ratio_of
from tests.faults.otlp_receiver import otlp_receiver
from tests.gateway import POLICY, RunningGateway, start_gateway

POINT = "\\set id random(1, 300)\nSELECT name FROM sales.customers WHERE id = :id;\n"
READ = (
    "SELECT region, count(*), sum(doubled) FROM sales.customers c JOIN numbers n ON n.n = c.id "
    "GROUP BY region"
)
CLIENTS = 8
ALL, LINES, NOTHING = "all", "lines", ""
SIDES = (ALL, LINES, NOTHING)
"""What a gateway watches: see `benchmarks.unwatched`."""

PAIRS, QUICK_PAIRS = 9, 3
SECONDS, QUICK_SECONDS = 10, 3
BLOCKS, QUICK_BLOCKS = 30, 4
READS, QUICK_READS = 400, 100
"""In a block."""
THROUGHPUT_AIM, P95_AIM = 0.95, 1.03
USERS = "users:\n  shadowed: {password: shadowed-secret, groups: [eu_team]}\n"


@contextmanager
def watched(folder: Path, parts: str, traces: str) -> Iterator[RunningGateway]:
    """Run a gateway as users do, or, by `benchmarks.unwatched`, one that watches only these parts."""
    folder.mkdir()
    settings = {"LOG_LEVEL": "info", "OTEL_EXPORTER_OTLP_ENDPOINT": traces}
    prefix = (sys.executable, "-m", "benchmarks.unwatched") if parts != ALL else ()
    with start_gateway(folder, log=folder / "log", prefix=prefix, WATCH=parts, **settings) as gateway:
        yield gateway


@dataclass(frozen=True, slots=True)
class Watching:
    """What watching leaves of point lookups a second, and of those per CPU second of the gateway.

    The second hardly feels what else the machine does.
    """

    throughput: Spread
    by_cpu: Spread


def watching(folder: Path, pairs: int, seconds: int) -> tuple[Watching, Watching]:
    """Compare one that watches everything with one that only writes log lines, and with one of nothing."""
    found: dict[str, list[float]] = {parts: [] for parts in SIDES}
    by_cpu: dict[str, list[float]] = {parts: [] for parts in SIDES}
    load = Load(POINT, "prepared", CLIENTS)
    with otlp_receiver(keeps=False) as receiver, ExitStack() as stack:
        sides = {
            parts: stack.enter_context(watched(folder / (parts or "none"), parts, receiver.url))
            for parts in SIDES
        }
        for gateway in sides.values():
            run_pgbench(_address(gateway), load, 1)
        for number in range(pairs):
            for parts in SIDES if number % 2 else reversed(SIDES):
                before = _cpu_s(sides[parts])
                tps = run_pgbench(_address(sides[parts]), load, seconds).tps
                found[parts].append(tps)
                by_cpu[parts].append(tps * seconds / (_cpu_s(sides[parts]) - before))
        counts = {parts: "pgproxy_statements_total{" in sides[parts].metrics() for parts in SIDES}
        assert counts == {parts: parts == ALL for parts in SIDES}
        assert receiver.exports
    lines, nothing = (
        Watching(ratio_of(found[ALL], found[other]), ratio_of(by_cpu[ALL], by_cpu[other]))
        for other in (LINES, NOTHING)
    )
    return lines, nothing


def _cpu_s(gateway: RunningGateway) -> float:
    """CPU seconds of the gateway so far, all its threads."""
    used = psutil.Process(gateway.process.pid).cpu_times()
    return float(used.user + used.system)


def shadow_p95(folder: Path, pairs: int, reads: int) -> tuple[Spread, float]:
    """The p95 of reads of which 10 % are shadowed over that of others; what share was compared or dropped.

    Two gateways, each with a node of its own, take blocks of reads in turns, and whichever is not asked
    stands still: comparisons that wait for their turn would disturb the other side's blocks otherwise.
    """
    found: list[tuple[list[float], list[float]]] = []
    policy = POLICY.replace("users:\n", USERS)
    with ExitStack() as stack:
        sides: dict[bool, RunningGateway] = {}
        for is_shadowed in (True, False):
            own = folder / str(is_shadowed)
            own.mkdir()
            sides[is_shadowed] = gateway = stack.enter_context(
                start_gateway(own, nodes=1, policy=policy, REMOTE_CANARY_USERS="nobody", **_STANDS)
            )
            gateway.cli("assign", "--user", "shadowed", "--endpoint", "node1", "--shadow", "10")
        users = {True: "shadowed", False: "analyst"}
        for gateway, user in ((sides[on], users[on]) for on in (True, False)):
            _read(gateway.dsn(user), reads)
        for number in range(pairs):
            took: dict[bool, list[float]] = {}
            for on in (True, False) if number % 2 else (False, True):
                with _standing(sides[not on]):
                    took[on] = _read(sides[on].dsn(users[on]), reads)
            found.append((took[True], took[False]))
        shadowed = _sum_of("pgproxy_shadowed_total{", sides[True].metrics())
    return percentile_ratio(found, 95), shadowed / (reads * (pairs + 1))


_STANDS = {"HEALTH_CHECK_INTERVAL": "60s"}
"""A probe that a side's standing still makes late would be an endpoint that is not shadowed for a while."""


@contextmanager
def _standing(gateway: RunningGateway) -> Iterator[None]:
    """Have the gateway do nothing meanwhile."""
    gateway.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        gateway.process.send_signal(signal.SIGCONT)


def _sum_of(series: str, text: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(series))


def _read(dsn: str, reads: int) -> list[float]:
    took = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(READ, prepare=True)
        for _ in range(reads):
            began = time.perf_counter()
            connection.execute(READ).fetchall()
            took.append(time.perf_counter() - began)
    return took


def _address(gateway: RunningGateway) -> Address:
    return Address(gateway.port, "analyst", "test", "analyst-secret")


def main() -> None:
    """Measure and print."""
    is_quick = "--quick" in sys.argv
    pairs, seconds = (QUICK_PAIRS, QUICK_SECONDS) if is_quick else (PAIRS, SECONDS)
    print(" · ".join(f"{name}: {value}" for name, value in describe_machine().items()))
    print(f"load before: {load_average()}")
    with tempfile.TemporaryDirectory(prefix="pgproxy-overhead-") as name:
        folder = Path(name)
        lines, nothing = watching(folder, pairs, seconds)
        aim = f"aim: above {THROUGHPUT_AIM}"
        _say("point lookups a second with metrics, audit and traces over without", lines.throughput, aim)
        _say("the same per CPU second of the gateway", lines.by_cpu, aim)
        _say("with log lines, too, over without any of them", nothing.throughput, "no aim")
        _say("the same per CPU second of the gateway", nothing.by_cpu, "no aim")
        (folder / "shadow").mkdir()
        blocks, reads = (QUICK_BLOCKS, QUICK_READS) if is_quick else (BLOCKS, READS)
        p95, share = shadow_p95(folder / "shadow", blocks, reads)
        _say(
            "p95, shadowed over not, its 95 % interval",
            p95,
            f"aim: below {P95_AIM}; {share:.1%} of the reads were compared or dropped",
        )
    print(f"load after: {load_average()}")


def _say(what: str, found: Spread, aim: str) -> None:
    print(f"{what}: {found.median:.3f} ({found.low:.3f}-{found.high:.3f}, {found.count} pairs; {aim})")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}\n{error.stderr}")
