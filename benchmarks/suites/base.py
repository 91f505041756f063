"""What a suite is: cases that are measured the same way on every target, and the ratios that matter."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from benchmarks.data import DataSet
from benchmarks.processes import Usage
from benchmarks.targets.base import RunningTarget, Target


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that a probe gives. scale: what the stored value is divided by where it is shown."""

    key: str
    title: str
    digits: int = 1
    scale: float = 1.0


class Probe(Protocol):
    """One case on one target, ready to run: its connection is open."""

    def check(self) -> Mapping[str, str]:
        """Run once, unmeasured: warms caches, and gives facts to compare, such as a digest of the rows."""
        ...

    def measure(self) -> Mapping[str, float]:
        """Run once and give the value of every metric that this target has."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure. open(target) connects and gives the probe. not_on: targets that cannot do it."""

    key: str
    title: str
    open: Callable[[RunningTarget], AbstractContextManager[Probe]]
    not_on: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ratio `above` / `below` of a metric, by targets' names.

    below_metric: of `below`, where it is another one. at_least: what the project aims at. aim_case: the one
    case that the aim is for; None: every case. aims: what it aims at in single cases, by their titles.
    """

    above: str
    below: str
    metric: str
    at_least: float | None = None
    aim_case: str | None = None
    below_metric: str | None = None
    aims: Mapping[str, float] = field(default_factory=dict)

    def aim(self, case: str) -> float | None:
        """Give the aim for a case, by its name."""
        return self.aims.get(case, self.at_least if self.aim_case in (None, case) else None)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a metric of a target may be at most, in a case.

    less: the case whose median is taken off first. less_target: the target whose median is, in the same case.
    """

    target: str
    metric: str
    case: str
    at_most: float
    less: str | None = None
    less_target: str | None = None

    @property
    def base(self) -> tuple[str, str] | None:
        """Give target and case of the median that is taken off."""
        if self.less is None and self.less_target is None:
            return None
        return self.less_target or self.target, self.less or self.case


@dataclass(frozen=True, slots=True)
class Series:
    """Cases that differ by one quantity, or targets in one case: how does a metric grow with it?

    sizes: the quantity by case's key; with `case`, which is a case's key, by target's name.
    """

    title: str
    metric: str
    sizes: Mapping[str, float]
    case: str | None = None


def no_derived_values(values: Mapping[str, float], usage: Usage) -> Mapping[str, float]:
    """Give nothing: what a suite without derived values has."""
    del values, usage
    return {}


@dataclass(frozen=True, slots=True)
class Suite:
    """Everything about one benchmark. data(cache, rows) makes what the targets serve.

    metrics: in the order of the table; the first is drawn. means: ratios of which the geometric mean over all
    cases is given. about: a paragraph for the report. derive: further
    values of a repetition, from the probe's values and what the processes used.
    """

    name: str
    title: str
    about: str
    metrics: tuple[Metric, ...]
    targets: tuple[Target, ...]
    data: Callable[[Path, int], DataSet]
    rows: int
    quick_rows: int
    cases: tuple[Case, ...]
    comparisons: tuple[Comparison, ...]
    limits: tuple[Limit, ...] = ()
    means: tuple[Comparison, ...] = ()
    series: tuple[Series, ...] = ()
    derive: Callable[[Mapping[str, float], Usage], Mapping[str, float]] = no_derived_values
