"""PgBouncer before a PostgreSQL of its own: what a proxy costs that looks at no statement."""

import os
import pwd
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.data import DataSet
from benchmarks.processes import running_program
from benchmarks.raw_client import RawClient
from benchmarks.targets.base import RunningTarget, Target, TargetUnavailable, Workbench
from benchmarks.targets.postgres import POSTGRES
from demo.ports import free_port

_SETTINGS = """[databases]
* = host=127.0.0.1 port={server_port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = session
max_client_conn = 200
default_pool_size = 100
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def _start(workbench: Workbench, data: DataSet) -> Iterator[RunningTarget]:
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        raise TargetUnavailable("PgBouncer is not installed")
    folder = workbench.scratch / "pgbouncer"
    folder.mkdir()
    folder.chmod(0o755)
    with POSTGRES.start(Workbench(workbench.cache, folder), data) as server:
        if server.address is None:
            raise TargetUnavailable("PostgreSQL has no address")
        port = free_port()
        settings = folder / "pgbouncer.ini"
        settings.write_text(_SETTINGS.format(server_port=server.address.port, port=port))
        command: list[str | Path] = [program, *_as_user(), settings]
        with running_program(command, os.environ, folder / "pgbouncer.log", "process up") as process:
            address = replace(server.address, port=port)
            with RawClient(address) as client:
                client.fetch_text("SELECT 1")
            log = (folder / "pgbouncer.log").read_text()
            version = re.search(r"PgBouncer [\d.]+", log)
            yield RunningTarget(
                name=PGBOUNCER.name,
                version=f"{version[0] if version else 'PgBouncer'} before {server.version}",
                data=data,
                address=address,
                roles={"pgbouncer": [process.pid], **server.roles},
            )


def _as_user() -> list[str]:
    """Give the option without which it refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["-u", next((entry.pw_name for entry in pwd.getpwall() if entry.pw_name == "postgres"), "nobody")]


PGBOUNCER = Target("pgbouncer", "PgBouncer before PostgreSQL 15", _start)
