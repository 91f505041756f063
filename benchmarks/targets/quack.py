"""DuckDB's extension quack: one DuckDB asks another over HTTP. No PostgreSQL wire, no users, no policy."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from benchmarks.data import DataSet
from benchmarks.machine import ROOT
from benchmarks.processes import running_program
from benchmarks.targets.base import RunningTarget, Target, TargetUnavailable, Workbench
from demo.ports import free_port
from execnode.engine.instance import extension_path

_EXTENSIONS = ("httpfs", "quack")


@contextmanager
def _start(workbench: Workbench, data: DataSet) -> Iterator[RunningTarget]:
    try:
        paths = [extension_path(name) for name in _EXTENSIONS]
    except FileNotFoundError as error:
        raise TargetUnavailable(str(error)) from None
    port, token = free_port(), secrets.token_hex(16)
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.peers.quack_server"]
    command += [data.path, str(port), token]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with running_program(command, environment, workbench.scratch / "quack.log", "serving") as process:
        yield RunningTarget(
            name=QUACK.name,
            version=f"quack, DuckDB {duckdb.__version__}",
            data=data,
            address=None,
            roles={"server": [process.pid]},
            extensions=paths,
            ask=partial(_ask, port, token),
        )


def _ask(port: int, token: str, sql: str) -> str:
    """Give the query that has the server run `sql`, without `$$` in it, and gives its rows."""
    url = f"quack:127.0.0.1:{port}"
    return f"SELECT * FROM quack_query('{url}', $${sql}$$, token = '{token}', disable_ssl = true)"


QUACK = Target("quack", "DuckDB's quack", _start)
