"""`pgproxy audit`: what was asked and what came of it, as JSON lines."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from pgproxy.cli.metastore_access import (
    MOST_ROWS,
    MetastoreUrl,
    duration_option,
    reported_failures,
    run_with_service,
)
from pgproxy.control.audit import AuditStore
from pgproxy.control.service import Actor, ControlService

app = typer.Typer(no_args_is_help=True, help="Read and purge the audit log.")

_PAGE = 5000


@app.callback()
def _root() -> None:
    """Read and purge the audit log."""


@app.command("export")
def export(
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, max=MOST_ROWS, help="The last so many records; all if left out."),
    ] = None,
    metastore: MetastoreUrl = None,
) -> None:
    """Write records to stdout, oldest first, one JSON object a line."""

    async def write(service: ControlService, _: Actor) -> None:
        audit = service.metastore.audit
        if limit is not None:
            for record in reversed(await audit.last(limit)):
                typer.echo(json.dumps(record.as_json(), ensure_ascii=False))
            return
        await _write_all(audit)

    run_with_service(metastore, write)


@app.command("purge")
def purge(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="DURATION", help="Delete what is older: 2160h.")
    ],
    metastore: MetastoreUrl = None,
) -> None:
    """Delete records of statements that ended longer ago than DURATION."""
    with reported_failures():
        before = datetime.now(UTC) - timedelta(seconds=duration_option("--older-than", older_than))
    deleted = run_with_service(metastore, lambda service, _: service.metastore.audit.purge(before))
    typer.echo(f"{deleted} records deleted")


async def _write_all(audit: AuditStore) -> None:
    after = 0
    while True:
        page = await audit.page(after, _PAGE)
        for record in page.records:
            typer.echo(json.dumps(record.as_json(), ensure_ascii=False))
        if not page.records:
            return
        after = page.last_id
