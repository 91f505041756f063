"""Codec microbenchmark: TPC-H lineitem through `RowEncoder`, beside the plain DuckDB → Arrow scan.

Run: python -m benchmarks.encode [scale factor]. Prints CPU seconds per million rows (best of three) and MB/s.
"""

import importlib.util
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from pgwire.rows import RowEncoder
from pgwire.types import ResultColumn, result_column

REPEATS = 3
QUERIES = {
    "lineitem, 16 columns": "SELECT * FROM lineitem",
    "two bigint columns": "SELECT l_orderkey, l_partkey FROM lineitem",
}


def load_lineitem(scale_factor: float) -> duckdb.DuckDBPyConnection:
    """Give a single-threaded engine that holds TPC-H at this scale."""
    connection = duckdb.connect(config={"threads": 1})
    package = importlib.util.find_spec("duckdb_extension_tpch")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("duckdb_extension_tpch")
    folder = Path(package.origin).parent / "extensions" / f"v{duckdb.__version__}"
    connection.execute(f"LOAD '{folder / 'tpch.duckdb_extension'}'")
    connection.execute(f"CALL dbgen(sf = {scale_factor})")
    connection.execute("SET arrow_lossless_conversion = true")
    return connection


def read_batches(
    connection: duckdb.DuckDBPyConnection, query: str, rows: int
) -> tuple[list[ResultColumn], list[pa.RecordBatch]]:
    """Run a query into batches of `rows` rows."""
    connection.execute(query)
    columns = [result_column(name, str(kind)) for name, kind, *_ in connection.description or ()]
    return columns, list(connection.to_arrow_reader(rows))


def best_cpu_s(run: Callable[[], object]) -> tuple[float, float]:
    """Give the best and the worst CPU time of a few runs."""
    times = []
    for _ in range(REPEATS):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return min(times), max(times)


def encode_all(encoder: RowEncoder, batches: Iterable[pa.RecordBatch]) -> int:
    """Encode every batch and count the bytes."""
    return sum(encoder.encode(batch).data.nbytes for batch in batches)


def main(scale_factor: float = 0.1) -> None:
    """Print the table."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Python", end=" ")
    print(f"{platform.python_version()}, pyarrow {pa.__version__}, duckdb {duckdb.__version__}")
    connection = load_lineitem(scale_factor)
    for title, query in QUERIES.items():
        for batch_rows in (2048, 8192):
            columns, batches = read_batches(connection, query, batch_rows)
            million = sum(batch.num_rows for batch in batches) / 1e6

            def scan(query: str = query, batch_rows: int = batch_rows) -> object:
                return read_batches(connection, query, batch_rows)

            scan_s, scan_worst_s = best_cpu_s(scan)
            print(
                f"{title}, batches of {batch_rows}: scan {scan_s / million:.3f}..{scan_worst_s / million:.3f}"
            )
            for name, code in (("text", 0), ("binary", 1)):
                encoder = RowEncoder(columns, [code])
                size = encode_all(encoder, batches)
                best, worst = best_cpu_s(
                    lambda encoder=encoder, batches=batches: encode_all(encoder, batches)
                )
                print(f"  {name:6} {best / million:.3f}..{worst / million:.3f} s/M rows", end=" ")
                print(f"{size / best / 1e6:.0f} MB/s ({size / million / 1e6:.0f} B a row)")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]))
