"""How long a short statement takes, and how many of them run in a second: pgbench with 1 to 64 clients."""

import random
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import duckdb

from benchmarks.data import point_data
from benchmarks.pgbench import THREADS, Latencies, Load, latencies_of, run_pgbench, warm_up
from benchmarks.raw_client import RawClient
from benchmarks.suites.base import Case, Comparison, Limit, Metric, Probe, Suite
from benchmarks.targets.base import RunningTarget
from benchmarks.targets.gateway import EMBEDDED, REMOTE
from benchmarks.targets.in_process import IN_PROCESS
from benchmarks.targets.pgbouncer import PGBOUNCER
from benchmarks.targets.postgres import POSTGRES

_SECONDS = 1
_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Statement:
    """A short statement. sql: with at most one `$1`, a number from 1 to `highest`."""

    title: str
    sql: str
    highest: int | None = None

    @property
    def script(self) -> str:
        """Give it in pgbench's language."""
        if self.highest is None:
            return f"{self.sql};\n"
        return f"\\set key random(1, {self.highest})\n{self.sql.replace('$1', ':key')};\n"


class PgbenchProbe:
    """A load on a server."""

    def __init__(self, target: RunningTarget, statement: Statement, mode: str, clients: int) -> None:
        self._address = target.wire_address
        self._load = Load(statement.script, mode, clients)
        self._sql = statement.sql.replace("$1", "1")

    def check(self) -> Mapping[str, str]:
        with RawClient(self._address) as client:
            rows = client.fetch_text(self._sql)
        warm_up(self._address, self._load)
        return {"rows": str(len(rows)), "digest": repr(rows)}

    def measure(self) -> Mapping[str, float]:
        return _values(run_pgbench(self._address, self._load, _SECONDS))


class CallsProbe:
    """The same statement called in this process, from as many threads as pgbench has clients, two at most."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, statement: Statement, clients: int) -> None:
        self._connection = connection
        self._statement = statement
        self._threads = min(clients, THREADS)

    def check(self) -> Mapping[str, str]:
        self.measure()
        return {}

    def measure(self) -> Mapping[str, float]:
        until = time.perf_counter() + _SECONDS
        with ThreadPoolExecutor(self._threads) as pool:
            runs = [pool.submit(self._call_until, until, seed) for seed in range(self._threads)]
            latencies = sorted(latency for run in runs for latency in run.result())
        return _values(latencies_of(latencies, len(latencies) / _SECONDS))

    def _call_until(self, until: float, seed: int) -> list[float]:
        """Call until the clock says so, and give each call's seconds."""
        chance, highest, sql = random.Random(seed), self._statement.highest, self._statement.sql
        found: list[float] = []
        with self._connection.cursor() as cursor:
            while (start := time.perf_counter()) < until:
                cursor.execute(sql, [] if highest is None else [chance.randint(1, highest)]).fetchall()
                found.append(time.perf_counter() - start)
        return found


def _values(found: Latencies) -> Mapping[str, float]:
    return {"tps": found.tps, "p50_s": found.p50_s, "p99_s": found.p99_s}


@contextmanager
def _open(statement: Statement, mode: str, clients: int, target: RunningTarget) -> Iterator[Probe]:
    if target.address is None:
        with target.open_duckdb() as connection:
            yield CallsProbe(connection, statement, clients)
    else:
        yield PgbenchProbe(target, statement, mode, clients)


def _case(key: str, statement: Statement, mode: str, clients: int) -> Case:
    title = f"{statement.title}, {mode}, {clients} client{'s' if clients > 1 else ''}"
    return Case(f"{key}_{mode}_{clients}", title, partial(_open, statement, mode, clients))


_ONE = Statement("select 1", "SELECT 1")
_LOOKUP = Statement("primary key lookup", "SELECT balance, name FROM accounts WHERE id = $1", 10_000)
_AGGREGATE = Statement(
    "small aggregate", "SELECT region, count(*), sum(total) FROM branches GROUP BY region ORDER BY region"
)
_PREPARED_ONE = "select_1_prepared_1"
_PREPARED_LOOKUPS = "primary key lookup, prepared, 16 clients"

SUITE = Suite(
    name="point",
    title="Short statements",
    about=(
        f"pgbench runs one statement for {_SECONDS} s at a time, by 1 to 64 clients on two threads, and "
        "logs every latency. `accounts` has a million rows and a primary key. DuckDB in process is called "
        "from Python, from as many threads as there are clients, two at most; its parameters are bound by "
        "each call."
    ),
    metrics=(
        Metric("tps", "statements/s", 0),
        Metric("p50_s", "median ms", 3, 1e-3),
        Metric("p99_s", "99 % ms", 3, 1e-3),
    ),
    targets=(EMBEDDED, REMOTE, POSTGRES, PGBOUNCER, IN_PROCESS),
    data=point_data,
    rows=_ROWS,
    quick_rows=_ROWS,
    cases=(
        _case("select_1", _ONE, "prepared", 1),
        _case("select_1", _ONE, "simple", 1),
        _case("select_1", _ONE, "extended", 1),
        _case("select_1", _ONE, "prepared", 16),
        _case("lookup", _LOOKUP, "prepared", 1),
        _case("lookup", _LOOKUP, "simple", 1),
        _case("lookup", _LOOKUP, "prepared", 16),
        _case("lookup", _LOOKUP, "extended", 64),
        _case("aggregate", _AGGREGATE, "simple", 1),
        _case("aggregate", _AGGREGATE, "prepared", 16),
    ),
    comparisons=(
        Comparison("embedded", "duckdb", "tps", aims={_PREPARED_LOOKUPS: 0.5}),
        Comparison("embedded", "postgres", "tps"),
        Comparison("remote", "embedded", "tps"),
    ),
    limits=(Limit("embedded", "p50_s", _PREPARED_ONE, at_most=0.15e-3, less_target="duckdb"),),
)
