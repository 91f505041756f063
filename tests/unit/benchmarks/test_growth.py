"""Growth, from readings made up so that the power is known."""

from pathlib import Path

import pytest

from benchmarks.data import DataSet
from benchmarks.growth import draw_growth, series_rows
from benchmarks.harness import CaseResult, Plan, Reading, SuiteResult
from benchmarks.processes import Usage
from benchmarks.suites.base import Case, Metric, Series, Suite
from benchmarks.targets.base import Target, TargetUnavailable


def _never(*_: object) -> None:
    raise TargetUnavailable("nothing is started here")


_TARGETS = ("one", "two", "four")
SUITE = Suite(
    name="made_up",
    title="A made-up suite",
    about="About it.",
    metrics=(Metric("wall_s", "ms", 1, 1e-3),),
    targets=tuple(Target(name, name, _never) for name in _TARGETS),  # type: ignore[arg-type]
    data=lambda cache, rows: DataSet("bench", cache / "none", ()),
    rows=1,
    quick_rows=1,
    cases=tuple(Case(key, key, _never) for key in ("small", "large")),  # type: ignore[arg-type]
    comparisons=(),
    series=(
        Series("rows", "wall_s", {"small": 10, "large": 1_000}),
        Series("nodes", "wall_s", {"one": 1, "two": 2, "four": 4}, "small"),
    ),
)


def _reading(wall_s: float) -> Reading:
    return Reading({"wall_s": wall_s}, Usage({}, {}, other_s=0.0, wall_s=1.0))


@pytest.fixture
def result() -> SuiteResult:
    """By a hundred times the rows, `one` takes ten times as long; by twice the nodes, half as long."""
    found = SuiteResult(SUITE, Plan(Path(), 1, 1), {})
    small = {"one": [_reading(0.004)], "two": [_reading(0.002)], "four": [_reading(0.001)]}
    large = {"one": [_reading(0.040)], "two": [_reading(0.0)], "four": []}
    found.cases = {"small": CaseResult("small", small), "large": CaseResult("large", large)}
    return found


def test_growth_is_told_by_case_for_each_target_and_by_target_for_one_case(result: SuiteResult) -> None:
    assert series_rows(result) == [
        ("rows, ms", "one", "10: 4.0, 1,000: 40.0", "0.50"),
        ("nodes, ms", "all", "1: 4.0, 2: 2.0, 4: 1.0", "-1.00"),
    ]


def test_growth_is_drawn_where_there_is_any(result: SuiteResult, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert draw_growth(result, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    result.cases.clear()
    assert not draw_growth(result, tmp_path / "none.png")
