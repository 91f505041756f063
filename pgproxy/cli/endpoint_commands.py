"""`pgproxy endpoint`, `pgproxy assign`, `pgproxy unassign`: which exec nodes there are and who runs where."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pgproxy.cli.metastore_access import (
    EXIT_BAD_INPUT,
    MetastoreUrl,
    read_secret,
    run_with_service,
    say_result,
)
from pgproxy.control.fleet import Assignment, Endpoint, EndpointState, Fallback
from pgproxy.control.metastore import ChangeResult
from pgproxy.control.service import Actor, ControlService
from pgproxy.policy.model import PrincipalKind

app = typer.Typer(no_args_is_help=True, help="Register, list, drain and remove exec nodes.")

EndpointName = Annotated[str, typer.Argument(metavar="NAME", help="The endpoint's name.")]
User = Annotated[str | None, typer.Option("--user", help="The user to bind.", show_default=False)]
Group = Annotated[str | None, typer.Option("--group", help="The group to bind.", show_default=False)]


@app.command("add")
def add_endpoint(
    name: EndpointName,
    url: Annotated[str, typer.Argument(metavar="URL", help="grpc://HOST:PORT, or grpcs:// for TLS.")],
    token: Annotated[
        str | None,
        typer.Option(help="The node's AGENT_TOKEN; left out or -: read from stdin.", show_default=False),
    ] = None,
    metastore: MetastoreUrl = None,
) -> None:
    """Register an exec node. A removed one of the same name comes back with the new URL and token."""
    secret = read_secret("Token") if token in (None, "-") else token
    endpoint = Endpoint(name, url, secret or "")
    result = run_with_service(metastore, lambda service, actor: service.add_endpoint(actor, endpoint))
    say_result(result, f"endpoint {name} added")


@app.command("list")
def list_endpoints(metastore: MetastoreUrl = None) -> None:
    """List endpoints and who is assigned to them."""
    state = run_with_service(metastore, lambda service, _: service.metastore.state())
    table = Table("name", "url", "state", "assigned", box=None, pad_edge=False)
    for endpoint in sorted(state.endpoints.values(), key=lambda e: e.name):
        bound = (a for _, a in sorted(state.assignments.items()) if a.endpoint == endpoint.name)
        assigned = ", ".join(f"{a.principal} ({a.fallback.value})" for a in bound)
        table.add_row(endpoint.name, endpoint.url, endpoint.state.value, assigned)
    Console(soft_wrap=True, markup=False).print(table)


@app.command("drain")
def drain_endpoint(name: EndpointName, metastore: MetastoreUrl = None) -> None:
    """Let NAME finish what it runs and give it nothing new."""
    _set_state(metastore, name, EndpointState.DRAINING, "drains")


@app.command("activate")
def activate_endpoint(name: EndpointName, metastore: MetastoreUrl = None) -> None:
    """Use NAME again after a drain."""
    _set_state(metastore, name, EndpointState.ACTIVE, "is active")


@app.command("remove")
def remove_endpoint(name: EndpointName, metastore: MetastoreUrl = None) -> None:
    """Retire NAME. Its assignments stay: they say whether their principals may run elsewhere."""
    _set_state(metastore, name, EndpointState.RETIRED, "removed")


@app.command("token")
def rotate_token(name: EndpointName, metastore: MetastoreUrl = None) -> None:
    """Give NAME another token, read from the terminal or stdin."""
    secret = read_secret("Token")
    result = run_with_service(
        metastore, lambda service, actor: service.set_endpoint_token(actor, name, secret)
    )
    say_result(result, f"endpoint {name} has a new token")


def assign(  # noqa: PLR0913, PLR0917  # one parameter an option is how typer reads a command
    endpoint: Annotated[str, typer.Option("--endpoint", help="The endpoint's name.")],
    user: User = None,
    group: Group = None,
    fallback: Annotated[
        Fallback, typer.Option(help="May statements run elsewhere while the endpoint is ill?")
    ] = Fallback.DISABLED,
    priority: Annotated[int, typer.Option(help="Lower is tried first.")] = 100,
    metastore: MetastoreUrl = None,
) -> None:
    """Bind a user or a group to an endpoint."""
    principal, kind = _one_principal(user, group)
    assignment = Assignment(principal, endpoint, priority, fallback)
    result = run_with_service(metastore, lambda service, actor: service.assign(actor, assignment, kind))
    say_result(result, f"{principal} runs on {endpoint}, fallback {fallback.value}")


def unassign(
    endpoint: Annotated[str, typer.Option("--endpoint", help="The endpoint's name.")],
    user: User = None,
    group: Group = None,
    metastore: MetastoreUrl = None,
) -> None:
    """Undo an assignment."""
    principal, _ = _one_principal(user, group)
    result = run_with_service(metastore, lambda service, actor: service.unassign(actor, principal, endpoint))
    say_result(result, f"{principal} is no longer assigned to {endpoint}")


def _set_state(metastore: str | None, name: str, to: EndpointState, done: str) -> None:
    async def change(service: ControlService, actor: Actor) -> ChangeResult:
        return await service.set_endpoint_state(actor, name, to)

    say_result(run_with_service(metastore, change), f"endpoint {name} {done}")


def _one_principal(user: str | None, group: str | None) -> tuple[str, PrincipalKind]:
    if user is not None and group is None:
        return user, PrincipalKind.USER
    if group is not None and user is None:
        return group, PrincipalKind.GROUP
    typer.echo("pgproxy: give one of --user and --group", err=True)
    raise typer.Exit(EXIT_BAD_INPUT)
