"""buenavista, a PostgreSQL-wire proxy for DuckDB in Python: pinned, in a virtualenv of its own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from benchmarks.data import DataSet
from benchmarks.processes import running_program
from benchmarks.raw_client import Address
from benchmarks.targets.base import RunningTarget, Target, Workbench
from benchmarks.targets.peer_virtualenv import install_packages
from demo.ports import free_port

VERSION = "0.5.0"
_ROWS_SHARE = 0.1  # it needs about 50 s per million
# python-dateutil: it imports it without requiring it. DuckDB is ours, so that the engine is no difference.
_PACKAGES = (
    f"buenavista=={VERSION}",
    f"duckdb=={duckdb.__version__}",
    "pyarrow==26.0.1",
    "sqlglot==30.30.0",
    "python-dateutil==2.9.0.post0",
)


@contextmanager
def _start(workbench: Workbench, data: DataSet) -> Iterator[RunningTarget]:
    python = install_packages(workbench.cache / f"buenavista-{VERSION}", _PACKAGES)
    # It opens the file to write, which would lock the others out.
    database = workbench.scratch / "buenavista.duckdb"
    shutil.copy(data.path, database)
    port = free_port()
    environment = {**os.environ, "BUENAVISTA_HOST": "127.0.0.1", "BUENAVISTA_PORT": str(port)}
    # -u: its line `Listening on` is not held back in a buffer.
    command: list[str | Path] = [python, "-u", "-m", "buenavista.examples.duckdb_postgres", database]
    log = workbench.scratch / "buenavista.log"
    with running_program(command, environment, log, "Listening on") as process:
        yield RunningTarget(
            name=BUENAVISTA.name,
            version=f"buenavista {VERSION}, DuckDB {duckdb.__version__}",
            data=data,
            address=Address(port, "bench", data.name),
            roles={"server": [process.pid]},
        )


BUENAVISTA = Target("buenavista", f"buenavista {VERSION}", _start, rows_share=_ROWS_SHARE)
