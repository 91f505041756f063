"""The command line: `pgproxy serve`, and the administration of the control plane."""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from pgproxy.cli import (
    audit_commands,
    catalog_commands,
    doctor_command,
    endpoint_commands,
    flag_commands,
    hba_commands,
    key_commands,
    policy_commands,
    query_commands,
    rollout_commands,
    route_commands,
    user_commands,
)
from pgproxy.cli.metastore_access import reported_failures
from pgproxy.settings import GatewaySettings

app = typer.Typer(
    name="pgproxy",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A governed PostgreSQL front door for a fleet of DuckDB exec nodes.",
)
app.add_typer(policy_commands.app, name="policy")
app.add_typer(query_commands.app, name="query")
app.add_typer(endpoint_commands.app, name="endpoint")
app.add_typer(rollout_commands.app, name="rollout")
app.add_typer(catalog_commands.app, name="catalog")
app.add_typer(flag_commands.app, name="flags")
app.add_typer(route_commands.app, name="route")
app.add_typer(user_commands.app, name="user")
app.add_typer(key_commands.app, name="key")
app.add_typer(hba_commands.app, name="hba")
app.add_typer(audit_commands.app, name="audit")
app.command()(endpoint_commands.assign)
app.command()(endpoint_commands.unassign)
app.command()(doctor_command.doctor)


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
    with reported_failures():
        settings = GatewaySettings.load(config)
        from pgproxy.app import run  # the other commands need no engine: a second of imports saved

        run(settings, config)
