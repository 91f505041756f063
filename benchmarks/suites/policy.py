"""What a row filter costs: an analyst's statement, and the same with the filter written by hand."""

import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import duckdb

from benchmarks.data import governed_data
from benchmarks.planning import FILTER, context
from benchmarks.suites.base import Case, Comparison, Metric, Probe, Suite
from benchmarks.targets.base import RunningTarget
from benchmarks.targets.governance import BY_HAND, GOVERNED_SQL
from pgproxy.sql.planner import plan_statement

_ROWS = 2_000_000
_RUNS = 5
_CASES: dict[str, tuple[str, float]] = {
    "point lookup": ("SELECT * FROM t WHERE id = 300000", 2.0),
    "point lookup, predicate that may fail": (
        "SELECT * FROM t WHERE id = 300000 AND chr(k + 1) <> 'X'",
        2.0,
    ),
    "scan, leakproof": ("SELECT count(*), sum(x) FROM t WHERE k < 500", 1.1),
    "group by, leakproof": ("SELECT k, count(*) FROM t WHERE id > 1000 GROUP BY k", 1.1),
    "group by and having, leakproof": (
        "SELECT k, sum(x) FROM t WHERE upper(name) <> 'X' GROUP BY k HAVING count(*) > 9",
        1.1,
    ),
    "top 10, leakproof": (
        "SELECT id, upper(name) FROM t WHERE length(name) > 5 ORDER BY x DESC LIMIT 10",
        1.1,
    ),
    "scan, barrier": ("SELECT count(*) FROM t WHERE chr(k + 1) <> 'X'", 4.0),
    "group by, barrier": ("SELECT k, count(*) FROM t WHERE chr(k + 1) <> 'X' GROUP BY k", 4.0),
    "top 10, barrier": (
        "SELECT id, upper(name) FROM t WHERE chr(k + 1) <> 'X' ORDER BY x DESC LIMIT 10",
        4.0,
    ),
    "top 10 in another order than stored, barrier": (
        "SELECT id, upper(name) FROM t WHERE chr(k + 1) <> 'X' ORDER BY k DESC, name, id LIMIT 10",
        4.0,
    ),
}
"""Queries over `t`, and how many times as long as by hand, where WHERE has the filter, each may take."""


class EngineProbe:
    """Runs planned SQL in this process."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, sql: str) -> None:
        self._connection = connection
        self._sql = sql

    def check(self) -> Mapping[str, str]:
        rows = self._connection.execute(self._sql).fetchall()
        return {"rows": str(len(rows)), "digest": repr(sorted(map(repr, rows)))}

    def measure(self) -> Mapping[str, float]:
        return {"wall_s": statistics.median(self._one() for _ in range(_RUNS))}

    def _one(self) -> float:
        start = time.perf_counter()
        self._connection.execute(self._sql).fetchall()
        return time.perf_counter() - start


@contextmanager
def _open(sql: str, target: RunningTarget) -> Iterator[Probe]:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(f"ATTACH '{target.data.path}' AS lake (READ_ONLY); USE lake")
        # By hand is what somebody without a policy would send: PostgreSQL's meaning costs both the same.
        is_by_hand = target.name == BY_HAND.name
        text = sql.replace("WHERE", f"WHERE {FILTER} AND") if is_by_hand else sql
        held = context(connection, "t", {}, "root" if is_by_hand else "analyst")
        yield EngineProbe(connection, plan_statement(text, (), held).sql)


SUITE = Suite(
    name="policy",
    title="What a row filter costs",
    about=(
        "Statements over a table of two million rows, a third of which the analyst may see. Both are "
        "planned by the gateway's planner and run by DuckDB in this process; the column of rows says that "
        "the answers are the same. What holds a predicate that could fail on a hidden row runs behind the "
        "barrier."
    ),
    metrics=(Metric("wall_s", "ms", 2, 1e-3),),
    targets=(GOVERNED_SQL, BY_HAND),
    data=governed_data,
    rows=_ROWS,
    quick_rows=_ROWS,
    cases=tuple(
        Case(f"case_{number}", title, partial(_open, sql))
        for number, (title, (sql, _)) in enumerate(_CASES.items())
    ),
    comparisons=(
        Comparison(
            BY_HAND.name,
            GOVERNED_SQL.name,
            "wall_s",
            aims={title: round(1 / most, 3) for title, (_, most) in _CASES.items()},
        ),
    ),
)
