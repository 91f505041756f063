"""The report, from readings made up so that every number in it is known."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from rich.progress import Progress

from benchmarks.data import DataSet
from benchmarks.harness import CaseResult, Plan, Reading, SuiteResult, run_suite
from benchmarks.processes import Usage
from benchmarks.report import draw, ratio_rows, to_json, to_markdown
from benchmarks.suites.base import Case, Comparison, Metric, Suite
from benchmarks.targets.base import RunningTarget, Target, TargetUnavailable, Workbench


class CountingProbe:
    """Gives 10, 20, 30, …, times what the target is worth."""

    def __init__(self, worth: float) -> None:
        self._worth = worth
        self._runs = 0

    def check(self) -> dict[str, str]:
        return {"rows": "1000", "digest": "same"}

    def measure(self) -> dict[str, float]:
        self._runs += 1
        return {"rows_per_s": 1000.0 * self._worth * self._runs}


@contextmanager
def _open(target: RunningTarget) -> Iterator[CountingProbe]:
    yield CountingProbe(2.0 if target.name == "fast" else 1.0)


@contextmanager
def _serve(name: str, data: DataSet) -> Iterator[RunningTarget]:
    yield RunningTarget(name, "1.0", data, None, roles={}, facts={"route": "local"})


def _refuse(_: Workbench, __: DataSet) -> AbstractContextManager[RunningTarget]:
    raise TargetUnavailable("not installed here")


SUITE = Suite(
    name="made_up",
    title="A made-up suite",
    about="About it.",
    metrics=(Metric("rows_per_s", "thousand rows/s", 1, 1e3), Metric("unknown", "unknown")),
    targets=(
        Target("fast", "a fast one", lambda _, data: _serve("fast", data)),
        Target("slow", "a slow one", lambda _, data: _serve("slow", data)),
        Target("missing", "a missing one", _refuse),
    ),
    data=lambda cache, rows: DataSet("bench", cache / "none", ()),
    rows=1000,
    quick_rows=10,
    cases=(Case("only", "the only case", _open),),
    comparisons=(
        Comparison("fast", "slow", "rows_per_s", at_least=2.0),
        Comparison("slow", "fast", "rows_per_s", at_least=0.6),
        Comparison("fast", "missing", "rows_per_s", at_least=25.0),
    ),
)


@pytest.fixture
def result(tmp_path: Path) -> SuiteResult:
    with Progress(disable=True) as progress:
        return run_suite(SUITE, Plan(tmp_path, 1000, 3), progress)


def test_each_repetition_gives_a_reading_of_every_target_that_serves(result: SuiteResult) -> None:
    case = result.cases["only"]
    assert [r.values["rows_per_s"] for r in case.readings["fast"]] == [2000.0, 4000.0, 6000.0]
    assert [r.values["rows_per_s"] for r in case.readings["slow"]] == [1000.0, 2000.0, 3000.0]
    assert "missing" not in case.readings


def test_a_target_that_cannot_start_is_in_the_report_with_its_reason(result: SuiteResult) -> None:
    assert result.failures == {"missing": "TargetUnavailable: not installed here"}
    assert not result.is_complete
    assert "**missing was not measured**: TargetUnavailable: not installed here" in to_markdown(
        result, "x.png"
    )


def test_ratios_stand_beside_their_aims_and_say_whether_they_are_met(result: SuiteResult) -> None:
    assert ratio_rows(result) == [
        ("the only case", "fast / slow", "2.00 × (2.00–2.00)", "≥ 2", "yes"),
        ("the only case", "slow / fast", "0.50 × (0.50–0.50)", "≥ 0.6", "**no**"),
    ]


def test_the_table_gives_median_spread_and_who_sent_the_same_bytes(result: SuiteResult) -> None:
    markdown = to_markdown(result, "x.png")
    assert "| fast | 4.0 (2.0–6.0) | – |" in markdown
    assert "1,000, bytes as slow" in markdown


def test_a_busy_machine_is_called_busy() -> None:
    short = Reading({"rows_per_s": 1.0}, Usage({}, {}, other_s=-0.1, wall_s=0.5))
    long = Reading({"rows_per_s": 1.0}, Usage({}, {}, other_s=1.3, wall_s=1.0))
    machine = dict.fromkeys(("cpu", "cores", "memory_gib", "system", "python", "commit"), "x")
    busy = SuiteResult(SUITE, Plan(Path(), 1, 1), machine)
    busy.cases["only"] = CaseResult("the only case", {"fast": [short, long]})
    assert "0.80 cores busy: **busy" in to_markdown(busy, "x.png")


def test_the_json_holds_every_reading_and_comes_back(result: SuiteResult) -> None:
    found = json.loads(json.dumps(to_json(result)))
    case = found["cases"]["only"]
    assert len(case["readings"]["fast"]) == 3
    assert case["summary"]["slow"]["rows_per_s"] == {
        "median": 2000.0,
        "low": 1000.0,
        "high": 3000.0,
        "count": 3,
    }
    assert case["ratios"][0]["ratio"]["median"] == 2.0
    assert found["target_facts"]["fast"] == {"route": "local"}


def test_the_plot_is_a_png(result: SuiteResult, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    draw(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
