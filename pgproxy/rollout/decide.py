"""Where a rollout goes next: one pure function of what it is, what its stage has shown, and the time."""

from enum import StrEnum
from typing import NamedTuple

from pgproxy.control.rollouts import Rollout, RolloutStatus
from pgproxy.rollout.figures import Figures

_LEAST_FOR_P95 = 20
"""With fewer statements a 95th percentile is the slowest one."""

_WHOLE = 100.0


def decide(rollout: Rollout, figures: Figures, now: float, lost_target: str = "") -> Rollout:
    """Give the rollout as it should be now; the same one where nothing moves. now: Unix time.

    lost_target: why no endpoint of its target takes new work; then it moves nobody until an operator says so.
    A limit that is broken sends it back a stage at once, and there it waits for an operator. A stage that
    has lasted, has seen enough statements and has kept every limit gives way to the next.
    """
    if rollout.status is not RolloutStatus.RUNNING:
        return rollout
    if lost_target:
        return rollout.moved(RolloutStatus.HALTED, now, f"{_stage_text(rollout)}: {lost_target}", stage=-1)
    broken = broken_limit(rollout, figures)
    if broken is not None:
        return rollout.moved(
            RolloutStatus.HALTED, now, f"{_stage_text(rollout)}: {broken.text}", stage=rollout.stage - 1
        )
    if missing_evidence(rollout, figures, now):
        return rollout
    if rollout.stage + 1 < len(rollout.stages):
        passed = f"{_stage_text(rollout)} kept every limit over {figures.canary.statements} statements"
        return rollout.moved(RolloutStatus.RUNNING, now, passed, stage=rollout.stage + 1)
    return rollout.moved(RolloutStatus.COMPLETED, now, "every stage kept every limit")


class Limit(StrEnum):
    """A limit of a stage; the same word in metrics and in the log."""

    SHADOW_MISMATCHES = "shadow_mismatches"
    ERROR_RATE = "error_rate"
    P95_RATIO = "p95_ratio"


class BrokenLimit(NamedTuple):
    """A limit that is broken, and how."""

    limit: Limit
    text: str


def broken_limit(rollout: Rollout, figures: Figures) -> BrokenLimit | None:
    """Say which limit the stage has broken beyond repair; None: none."""
    limits, canary = rollout.limits, figures.canary
    if figures.mismatched > limits.max_shadow_mismatches:
        return BrokenLimit(
            Limit.SHADOW_MISMATCHES, f"{figures.mismatched} of {figures.compared} shadowed results differ"
        )
    if canary.failures > limits.max_error_rate * max(canary.statements, limits.min_queries):
        return BrokenLimit(
            Limit.ERROR_RATE, f"{canary.failures} of {canary.statements} statements failed on the target"
        )
    ratio = figures.p95_ratio if _has_latencies(figures) else None
    if ratio is not None and ratio > limits.max_p95_ratio:
        return BrokenLimit(Limit.P95_RATIO, f"p95 is {ratio:.2f} times the control's")
    return None


def missing_evidence(rollout: Rollout, figures: Figures, now: float) -> str:
    """Say what the stage still waits for; empty: it may end."""
    left_s = rollout.since + rollout.hold_s - now
    if left_s > 0:
        return f"holds for another {left_s:.0f} s"
    if figures.canary.statements < rollout.limits.min_queries:
        return f"{figures.canary.statements} of {rollout.limits.min_queries} statements seen"
    if rollout.percent < _WHOLE and not _has_latencies(figures):
        return "too few statements to compare p95"
    if figures.canary.error_rate > rollout.limits.max_error_rate:
        return "the error rate is above its limit"
    return ""


def _has_latencies(figures: Figures) -> bool:
    return min(figures.canary.statements, figures.control.statements) >= _LEAST_FOR_P95


def _stage_text(rollout: Rollout) -> str:
    return f"stage {rollout.stage + 1} ({rollout.percent:g}%)"
