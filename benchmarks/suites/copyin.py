"""How fast rows are loaded by COPY FROM STDIN."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks.data import copyin_data
from benchmarks.raw_client import RawClient, simple_query
from benchmarks.suites.base import Case, Comparison, Metric, Probe, Suite
from benchmarks.targets.base import RunningTarget
from benchmarks.targets.gateway import Deployment, gateway_target
from benchmarks.targets.in_process import IN_PROCESS
from benchmarks.targets.postgres import POSTGRES

_EMBEDDED = gateway_target("embedded", "gateway, embedded engine, writable", Deployment(is_writable=True))
_TRUNCATE = "TRUNCATE loaded"


class WireProbe:
    """Sends a table's rows to a server, as csv or as COPY's text."""

    def __init__(self, client: RawClient, data: memoryview, options: str, rows: int) -> None:
        self._client = client
        self._data = data
        self._sql = f"COPY loaded FROM STDIN ({options})"
        self._rows = rows

    def check(self) -> Mapping[str, str]:
        self.measure()
        found = self._client.fetch_text("SELECT count(*), sum(l_orderkey), min(l_comment) FROM loaded")
        return {"rows": str(found[0][0]), "digest": repr(found)}

    def measure(self) -> Mapping[str, float]:
        self._client.run(simple_query(_TRUNCATE))
        start = time.perf_counter()
        self._client.copy_in(self._sql, self._data)
        wall_s = time.perf_counter() - start
        return {"rows_per_s": self._rows / wall_s, "bytes_per_s": len(self._data) / wall_s}


class FileProbe:
    """Has DuckDB in this process load the same bytes from a file."""

    def __init__(self, path: Path, table: str, rows: int) -> None:
        self._path = path
        self._table = table
        self._rows = rows

    def check(self) -> Mapping[str, str]:
        self.measure()
        return {}

    def measure(self) -> Mapping[str, float]:
        with duckdb.connect() as connection:
            connection.execute(self._table)
            start = time.perf_counter()
            connection.execute(f"COPY loaded FROM '{self._path}' (FORMAT csv, HEADER false)")
            wall_s = time.perf_counter() - start
        return {"rows_per_s": self._rows / wall_s, "bytes_per_s": self._path.stat().st_size / wall_s}


@contextmanager
def _open(kind: str, options: str, target: RunningTarget) -> Iterator[Probe]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        with duckdb.connect(str(target.data.path), read_only=True) as connection:
            ((rows,),) = connection.execute("SELECT count(*) FROM lineitem").fetchall()
            ((table,),) = connection.execute(
                "SELECT sql FROM duckdb_tables() WHERE table_name = 'loaded'"
            ).fetchall()
            connection.execute(f"COPY lineitem TO '{path}' (FORMAT csv, {kind}, HEADER false)")
        if target.address is None:
            yield FileProbe(path, table, rows)
        else:
            with RawClient(target.address) as client:
                yield WireProbe(client, memoryview(path.read_bytes()), options, rows)


SUITE = Suite(
    name="copyin",
    title="Loading by COPY FROM STDIN",
    about=(
        "One client sends `lineitem`'s rows, sixteen columns, into an empty table of the same columns, in "
        "one statement. DuckDB in process reads the same bytes from a file, with its own parallel csv "
        "reader: a limit, not a rival."
    ),
    metrics=(Metric("rows_per_s", "thousand rows/s", 0, 1e3), Metric("bytes_per_s", "MB/s", 0, 1e6)),
    targets=(_EMBEDDED, POSTGRES, IN_PROCESS),
    data=copyin_data,
    rows=500_000,
    quick_rows=100_000,
    cases=(
        Case("csv", "lineitem, csv", partial(_open, "DELIMITER ','", "FORMAT csv")),
        Case(
            "text",
            "lineitem, COPY's text",
            partial(_open, "DELIMITER '\t', QUOTE '', ESCAPE ''", "FORMAT text"),
            frozenset({IN_PROCESS.name}),
        ),
    ),
    comparisons=(
        Comparison("embedded", "postgres", "rows_per_s", at_least=1.0),
        Comparison("embedded", "duckdb", "rows_per_s"),
    ),
)
