"""Scans and aggregates over one wide table of events, as dashboards ask for them."""

from functools import partial

from benchmarks.data import events_data
from benchmarks.raw_client import simple_query
from benchmarks.suites.base import Case, Comparison, Metric, Suite
from benchmarks.suites.stream import open_stream
from benchmarks.targets.gateway import EMBEDDED, REMOTE
from benchmarks.targets.in_process import IN_PROCESS
from benchmarks.targets.postgres import POSTGRES

_QUERIES = (
    ("count", "SELECT count(*) FROM events"),
    ("filtered count", "SELECT count(*) FROM events WHERE n1 <> 0"),
    ("sums", "SELECT sum(n1), count(*), avg(n2) FROM events"),
    ("distinct users", "SELECT count(DISTINCT user_id) FROM events"),
    ("range of days", "SELECT min(day), max(day) FROM events"),
    (
        "by region",
        "SELECT region, count(*) AS c FROM events GROUP BY region ORDER BY c DESC, region LIMIT 10",
    ),
    (
        "top users",
        "SELECT user_id, count(*) AS c FROM events GROUP BY user_id ORDER BY c DESC, user_id LIMIT 10",
    ),
    (
        "top users by phrase",
        "SELECT user_id, phrase, count(*) AS c FROM events GROUP BY user_id, phrase "
        "ORDER BY c DESC, user_id, phrase LIMIT 10",
    ),
    ("text search", "SELECT count(*) FROM events WHERE url LIKE '%item/77%'"),
    (
        "search by time",
        "SELECT url, moment FROM events WHERE url LIKE '%item/7%' ORDER BY moment, url LIMIT 10",
    ),
    (
        "by minute",
        "SELECT date_trunc('minute', moment) AS m, count(*) AS c FROM events WHERE day = DATE '2024-01-03' "
        "GROUP BY m ORDER BY m LIMIT 10",
    ),
    ("all columns of few rows", "SELECT * FROM events WHERE user_id = 4242 ORDER BY moment, url"),
    (
        "many sums",
        "SELECT " + ", ".join(f"sum(n{i} + {i})" for i in range(1, 41)) + " FROM events",
    ),
)

SUITE = Suite(
    name="clickbench",
    title="Scans of one wide table",
    about=(
        "`events` has 60 columns: a time, a day, a user, a region, texts and 50 numbers. The queries are "
        "of the kind that ClickBench asks; table and queries are our own."
    ),
    metrics=(Metric("wall_s", "ms", 1, 1e-3),),
    targets=(EMBEDDED, REMOTE, IN_PROCESS, POSTGRES),
    data=events_data,
    rows=1_000_000,
    quick_rows=200_000,
    cases=tuple(
        Case(title.replace(" ", "_"), title, partial(open_stream, sql, simple_query(sql)))
        for title, sql in _QUERIES
    ),
    comparisons=(Comparison("postgres", "embedded", "wall_s"),),
    means=(
        Comparison("duckdb", "embedded", "wall_s"),
        Comparison("duckdb", "remote", "wall_s"),
        Comparison("postgres", "embedded", "wall_s"),
    ),
)
