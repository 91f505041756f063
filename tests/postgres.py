"""A throwaway PostgreSQL 15 for tests that compare with the real thing.

`start_postgres` runs one on a new cluster in a directory of its own (unix socket there, 127.0.0.1 on a free
port, trust authentication, C.UTF-8) and gives the DSN. As root the server runs as the system user `postgres`,
since PostgreSQL refuses root.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from demo.ports import free_port

_BINARIES = Path("/usr/lib/postgresql/15/bin")


def find_binary(name: str) -> str | None:
    """Give the path of one of PostgreSQL's programs, or None where PostgreSQL is not installed."""
    path = _BINARIES / name
    return str(path) if path.exists() else shutil.which(name)


def start_postgres(directory: Path) -> str:
    """Create and start a cluster and give its DSN (superuser `postgres`, TCP). Stop it with `stop_postgres`.

    The cluster is in a folder of its own under /tmp, to which `directory/cluster` is a link: pytest makes its
    own folders private to root again whenever another run begins.

    Raises:
        subprocess.CalledProcessError: initdb or the start failed; see `directory/cluster/server.log`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    cluster = Path(tempfile.mkdtemp(prefix="pgproxy-postgres-", dir="/tmp"))
    (directory / "cluster").symlink_to(cluster)
    if os.geteuid() == 0:
        shutil.chown(cluster, "postgres", "postgres")
    data = str(cluster / "data")
    _run_program("cp", "-a", str(_initialised()), data)
    port = free_port()
    options = (
        f"-p {port} -k {cluster} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=210"
        " -c synchronous_commit=off -c full_page_writes=off -c timezone=UTC"
    )
    _run("pg_ctl", "-D", data, "-l", str(cluster / "server.log"), "-w", "-o", options, "start")
    return f"host=127.0.0.1 port={port} user=postgres dbname=postgres"


def stop_postgres(directory: Path) -> None:
    """Stop the cluster that `start_postgres(directory)` started, and remove it."""
    cluster = (directory / "cluster").resolve()
    _run("pg_ctl", "-D", str(cluster / "data"), "-m", "immediate", "stop")
    shutil.rmtree(cluster, ignore_errors=True)
    (directory / "cluster").unlink()


def kill_postgres(directory: Path) -> None:
    """Stop the cluster as kill -9 would: nothing is flushed; `restart_postgres` recovers it."""
    _run("pg_ctl", "-D", str((directory / "cluster").resolve() / "data"), "-m", "immediate", "stop")


def restart_postgres(directory: Path) -> None:
    """Start a cluster that was killed, on the same port."""
    cluster = (directory / "cluster").resolve()
    _run("pg_ctl", "-D", str(cluster / "data"), "-l", str(cluster / "server.log"), "-w", "restart")


@contextmanager
def running_postgres(directory: Path) -> Iterator[str]:
    """Give the DSN of a cluster that lives as long as the block."""
    dsn = start_postgres(directory)
    try:
        yield dsn
    finally:
        stop_postgres(directory)


@cache
def _initialised() -> Path:
    """A cluster that nobody starts, copied by all that do: initdb takes several times as long as a copy."""
    folder = Path(tempfile.mkdtemp(prefix="pgproxy-initdb-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = str(folder / "data")
    _run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
    return Path(data)


def _run(program: str, *arguments: str) -> None:
    path = find_binary(program)
    if path is None:
        raise FileNotFoundError(program)
    _run_program(path, *arguments)


def _run_program(path: str, *arguments: str) -> None:
    command = [path, *arguments]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
    # The server inherits our pipes, so its output goes to the log file and ours is thrown away.
    subprocess.run(command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
