"""What a target is: something that serves a data set, and can be started beside the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from benchmarks.data import DataSet
from benchmarks.raw_client import Address


class TargetUnavailable(Exception):
    """The target cannot run here. The text says why, for the report."""


@dataclass(frozen=True, slots=True)
class Workbench:
    """Where targets work. cache: kept between runs. scratch: of this run, readable by other system users."""

    cache: Path
    scratch: Path


@dataclass(frozen=True, slots=True)
class RunningTarget:
    """A target that serves.

    address: None for what DuckDB in this process asks: itself, over `data`, or a server by an extension.
    roles: process ids by what they do, for CPU time and memory.
    facts: more to write down, such as the route that statements take.
    http_port: of its query API on this machine, where it has one.
    extensions: paths of what DuckDB in this process loads to ask it; ask(sql) gives what it then runs.
    """

    name: str
    version: str
    data: DataSet
    address: Address | None
    roles: Mapping[str, Sequence[int]]
    facts: Mapping[str, str] = field(default_factory=dict)
    http_port: int | None = None
    extensions: Sequence[str] = ()
    ask: Callable[[str], str] = str

    @property
    def wire_address(self) -> Address:
        """Where it speaks PostgreSQL's protocol.

        Raises:
            ValueError: it is asked in this process.
        """
        if self.address is None:
            raise ValueError("an engine in this process has no address")
        return self.address

    @contextmanager
    def open_duckdb(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the data in this process, read-only, ready to run what `ask` gives."""
        with duckdb.connect(str(self.data.path), read_only=True) as connection:
            for path in self.extensions:
                connection.execute(f"LOAD '{path}'")
            yield connection


@dataclass(frozen=True, slots=True)
class Target:
    """A system to measure. start(workbench, data) serves until the context ends.

    rows_share: the part of the run's rows that it is given, where all would take too long.
    Starting raises TargetUnavailable if the system cannot be had here.
    """

    name: str
    title: str
    start: Callable[[Workbench, DataSet], AbstractContextManager[RunningTarget]]
    rows_share: float = 1.0
