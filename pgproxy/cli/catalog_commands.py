"""`pgproxy catalog`: what data the gateway and every exec node attach."""

import sys
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
from pgproxy.control.fleet import CatalogKind, CatalogSource
from pgproxy.control.fleet_changes import add_catalog, drop_catalog

app = typer.Typer(no_args_is_help=True, help="Add, list and remove catalogs.")

CatalogName = Annotated[str, typer.Argument(metavar="NAME", help="The catalog's name, as clients see it.")]


@app.command("add")
def add_source(  # noqa: PLR0913, PLR0917  # one parameter an option is how typer reads a command
    name: CatalogName,
    kind: Annotated[CatalogKind, typer.Option(help="What it is stored as.")],
    location: Annotated[
        str,
        typer.Option(help="A DuckDB file, a directory of Parquet files, or a DuckLake's `postgres:…`."),
    ],
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Such as data_path=/lake; repeatable."),
    ] = None,
    credential: Annotated[
        list[str] | None,
        typer.Option(
            "--credential",
            metavar="NAME=VALUE",
            help="Such as password=-, where - is read from stdin; encrypted at rest; repeatable.",
        ),
    ] = None,
    writable: Annotated[
        bool, typer.Option("--writable", help="A DuckLake: every node writes to it.")
    ] = False,
    metastore: MetastoreUrl = None,
) -> None:
    """Add a catalog: the gateway attaches it, and every node before it runs its next statement."""
    credentials = {key: _secret(value) for key, value in _pairs(credential).items()}
    source = CatalogSource(name, kind, location, not writable, _pairs(option), credentials)
    result = run_with_service(
        metastore, lambda service, actor: service.apply(actor, lambda state: add_catalog(state, source))
    )
    say_result(result, f"catalog {name} added")


@app.command("remove")
def remove_source(name: CatalogName, metastore: MetastoreUrl = None) -> None:
    """Detach a catalog. Its data and the policies on it stay."""
    result = run_with_service(
        metastore, lambda service, actor: service.apply(actor, lambda state: drop_catalog(state, name))
    )
    say_result(result, f"catalog {name} removed")


@app.command("list")
def list_sources(metastore: MetastoreUrl = None) -> None:
    """List the catalogs; credentials by name only."""
    state = run_with_service(metastore, lambda service, _: service.metastore.state())
    table = Table("name", "kind", "mode", "location", "options", "credentials", box=None, pad_edge=False)
    for source in sorted(state.catalogs.values(), key=lambda c: c.name):
        options = ", ".join(f"{key}={value}" for key, value in sorted(source.options.items()))
        mode = "read_only" if source.is_read_only else "read_write"
        credentials = ", ".join(sorted(source.credentials))
        table.add_row(source.name, source.kind.value, mode, source.location, options, credentials)
    print_table(table)


def _pairs(given: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in given or ():
        name, separator, value = pair.partition("=")
        if not separator or not name:
            typer.echo("pgproxy: options and credentials are NAME=VALUE", err=True)
            raise typer.Exit(EXIT_BAD_INPUT)
        found[name] = value
    return found


def _secret(value: str) -> str:
    return sys.stdin.readline().rstrip("\r\n") if value == "-" else value
