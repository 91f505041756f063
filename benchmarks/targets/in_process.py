"""DuckDB in this process: no wire, no rows as text. The limit that no server on it can pass."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import duckdb

from benchmarks.data import DataSet
from benchmarks.targets.base import RunningTarget, Target, Workbench


@contextmanager
def _start(name: str, _: Workbench, data: DataSet) -> Iterator[RunningTarget]:
    yield RunningTarget(
        name=name,
        version=f"DuckDB {duckdb.__version__}",
        data=data,
        address=None,
        roles={"engine": [os.getpid()]},
    )


def in_process_target(name: str, title: str) -> Target:
    """Give a target that the suite's probes are themselves, on the run's data."""
    return Target(name, title, partial(_start, name))


IN_PROCESS = in_process_target("duckdb", "DuckDB in process (Arrow batches)")
