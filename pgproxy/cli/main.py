"""The command line: `pgproxy serve`, and the administration of the control plane."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from execnode.runtime import uncollected
from pgproxy.cli.commands_on_demand import CommandsOnDemand

app = typer.Typer(
    name="pgproxy",
    cls=CommandsOnDemand,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A governed PostgreSQL front door for a fleet of DuckDB exec nodes.",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"pgproxy {version('pgproxy')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A governed PostgreSQL front door for a fleet of DuckDB exec nodes."""


@app.command()
def serve(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Settings as NAME=value lines, or as YAML (*.yaml). The environment wins over it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the gateway until SIGTERM."""
    with uncollected():
        from pgproxy.cli.metastore_access import reported_failures
        from pgproxy.settings import GatewaySettings
    with reported_failures():
        settings = GatewaySettings.load(config)
        with uncollected():
            from pgproxy.app import run  # the other commands need no engine
        run(settings, config)
