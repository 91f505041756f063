"""`python -m benchmarks`: set up every target, measure, and write the results.

The exit status is 1 if a target could not be started or failed.
"""

import argparse
import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.growth import SERIES_TITLES, series_rows
from benchmarks.harness import Plan, SuiteResult, run_suite
from benchmarks.machine import ROOT
from benchmarks.report import (
    LIMIT_TITLES,
    limit_rows,
    metric_rows,
    metric_titles,
    ratio_rows,
    write_report,
)
from benchmarks.suites import SUITES

RESULTS = ROOT / "benchmarks" / "results"
CACHE = ROOT / "var" / "bench"
_FILE_WIDTH = 200
REPETITIONS, QUICK_REPETITIONS = 7, 3


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the gateway beside its peers."
    )
    parser.add_argument(
        "--suite", action="append", choices=sorted(SUITES), help="only this one; may be repeated"
    )
    parser.add_argument("--target", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument(
        "--quick", action="store_true", help="fewer rows and repetitions: minutes, and wider spreads"
    )
    parser.add_argument("--repetitions", type=int, help=f"default {REPETITIONS}, quick {QUICK_REPETITIONS}")
    parser.add_argument("--rows", type=int, help="rows of the largest table; default by suite")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the results")
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help="folder for data and peers, kept between runs"
    )
    options = parser.parse_args(arguments)
    known = {target.name for suite in SUITES.values() for target in suite.targets}
    if unknown := set(options.target) - known:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    return options


def main(arguments: list[str]) -> int:
    """Run the chosen suites."""
    options = parse_arguments(arguments)
    # Into a file or a pipe the tables are not folded to 80 columns.
    console = Console() if sys.stdout.isatty() else Console(width=_FILE_WIDTH)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    complete = True
    for name in options.suite or SUITES:
        suite = SUITES[name]
        plan = Plan(
            cache=options.cache,
            rows=options.rows or (suite.quick_rows if options.quick else suite.rows),
            repetitions=options.repetitions or (QUICK_REPETITIONS if options.quick else REPETITIONS),
            targets=frozenset(options.target),
        )
        with Progress(*columns, console=console, auto_refresh=False) as progress:
            result = run_suite(suite, plan, progress)
        paths = write_report(result, options.out, f"{name}-quick" if options.quick else name)
        print_result(console, result)
        console.print("Written: " + ", ".join(str(path) for path in paths))
        complete = complete and result.is_complete
    return 0 if complete else 1


def print_result(console: Console, result: SuiteResult) -> None:
    """Show the tables at the terminal."""
    for case in result.cases.values():
        table = Table(*metric_titles(result), title=case.title, title_justify="left", box=box.SIMPLE)
        for row in metric_rows(result, case):
            table.add_row(*row)
        console.print(table)
        for name, reason in case.failures.items():
            console.print(f"{name} failed: {reason}", style="red", markup=False)
    ratios = Table(
        "case", "ratio", "measured", "aim", "met", title="Ratios", title_justify="left", box=box.SIMPLE
    )
    for cells in ratio_rows(result):
        ratios.add_row(*(cell.replace("**", "") for cell in cells))
    console.print(ratios)
    if limits := limit_rows(result):
        table = Table(*LIMIT_TITLES, title="Limits", title_justify="left", box=box.SIMPLE)
        for cells in limits:
            table.add_row(*(cell.replace("**", "") for cell in cells))
        console.print(table)
    if growth := series_rows(result):
        table = Table(*SERIES_TITLES, title="Growth", title_justify="left", box=box.SIMPLE)
        for cells in growth:
            table.add_row(*cells)
        console.print(table)
    for name, reason in result.failures.items():
        console.print(f"{name} was not measured: {reason}", style="red", markup=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
