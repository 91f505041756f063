"""`pgproxy policy`: the control plane as a file."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from pgproxy.cli import policy_test
from pgproxy.cli.metastore_access import (
    MOST_ROWS,
    MetastoreUrl,
    live_catalog,
    read_file,
    reported_failures,
    run_with_service,
)
from pgproxy.control.difference import KINDS, Difference, Facts
from pgproxy.control.policy_export import export_policy
from pgproxy.control.policy_file import apply_policy, check_policy, has_rules, parse_policy, plan_policy

app = typer.Typer(no_args_is_help=True, help="Apply, compare, export, check and test policies.")
app.command("test")(policy_test.run_cases)

PolicyPath = Annotated[Path, typer.Argument(metavar="FILE", help="A policy file (YAML); - is stdin.")]
_EXIT_DIFFERS = 1


_STYLES = {"add": "green", "change": "yellow", "remove": "red"}
_SIGNS = {"add": "+", "change": "~", "remove": "-"}


@app.command("apply")
def apply_file(file: PolicyPath, metastore: MetastoreUrl = None) -> None:
    """Make the control plane what FILE says, in one transaction. Applying twice changes nothing."""
    with reported_failures():
        parsed = parse_policy(read_file(file))
    result = run_with_service(
        metastore, lambda service, actor: apply_policy(service, actor, parsed), binds=has_rules(parsed)
    )
    _print_plan(result.differences)
    typer.echo(f"applied: epoch {result.epoch}" if result.differences else f"no change: epoch {result.epoch}")


@app.command("diff")
def diff_file(
    file: PolicyPath,
    metastore: MetastoreUrl = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where there are changes.")
    ] = False,
) -> None:
    """Show what applying FILE would change, and change nothing."""
    with reported_failures():
        parsed = parse_policy(read_file(file))
    differences = run_with_service(
        metastore, lambda service, _: plan_policy(service, parsed), binds=has_rules(parsed)
    )
    _print_plan(differences)
    typer.echo(f"{len(differences)} changes" if differences else "no change")
    if differences and exit_code:
        raise typer.Exit(_EXIT_DIFFERS)


@app.command("export")
def export_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; - is stdout.")],
    metastore: MetastoreUrl = None,
) -> None:
    """Write the control plane to FILE (mode 0600): verifiers, never passwords or tokens."""
    state = run_with_service(metastore, lambda service, _: service.metastore.state())
    text = export_policy(state)
    if str(file) == "-":
        typer.echo(text, nl=False)
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        typer.echo(f"pgproxy: cannot write {file}: {error.strerror}", err=True)
        raise typer.Exit(2) from None


@app.command("check")
def check_file(file: PolicyPath) -> None:
    """Check FILE: its shape, names and SQL, and against the live catalog where it can be read."""
    with reported_failures():
        parsed = parse_policy(read_file(file))
        catalog = asyncio.run(live_catalog())
        check_policy(parsed, catalog.snapshot, catalog.binder)
    if catalog.snapshot is None:
        typer.echo(f"checked by itself: {catalog.source}")
    else:
        typer.echo(f"checked against {catalog.source}")
    typer.echo(f"{file}: ok")


@app.command("rollback")
def roll_back(
    version: Annotated[int, typer.Argument(min=0, help="As `policy history` numbers them.")],
    metastore: MetastoreUrl = None,
) -> None:
    """Make roles and policies what they were after VERSION, as a new version.

    Passwords, API keys and the fleet stay as they are now; a role that comes back has no password.
    """
    result = run_with_service(metastore, lambda service, actor: service.roll_back(actor, version), binds=True)
    _print_plan(result.differences)
    done = "rolled back" if result.differences else "no change"
    typer.echo(f"{done}: epoch {result.epoch}")


@app.command("history")
def show_history(
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=MOST_ROWS, help="The last so many changes.")
    ] = 20,
    metastore: MetastoreUrl = None,
) -> None:
    """Show who changed what, when; the newest first. Secrets are never shown."""
    versions = run_with_service(metastore, lambda service, _: service.metastore.history(limit))
    for version in versions:
        typer.echo(f"{version.epoch}  {version.changed_at.isoformat(timespec='seconds')}  {version.actor}")
        before, after = json.loads(version.before), json.loads(version.after)
        _print_plan([_difference(name, before[name], after[name]) for name in sorted({*before, *after})])


def _difference(name: str, before: Facts | None, after: Facts | None) -> Difference:
    """Read one line of the history: the kind is the longest known start of the name."""
    kind = max((kind for kind in KINDS if name.startswith(f"{kind} ")), key=len, default="")
    return Difference(kind, name.removeprefix(f"{kind} "), before, after)


def _print_plan(differences: Sequence[Difference]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for difference in differences:
        style = _STYLES[difference.action]
        line = Text.assemble((f"{_SIGNS[difference.action]} {difference.kind} ", style), difference.key)
        if details := _details(difference):
            line.append(f"  {details}", style="dim")
        console.print(line)


def _details(difference: Difference) -> str:
    before, after = difference.before or {}, difference.after or {}
    if difference.action != "change":
        facts = before or after
        return ", ".join(f"{name}: {_shown(value)}" for name, value in facts.items() if value)
    return ", ".join(
        f"{name}: {_shown(before.get(name))} → {_shown(after.get(name))}" for name in difference.changed_facts
    )


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    return "none" if value is None else str(value)
