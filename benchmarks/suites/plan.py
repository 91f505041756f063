"""How long it takes to plan a statement: anew, from the cache, and with another constant."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import duckdb

from benchmarks.data import tpch_data
from benchmarks.planning import context
from benchmarks.suites.base import Case, Limit, Metric, Probe, Suite
from benchmarks.targets.base import RunningTarget
from benchmarks.targets.governance import PLANNER
from demo.data import tpch_queries
from execnode.runtime import settle_imports
from pgproxy.sql.cache import PlanCache
from pgproxy.sql.plan import PlanContext
from pgproxy.sql.planner import plan_statement

_COLD_RUNS, _CACHED_RUNS = 5, 200
_COLD_LIMIT_S, _CACHED_LIMIT_S = 5e-3, 30e-6
_SMALLEST_ROWS = 60_000
_MASKS = {"l_comment": "upper(l_comment)"}


class PlanProbe:
    """Plans statements for a principal with a filter and a mask. texts: the same but for their constants."""

    def __init__(self, held: PlanContext, texts: Iterator[str]) -> None:
        self._held = held
        self._texts = texts
        self._first = next(texts)
        self._cache = PlanCache()

    def check(self) -> Mapping[str, str]:
        planned = self._cache.plan(self._first, (), self._held)
        self._cache.plan(next(self._texts), (), self._held)
        return {"rows": "1", "digest": repr(planned.sql)}

    def measure(self) -> Mapping[str, float]:
        return {
            "cold_s": _median_s(lambda: plan_statement(self._first, (), self._held), _COLD_RUNS),
            "cached_s": _median_s(lambda: self._cache.plan(self._first, (), self._held), _CACHED_RUNS),
            "other_s": _median_s(lambda: self._cache.plan(next(self._texts), (), self._held), _COLD_RUNS),
        }


def _median_s(action: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@contextmanager
def _open(texts: Callable[[], Iterator[str]], target: RunningTarget) -> Iterator[Probe]:
    settle_imports()  # as the gateway does
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{target.data.path}' AS lake (READ_ONLY); USE lake")
        yield PlanProbe(context(connection, "lineitem", _MASKS), texts())


def _same(sql: str) -> Iterator[str]:
    return itertools.repeat(sql.rstrip().rstrip(";"))


def _lookups() -> Iterator[str]:
    return (f"SELECT * FROM orders WHERE o_orderkey = {number}" for number in itertools.count(10))


_QUERIES = {f"q{number}": (f"TPC-H query {number}", partial(_same, sql)) for number, sql in tpch_queries()}
_CASES = {**_QUERIES, "lookup": ("lookup, another constant each time", _lookups)}

SUITE = Suite(
    name="plan",
    title="Planning",
    about=(
        "TPC-H's queries under a row filter and a mask on lineitem, planned in this process: cold is "
        "plan_statement from the text to verified SQL, cached is the plan cache's answer, and other is "
        "the cache's answer to the same statement with another constant (the same again, for TPC-H)."
    ),
    metrics=(
        Metric("cold_s", "cold, ms", 2, 1e-3),
        Metric("cached_s", "cached, µs", 1, 1e-6),
        Metric("other_s", "other constant, µs", 1, 1e-6),
    ),
    targets=(PLANNER,),
    data=tpch_data,
    rows=_SMALLEST_ROWS,
    quick_rows=_SMALLEST_ROWS,
    cases=tuple(Case(key, title, partial(_open, texts)) for key, (title, texts) in _CASES.items()),
    comparisons=(),
    limits=(
        *(Limit(PLANNER.name, "cold_s", key, at_most=_COLD_LIMIT_S) for key in _CASES),
        *(Limit(PLANNER.name, "cached_s", key, at_most=_CACHED_LIMIT_S) for key in _CASES),
    ),
)
