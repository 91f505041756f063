"""DuckDB in this process: no wire, no rows as text. The limit that no server on it can pass."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from benchmarks.data import DataSet
from benchmarks.targets.base import RunningTarget, Target, Workbench


@contextmanager
def _start(_: Workbench, data: DataSet) -> Iterator[RunningTarget]:
    yield RunningTarget(
        name=IN_PROCESS.name,
        version=f"DuckDB {duckdb.__version__}",
        data=data,
        address=None,
        roles={"engine": [os.getpid()]},
    )


IN_PROCESS = Target("duckdb", "DuckDB in process (Arrow batches)", _start)
