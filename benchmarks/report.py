"""Write a suite's result as JSON (everything), Markdown (tables) and PNG (a plot)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.growth import SERIES_TITLES, draw_growth, median_of, series_rows
from benchmarks.harness import CaseResult, Reading, SuiteResult
from benchmarks.spread import Spread, mean_ratio_of, ratio_of, spread_of
from benchmarks.suites.base import Comparison, Metric

LIMIT_TITLES = ("case", "what", "measured", "limit", "met")
QUIET_OTHER_CORES = 0.15
"""More of other programs' work than this, on average, and the numbers are not to be trusted."""


def write_report(result: SuiteResult, folder: Path, stem: str) -> list[Path]:
    """Write `stem`.json, .md and .png and give their paths. Does not need matplotlib for the first two."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{stem}.{ending}" for ending in ("json", "md", "png")]
    paths[0].write_text(json.dumps(to_json(result), indent=1, ensure_ascii=False) + "\n")
    paths[1].write_text(to_markdown(result, paths[2].name))
    draw(result, paths[2])
    growth = folder / f"{stem}-growth.png"
    return [*paths, growth] if draw_growth(result, growth) else paths


def to_json(result: SuiteResult) -> dict[str, Any]:
    """Give all that was found out, each reading included."""
    return {
        "suite": result.suite.name,
        "title": result.suite.title,
        "started": result.started,
        "duration_s": round(result.duration_s, 1),
        "machine": dict(result.machine),
        "load_before_after": result.load,
        "other_cores": other_cores(result),
        "rows": result.plan.rows,
        "repetitions": result.plan.repetitions,
        "versions": result.versions,
        "target_facts": {name: dict(facts) for name, facts in result.target_facts.items()},
        "failures": result.failures,
        "cases": {key: _case_json(result, case) for key, case in result.cases.items()},
        "means": [
            {**asdict(comparison), "ratio": asdict(mean)}
            for comparison in result.suite.means
            if (mean := mean_ratio(result, comparison)) is not None
        ],
    }


def _case_json(result: SuiteResult, case: CaseResult) -> dict[str, Any]:
    return {
        "title": case.title,
        "facts": {name: dict(facts) for name, facts in case.facts.items()},
        "failures": case.failures,
        "readings": {
            name: [asdict(reading) for reading in readings] for name, readings in case.readings.items()
        },
        "summary": {
            name: {
                metric.key: asdict(spread_of(values))
                for metric in result.suite.metrics
                if (values := values_of(readings, metric.key))
            }
            for name, readings in case.readings.items()
        },
        "ratios": [
            {**asdict(comparison), "ratio": asdict(ratio)}
            for comparison in result.suite.comparisons
            if (ratio := compare(case, comparison)) is not None
        ],
    }


def values_of(readings: Sequence[Reading], metric: str) -> list[float]:
    """Give one metric's values, in the order of the repetitions."""
    return [reading.values[metric] for reading in readings if metric in reading.values]


def compare(case: CaseResult, comparison: Comparison) -> Spread | None:
    """Give the ratio, or None where a side was not measured."""
    above, below = _sides(case, comparison)
    return ratio_of(above, below) if above and below else None


def _sides(case: CaseResult, comparison: Comparison) -> tuple[list[float], list[float]]:
    """Give both sides' values, in the order of the repetitions."""
    other = comparison.below_metric or comparison.metric
    return (
        values_of(case.readings.get(comparison.above, []), comparison.metric),
        values_of(case.readings.get(comparison.below, []), other),
    )


def other_cores(result: SuiteResult) -> float | None:
    """Give how many cores other programs kept busy while something was measured, on average."""
    used = [r.usage for case in result.cases.values() for rs in case.readings.values() for r in rs]
    wall_s = sum(usage.wall_s for usage in used)
    return max(0.0, sum(usage.other_s for usage in used) / wall_s) if wall_s > 0 else None


def is_met(ratio: Spread, aim: float | None) -> str:
    """Say whether the median reaches the aim."""
    if aim is None:
        return ""
    return "yes" if ratio.median >= aim else "**no**"


def show(spread: Spread, metric: Metric) -> str:
    """Write median and spread in the metric's unit."""
    median, low, high = (
        f"{value / metric.scale:,.{metric.digits}f}" for value in (spread.median, spread.low, spread.high)
    )
    return f"{median} ({low}–{high})"


def show_ratio(ratio: Spread) -> str:
    """Write a ratio with its spread."""
    return f"{ratio.median:.2f} × ({ratio.low:.2f}–{ratio.high:.2f})"


def ratio_rows(result: SuiteResult) -> list[tuple[str, str, str, str, str]]:
    """Give the table of ratios: case, comparison, measured, aim, met."""
    rows = []
    for case in result.cases.values():
        for comparison in result.suite.comparisons:
            ratio = compare(case, comparison)
            if ratio is not None:
                aim = comparison.aim(case.title)
                shown = "" if aim is None else f"≥ {aim:g}"
                sides = f"{comparison.above} / {comparison.below}"
                if comparison.metric != result.suite.metrics[0].key:
                    sides += f", {comparison.metric}"
                if comparison.below_metric is not None:
                    sides += f" / {comparison.below_metric}"
                rows.append((case.title, sides, show_ratio(ratio), shown, is_met(ratio, aim)))
    return rows + _mean_rows(result)


def _mean_rows(result: SuiteResult) -> list[tuple[str, str, str, str, str]]:
    """Give the geometric means over the cases that both sides ran."""
    rows = []
    for comparison in result.suite.means:
        if (mean := mean_ratio(result, comparison)) is None:
            continue
        shown = "" if comparison.at_least is None else f"≥ {comparison.at_least:.3g}"
        sides = f"{comparison.above} / {comparison.below}, {comparison.metric}"
        title = f"geometric mean of {len(result.cases)} cases"
        rows.append((title, sides, show_ratio(mean), shown, is_met(mean, comparison.at_least)))
    return rows


def mean_ratio(result: SuiteResult, comparison: Comparison) -> Spread | None:
    """Give the geometric mean of a ratio over all cases, or None where a side lacks one."""
    pairs = [_sides(case, comparison) for case in result.cases.values()]
    if not pairs or any(not values for pair in pairs for values in pair):
        return None
    return mean_ratio_of([(above, below) for above, below in pairs])


def limit_rows(result: SuiteResult) -> list[tuple[str, str, str, str, str]]:
    """Give the table of limits: case, target and metric, measured, limit, met."""
    rows = []
    metrics = {metric.key: metric for metric in result.suite.metrics}
    for limit in result.suite.limits:
        median = median_of(result, limit.target, limit.case, limit.metric)
        base = 0.0 if limit.base is None else median_of(result, *limit.base, limit.metric)
        if median is None or base is None:
            continue
        value, metric = median - base, metrics[limit.metric]
        title = result.cases[limit.case].title
        if limit.base is not None:
            title += f", above {limit.less_target or result.cases[limit.base[1]].title}"
        shown = f"{value / metric.scale:,.{metric.digits}f}"
        at_most = f"≤ {limit.at_most / metric.scale:g}"
        met = "yes" if value <= limit.at_most else "**no**"
        rows.append((title, f"{limit.target}: {metric.title}", shown, at_most, met))
    return rows


def metric_rows(result: SuiteResult, case: CaseResult) -> list[tuple[str, ...]]:
    """Give one case's table: target, each metric, CPU and memory by role, and who sent the same rows."""
    rows = []
    for name, readings in case.readings.items():
        if not readings:
            continue
        found = [values_of(readings, metric.key) for metric in result.suite.metrics]
        shown = [
            show(spread_of(values), metric) if values else "–"
            for values, metric in zip(found, result.suite.metrics, strict=True)
        ]
        rows.append(
            (name, *shown, _roles(readings, "cpu_s", 2), _roles(readings, "peak_mib", 0), _same(case, name))
        )
    return rows


def metric_titles(result: SuiteResult) -> tuple[str, ...]:
    """Give the head of `metric_rows`."""
    return ("target", *(m.title for m in result.suite.metrics), "CPU s", "peak MiB", "rows")


def _roles(readings: Sequence[Reading], kind: str, digits: int) -> str:
    """Write the medians of what each role used."""
    used: list[Mapping[str, float]] = [getattr(reading.usage, kind) for reading in readings]
    return ", ".join(f"{role} {spread_of([u[role] for u in used]).median:.{digits}f}" for role in used[0])


def _same(case: CaseResult, name: str) -> str:
    """Say which other targets sent exactly the same bytes."""
    mine = case.facts.get(name, {})
    if "digest" not in mine:
        return "–"
    others = [
        other
        for other, facts in case.facts.items()
        if other != name and facts.get("digest") == mine["digest"]
    ]
    return f"{int(mine['rows']):,}" + (f", bytes as {', '.join(others)}" if others else "")


def to_markdown(result: SuiteResult, plot: str) -> str:
    """Write the tables for people."""
    machine = result.machine
    lines = [
        f"# {result.suite.title}",
        "",
        result.suite.about,
        "",
        f"* Machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}",
        f"* Commit {machine['commit']} (`+`: with changes), {result.started}, {result.duration_s:.0f} s",
        f"* {result.plan.rows:,} rows, {result.plan.repetitions} repetitions by turns; "
        "median (least–greatest)",
        f"* Load average before and after: {', '.join(str(load) for load in result.load)}. "
        f"{_quietness(result)}",
        *(f"* {name}: {version}{_facts(result, name)}" for name, version in result.versions.items()),
        *(f"* **{name} was not measured**: {reason}" for name, reason in result.failures.items()),
        "",
        f"![{result.suite.title}]({plot})",
        "",
        "## Ratios",
        "",
        *_table(
            ("case", "ratio of " + result.suite.metrics[0].title, "measured", "aim", "met"),
            ratio_rows(result),
        ),
    ]
    if limits := limit_rows(result):
        lines += ["", "## Limits", "", *_table(LIMIT_TITLES, limits)]
    if growth := series_rows(result):
        picture = f"![How it grows]({Path(plot).stem}-growth.png)"
        lines += ["", "## Growth", "", picture, "", *_table(SERIES_TITLES, growth)]
    for case in result.cases.values():
        lines += ["", f"## {case.title}", "", *_table(metric_titles(result), metric_rows(result, case))]
        lines += [f"\n**{name} failed**: {reason}" for name, reason in case.failures.items()]
    return "\n".join(lines) + "\n"


def _quietness(result: SuiteResult) -> str:
    cores = other_cores(result)
    if cores is None:
        return "Nothing was measured."
    verdict = "quiet" if cores <= QUIET_OTHER_CORES else "**busy: do not trust the numbers**"
    return f"Other programs kept {cores:.2f} cores busy: {verdict}."


def _facts(result: SuiteResult, name: str) -> str:
    return "".join(f"; {key}: {value}" for key, value in result.target_facts.get(name, {}).items())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]


def draw(result: SuiteResult, path: Path) -> None:
    """Draw the first metric: a panel for each case, a bar for each target, the spread as a whisker."""
    # Importing it takes a second, and only this needs it.
    from matplotlib.figure import Figure

    metric = result.suite.metrics[0]
    figure = Figure(figsize=(9, 1 + 1.7 * max(len(result.cases), 1)), layout="constrained")
    panels = figure.subplots(max(len(result.cases), 1), 1, squeeze=False)[:, 0]
    colours = {t.name: f"C{i}" for i, t in enumerate(result.suite.targets)}
    for axes, case in zip(panels, result.cases.values(), strict=False):
        found = {
            name: spread_of(values)
            for name, readings in case.readings.items()
            if (values := values_of(readings, metric.key))
        }
        medians = [s.median / metric.scale for s in found.values()]
        below = [(s.median - s.low) / metric.scale for s in found.values()]
        over = [(s.high - s.median) / metric.scale for s in found.values()]
        bars = axes.barh(
            list(found), medians, xerr=[below, over], color=[colours[n] for n in found], capsize=3
        )
        axes.bar_label(bars, fmt="{:,.0f}", padding=6)
        axes.set_title(case.title, loc="left", fontsize="medium")
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{result.suite.title}: {metric.title}, median with least and greatest")
    figure.savefig(path, dpi=110)
