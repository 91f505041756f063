"""Median, spread and ratios of repeated measurements. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import log
from random import Random
from statistics import geometric_mean, linear_regression, median

_RESAMPLES = 400


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


def percentile_ratio(
    pairs: Sequence[tuple[Sequence[float], Sequence[float]]], percent: int, seed: int = 0
) -> Spread:
    """Give the ratio of two sides' percentiles, each over all of its blocks, with a 95 % interval.

    pairs: (numerators, denominators) of blocks that ran next to each other, at least one of each. The
    interval is a bootstrap of whole pairs: readings of one block resemble one another.

    Raises:
        ValueError: there is no pair.
    """
    if not pairs:
        raise ValueError("nothing was measured")
    chance = Random(seed)
    drawn = sorted(
        _percentile_ratio([chance.choice(pairs) for _ in pairs], percent) for _ in range(_RESAMPLES)
    )
    edge = _RESAMPLES // 40
    return Spread(_percentile_ratio(pairs, percent), drawn[edge], drawn[-1 - edge], len(pairs))


def _percentile_ratio(pairs: Sequence[tuple[Sequence[float], Sequence[float]]], percent: int) -> float:
    above, below = (sorted(chain.from_iterable(side)) for side in zip(*pairs, strict=True))
    return above[len(above) * percent // 100] / below[len(below) * percent // 100]
