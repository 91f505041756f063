"""`pgproxy route`: where a user's statements go, and why."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

from pgproxy.cli.metastore_access import MetastoreUrl, run_with_service
from pgproxy.control.changes import user_named
from pgproxy.control.flags import CurrentFlags
from pgproxy.control.fleet import Endpoint, EndpointState
from pgproxy.control.rollouts import effective_rollout
from pgproxy.control.service import Actor, ControlService
from pgproxy.engines.node_tls import NodeTls
from pgproxy.policy.effective import transitive_groups
from pgproxy.routing.explain import explain_route
from pgproxy.routing.resolve import EndpointStatus, RoutingFlags
from pgproxy.settings import GatewaySettings

app = typer.Typer(no_args_is_help=True, help="Tell where statements run, and why.")


@app.callback()
def _root() -> None:
    """Tell where statements run, and why."""


@app.command("explain")
def explain(
    user: Annotated[str, typer.Option("--user", help="Whose statements.")],
    metastore: MetastoreUrl = None,
) -> None:
    """Show what decides where USER's reads run. The endpoints are asked now, as a gateway's probe does."""

    async def lines(service: ControlService, _: Actor) -> list[str]:
        settings = GatewaySettings.load()
        state = await service.metastore.state()
        principal = user_named(state, user)
        flags = RoutingFlags.of(
            CurrentFlags(settings.flags, state.flags).value, effective_rollout(state.rollouts.values())
        )
        statuses = await _ask(state.endpoints, settings.node_tls)
        groups = transitive_groups(state.principals, principal)
        return list(explain_route(flags, user, groups, state.assignments.values(), statuses))

    for line in run_with_service(metastore, lines):
        typer.echo(line)


async def _ask(endpoints: Mapping[str, Endpoint], tls: NodeTls) -> dict[str, EndpointStatus]:
    """Probe every endpoint that is not retired, all at once."""
    from pgproxy.routing.probing import probe_once  # the other commands need no engine

    asked = [e for e in endpoints.values() if e.state is not EndpointState.RETIRED]
    found = await asyncio.gather(*(probe_once(endpoint, tls) for endpoint in asked))
    return {status.name: status for status in found}
