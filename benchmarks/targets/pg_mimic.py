"""pg_mimic, a PostgreSQL server in Python, over DuckDB: pinned, in a virtualenv of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from benchmarks.data import DataSet
from benchmarks.machine import ROOT
from benchmarks.processes import running_program
from benchmarks.raw_client import Address
from benchmarks.targets.base import RunningTarget, Target, Workbench
from benchmarks.targets.peer_virtualenv import install_packages
from demo.ports import free_port

VERSION = "0.1.3"
_ROWS_SHARE = 0.1  # rows are made one at a time
# DuckDB is ours, so that the engine is no difference.
_PACKAGES = (f"pg-mimic=={VERSION}", f"duckdb=={duckdb.__version__}", "sqlglot==30.30.0")
_SERVER = ROOT / "benchmarks" / "peers" / "pg_mimic_server.py"


@contextmanager
def _start(workbench: Workbench, data: DataSet) -> Iterator[RunningTarget]:
    python = install_packages(workbench.cache / f"pg-mimic-{VERSION}", _PACKAGES)
    port = free_port()
    command: list[str | Path] = [python, "-u", _SERVER, data.path, str(port)]
    with running_program(command, os.environ, workbench.scratch / "pg_mimic.log", "serving") as process:
        yield RunningTarget(
            name=PG_MIMIC.name,
            version=f"pg_mimic {VERSION}, DuckDB {duckdb.__version__}",
            data=data,
            address=Address(port, "bench", data.name),
            roles={"server": [process.pid]},
        )


PG_MIMIC = Target("pg_mimic", f"pg_mimic {VERSION}", _start, rows_share=_ROWS_SHARE)
