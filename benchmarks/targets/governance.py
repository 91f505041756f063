"""The planner and the engine in this process, without a wire: what policy costs, and nothing else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import duckdb

from benchmarks.data import DataSet
from benchmarks.targets.base import RunningTarget, Target, Workbench
from execnode.runtime import settle_imports


@contextmanager
def _start(name: str, _: Workbench, data: DataSet) -> Iterator[RunningTarget]:
    settle_imports()  # as the gateway does
    yield RunningTarget(
        name=name,
        version=f"DuckDB {duckdb.__version__}",
        data=data,
        address=None,
        roles={"engine": [os.getpid()]},
    )


def _target(name: str, title: str) -> Target:
    return Target(name, title, partial(_start, name))


PLANNER = _target("planner", "plan_statement in this process")
GOVERNED_SQL = _target("governed", "what an analyst's statement becomes, in DuckDB")
BY_HAND = _target("by_hand", "the filter written by hand, planned for an administrator, in DuckDB")
