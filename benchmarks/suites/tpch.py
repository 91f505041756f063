"""What the gateway adds to TPC-H's 22 queries, without and with a row filter and masks."""

from functools import partial

from benchmarks.data import tpch_data
from benchmarks.raw_client import simple_query
from benchmarks.suites.base import Case, Comparison, Metric, Suite
from benchmarks.suites.stream import open_stream
from benchmarks.targets.gateway import EMBEDDED, REMOTE, Deployment, gateway_target
from benchmarks.targets.in_process import IN_PROCESS
from benchmarks.targets.postgres import POSTGRES
from demo.data import tpch_queries

_ROWS_AT_SCALE_1 = 6_001_215
_POLICY = """
row_filters:
  - {name: without_air, on: DATABASE.public.lineitem, using: "l_shipmode <> 'AIR'", to: [bench]}
column_masks:
  - {name: phone, on: DATABASE.public.customer, column: c_phone, using: "left(c_phone, 6)", to: [bench]}
  - {name: note, on: DATABASE.public.supplier, column: s_comment, using: "left(s_comment, 20)", to: [bench]}
"""
GOVERNED = gateway_target(
    "governed", "gateway, embedded, a row filter and two masks", Deployment(policy=_POLICY)
)


_SLOW_ON_POSTGRES = frozenset({17, 20})
"""Correlated subqueries over lineitem, which PostgreSQL runs for minutes without an index."""

SUITE = Suite(
    name="tpch",
    title="TPC-H's 22 queries",
    about=(
        "Each query by the simple protocol, read to the end. `governed` has a row filter on lineitem "
        "(without AIR, a seventh of the rows) and masks on customer.c_phone and supplier.s_comment: its "
        "answers are others, and it is measured against DuckDB without any policy. The gateway and its nodes "
        "keep the plans of queries that come again over a file that is open to read, as here; DuckDB in "
        "process plans each anew, for 1 to 4 ms. PostgreSQL has no index here."
    ),
    metrics=(Metric("wall_s", "ms", 1, 1e-3),),
    targets=(EMBEDDED, GOVERNED, REMOTE, IN_PROCESS, POSTGRES),
    data=tpch_data,
    rows=_ROWS_AT_SCALE_1,
    quick_rows=_ROWS_AT_SCALE_1 // 10,
    cases=tuple(
        Case(
            f"q{number}",
            f"query {number}",
            partial(open_stream, sql, simple_query(sql)),
            frozenset({POSTGRES.name}) if number in _SLOW_ON_POSTGRES else frozenset(),
        )
        for number, sql in tpch_queries()
    ),
    comparisons=(Comparison("duckdb", "embedded", "wall_s"), Comparison("duckdb", "governed", "wall_s")),
    means=(
        Comparison("duckdb", "embedded", "wall_s", at_least=1 / 1.05),
        Comparison("duckdb", "governed", "wall_s", at_least=1 / 1.5),
        Comparison("duckdb", "remote", "wall_s"),
    ),
)
