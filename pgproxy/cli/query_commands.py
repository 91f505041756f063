"""`pgproxy query`: submit, follow, list, show, fetch and cancel async queries through a gateway."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from pgproxy.cli.metastore_access import EXIT_REFUSED
from pgproxy.cli.query_api import ApiError, QueryApi, open_api, query_path

app = typer.Typer(no_args_is_help=True, help="Submit, follow, list, fetch and cancel async queries.")

QueryId = Annotated[str, typer.Argument(metavar="ID", help="The query's id.")]
Url = Annotated[
    str, typer.Option("--url", envvar="PGPROXY_URL", help="The gateway's HTTP address, http:// or https://.")
]
User = Annotated[
    str | None,
    typer.Option("--user", "-U", help="Who asks; the password is PGPASSWORD, or asked for. Default: PGUSER."),
]
CaFile = Annotated[Path | None, typer.Option("--ca-file", help="Who signed the gateway's certificate.")]
Format = Annotated[str, typer.Option("--format", "-f", help="json, csv, arrow or parquet.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, not to stdout.")]
_DEFAULT_URL = "http://127.0.0.1:8080"


@app.command("run")
def run_query(  # noqa: PLR0913, PLR0917  # one parameter an option is how typer reads a command
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One statement; - reads it from stdin.")],
    parameter: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="A value for $1, $2, …; repeatable.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Wait, with a live bar, and fetch.")] = False,
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="Submitted twice with it, it runs once.")
    ] = None,
    priority: Annotated[int, typer.Option(help="Higher is sooner, among one's own.")] = 0,
    ttl: Annotated[str | None, typer.Option(help="How long the result is kept, as 10m.")] = None,
    form: Format = "csv",
    output: Output = None,
    url: Url = _DEFAULT_URL,
    user: User = None,
    ca_file: CaFile = None,
) -> None:
    """Submit a statement. Its id goes to stdout, or with --follow its rows."""
    body: dict[str, object] = {"sql": sys.stdin.read() if sql == "-" else sql, "priority": priority}
    options = {"parameters": parameter, "idempotency_key": idempotency_key, "ttl": ttl}
    body |= {name: value for name, value in options.items() if value is not None}
    with _api(url, user, ca_file) as api:
        query_id = api.call("POST", "/queries", body)["id"]
        if not follow:
            typer.echo(query_id)
            return
        ended = _follow(api, query_id)
        if ended["state"] != "SUCCEEDED":
            error = ended["error"]
            raise ApiError(f"{error['message']} (SQLSTATE {error['sqlstate']})" if error else "canceled")
        _fetch(api, query_id, form, output)


@app.command("list")
def list_queries(
    state: Annotated[str | None, typer.Option(help="Only queries in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest so many.")] = 50,
    url: Url = _DEFAULT_URL,
    user: User = None,
    ca_file: CaFile = None,
) -> None:
    """List one's queries, newest first; an administrator's list is of everybody's."""
    with _api(url, user, ca_file) as api:
        wanted = {"limit": limit, **({"state": state} if state is not None else {})}
        found = api.call("GET", f"/queries?{urlencode(wanted)}")["queries"]
    whole_id = Column("id", no_wrap=True, min_width=36)  # it is what the other commands are given
    table = Table(whole_id, "principal", "state", "submitted", "rows", "route", box=None, pad_edge=False)
    for query in found:
        submitted = query["submitted_at"].partition(".")[0]
        table.add_row(
            query["id"], query["principal"], query["state"], submitted, str(query["rows"]), query["route"]
        )
    Console(soft_wrap=True, markup=False).print(table)


@app.command("show")
def show_query(query_id: QueryId, url: Url = _DEFAULT_URL, user: User = None, ca_file: CaFile = None) -> None:
    """Show all that is known of a query."""
    with _api(url, user, ca_file) as api:
        found = api.call("GET", query_path(query_id))
    for name, value in found.items():
        if name == "columns":
            value = ", ".join(f"{column['name']} {column['type']}" for column in value)
        typer.echo(f"{name:16} {'' if value in (None, [], '') else value}".rstrip())


@app.command("results")
def fetch_results(  # noqa: PLR0913, PLR0917  # one parameter an option
    query_id: QueryId,
    form: Format = "csv",
    output: Output = None,
    url: Url = _DEFAULT_URL,
    user: User = None,
    ca_file: CaFile = None,
) -> None:
    """Fetch the rows of a query that succeeded."""
    with _api(url, user, ca_file) as api:
        _fetch(api, query_id, form, output)


@app.command("cancel")
def cancel_query(
    query_id: QueryId, url: Url = _DEFAULT_URL, user: User = None, ca_file: CaFile = None
) -> None:
    """Cancel a query that has not ended."""
    with _api(url, user, ca_file) as api:
        typer.echo(api.call("POST", query_path(query_id, "cancel"))["state"])


@contextmanager
def _api(url: str, user: str | None, ca_file: Path | None) -> Iterator[QueryApi]:
    """Reach the gateway; what goes wrong is a line on stderr and exit code 1."""
    try:
        yield open_api(url, user, ca_file)
    except ApiError as error:
        for line in str(error).splitlines():
            typer.echo(f"pgproxy: {line}", err=True)
        raise typer.Exit(EXIT_REFUSED) from None


def _follow(api: QueryApi, query_id: str) -> dict[str, Any]:
    """Draw a bar on stderr until the query has ended; gives its last status. Ctrl-C cancels the query."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    found: dict[str, Any] = {}
    try:
        with bar:
            task = bar.add_task("queued", total=None)
            for found in api.follow(query_id):
                progress = found["progress"]
                bar.update(
                    task,
                    description=found["state"].lower(),
                    total=None if progress is None else 1.0,
                    completed=progress or 0.0,
                )
    except KeyboardInterrupt:
        found = api.call("POST", query_path(query_id, "cancel"))
    return found


def _fetch(api: QueryApi, query_id: str, form: str, output: Path | None) -> None:
    path = query_path(query_id, f"results?{urlencode({'format': form})}")
    if output is None:
        api.copy(path, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        with output.open("wb") as file:
            api.copy(path, file)
    except OSError as error:
        raise ApiError(f"cannot write {output}: {error.strerror}") from None
