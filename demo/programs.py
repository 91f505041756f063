"""Starting the gateway and exec nodes as a person would: as processes, with settings in the environment."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.data import create_demo_database

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "var" / "demo"
ADMIN, ADMIN_PASSWORD = "admin", "admin"
_STOP_S = 15
_WITH_PARENT = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
"""Linux: a program ends when the one that started it does, even by kill -9."""


def base_environment(folder: Path = FOLDER) -> dict[str, str]:
    """Give the settings that the gateway and the CLI share."""
    return {
        **os.environ,
        "METASTORE_URL": f"sqlite:///{folder / 'metastore.sqlite'}",
        "DATABASE": str(folder / "demo.duckdb"),
        "DATABASE_NAME": "demo",
        "BOOTSTRAP_ADMIN": ADMIN,
        "BOOTSTRAP_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "warning"),
    }


def prepare(folder: Path = FOLDER, **settings: str) -> dict[str, str]:
    """Make the data and apply the policy; give the environment to run with. settings: further variables."""
    folder.mkdir(parents=True, exist_ok=True)
    create_demo_database(folder / "demo.duckdb")
    environment = {**base_environment(folder), **settings}
    cli(environment, "policy", "apply", str(ROOT / "demo" / "policy.yaml"))
    return environment


def cli(environment: Mapping[str, str], *arguments: str) -> str:
    """Run one `pgproxy` command and give what it prints."""
    done = subprocess.run(
        [BIN / "pgproxy", *arguments], env=dict(environment), check=True, capture_output=True, text=True
    )
    return done.stdout


@contextmanager
def running(
    command: list[str],
    environment: Mapping[str, str],
    log: Path | None = None,
    *,
    prefix: Sequence[str] = (),
) -> Iterator[subprocess.Popen[str]]:
    """Start a program, wait for its `ready` line, stop it by SIGTERM at the end.

    log: takes its stderr. prefix: a program, with its arguments, that runs the command in its own place.
    """
    with ExitStack() as stack:
        process = subprocess.Popen(
            [*_WITH_PARENT, *prefix, BIN / command[0], *command[1:]],
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=stack.enter_context(log.open("a")) if log is not None else None,
            text=True,
        )
    try:
        wait_ready(process)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def wait_ready(process: subprocess.Popen[str]) -> None:
    """Wait for the line with `ready`; the program ending before it is an error."""
    if process.stdout is None:
        raise RuntimeError("the program's output is not read")
    for line in process.stdout:
        if "ready" in line:
            return
    raise RuntimeError(f"the program ended with status {process.wait()} before it was ready")
