"""Median, spread and ratios of repeated measurements. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from statistics import geometric_mean, linear_regression, median


@dataclass(frozen=True, slots=True)
class Spread:
    """What repetitions gave: median, least, greatest, and how many there were."""

    median: float
    low: float
    high: float
    count: int


def spread_of(values: Sequence[float]) -> Spread:
    """Summarise at least one value.

    Raises:
        ValueError: there is none.
    """
    if not values:
        raise ValueError("nothing was measured")
    return Spread(median(values), min(values), max(values), len(values))


def ratio_of(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """Summarise the ratios of repetitions that ran next to each other.

    Pairing by repetition keeps what slowed the whole machine for a while out of the ratio. Repetitions that
    only one side has are left out.

    Raises:
        ValueError: there is no pair, or a denominator is not positive.
    """
    pairs = list(zip(numerators, denominators, strict=False))
    if any(below <= 0 for _, below in pairs):
        raise ValueError("a ratio to nothing")
    return spread_of([above / below for above, below in pairs])


def mean_ratio_of(pairs: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Spread:
    """Summarise the geometric means, over cases, of each repetition's ratios.

    pairs: (numerators, denominators) of each case, by repetition. Repetitions that a case lacks are left out.

    Raises:
        ValueError: there is no case, no repetition, or a denominator is not positive.
    """
    if any(below <= 0 for _, denominators in pairs for below in denominators):
        raise ValueError("a ratio to nothing")
    ratios = [
        [above / below for above, below in zip(numerators, denominators, strict=False)]
        for numerators, denominators in pairs
    ]
    return spread_of([geometric_mean(repetition) for repetition in zip(*ratios, strict=False)])


def fit_power(points: Sequence[tuple[float, float]]) -> float:
    """Give the exponent k for which y ~ x ** k fits best, by least squares of the logarithms.

    Raises:
        ValueError: fewer than two different x, or a value is not positive.
    """
    if any(x <= 0 or y <= 0 for x, y in points) or len({x for x, _ in points}) < 2:
        raise ValueError("no power fits")
    return linear_regression([log(x) for x, _ in points], [log(y) for _, y in points]).slope
