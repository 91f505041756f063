"""pgbench as a load: many clients that run one short statement over and over. PostgreSQL docs, "pgbench"."""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.raw_client import Address
from tests.postgres import find_binary

THREADS = 2
_WARMING_TRANSACTIONS = 20
_TPS = re.compile(r"tps = ([\d.]+) \((?:without initial connection|including reconnection) time")


@dataclass(frozen=True, slots=True)
class Load:
    """A script in pgbench's language, how its statements are sent, and by how many clients at once.

    mode: simple, extended or prepared (pgbench's -M). reconnects: a new connection for each transaction.
    """

    script: str
    mode: str
    clients: int
    reconnects: bool = False
    has_tls: bool = False


@dataclass(frozen=True, slots=True)
class Latencies:
    """What a load found. tps: transactions a second, without the time to connect; the rest in seconds."""

    tps: float
    p50_s: float
    p95_s: float
    p99_s: float


def warm_up(address: Address, load: Load) -> None:
    """Run a few statements by each client.

    Raises:
        RuntimeError: as for `run_pgbench`.
    """
    _run(address, load, f"--transactions={_WARMING_TRANSACTIONS}")


def run_pgbench(address: Address, load: Load, seconds: int) -> Latencies:
    """Run a load for so long.

    Raises:
        RuntimeError: pgbench is not installed, a statement failed, or none ended.
    """
    return _run(address, load, f"--time={seconds}")


def _run(address: Address, load: Load, until: str) -> Latencies:
    """Run a load. until: the option that says how long."""
    program = find_binary("pgbench")
    if program is None:
        raise RuntimeError("pgbench is not installed")
    with tempfile.TemporaryDirectory(prefix="pgproxy-pgbench-") as name:
        folder = Path(name)
        (folder / "script.sql").write_text(load.script)
        done = subprocess.run(
            _command(program, address, load, until, folder),
            env={
                **os.environ,
                "PGPASSWORD": address.password or "",
                "PGSSLMODE": "require" if load.has_tls else "disable",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        found = _TPS.search(done.stdout)
        if done.returncode != 0:
            raise RuntimeError(f"pgbench: {done.stderr.strip()[-300:]}")
        if found is None:  # pgbench then says nothing at all: its clients were still connecting
            raise RuntimeError("no transaction ended")
        latencies = sorted(_read_latencies(folder))
    return latencies_of(latencies, float(found[1]))


def latencies_of(ordered_s: list[float], tps: float) -> Latencies:
    """Give the percentiles of latencies in ascending order.

    Raises:
        RuntimeError: there is none.
    """
    if not ordered_s:
        raise RuntimeError("no transaction ended")
    p50_s, p95_s, p99_s = (ordered_s[len(ordered_s) * percent // 100] for percent in (50, 95, 99))
    return Latencies(tps, p50_s, p95_s, p99_s)


def _command(program: str | Path, address: Address, load: Load, until: str, folder: Path) -> list[str]:
    return [
        str(program),
        f"--host={address.host}",
        f"--port={address.port}",
        f"--username={address.user}",
        "--no-vacuum",
        f"--protocol={load.mode}",
        f"--client={load.clients}",
        f"--jobs={min(load.clients, THREADS)}",
        until,
        f"--file={folder / 'script.sql'}",
        "--log",
        f"--log-prefix={folder / 'log'}",
        *(["--connect"] if load.reconnects else []),
        address.database,
    ]


def _read_latencies(folder: Path) -> list[float]:
    """Read the logs, a file for each thread: client, transaction, latency in µs, …"""
    return [
        int(line.split(" ", 3)[2]) / 1e6
        for log in folder.glob("log*")
        for line in log.read_text().splitlines()
    ]
