"""`pgproxy user`: who can log in. Passwords come from a prompt or stdin, never from the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from pgproxy.cli.metastore_access import MetastoreUrl, print_table, read_secret, run_with_service, say_result
from pgproxy.control.service import Actor, ControlService
from pgproxy.identity.throttle import unlock_note
from pgproxy.policy.model import Principal, PrincipalKind

app = typer.Typer(no_args_is_help=True, help="Add, list, lock and drop users; set passwords.")

UserName = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]


@app.command("add")
def add_user(
    name: UserName,
    admin: Annotated[bool, typer.Option("--admin", help="Holds every privilege, is never filtered.")] = False,
    group: Annotated[list[str] | None, typer.Option("--group", help="A group to be in; repeatable.")] = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="Cannot log in for now.")] = False,
    metastore: MetastoreUrl = None,
) -> None:
    """Add a user; the password is asked for, or read from stdin."""
    password = None if no_password else read_secret("Password")
    user = Principal(name, PrincipalKind.USER, is_admin=admin, member_of=frozenset(group or ()))
    result = run_with_service(metastore, lambda service, actor: service.create_user(actor, user, password))
    say_result(result, f"user {name} added")


@app.command("passwd")
def set_password(name: UserName, metastore: MetastoreUrl = None) -> None:
    """Give NAME another password, asked for or read from stdin."""
    password = read_secret("Password")
    result = run_with_service(metastore, lambda service, actor: service.set_password(actor, name, password))
    say_result(result, f"user {name} has a new password")


@app.command("lock")
def lock_user(name: UserName, metastore: MetastoreUrl = None) -> None:
    """Let NAME log in no more, and do nothing more in sessions that are open."""
    _set_login(metastore, name, can_login=False)


@app.command("unlock")
def unlock_user(name: UserName, metastore: MetastoreUrl = None) -> None:
    """Undo a lock, and forget the failed logins that slow NAME down."""

    async def forget(service: ControlService, _: Actor) -> None:
        await service.metastore.notes.put([unlock_note(name, datetime.now(UTC))])

    _set_login(metastore, name, can_login=True)
    run_with_service(metastore, forget)


@app.command("drop")
def drop_user(name: UserName, metastore: MetastoreUrl = None) -> None:
    """Drop NAME, which no grant, filter, mask or assignment may name any more."""
    result = run_with_service(metastore, lambda service, actor: service.drop_principal(actor, name))
    say_result(result, f"user {name} dropped")


@app.command("list")
def list_users(metastore: MetastoreUrl = None) -> None:
    """List users and groups."""
    state = run_with_service(metastore, lambda service, _: service.metastore.state())
    table = Table("name", "kind", "groups", "notes", box=None, pad_edge=False)
    for principal in sorted(state.principals.values(), key=lambda p: (p.kind, p.name)):
        is_user = principal.kind is PrincipalKind.USER
        notes = {
            "admin": principal.is_admin,
            "security officer": principal.is_security_officer,
            "auditor": principal.is_auditor,
            "locked": is_user and not principal.can_login,
            "no password": is_user and principal.name not in state.verifiers,
        }
        table.add_row(
            principal.name,
            principal.kind.value,
            ", ".join(sorted(principal.member_of)),
            ", ".join(note for note, holds in notes.items() if holds),
        )
    print_table(table)


def _set_login(metastore: str | None, name: str, *, can_login: bool) -> None:
    result = run_with_service(
        metastore, lambda service, actor: service.set_login(actor, name, can_login=can_login)
    )
    say_result(result, f"user {name} {'unlocked' if can_login else 'locked'}")
