"""What one short prepared statement costs: CPU time, Python calls, and DuckDB's own speed beside it.

Run: `python -m benchmarks.statement [--quick]`. CPU time and calls hardly feel what else the machine does;
throughput is told as its ratio to DuckDB called in this process from two threads, in turns of one run.
"""

import json
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import psutil  # type: ignore[import-untyped]  # ships no annotations
import psycopg

from benchmarks.machine import describe_machine, load_average
from benchmarks.pgbench import THREADS, Load, run_pgbench
from benchmarks.raw_client import Address
from benchmarks.spread import ratio_of
from tests.gateway import RunningGateway, start_gateway

_ROUNDS, _QUICK_ROUNDS = 7, 2
_SECONDS, _QUICK_SECONDS = 4, 1
_COUNTED = 200
"""Statements whose calls are counted."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A short statement. sql: with at most one `$1`, a number from 1 to `highest`."""

    title: str
    sql: str
    highest: int = 0

    @property
    def script(self) -> str:
        """Give it in pgbench's language."""
        sql = self.sql.replace("$1", ":key")
        return f"\\set key random(1, {self.highest})\n{sql};\n" if self.highest else f"{sql};\n"


STATEMENTS = (
    Statement("select 1", "SELECT 1"),
    Statement("lookup", "SELECT amount, placed FROM sales.orders WHERE id = $1", 2000),
    Statement("governed lookup", "SELECT name, email FROM sales.customers WHERE id = $1", 300),
)


@contextmanager
def _gateway(folder: Path, name: str, *program: str, **settings: str) -> Iterator[RunningGateway]:
    """Run a gateway as users do, or by one of the programs beside this one."""
    own = folder / name
    own.mkdir()
    prefix = (sys.executable, "-m", *program) if program else ()
    settings = {"LOG_LEVEL": "info", "DATABASE_MODE": "read_only", **settings}
    with start_gateway(own, log=own / "log", prefix=prefix, **settings) as gateway:
        yield gateway


def _cpu_s(gateway: RunningGateway) -> float:
    """CPU seconds of the gateway so far, all its threads."""
    used = psutil.Process(gateway.process.pid).cpu_times()
    return float(used.user + used.system)


def _pgbench(
    gateway: RunningGateway, statement: Statement, clients: int, seconds: int
) -> tuple[float, float, float]:
    """Statements a second, their median in µs, and the gateway's CPU time for each in µs."""
    address = Address(gateway.port, "analyst", "test", "analyst-secret")
    before = _cpu_s(gateway)
    found = run_pgbench(address, Load(statement.script, "prepared", clients), seconds)
    return found.tps, found.p50_s * 1e6, (_cpu_s(gateway) - before) / (found.tps * seconds) * 1e6


def _in_process(
    connection: duckdb.DuckDBPyConnection, statement: Statement, threads: int, seconds: int
) -> tuple[float, float]:
    """The same called here: calls a second, and their median in µs."""
    until = time.perf_counter() + seconds
    with ThreadPoolExecutor(threads) as pool:
        runs = [pool.submit(_call_until, connection, statement, until, seed) for seed in range(threads)]
        took = [one for run in runs for one in run.result()]
    return len(took) / seconds, statistics.median(took) * 1e6


def _call_until(
    connection: duckdb.DuckDBPyConnection, statement: Statement, until: float, seed: int
) -> list[float]:
    chance, found = random.Random(seed), []
    with connection.cursor() as cursor:
        while (start := time.perf_counter()) < until:
            values = [chance.randint(1, statement.highest)] if statement.highest else []
            cursor.execute(statement.sql, values).fetchall()
            found.append(time.perf_counter() - start)
    return found


def calls_of(gateway: RunningGateway, statement: Statement, calls: Path) -> Mapping[str, Mapping[str, float]]:
    """Python calls of one prepared statement, by thread and function; `benchmarks.counted` runs it."""
    sql = statement.sql.replace("$1", "%s")
    values = [7] if statement.highest else []
    with psycopg.connect(gateway.dsn("analyst"), autocommit=True) as connection:
        cursor = connection.cursor(binary=False)
        for _ in range(20):
            cursor.execute(sql, values, prepare=True).fetchall()
        calls.unlink(missing_ok=True)
        gateway.process.send_signal(signal.SIGUSR1)
        time.sleep(0.2)
        for _ in range(_COUNTED):
            cursor.execute(sql, values, prepare=True).fetchall()
        gateway.process.send_signal(signal.SIGUSR1)
        while not calls.exists() or not calls.stat().st_size:
            time.sleep(0.05)
    found: dict[str, dict[str, int]] = json.loads(calls.read_text())
    return {room: {name: n / _COUNTED for name, n in counts.items()} for room, counts in found.items()}


def _say_calls(folder: Path) -> None:
    file = folder / "calls.json"
    with _gateway(folder, "counted", "benchmarks.counted", CALLS_FILE=str(file)) as gateway:
        for statement in STATEMENTS:
            found = calls_of(gateway, statement, file)
            loop, beside = (sum(found[room].values()) for room in ("loop", "engine"))
            print(f"{statement.title}: {loop:.0f} Python calls on the loop, {beside:.0f} beside it")
            if "--functions" in sys.argv:
                for room, counts in found.items():
                    for name, n in sorted(counts.items(), key=lambda item: -item[1]):
                        if n >= 0.5:
                            print(f"    {room} {n:6.1f} {name}")


def _say_speed(folder: Path, rounds: int, seconds: int) -> None:
    with ExitStack() as stack:
        watched = stack.enter_context(_gateway(folder, "watched"))
        unwatched = stack.enter_context(_gateway(folder, "unwatched", "benchmarks.unwatched"))
        connection = stack.enter_context(duckdb.connect(str(watched.folder / "test.duckdb"), read_only=True))
        for statement in STATEMENTS:
            found: dict[str, list[float]] = {}
            for gateway in (watched, unwatched):
                _pgbench(gateway, statement, 16, 1)
            measures = {
                "watched": partial(_pgbench, watched, statement, 16, seconds),
                "unwatched": partial(_pgbench, unwatched, statement, 16, seconds),
                "alone": partial(_pgbench, watched, statement, 1, seconds),
                "duckdb": partial(_in_process, connection, statement, THREADS, seconds),
                "duckdb alone": partial(_in_process, connection, statement, 1, seconds),
            }
            for number in range(rounds):
                for name in list(measures) if number % 2 else reversed(list(measures)):
                    for kind, value in zip(("tps", "p50", "cpu"), measures[name](), strict=False):
                        found.setdefault(f"{name} {kind}", []).append(value)
            _say(statement, found)


def _say(statement: Statement, found: Mapping[str, list[float]]) -> None:
    middle = {name: statistics.median(values) for name, values in found.items()}
    rate = ratio_of(found["watched tps"], found["duckdb tps"])
    watching = ratio_of(found["watched cpu"], found["unwatched cpu"])
    print(f"{statement.title}, prepared:")
    print(
        f"    16 clients: {middle['watched tps']:.0f}/s, {rate.median:.2f} ({rate.low:.2f}-{rate.high:.2f}) "
        f"x DuckDB in process from {THREADS} threads"
    )
    print(
        f"    CPU of the gateway: {middle['watched cpu']:.0f} µs; unwatched {middle['unwatched cpu']:.0f}: "
        f"{watching.median:.3f} ({watching.low:.3f}-{watching.high:.3f})"
    )
    print(
        f"    one client: median {middle['alone p50']:.0f} µs, DuckDB's {middle['duckdb alone p50']:.0f} µs"
    )


def main() -> None:
    """Measure and print."""
    is_quick = "--quick" in sys.argv
    print(" · ".join(f"{name}: {value}" for name, value in describe_machine().items()))
    print(f"load before: {load_average()}")
    with tempfile.TemporaryDirectory(prefix="pgproxy-statement-") as name:
        _say_calls(Path(name))
        if "--calls" not in sys.argv:
            _say_speed(
                Path(name), _QUICK_ROUNDS if is_quick else _ROUNDS, _QUICK_SECONDS if is_quick else _SECONDS
            )
    print(f"load after: {load_average()}")


if __name__ == "__main__":
    main()
