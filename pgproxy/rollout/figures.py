"""What a stage has shown: statements, failures and latencies of the canary and of the control. Pure.

Figures add up: those of several gateways are summed before anybody decides by them.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_GROWTH = 1.1
"""Each latency bucket's upper bound over the one below: a quantile is right within 10 %."""

_LEAST_MS = 0.05
_BOUNDS_MS = tuple(_LEAST_MS * math.pow(_GROWTH, bucket) for bucket in range(256))
"""The last one is three weeks."""
_INFRASTRUCTURE = ("08", "53", "57P", "58", "XX")
"""Classes of SQLSTATE for which the client's statement is not to blame (PostgreSQL docs, appendix A)."""


def is_failure(sqlstate: str, fallback_reason: str) -> bool:
    """Whether a statement counts against its target: it failed there, though another answered it."""
    return bool(fallback_reason) or sqlstate.startswith(_INFRASTRUCTURE)


@dataclass(slots=True)
class Latencies:
    """A histogram with buckets of equal ratio. counts: by bucket number."""

    counts: dict[int, int] = field(default_factory=dict)

    def add(self, duration_ms: float) -> None:
        """Count one statement."""
        bucket = bisect_left(_BOUNDS_MS, duration_ms)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1

    def quantile_ms(self, share: float) -> float | None:
        """Give the upper bound of the bucket that holds the quantile; None: nothing was counted."""
        rank = share * sum(self.counts.values())
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= rank:
                return _LEAST_MS * math.pow(_GROWTH, bucket)
        return None

    def merge(self, other: "Latencies") -> None:
        """Add another histogram's counts."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count


@dataclass(slots=True)
class Arm:
    """One side of the comparison. statements: finished ones that failed included."""

    statements: int = 0
    failures: int = 0
    latencies: Latencies = field(default_factory=Latencies)

    def add(self, duration_ms: float, *, failed: bool) -> None:
        """Count one statement."""
        self.statements += 1
        self.failures += failed
        if not failed:
            self.latencies.add(duration_ms)

    @property
    def error_rate(self) -> float:
        """Failures over statements."""
        return self.failures / self.statements if self.statements else 0.0

    @property
    def p95_ms(self) -> float | None:
        """The 95th percentile of those that did not fail."""
        return self.latencies.quantile_ms(0.95)


@dataclass(slots=True)
class Figures:
    """What one stage has shown so far. compared, mismatched: digests of shadowed statements."""

    canary: Arm = field(default_factory=Arm)
    control: Arm = field(default_factory=Arm)
    compared: int = 0
    mismatched: int = 0

    @property
    def p95_ratio(self) -> float | None:
        """The canary's p95 over the control's; None where one of them has none."""
        canary, control = self.canary.p95_ms, self.control.p95_ms
        return canary / control if canary is not None and control is not None else None

    def merge(self, other: "Figures") -> None:
        """Add another gateway's figures."""
        for mine, theirs in ((self.canary, other.canary), (self.control, other.control)):
            mine.statements += theirs.statements
            mine.failures += theirs.failures
            mine.latencies.merge(theirs.latencies)
        self.compared += other.compared
        self.mismatched += other.mismatched

    def as_json(self) -> dict[str, object]:
        """Give plain values that `from_json` reads."""
        return {
            "canary": _arm_json(self.canary),
            "control": _arm_json(self.control),
            "compared": self.compared,
            "mismatched": self.mismatched,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "Figures":
        """Read what `as_json` gave. Raises: ValueError, TypeError, it is nothing of the kind."""
        return cls(
            _arm_of(value["canary"]),
            _arm_of(value["control"]),
            _count(value["compared"]),
            _count(value["mismatched"]),
        )


def sum_figures(parts: Iterable[Figures]) -> Figures:
    """Add up the figures of several gateways."""
    total = Figures()
    for part in parts:
        total.merge(part)
    return total


def _arm_json(arm: Arm) -> dict[str, object]:
    counts = {str(bucket): count for bucket, count in sorted(arm.latencies.counts.items())}
    return {"statements": arm.statements, "failures": arm.failures, "latencies": counts}


def _arm_of(value: object) -> Arm:
    if not isinstance(value, dict) or not isinstance(value["latencies"], dict):
        raise TypeError("an arm is an object")
    counts = {int(bucket): _count(count) for bucket, count in value["latencies"].items()}
    return Arm(_count(value["statements"]), _count(value["failures"]), Latencies(counts))


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError("a count is a whole number")
    return value
