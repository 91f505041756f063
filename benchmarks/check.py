"""`make bench-check`: compare a quick run's ratios with the committed ones, beyond the noise of both.

A ratio fails where it is lower than every committed reading and every one of its own is lower than the
committed median: then the two runs' noise does not explain it. Both are of the same machine's kind, or the
comparison says that they are not.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.__main__ import RESULTS
from benchmarks.__main__ import main as run_benchmarks
from benchmarks.machine import ROOT

NEW = ROOT / "var" / "bench" / "check"
SUITES = ("stream", "point", "tpch", "fleet")


@dataclass(frozen=True, slots=True)
class Change:
    """One ratio then and now: median and range of each."""

    name: str
    before: Mapping[str, float]
    after: Mapping[str, float]

    @property
    def is_regression(self) -> bool:
        """Whether it fell by more than the noise of both runs."""
        return self.after["high"] < self.before["median"] and self.after["median"] < self.before["low"]


def compare_results(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Pair the ratios that both results have."""
    old, new = dict(_ratios(before)), dict(_ratios(after))
    for name in old.keys() & new.keys():
        yield Change(name, old[name], new[name])


def _ratios(result: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, float]]]:
    for case in result["cases"].values():
        for found in case["ratios"]:
            yield f"{case['title']}: {_sides(found)}", found["ratio"]
    for found in result.get("means", ()):
        yield f"geometric mean: {_sides(found)}", found["ratio"]


def _sides(found: Mapping[str, Any]) -> str:
    other = found.get("below_metric")
    return f"{found['above']} / {found['below']}, {found['metric']}{f' / {other}' if other else ''}"


def main(arguments: list[str]) -> int:
    """Run the suites at their quick sizes and compare. The exit status is 1 where something got slower."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check")
    parser.add_argument("--baseline", type=Path, default=RESULTS, help="folder of the committed results")
    parser.add_argument("--no-run", action="store_true", help="compare what the last check measured")
    options = parser.parse_args(arguments)
    if not options.no_run:
        chosen = [word for suite in SUITES for word in ("--suite", suite)]
        run_benchmarks(["--quick", "--out", str(NEW), *chosen])
    slower = 0
    for suite in SUITES:
        paths = [folder / f"{suite}-quick.json" for folder in (options.baseline, NEW)]
        if missing := [path for path in paths if not path.exists()]:
            print(f"{suite}: not compared, there is no {missing[0]}")
            continue
        before, after = (json.loads(path.read_text()) for path in paths)
        if before["machine"]["cpu"] != after["machine"]["cpu"]:
            print(f"{suite}: another processor than the baseline's")
        changes = sorted(compare_results(before, after), key=lambda change: change.name)
        worse = [change for change in changes if change.is_regression]
        slower += len(worse)
        print(f"{suite}: {len(changes)} ratios compared, {len(worse)} lower than noise explains")
        for change in worse:
            was, now = change.before, change.after
            print(f"  {change.name}: {was['median']:.2f} ({was['low']:.2f}–{was['high']:.2f})", end="")
            print(f" → {now['median']:.2f} ({now['low']:.2f}–{now['high']:.2f})")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
