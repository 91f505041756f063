"""Run a suite: start its targets, and measure its cases by turns.

All targets serve at once, and each repetition asks every one, beginning with another one each time. So
whatever disturbs the machine for a while disturbs all, and a ratio is taken between neighbours. Knows no
target and no suite.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rich.progress import Progress

from benchmarks.machine import describe_machine, load_average
from benchmarks.processes import ProcessMeter, Usage
from benchmarks.raw_client import ServerError, UnexpectedMessage
from benchmarks.suites.base import Case, Probe, Suite
from benchmarks.targets.base import RunningTarget, TargetUnavailable, Workbench

_T = TypeVar("_T")
_FAILURES = (
    TargetUnavailable,
    ServerError,
    UnexpectedMessage,
    OSError,
    RuntimeError,
    subprocess.CalledProcessError,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run. targets: names to measure; empty: all."""

    cache: Path
    rows: int
    repetitions: int
    targets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """One repetition: the probe's values, and what the target's processes used meanwhile."""

    values: Mapping[str, float]
    usage: Usage


@dataclass(slots=True)
class CaseResult:
    """One case: readings and facts by target's name; failures say why a target has none."""

    title: str
    readings: dict[str, list[Reading]] = field(default_factory=dict)
    facts: dict[str, Mapping[str, str]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class SuiteResult:
    """Everything that a run found out. load: the machine's load average before and after."""

    suite: Suite
    plan: Plan
    machine: Mapping[str, str | int | float]
    load: list[float] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    target_facts: dict[str, Mapping[str, str]] = field(default_factory=dict)
    cases: dict[str, CaseResult] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    started: str = ""
    duration_s: float = 0.0

    @property
    def is_complete(self) -> bool:
        """Every target ran every case."""
        return not self.failures and not any(case.failures for case in self.cases.values())


def rotated(items: Sequence[_T], by: int) -> list[_T]:
    """Give the items in the same cycle, beginning with another one."""
    cut = by % len(items) if items else 0
    return [*items[cut:], *items[:cut]]


def run_suite(suite: Suite, plan: Plan, progress: Progress) -> SuiteResult:
    """Measure a suite. A target or case that fails is written down, and the others go on."""
    start = time.perf_counter()
    result = SuiteResult(suite, plan, describe_machine(), started=time.strftime("%Y-%m-%d %H:%M:%S %Z"))
    result.load.append(load_average())
    chosen = [t for t in suite.targets if not plan.targets or t.name in plan.targets]
    task = progress.add_task(suite.name, total=len(chosen) * (1 + len(suite.cases) * (1 + plan.repetitions)))

    def step(text: str, advance: int = 1) -> None:
        # The bar is drawn between measurements only: it shares the cores with what is measured.
        progress.update(task, description=f"{suite.name}: {text}", advance=advance)
        progress.refresh()

    with _scratch_folder() as scratch, ExitStack() as stack:
        workbench = Workbench(plan.cache, scratch)
        running: list[RunningTarget] = []
        for target in chosen:
            step(f"starting {target.title}", 0)
            data = suite.data(plan.cache, int(plan.rows * target.rows_share))
            try:
                running.append(stack.enter_context(target.start(workbench, data)))
            except _FAILURES as error:
                result.failures[target.name] = describe_failure(error)
            step(f"started {target.title}")
        for served in running:
            result.versions[served.name] = served.version
            result.target_facts[served.name] = served.facts
        for case in suite.cases:
            able = [target for target in running if target.name not in case.not_on]
            result.cases[case.key] = _run_case(suite, case, able, plan.repetitions, step)
        if not result.is_complete:
            _keep_logs(scratch, plan.cache / "logs")
    result.load.append(load_average())
    result.duration_s = time.perf_counter() - start
    progress.update(task, description=f"{suite.name}: done", completed=progress.tasks[task].total)
    progress.refresh()
    return result


def describe_failure(error: BaseException) -> str:
    """Say in one line what went wrong."""
    text = str(error)
    if isinstance(error, subprocess.CalledProcessError):
        text = f"{text} {error.stderr or ''}"
    return f"{type(error).__name__}: {' '.join(text.split())[-400:]}"


def _run_case(
    suite: Suite,
    case: Case,
    running: Sequence[RunningTarget],
    repetitions: int,
    step: Callable[[str], None],
) -> CaseResult:
    result = CaseResult(case.title)
    with ExitStack() as stack:
        probes: list[tuple[RunningTarget, Probe]] = []
        for target in running:
            step(f"{case.title}: checking {target.name}")
            try:
                probe = stack.enter_context(case.open(target))
                result.facts[target.name] = probe.check()
            except _FAILURES as error:
                result.failures[target.name] = describe_failure(error)
            else:
                probes.append((target, probe))
                result.readings[target.name] = []
        for repetition in range(repetitions):
            for target, probe in rotated(probes, repetition):
                if target.name in result.failures:
                    continue
                step(f"{case.title}: {target.name}, {repetition + 1} of {repetitions}")
                try:
                    result.readings[target.name].append(_read(suite, target, probe))
                except _FAILURES as error:
                    result.failures[target.name] = describe_failure(error)
    return result


def _read(suite: Suite, target: RunningTarget, probe: Probe) -> Reading:
    meter = ProcessMeter(target.roles)
    meter.start()
    values = probe.measure()
    usage = meter.stop()
    return Reading({**values, **suite.derive(values, usage)}, usage)


def _keep_logs(scratch: Path, folder: Path) -> None:
    """Save the programs' output of a run in which something failed; the last such run's only."""
    shutil.rmtree(folder, ignore_errors=True)
    for log in scratch.rglob("*.log"):
        if os.access(log, os.R_OK):
            kept = folder / log.relative_to(scratch)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(log, kept)


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """Give a folder of this run that PostgreSQL's system user can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="pgproxy-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
