"""How the cost of a statement grows with rows, columns, grants and sessions: times fitted by a power."""

from functools import partial

from benchmarks.data import scale_data
from benchmarks.raw_client import simple_query
from benchmarks.suites.base import Case, Metric, Series, Suite
from benchmarks.suites.residents import grants_case, sessions_case
from benchmarks.suites.stream import open_stream
from benchmarks.targets.gateway import REMOTE, Deployment, gateway_target
from benchmarks.targets.postgres import POSTGRES

_ROWS = (1_000, 10_000, 100_000, 1_000_000)
_COLUMNS = (1, 10, 100, 400)
_SESSIONS = (10, 100, 1_000)
_GRANTS = (20, 200, 2_000, 8_000)
_EMBEDDED = gateway_target(
    "embedded", "gateway, embedded engine", Deployment(settings={"MAX_CONNECTIONS": str(2 * _SESSIONS[-1])})
)
_ONLY_EMBEDDED = frozenset({REMOTE.name, POSTGRES.name})
_SHORT = "SELECT c1 AS name{}, c2 FROM broad LIMIT 1"
"""A new name each time: no plan of one serves the next."""


def _case(key: str, title: str, sql: str) -> Case:
    return Case(key, title, partial(open_stream, sql, simple_query(sql)))


_columns_of = {count: ", ".join(f"c{i}" for i in range(1, count + 1)) for count in _COLUMNS}

SUITE = Suite(
    name="scale",
    title="How cost grows",
    about=(
        "One client reads more and more rows of four columns, and 1,000 rows of more and more columns, as "
        "text. Then it runs a short statement, planned anew each time, beside more and more idle sessions, "
        "and with more and more grants of columns to its role's groups. The power that fits the medians "
        "tells how time grows: 1 is in proportion, less is better, and a start that costs the same for every "
        "statement makes it less. Planning by principals is `python -m benchmarks.principals`; nodes are in "
        "`fleet`."
    ),
    metrics=(Metric("wall_s", "ms", 2, 1e-3), Metric("rows_per_s", "thousand rows/s", 0, 1e3)),
    targets=(_EMBEDDED, REMOTE, POSTGRES),
    data=scale_data,
    rows=_ROWS[-1],
    quick_rows=_ROWS[-1],
    cases=(
        *(
            _case(f"rows_{count}", f"{count:,} rows", f"SELECT c1, c2, c3, c4 FROM tall LIMIT {count}")
            for count in _ROWS
        ),
        *(
            _case(f"columns_{count}", f"{count} columns", f"SELECT {_columns_of[count]} FROM broad")
            for count in _COLUMNS
        ),
        *(sessions_case(count, _SHORT, _ONLY_EMBEDDED) for count in _SESSIONS),
        *(grants_case(count, "broad", _SHORT, _ONLY_EMBEDDED) for count in _GRANTS),
    ),
    comparisons=(),
    series=(
        Series("rows", "wall_s", {f"rows_{count}": count for count in _ROWS}),
        Series("columns", "wall_s", {f"columns_{count}": count for count in _COLUMNS}),
        Series("sessions", "wall_s", {f"sessions_{count}": count for count in _SESSIONS}),
        Series("grants", "wall_s", {f"grants_{count}": count for count in _GRANTS}),
    ),
)
