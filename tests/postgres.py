"""A throwaway PostgreSQL 15 for tests that compare with the real thing.

`start_postgres` runs initdb and postgres in a directory of its own (unix socket there, 127.0.0.1 on a free
port, trust authentication, C.UTF-8) and gives the DSN. As root the server runs as the system user `postgres`,
since PostgreSQL refuses root.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BINARIES = Path("/usr/lib/postgresql/15/bin")


def find_binary(name: str) -> str | None:
    """Give the path of one of PostgreSQL's programs, or None where PostgreSQL is not installed."""
    path = _BINARIES / name
    return str(path) if path.exists() else shutil.which(name)


def start_postgres(directory: Path) -> str:
    """Create and start a cluster under `directory` and give its DSN (superuser `postgres`, TCP).

    The socket directory of the same cluster is `directory`. Stop it with `stop_postgres(directory)`.

    Raises:
        subprocess.CalledProcessError: initdb or the start failed; see `directory/server.log`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        _hand_over(directory)
    data = directory / "data"
    _run(
        "initdb",
        "-D",
        str(data),
        "-U",
        "postgres",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    )
    port = _free_port()
    options = (
        f"-p {port} -k {directory} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=50"
        " -c synchronous_commit=off -c full_page_writes=off -c timezone=UTC"
    )
    _run("pg_ctl", "-D", str(data), "-l", str(directory / "server.log"), "-w", "-o", options, "start")
    return f"host=127.0.0.1 port={port} user=postgres dbname=postgres"


def stop_postgres(directory: Path) -> None:
    """Stop the cluster that `start_postgres(directory)` started."""
    _run("pg_ctl", "-D", str(directory / "data"), "-m", "immediate", "stop")


@contextmanager
def running_postgres(directory: Path) -> Iterator[str]:
    """Give the DSN of a cluster that lives as long as the block."""
    dsn = start_postgres(directory)
    try:
        yield dsn
    finally:
        stop_postgres(directory)


def _run(program: str, *arguments: str) -> None:
    path = find_binary(program)
    if path is None:
        raise FileNotFoundError(program)
    command = [path, *arguments]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
    # The server inherits our pipes, so its output goes to the log file and ours is thrown away.
    subprocess.run(command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _hand_over(directory: Path) -> None:
    """Let the user postgres own the directory and pass through its parents (pytest makes those 0700)."""
    shutil.chown(directory, "postgres", "postgres")
    for parent in directory.parents:
        if parent.is_relative_to("/tmp") and parent != Path("/tmp") and parent.stat().st_uid == 0:
            parent.chmod(parent.stat().st_mode | 0o011)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
