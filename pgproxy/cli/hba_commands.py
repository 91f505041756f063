"""`pgproxy hba`: who may come from where, and how they must prove who they are; pg_hba.conf's own lines."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from pgproxy.cli.metastore_access import (
    EXIT_BAD_INPUT,
    MetastoreUrl,
    read_file,
    run_with_service,
    say_result,
)
from pgproxy.control.hba import HbaRule, HbaSyntaxError, first_match, parse_rules
from pgproxy.identity.default_rules import default_hba_rules
from pgproxy.identity.subjects import Subject
from pgproxy.settings import GatewaySettings

app = typer.Typer(no_args_is_help=True, help="Show, replace, check and try the hba rules.")

RulesPath = Annotated[Path, typer.Argument(metavar="FILE", help="Lines as in pg_hba.conf; - is stdin.")]


@app.command("list")
def list_rules(metastore: MetastoreUrl = None) -> None:
    """Print the rules, in order, as `set` reads them."""
    rules = run_with_service(metastore, lambda service, _: service.metastore.state()).hba_rules
    for rule in rules:
        typer.echo(str(rule))
    if not rules:
        typer.echo("# none; the settings stand for:")
        for rule in _default_rules():
            typer.echo(f"# {rule}")


@app.command("set")
def set_rules(file: RulesPath, metastore: MetastoreUrl = None) -> None:
    """Replace all rules by those of FILE, for logins from now on; an empty FILE goes back to the settings."""
    rules = _read_rules(file)
    result = run_with_service(
        metastore,
        lambda service, actor: service.apply(actor, lambda state: replace(state, hba_rules=rules)),
    )
    say_result(result, f"{len(rules)} hba rules")


@app.command("check")
def check_rules(file: RulesPath) -> None:
    """Check FILE by itself."""
    typer.echo(f"{file}: {len(_read_rules(file))} rules")


@app.command("match")
def match_rule(
    user: Annotated[str, typer.Option("--user")],
    address: Annotated[str, typer.Option("--address", help="The client's IP address.")],
    database: Annotated[str | None, typer.Option("--database", help="The default one if left out.")] = None,
    tls: Annotated[bool, typer.Option("--tls", help="The connection is encrypted.")] = False,
    metastore: MetastoreUrl = None,
) -> None:
    """Say which rule decides about a client."""
    try:
        ip_address(address)
    except ValueError:
        typer.echo("pgproxy: --address is no IP address", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from None
    state = run_with_service(metastore, lambda service, _: service.metastore.state())
    subject = Subject.of(state, user)
    caller = subject.caller(database or GatewaySettings.load().catalog_name, address, is_tls=tls)
    rule = first_match(state.hba_rules or _default_rules(), caller)
    typer.echo("no rule: rejected" if rule is None else str(rule))


def _default_rules() -> tuple[HbaRule, ...]:
    return default_hba_rules(GatewaySettings.load().client_cert_auth)


def _read_rules(file: Path) -> tuple[HbaRule, ...]:
    try:
        return parse_rules(read_file(file))
    except HbaSyntaxError as error:
        typer.echo(f"pgproxy: {file}: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from None
