"""How fast a large result streams: one client reads a whole table over the wire."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import duckdb

from benchmarks.data import LINEITEM_ROWS, stream_data
from benchmarks.processes import Usage
from benchmarks.raw_client import RawClient, extended_query, simple_query
from benchmarks.suites.base import Case, Comparison, Limit, Metric, Probe, Suite
from benchmarks.targets.base import RunningTarget
from benchmarks.targets.buenavista import BUENAVISTA
from benchmarks.targets.gateway import EMBEDDED, REMOTE, REMOTE_2
from benchmarks.targets.in_process import IN_PROCESS
from benchmarks.targets.pg_mimic import PG_MIMIC
from benchmarks.targets.postgres import POSTGRES
from benchmarks.targets.quack import QUACK

_BATCH_ROWS = 8192


class WireProbe:
    """Streams a statement's answer from a server."""

    def __init__(self, client: RawClient, statement: bytes, bytes_per_s: float | None = None) -> None:
        self._client = client
        self._statement = statement
        self._bytes_per_s = bytes_per_s

    def check(self) -> Mapping[str, str]:
        answer = self._client.run(self._statement, hashed=True)
        return {"rows": str(answer.rows), "bytes": str(answer.data_bytes), "digest": str(answer.digest)}

    def measure(self) -> Mapping[str, float]:
        answer = self._client.run(self._statement, bytes_per_s=self._bytes_per_s)
        return {
            "rows_per_s": answer.rows / answer.wall_s,
            "bytes_per_s": answer.data_bytes / answer.wall_s,
            "first_row_s": answer.first_row_s,
            "wall_s": answer.wall_s,
        }


class InProcessProbe:
    """Streams a query's Arrow batches by DuckDB in this process: its own, or a server's by quack."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, sql: str) -> None:
        self._connection = connection
        self._sql = sql

    def check(self) -> Mapping[str, str]:
        self.measure()
        return {}

    def measure(self) -> Mapping[str, float]:
        start = time.perf_counter()
        self._connection.execute(self._sql)
        rows, first_row_s = 0, 0.0
        for batch in self._connection.to_arrow_reader(_BATCH_ROWS):
            first_row_s = first_row_s or time.perf_counter() - start
            rows += batch.num_rows
        wall_s = time.perf_counter() - start
        return {"rows_per_s": rows / wall_s, "first_row_s": first_row_s, "wall_s": wall_s}


def _derived(values: Mapping[str, float], usage: Usage) -> Mapping[str, float]:
    """The gateway's CPU time for each GB (10⁹ bytes) that it sent, and the peak of the largest process."""
    found = {"peak_mib": max(usage.peak_mib.values(), default=0.0)}
    sent_bytes = values.get("bytes_per_s", 0.0) * values["wall_s"]
    if "gateway" in usage.cpu_s and sent_bytes:
        found["gateway_cpu_s_per_gb"] = usage.cpu_s["gateway"] / sent_bytes * 1e9
    return found


@contextmanager
def open_stream(sql: str, statement: bytes, target: RunningTarget) -> Iterator[Probe]:
    """Give the probe of one statement: its answer from a server, or the batches in this process."""
    if target.address is None:
        with target.open_duckdb() as connection:
            yield InProcessProbe(connection, target.ask(sql))
    else:
        with RawClient(target.address) as client:
            yield WireProbe(client, statement)


@contextmanager
def _open_slow(statement: bytes, target: RunningTarget) -> Iterator[Probe]:
    with RawClient(target.wire_address) as client:
        yield WireProbe(client, statement, _SLOW_BYTES_PER_S)


def _slow_case() -> Case:
    """Ten times all rows to a client that reads slower than the gateway could send."""
    sql = f"{_TWO_BIGINTS}, generate_series(1, 10) AS copies"
    return Case(_SLOW, _SLOW_TITLE, partial(_open_slow, extended_query(sql, 1)), _ONLY_GATEWAYS)


def _text_case(key: str, title: str, sql: str, not_on: frozenset[str] = frozenset()) -> Case:
    return Case(key, title, partial(open_stream, sql, simple_query(sql)), not_on)


def _binary_case(key: str, title: str, sql: str, not_on: frozenset[str] = frozenset()) -> Case:
    return Case(key, title, partial(open_stream, sql, extended_query(sql, 1)), not_on)


def _copy_case(key: str, title: str, options: str) -> Case:
    """COPY TO STDOUT; in process there is none, and the table's batches stand beside it."""
    statement = simple_query(f"COPY lineitem TO STDOUT ({options})")
    return Case(key, title, partial(open_stream, "SELECT * FROM lineitem", statement), _WITHOUT_COPY)


def _scale_case(times: int) -> Case:
    """The two columns so many times over, to a client that keeps nothing."""
    sql = f"{_TWO_BIGINTS}, generate_series(1, {times}) AS copies"
    key, title = f"scale_{times}", f"two bigint columns, binary, {times} times all rows"
    return Case(key, title, partial(open_stream, sql, extended_query(sql, 1)), _ONLY_SERVERS)


_WITHOUT_COPY = frozenset({BUENAVISTA.name, PG_MIMIC.name, QUACK.name})
_WITHOUT_ARRAYS = frozenset({BUENAVISTA.name})
_COPY_BINARY = "lineitem, COPY in binary"
_LINEITEM = "lineitem, 16 columns, text"
_TWO_BIGINTS = "SELECT l_orderkey, l_partkey FROM lineitem"
_BIGINTS_BINARY = "two bigint columns, binary"
_ONLY_SERVERS = frozenset({BUENAVISTA.name, PG_MIMIC.name, QUACK.name, IN_PROCESS.name})
_ONLY_GATEWAYS = _ONLY_SERVERS | {POSTGRES.name, REMOTE_2.name}
_SLOW, _SLOW_TITLE, _IDLE = "slow", "two bigint columns, binary, 10 times all rows, read at 50 MB/s", "idle"
_SLOW_BYTES_PER_S = 50e6
_SLOW_GROWTH_MIB = 150.0
_FIRST_ROW_S = {EMBEDDED.name: 0.005, REMOTE.name: 0.010}
"""Above DuckDB's own first batch."""
_SCALE = 50
_MEMORY_GROWTH_MIB = 100.0

SUITE = Suite(
    name="stream",
    title="Streaming a large result",
    about=(
        "One client reads a whole table and throws the bytes away. `lineitem` is TPC-H's, `wide` has four "
        "texts of some 380 bytes in a row. MB/s counts DataRow messages, 10⁶ bytes each MB. The first "
        "row's time runs from sending the statement. DuckDB in process makes Arrow batches and no wire "
        "rows: a limit, not a rival; quack's client makes such batches of its server's answer. buenavista "
        "and pg_mimic read a tenth of the rows, for their speed; "
        "their ratios are of rows per second."
    ),
    metrics=(
        Metric("rows_per_s", "thousand rows/s", 0, 1e3),
        Metric("bytes_per_s", "MB/s", 0, 1e6),
        Metric("first_row_s", "first row ms", 1, 1e-3),
        Metric("wall_s", "seconds", 2),
        Metric("gateway_cpu_s_per_gb", "gateway CPU s/GB", 2),
        Metric("peak_mib", "largest process MiB"),
    ),
    targets=(EMBEDDED, REMOTE, REMOTE_2, POSTGRES, BUENAVISTA, PG_MIMIC, QUACK, IN_PROCESS),
    data=stream_data,
    rows=LINEITEM_ROWS,
    quick_rows=200_000,
    cases=(
        # First, of gateways that were just started: DuckDB keeps in memory what other cases read of the file.
        _text_case(_IDLE, "one row", "SELECT 1 AS one", _ONLY_GATEWAYS),
        _slow_case(),
        _text_case("lineitem_text", _LINEITEM, "SELECT * FROM lineitem"),
        _text_case("bigint_text", "two bigint columns, text", _TWO_BIGINTS),
        _binary_case("bigint_binary", _BIGINTS_BINARY, _TWO_BIGINTS),
        _binary_case("lineitem_binary", "lineitem, 16 columns, binary", "SELECT * FROM lineitem"),
        _copy_case("copy_csv", "lineitem, COPY in csv", "FORMAT csv"),
        _copy_case("copy_binary", _COPY_BINARY, "FORMAT binary"),
        _text_case("wide_text", "wide, four texts of 380 bytes", "SELECT * FROM wide"),
        _text_case("nested_text", "nested, two arrays, text", "SELECT * FROM nested", _WITHOUT_ARRAYS),
        _binary_case("nested_binary", "nested, two arrays, binary", "SELECT * FROM nested", _WITHOUT_ARRAYS),
        _text_case("sparse_text", "sparse, nine of ten cells NULL, text", "SELECT * FROM sparse"),
        _scale_case(1),
        _scale_case(_SCALE),
    ),
    comparisons=(
        Comparison(
            "embedded",
            "postgres",
            "rows_per_s",
            aims={_LINEITEM: 1.8, _BIGINTS_BINARY: 4.0, _COPY_BINARY: 1.5},
        ),
        Comparison("remote", "postgres", "rows_per_s", at_least=1.0, aim_case=_LINEITEM),
        Comparison("remote2", "postgres", "rows_per_s"),
        Comparison("embedded", "buenavista", "rows_per_s", at_least=60.0, aim_case=_LINEITEM),
        Comparison("embedded", "pg_mimic", "rows_per_s", at_least=60.0, aim_case=_LINEITEM),
        Comparison("embedded", "quack", "rows_per_s"),
        Comparison("embedded", "duckdb", "rows_per_s"),
        Comparison("remote", "embedded", "rows_per_s"),
        Comparison("postgres", "embedded", "first_row_s"),
        Comparison("postgres", "remote", "first_row_s"),
    ),
    limits=(
        Limit("remote", "gateway_cpu_s_per_gb", "lineitem_text", at_most=1.5),
        *(
            Limit(target, "peak_mib", f"scale_{_SCALE}", at_most=_MEMORY_GROWTH_MIB, less="scale_1")
            for target in (EMBEDDED.name, REMOTE.name)
        ),
        *(
            Limit(target, "first_row_s", case, at_most=at_most, less_target=IN_PROCESS.name)
            for case in ("lineitem_text", "bigint_binary")
            for target, at_most in _FIRST_ROW_S.items()
        ),
        *(
            Limit(target, "peak_mib", _SLOW, at_most=_SLOW_GROWTH_MIB, less=_IDLE)
            for target in (EMBEDDED.name, REMOTE.name)
        ),
    ),
    derive=_derived,
)
