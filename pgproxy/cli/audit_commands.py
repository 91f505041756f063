"""`pgproxy audit`: what was asked and what came of it, as JSON lines."""

import json
from typing import Annotated

import typer

from pgproxy.cli.metastore_access import MetastoreUrl, run_with_service

app = typer.Typer(no_args_is_help=True, help="Read the audit log.")


@app.callback()
def _root() -> None:
    """Read the audit log."""


@app.command("export")
def export(
    limit: Annotated[int, typer.Option("--limit", min=1, help="The last so many records.")] = 10_000,
    metastore: MetastoreUrl = None,
) -> None:
    """Write the last records to stdout, oldest first, one JSON object a line."""
    records = run_with_service(metastore, lambda service, _: service.metastore.audit_records(limit))
    for record in reversed(records):
        line = {
            "occurred_at": record.occurred_at.isoformat(),
            "event": record.event,
            "principal": record.principal,
            "connection_id": record.connection_id,
            **record.facts,
        }
        typer.echo(json.dumps(line, ensure_ascii=False))
