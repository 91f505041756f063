"""How a metric grows with a quantity: the medians of a series, the power that fits them, and their plot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean

from benchmarks.harness import SuiteResult
from benchmarks.spread import fit_power, spread_of
from benchmarks.suites.base import Metric, Series

SERIES_TITLES = ("series", "target", "size: median", "grows with the power")
_ALL = "all"


@dataclass(frozen=True, slots=True)
class Growth:
    """One line of a series.

    line: a target's name, or `all` across targets. points: (size, median).
    """

    series: Series
    metric: Metric
    line: str
    points: Sequence[tuple[float, float]]

    @property
    def title(self) -> str:
        """What grows with what."""
        return f"{self.series.title}, {self.metric.title}"

    @property
    def power(self) -> float:
        """The exponent that fits."""
        return fit_power(self.points)


def growths_of(result: SuiteResult) -> list[Growth]:
    """Give every line that was measured in all its points."""
    metrics = {metric.key: metric for metric in result.suite.metrics}
    found = []
    for series in result.suite.series:
        for line, places in _lines(result, series).items():
            medians = [median_of(result, target, case, series.metric) for target, case in places]
            points = [(size, y) for size, y in zip(series.sizes.values(), medians, strict=True) if y]
            # pgbench gives 0 µs where an answer is there before it looks at the clock again.
            if len(points) == len(medians) and all(y > 0 for _, y in points):
                found.append(Growth(series, metrics[series.metric], line, points))
    return found


def _lines(result: SuiteResult, series: Series) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Give (target, case) of each point, by the name of the line."""
    if series.case is not None:
        return {_ALL: [(target, series.case) for target in series.sizes]}
    return {target.name: [(target.name, case) for case in series.sizes] for target in result.suite.targets}


def median_of(result: SuiteResult, target: str, case: str, metric: str) -> float | None:
    """Give a metric's median over the repetitions, or None where it was not measured."""
    readings = result.cases[case].readings.get(target, []) if case in result.cases else []
    values = [reading.values[metric] for reading in readings if metric in reading.values]
    return spread_of(values).median if values else None


def series_rows(result: SuiteResult) -> list[tuple[str, str, str, str]]:
    """Give the table of growth: series, target, the medians, and the exponent that fits them."""
    return [(g.title, g.line, _shown_points(g), f"{g.power:.2f}") for g in growths_of(result)]


def _shown_points(growth: Growth) -> str:
    metric = growth.metric
    return ", ".join(f"{x:,.0f}: {y / metric.scale:,.{metric.digits}f}" for x, y in growth.points)


def draw_growth(result: SuiteResult, path: Path) -> bool:
    """Draw a panel for each series, its axes logarithmic, the fit as a line. False: there is none."""
    from matplotlib.figure import Figure

    by_title: dict[str, list[Growth]] = {}
    for growth in growths_of(result):
        by_title.setdefault(growth.title, []).append(growth)
    if not by_title:
        return False
    figure = Figure(figsize=(9, 3.2 * ((len(by_title) + 1) // 2)), layout="constrained")
    panels = figure.subplots((len(by_title) + 1) // 2, 2, squeeze=False).ravel()
    for axes, (title, growths) in zip(panels, by_title.items(), strict=False):
        for number, growth in enumerate(growths):
            xs = [x for x, _ in growth.points]
            ys = [y / growth.metric.scale for _, y in growth.points]
            label = f"{growth.line}: {growth.power:.2f}"
            axes.loglog(xs, ys, "o", color=f"C{number}")
            axes.loglog(xs, _fitted(xs, ys, growth.power), color=f"C{number}", label=label)
        axes.set_title(title, loc="left", fontsize="medium")
        axes.legend(frameon=False, fontsize="small")
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(by_title) :]:
        axes.set_axis_off()
    figure.suptitle(f"{result.suite.title}: medians, and the power that fits")
    figure.savefig(path, dpi=110)
    return True


def _fitted(xs: Sequence[float], ys: Sequence[float], power: float) -> list[float]:
    """Give the fitted curve's values: the power's curve through the points' middle."""
    middle_x, middle_y = geometric_mean(xs), geometric_mean(ys)
    return [middle_y * (x / middle_x) ** power for x in xs]
