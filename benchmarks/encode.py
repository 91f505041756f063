"""Codec microbenchmark: TPC-H lineitem through the encoders of rows and of COPY.

Beside it the plain DuckDB → Arrow scan.

Run: python -m benchmarks.encode [scale factor]. Prints, for the compiled kernel and for the pyarrow path, CPU
seconds per million rows (best and worst of three), MB/s, and the time that a result of one row takes.
"""

import importlib.util
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from pgwire.copy import CopyBinaryEncoder, CopyCsvEncoder, CopyTextEncoder
from pgwire.rows import KERNEL, EncodedRows, RowEncoder
from pgwire.types import ResultColumn, result_column

REPEATS = 3
ONE_ROW_CALLS = 500
PATHS = ("cython", "pyarrow") if KERNEL == "cython" else ("pyarrow",)
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


class Encoder(Protocol):
    """What `RowEncoder` and COPY's encoders have in common."""

    def encode(self, batch: pa.RecordBatch) -> EncodedRows:
        """Encode all rows of a batch."""
        ...


ENCODERS: Mapping[str, Callable[[list[ResultColumn], bool], Encoder]] = {
    "text": lambda columns, pure: RowEncoder(columns, [0], pure=pure),
    "binary": lambda columns, pure: RowEncoder(columns, [1], pure=pure),
    "COPY text": lambda columns, pure: CopyTextEncoder(columns, pure=pure),
    "COPY csv": lambda columns, pure: CopyCsvEncoder(columns, pure=pure),
    "COPY binary": lambda columns, pure: CopyBinaryEncoder(columns, pure=pure),
}


def encode_all(encoder: Encoder, batches: Iterable[pa.RecordBatch]) -> int:
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
            for path in PATHS:
                print_paths(path, columns, batches)
    print_one_row(connection)


def print_paths(path: str, columns: list[ResultColumn], batches: list[pa.RecordBatch]) -> None:
    """Print what one path takes for these rows, in every format."""
    million = sum(batch.num_rows for batch in batches) / 1e6
    for name, make in ENCODERS.items():
        encoder = make(columns, path == "pyarrow")
        size = encode_all(encoder, batches)
        best, worst = best_cpu_s(lambda encoder=encoder: encode_all(encoder, batches))
        print(f"  {path:8} {name:11} {best / million:.3f}..{worst / million:.3f} s/M rows", end=" ")
        print(f"{size / best / 1e6:.0f} MB/s ({size / million / 1e6:.0f} B a row)")


def print_one_row(connection: duckdb.DuckDBPyConnection) -> None:
    """Print the time for one row of four columns, with an encoder that has seen its schema and a new one."""
    query = "SELECT l_orderkey, l_shipmode, l_discount, l_shipdate FROM lineitem LIMIT 1"
    columns, (batch,) = read_batches(connection, query, 1)
    for path in PATHS:
        is_pure = path == "pyarrow"
        encoder = RowEncoder(columns, pure=is_pure)
        known_s, _ = best_cpu_s(lambda encoder=encoder: [encoder.encode(batch) for _ in range(ONE_ROW_CALLS)])
        new_s, _ = best_cpu_s(
            lambda is_pure=is_pure: [
                RowEncoder(columns, pure=is_pure).encode(batch) for _ in range(ONE_ROW_CALLS)
            ]
        )
        per_call = [f"{seconds / ONE_ROW_CALLS * 1e6:.1f} µs" for seconds in (known_s, new_s)]
        print(f"one row of four columns, {path}: {per_call[0]}; with a new encoder {per_call[1]}")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]))
