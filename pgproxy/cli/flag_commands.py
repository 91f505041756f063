"""`pgproxy flags`: settings that change while gateways run, for every gateway of the metastore."""

from typing import Annotated

import typer
from rich.table import Table

from pgproxy.cli.metastore_access import (
    EXIT_BAD_INPUT,
    MetastoreUrl,
    print_table,
    run_with_service,
    say_result,
)
from pgproxy.control.flags import FLAG_PARSERS
from pgproxy.control.fleet_changes import set_flags, unset_flag

app = typer.Typer(no_args_is_help=True, help="Set, unset and list flags that hold without a restart.")

FlagName = Annotated[str, typer.Argument(metavar="NAME", help="The setting's name.")]


@app.command("set")
def set_values(
    pairs: Annotated[list[str], typer.Argument(metavar="NAME=VALUE…", help="As in the environment.")],
    metastore: MetastoreUrl = None,
) -> None:
    """Set flags for every gateway within a second; they win over the environment. No session ends."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            typer.echo("pgproxy: a flag is NAME=VALUE", err=True)
            raise typer.Exit(EXIT_BAD_INPUT)
        flag = name.strip().upper()
        if flag in values:
            typer.echo(f"pgproxy: {flag} is given twice", err=True)
            raise typer.Exit(EXIT_BAD_INPUT)
        values[flag] = value
    result = run_with_service(
        metastore, lambda service, actor: service.apply(actor, lambda state: set_flags(state, values))
    )
    say_result(result, f"set {', '.join(values)}")


@app.command("unset")
def unset_value(name: FlagName, metastore: MetastoreUrl = None) -> None:
    """Let each gateway's environment decide NAME again."""
    flag = name.upper()
    result = run_with_service(
        metastore, lambda service, actor: service.apply(actor, lambda state: unset_flag(state, flag))
    )
    say_result(result, f"unset {flag}")


@app.command("list")
def list_values(metastore: MetastoreUrl = None) -> None:
    """List every flag and what the metastore says of it; blank: each gateway's environment decides."""
    state = run_with_service(metastore, lambda service, _: service.metastore.state())
    table = Table("flag", "value", box=None, pad_edge=False)
    for name in FLAG_PARSERS:
        table.add_row(name, state.flags.get(name, ""))
    print_table(table)
