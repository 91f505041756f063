"""`pgproxy key`: API keys of users and service accounts. A key's text is shown once, when it is made."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from pgproxy.cli.metastore_access import (
    MetastoreUrl,
    duration_option,
    print_table,
    reported_failures,
    run_with_service,
    say_result,
)
from pgproxy.control import changes
from pgproxy.control.api_keys import ApiKey, Interface, KeyTerms
from pgproxy.control.service import Actor, ControlService
from pgproxy.identity.sharing import KEY_USE_TOPIC
from pgproxy.policy.model import CredentialScope

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke API keys.")


@app.command("create")
def create_key(  # noqa: PLR0913, PLR0917  # one an option
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Whose key it is.")],
    label: Annotated[str, typer.Option("--label", help="What it is for.")] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="It reads, and changes nothing.")] = False,
    database: Annotated[
        list[str] | None, typer.Option("--database", help="Only this one; repeatable.")
    ] = None,
    interface: Annotated[
        list[Interface] | None, typer.Option("--interface", help="Only there; repeatable.")
    ] = None,
    valid_for: Annotated[
        str | None, typer.Option("--valid-for", help="How long, as in 720h; for ever if left out.")
    ] = None,
    metastore: MetastoreUrl = None,
) -> None:
    """Give ROLE an API key and print it: the only time that it can be seen."""
    terms = KeyTerms(
        label,
        _until(valid_for),
        CredentialScope(read_only, frozenset(database) if database else None),
        frozenset(interface or Interface),
    )
    _, text = run_with_service(metastore, lambda service, actor: service.create_api_key(actor, role, terms))
    typer.echo(text)


@app.command("list")
def list_keys(metastore: MetastoreUrl = None) -> None:
    """List keys, without their secrets."""

    async def read(service: ControlService, _: Actor) -> tuple[list[ApiKey], dict[str, datetime]]:
        state, notes = await asyncio.gather(
            service.metastore.state(), service.metastore.notes.of(KEY_USE_TOPIC)
        )
        keys = sorted(state.api_keys.values(), key=lambda key: (key.principal, key.created_at))
        return keys, {note.key: note.noted_at for note in notes}

    keys, used = run_with_service(metastore, read)
    table = Table("id", "role", "label", "scope", "valid until", "last used", box=None, pad_edge=False)
    for key in keys:
        until, last = key.valid_until, used.get(key.key_id)
        table.add_row(
            key.key_id,
            key.principal,
            key.label,
            scope_text(key),
            "" if until is None else _utc(until),
            "never" if last is None else _utc(last),
        )
    print_table(table)


@app.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `list` shows it.")],
    metastore: MetastoreUrl = None,
) -> None:
    """Revoke a key; sessions that it opened end within a second."""
    result = run_with_service(
        metastore,
        lambda service, actor: service.apply(actor, lambda state: changes.drop_api_key(state, key_id)),
    )
    say_result(result, f"API key {key_id} revoked")


def scope_text(key: ApiKey) -> str:
    """Say what a key is good for, in words."""
    words = ["read only"] if key.scope.is_read_only else []
    words += [] if key.scope.catalogs is None else [f"database {name}" for name in sorted(key.scope.catalogs)]
    words += [] if key.interfaces == frozenset(Interface) else sorted(key.interfaces)
    return ", ".join(words) or "all"


def _until(valid_for: str | None) -> datetime | None:
    if valid_for is None:
        return None
    with reported_failures():
        return datetime.now(UTC) + timedelta(seconds=duration_option("--valid-for", valid_for))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
