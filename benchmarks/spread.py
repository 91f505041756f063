"""Median, spread and ratios of repeated measurements. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


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
