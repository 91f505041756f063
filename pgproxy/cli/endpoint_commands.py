"""`pgproxy endpoint`, `pgproxy assign`, `pgproxy unassign`: which exec nodes there are and who runs where."""

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.table import Table

from pgproxy.cli.metastore_access import (
    EXIT_BAD_INPUT,
    MetastoreUrl,
    duration_option,
    print_table,
    read_secret,
    reported_failures,
    run_with_service,
    say_result,
)
from pgproxy.control.fleet import (
    Assignment,
    Endpoint,
    EndpointState,
    Fallback,
    matches,
    parse_selector,
    selector_text,
)
from pgproxy.control.metastore import ChangeResult
from pgproxy.control.service import Actor, ControlService
from pgproxy.policy.model import PrincipalKind
from pgproxy.settings import GatewaySettings

app = typer.Typer(no_args_is_help=True, help="Register, list, drain and remove exec nodes.")

EndpointName = Annotated[str, typer.Argument(metavar="NAME", help="The endpoint's name.")]
User = Annotated[str | None, typer.Option("--user", help="The user to bind.", show_default=False)]
Group = Annotated[str | None, typer.Option("--group", help="The group to bind.", show_default=False)]

Target = Annotated[str | None, typer.Option("--endpoint", help="The endpoint's name.", show_default=False)]
Pool = Annotated[
    str | None,
    typer.Option(
        "--pool", metavar="KEY=VALUE,…", help="Every endpoint with these labels.", show_default=False
    ),
]


@app.command("add")
def add_endpoint(  # noqa: PLR0913, PLR0917  # one parameter an option is how typer reads a command
    name: EndpointName,
    url: Annotated[str, typer.Argument(metavar="URL", help="grpc://HOST:PORT, or grpcs:// for TLS.")],
    token: Annotated[
        str | None,
        typer.Option(help="The node's AGENT_TOKEN; left out or -: read from stdin.", show_default=False),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY=VALUE", help="What pools select by; repeatable."),
    ] = None,
    size: Annotated[str, typer.Option(help="A word such as `large`; also the label `size`.")] = "",
    capacity: Annotated[
        int, typer.Option(min=0, help="Statements it runs well at once; 0: what the node says.")
    ] = 0,
    metastore: MetastoreUrl = None,
) -> None:
    """Register an exec node. A removed one of the same name comes back with the new URL and token."""
    labels = _labels(label or [])
    secret = read_secret("Token") if token in (None, "-") else token
    endpoint = Endpoint(name, url, secret or "", EndpointState.REGISTERED, labels, size, capacity)
    result = run_with_service(metastore, lambda service, actor: service.add_endpoint(actor, endpoint))
    say_result(result, f"endpoint {name} added")


@app.command("list")
def list_endpoints(metastore: MetastoreUrl = None) -> None:
    """List endpoints and who is assigned to them."""
    state = run_with_service(metastore, lambda service, _: service.metastore.state())
    table = Table("name", "url", "state", "labels", "capacity", "assigned", box=None, pad_edge=False)
    for endpoint in sorted(state.endpoints.values(), key=lambda e: e.name):
        labels = endpoint.all_labels
        assigned = ", ".join(
            f"{a.principal} ({a.fallback.value})"
            for _, a in sorted(state.assignments.items())
            if (endpoint.name == a.endpoint if a.selector is None else matches(labels, a.selector))
        )
        capacity = str(endpoint.capacity or "")
        table.add_row(
            endpoint.name, endpoint.url, endpoint.state.value, selector_text(labels), capacity, assigned
        )
    print_table(table)


@app.command("drain")
def drain_endpoint(
    name: EndpointName,
    timeout: Annotated[
        str, typer.Option(help="How long statements, sessions and cursors on it may take to end.")
    ] = "30s",
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave it DRAINING: wait for nothing, retire nothing.")
    ] = False,
    metastore: MetastoreUrl = None,
) -> None:
    """Move new work away from NAME, wait for what is on it, then retire it."""
    with reported_failures():
        timeout_s = duration_option("--timeout", timeout)

    from pgproxy.engines.remote import remote_engine  # the other commands need no engine
    from pgproxy.routing.draining import wait_drained

    async def drain(service: ControlService, actor: Actor) -> ChangeResult:
        result = await service.set_endpoint_state(actor, name, EndpointState.DRAINING)
        if keep:
            return result
        typer.echo(f"endpoint {name} drains (epoch {result.epoch})")
        endpoint = (await service.metastore.state()).endpoints[name]
        settings = GatewaySettings.load()
        ending = await wait_drained(lambda: remote_engine(endpoint, settings.node_tls), timeout_s)
        typer.echo(ending.value)
        return await service.set_endpoint_state(actor, name, EndpointState.RETIRED)

    say_result(run_with_service(metastore, drain), f"endpoint {name} {'drains' if keep else 'retired'}")


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
    endpoint: Target = None,
    pool: Pool = None,
    user: User = None,
    group: Group = None,
    fallback: Annotated[
        Fallback, typer.Option(help="May statements run elsewhere while the endpoint is ill?")
    ] = Fallback.DISABLED,
    priority: Annotated[int, typer.Option(help="Lower is tried first.")] = 100,
    weight: Annotated[int, typer.Option(min=1, help="Share of the work among equal priorities.")] = 1,
    shadow: Annotated[
        int,
        typer.Option(
            min=0, max=100, metavar="PERCENT", help="Move nobody: run that share there, too, and compare."
        ),
    ] = 0,
    metastore: MetastoreUrl = None,
) -> None:
    """Bind a user or a group to an endpoint or to a pool."""
    principal, kind = _one_principal(user, group)
    target = _one_target(endpoint, pool)
    assignment = Assignment(principal, target, priority, fallback, weight, shadow)
    result = run_with_service(metastore, lambda service, actor: service.assign(actor, assignment, kind))
    how = f"is shadowed on {target}, {shadow} %" if shadow else f"runs on {target}, fallback {fallback.value}"
    say_result(result, f"{principal} {how}")


def unassign(
    endpoint: Target = None,
    pool: Pool = None,
    user: User = None,
    group: Group = None,
    metastore: MetastoreUrl = None,
) -> None:
    """Undo an assignment."""
    principal, _ = _one_principal(user, group)
    target = _one_target(endpoint, pool)
    result = run_with_service(metastore, lambda service, actor: service.unassign(actor, principal, target))
    say_result(result, f"{principal} is no longer assigned to {target}")


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


def _one_target(endpoint: str | None, pool: str | None) -> str:
    if pool is not None and endpoint is None:
        return selector_text(_labels([pool]))
    if endpoint is not None and pool is None:
        return endpoint
    typer.echo("pgproxy: give one of --endpoint and --pool", err=True)
    raise typer.Exit(EXIT_BAD_INPUT)


def _labels(given: list[str]) -> Mapping[str, str]:
    try:
        return parse_selector(",".join(given)) if given else {}
    except ValueError as error:
        typer.echo(f"pgproxy: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from None
