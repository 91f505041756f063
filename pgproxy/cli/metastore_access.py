"""How every command reaches the metastore, and how its failures are said.

On stderr, by exit code, no traceback.
"""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from execnode.durations import parse_duration_s
from pgproxy.control.metastore import ChangeResult, MetastoreError
from pgproxy.control.opening import open_metastore
from pgproxy.control.service import Actor, ControlService
from pgproxy.control.yaml_lines import PolicyFileError
from pgproxy.settings import GatewaySettings, SettingsError
from pgwire.errors import GatewayError

if TYPE_CHECKING:
    from pgproxy.cli.live_catalog import LiveCatalog

EXIT_REFUSED = 1
EXIT_BAD_INPUT = 2
MOST_ROWS = 10**9
_SCRIPT_COLUMNS = 1000
_LONGEST_S = 100 * 365 * 86_400.0

Result = TypeVar("Result")

MetastoreUrl = Annotated[
    str | None,
    typer.Option(
        "--metastore",
        help="The metastore's URL, sqlite:///PATH or postgresql://…. Default: METASTORE_URL.",
        show_default=False,
    ),
]


def run_with_service(
    url: str | None, act: Callable[[ControlService, Actor], Awaitable[Result]], *, binds: bool = False
) -> Result:
    """Open the metastore, let `act` use it, close it. binds: against the live catalog, where there is one."""

    async def run() -> Result:
        settings = GatewaySettings.load()
        async with open_metastore(
            url or settings.metastore_url, secret_key_file=settings.secret_key_file
        ) as metastore:
            binder = (await live_catalog()).binder if binds else None
            service = ControlService(
                metastore, validate_expression=binder, scram_iterations=settings.scram_iterations
            )
            return await act(service, Actor(f"os:{_system_user()}", is_operator=True))

    with reported_failures():
        return asyncio.run(run())


async def live_catalog() -> "LiveCatalog":
    """Read what exists now, from DATABASE or from the running gateway."""
    from pgproxy.cli.live_catalog import read_live_catalog  # the other commands need no engine

    return await read_live_catalog(GatewaySettings.load())


@contextmanager
def reported_failures() -> Iterator[None]:
    """Turn what can be expected to fail into a line on stderr and an exit code: 1 refused, 2 bad input."""
    try:
        yield
    except (PolicyFileError, SettingsError) as error:
        _fail(str(error), EXIT_BAD_INPUT)
    except MetastoreError as error:
        _fail(str(error), EXIT_REFUSED)
    except GatewayError as error:
        lines = [f"{error.message} (SQLSTATE {error.sqlstate.value})"]
        lines += [
            f"{label}: {text}" for label, text in (("detail", error.detail), ("hint", error.hint)) if text
        ]
        _fail("\n".join(lines), EXIT_REFUSED)


def read_file(path: Path) -> str:
    """Read a text file; `-` is stdin."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        _fail(f"cannot read {path}: it is not UTF-8", EXIT_BAD_INPUT)
    except OSError as error:
        _fail(f"cannot read {path}: {error.strerror}", EXIT_BAD_INPUT)


def duration_option(option: str, text: str) -> float:
    """Read a duration in seconds.

    Raises:
        SettingsError: it is none, or longer than anything lasts here.
    """
    try:
        seconds = parse_duration_s(text)
    except ValueError as error:
        raise SettingsError(f"{option} {error}") from None
    if seconds > _LONGEST_S:
        raise SettingsError(f"{option} is more than 100 years")
    return seconds


def read_secret(prompt: str) -> str:
    """Ask twice at a terminal, else take the first line of stdin."""
    if sys.stdin.isatty():
        return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True))
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        _fail(f"{prompt}: nothing on stdin", EXIT_BAD_INPUT)
    return secret


def say_result(result: ChangeResult, done: str) -> None:
    """Say what was done, and the epoch that now holds."""
    typer.echo(f"{done} (epoch {result.epoch})" if result.differences else "no change")


def print_table(table: Table) -> None:
    """Print a table: as wide as it is where nobody looks at it, as the terminal elsewhere."""
    width = None if sys.stdout.isatty() else _SCRIPT_COLUMNS
    Console(soft_wrap=True, markup=False, width=width).print(table)


def _fail(text: str, code: int) -> NoReturn:
    for line in text.splitlines():
        typer.echo(f"pgproxy: {line}", err=True)
    raise typer.Exit(code)


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
