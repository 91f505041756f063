"""`pgproxy doctor`: is this deployment ready for the next step of a rollout?"""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from execnode.contract import CONTRACT_VERSION
from pgproxy.cli.metastore_access import EXIT_REFUSED, MetastoreUrl, run_with_service
from pgproxy.control.fleet import EndpointState
from pgproxy.control.service import Actor, ControlService
from pgproxy.doctor import Deployment, Level, NodeFacts, examine
from pgproxy.settings import GatewaySettings

_COLOURS = {Level.OK: "green", Level.LOOK: "yellow", Level.ACT: "red"}


def doctor(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="The gateway's.", show_default=False)
    ] = None,
    metastore: MetastoreUrl = None,
) -> None:
    """Check this deployment against the runbook: each line is ok, or says what to do.

    Ends with status 1 where something is to be mended before remote workers are widened.
    """
    deployment = run_with_service(metastore, lambda service, actor: _look(service, actor, config))
    table = Table("", "what", "found", "to do", box=None, pad_edge=False)
    findings = examine(deployment)
    for finding in findings:
        colour = _COLOURS[finding.level]
        table.add_row(f"[{colour}]{finding.level.value}[/]", finding.topic, finding.text, finding.advice)
    Console(soft_wrap=True, highlight=False).print(table)
    if any(finding.level is Level.ACT for finding in findings):
        raise typer.Exit(EXIT_REFUSED)


async def _look(service: ControlService, _: Actor, config: Path | None) -> Deployment:
    import duckdb

    from pgproxy.routing.probing import ask_node  # the other commands need no engine

    settings = GatewaySettings.load(config)
    state = await service.metastore.state()
    asked = [e for e in state.endpoints.values() if e.state is not EndpointState.RETIRED]
    reports = await asyncio.gather(*(ask_node(endpoint, settings.node_tls) for endpoint in asked))
    nodes = {
        endpoint.name: None
        if report is None
        else NodeFacts(
            report.engine_version,
            report.contract_version,
            report.memory_limit_bytes,
            report.clock_skew_s,
        )
        for endpoint, report in zip(asked, reports, strict=True)
    }
    given = settings.model_fields_set | {name.lower() for name in os.environ}
    return Deployment(settings, frozenset(given), state, nodes, duckdb.__version__, CONTRACT_VERSION)
