"""`pgproxy rollout`: move principals to a target in stages that move on, or back, by what they show."""

import time
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pgproxy.cli.metastore_access import (
    MetastoreUrl,
    duration_option,
    reported_failures,
    run_with_service,
    say_result,
)
from pgproxy.control.metastore import Metastore
from pgproxy.control.rollout_changes import (
    drop_rollout,
    move_rollout,
    resume_rollout,
    rollout_named,
    start_rollout,
    widen_rollout,
)
from pgproxy.control.rollouts import Rollout, RolloutLimits, RolloutStatus, RolloutUnit, parse_stages
from pgproxy.control.state import ControlState
from pgproxy.rollout.decide import missing_evidence
from pgproxy.rollout.figures import Figures
from pgproxy.settings import SettingsError

app = typer.Typer(no_args_is_help=True, help="Move principals to exec nodes in stages, by evidence.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The rollout's name.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]

_BAR_WIDTH = 40

_COLOURS = {
    RolloutStatus.RUNNING: "green",
    RolloutStatus.PAUSED: "yellow",
    RolloutStatus.HALTED: "red",
    RolloutStatus.COMPLETED: "bold green",
    RolloutStatus.ABORTED: "red",
}


@app.command("start")
def start(  # noqa: PLR0913, PLR0917  # one parameter an option is how typer reads a command
    name: Name,
    target: Annotated[str, typer.Option("--to", help="An endpoint, or a pool such as size=large.")],
    stages: Annotated[str, typer.Option("--stages", help="Rising percents.")] = "1%,10%,50%,100%",
    hold: Annotated[str, typer.Option("--hold", metavar="DURATION", help="A stage's least time.")] = "10m",
    min_queries: Annotated[int, typer.Option("--min-queries", help="Statements a stage needs.")] = 200,
    max_error_rate: Annotated[float, typer.Option("--max-error-rate", help="From 0 to 1.")] = 0.01,
    max_p95_ratio: Annotated[float, typer.Option("--max-p95-ratio", help="Canary over control.")] = 1.5,
    max_shadow_mismatch: Annotated[
        int, typer.Option("--max-shadow-mismatch", help="Shadowed results that may differ in a stage.")
    ] = 0,
    by: Annotated[RolloutUnit, typer.Option("--by", help="What moves as a whole.")] = RolloutUnit.PRINCIPAL,
    metastore: MetastoreUrl = None,
) -> None:
    """Start a rollout at its first stage."""
    with reported_failures():
        try:
            parsed = parse_stages(stages)
        except ValueError as error:
            raise SettingsError(f"--stages: {error}") from None
        hold_s = duration_option("--hold", hold)
    limits = RolloutLimits(min_queries, max_error_rate, max_p95_ratio, max_shadow_mismatch)
    rollout = Rollout(name, target, parsed, hold_s, limits, by, since=time.time(), reason="started")
    _change(
        metastore, lambda state: start_rollout(state, rollout), f"rollout {name} starts at {parsed[0]:g}%"
    )


@app.command("pause")
def pause(name: Name, reason: Reason = "paused by hand", metastore: MetastoreUrl = None) -> None:
    """Hold the present stage, whatever it shows."""
    _move(metastore, name, RolloutStatus.PAUSED, reason, "is paused")


@app.command("resume")
def resume(name: Name, reason: Reason = "resumed by hand", metastore: MetastoreUrl = None) -> None:
    """Go on from the present stage; one that went back to nobody begins its first stage again."""
    now = time.time()
    _change(metastore, lambda state: resume_rollout(state, name, now, reason), f"rollout {name} goes on")


@app.command("widen")
def widen(name: Name, reason: Reason = "widened by hand", metastore: MetastoreUrl = None) -> None:
    """Begin the next stage now."""
    now = time.time()
    _change(metastore, lambda state: widen_rollout(state, name, now, reason), f"rollout {name} is wider")


@app.command("abort")
def abort(name: Name, reason: Reason = "aborted by hand", metastore: MetastoreUrl = None) -> None:
    """Move nobody any more, at once."""
    _move(metastore, name, RolloutStatus.ABORTED, reason, "is aborted")


@app.command("remove")
def remove(name: Name, metastore: MetastoreUrl = None) -> None:
    """Forget a rollout that has ended: flags and assignments alone decide again."""
    _change(metastore, lambda state: drop_rollout(state, name), f"rollout {name} removed")


@app.command("status")
def status(
    name: Annotated[str | None, typer.Argument(metavar="NAME", show_default=False)] = None,
    metastore: MetastoreUrl = None,
) -> None:
    """Draw each rollout: its stages, what the present one has shown, and why it stands where it stands."""
    from pgproxy.rollout.controller import shared_figures  # it brings the fleet's engine along

    async def read(store: Metastore) -> list[tuple[Rollout, Figures]]:
        state = await store.state()
        rollouts = state.rollouts if name is None else {name: rollout_named(state, name)}
        chosen = [rollouts[key] for key in sorted(rollouts)]
        return [(rollout, await shared_figures(store, rollout)) for rollout in chosen]

    found = run_with_service(metastore, lambda service, _: read(service.metastore))
    console = Console(soft_wrap=True, highlight=False)
    for rollout, figures in found:
        console.print(draw_rollout(rollout, figures, time.time()))
    if not found:
        console.print("There is no rollout.")


def draw_rollout(rollout: Rollout, figures: Figures, now: float) -> Group:
    """Give one rollout's picture for a terminal."""
    head = Text.assemble(
        (rollout.name, "bold"),
        f" to {rollout.target}  ",
        (rollout.status.value, _COLOURS[rollout.status]),
        f"  {rollout.percent:g}% by {rollout.unit.value}",
    )
    stages = Text("  ")
    for number, percent in enumerate(rollout.stages):
        reached = "green" if number < rollout.stage else "bold" if number == rollout.stage else "dim"
        stages.append(f"{percent:g}%", reached).append(" → " if number + 1 < len(rollout.stages) else "")
    parts: list[RenderableType] = [
        head,
        stages,
        _bar(rollout.percent),
        _figures_table(rollout, figures),
    ]
    if rollout.reason:
        parts.append(Text(f"  because: {rollout.reason}"))
    waits = missing_evidence(rollout, figures, now) if rollout.status is RolloutStatus.RUNNING else ""
    if waits:
        parts.append(Text(f"  waits: {waits}"))
    return Group(*parts)


def _bar(percent: float) -> Text:
    full = round(percent * _BAR_WIDTH / 100)
    return Text("  ").append("━" * full, "green").append("─" * (_BAR_WIDTH - full), "dim")


def _figures_table(rollout: Rollout, figures: Figures) -> Table:
    limits, canary, control = rollout.limits, figures.canary, figures.control
    table = Table("", "canary", "control", "limit", box=None, pad_edge=True)
    table.add_row("statements", str(canary.statements), str(control.statements), f"≥ {limits.min_queries}")
    table.add_row(
        "error rate",
        f"{canary.error_rate:.2%}",
        f"{control.error_rate:.2%}",
        f"≤ {limits.max_error_rate:.2%}",
    )
    ratio = "" if figures.p95_ratio is None else f" ({figures.p95_ratio:.2f} ×)"
    table.add_row("p95", f"{_ms(canary.p95_ms)}{ratio}", _ms(control.p95_ms), f"≤ {limits.max_p95_ratio:g} ×")
    mismatched = f"{figures.mismatched} of {figures.compared}"
    table.add_row("shadow mismatches", mismatched, "", f"≤ {limits.max_shadow_mismatches}")
    return table


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"


def _move(metastore: str | None, name: str, to: RolloutStatus, reason: str, done: str) -> None:
    now = time.time()
    _change(metastore, lambda state: move_rollout(state, name, to, now, reason), f"rollout {name} {done}")


def _change(metastore: str | None, transform: Callable[[ControlState], ControlState], done: str) -> None:
    say_result(run_with_service(metastore, lambda service, actor: service.apply(actor, transform)), done)
