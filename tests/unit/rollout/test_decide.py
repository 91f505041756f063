"""Where a rollout goes: on with evidence, back at once when a limit breaks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgproxy.control.rollouts import (
    Rollout,
    RolloutLimits,
    RolloutStatus,
    RolloutUnit,
    parse_stages,
)
from pgproxy.rollout.decide import decide, missing_evidence
from pgproxy.rollout.figures import Arm, Figures, Latencies, is_failure, sum_figures

ROLLOUT = Rollout("r", "node1", (1.0, 10.0, 100.0), 60.0, RolloutLimits(200, 0.01, 1.5, 0), since=1000.0)


def figures(
    statements: int = 1000,
    failures: int = 0,
    canary_ms: float = 10,
    control_ms: float = 10,
    mismatched: int = 0,
) -> Figures:
    canary, control = Arm(), Arm()
    for i in range(statements):
        canary.add(canary_ms, failed=i < failures)
        control.add(control_ms, failed=False)
    return Figures(canary, control, 50, mismatched)


def test_a_stage_that_held_and_kept_its_limits_gives_way_to_the_next() -> None:
    after = decide(ROLLOUT, figures(), 1060)
    assert (after.stage, after.percent, after.status, after.since) == (1, 10.0, RolloutStatus.RUNNING, 1060)
    assert "stage 1 (1%)" in after.reason


def test_the_last_stage_completes() -> None:
    last = replace(ROLLOUT, stage=2)
    assert decide(last, figures(), 1060).status is RolloutStatus.COMPLETED
    assert decide(last, figures(), 1060).percent == 100


@pytest.mark.parametrize(
    ("shown", "now", "waits_for"),
    [
        (figures(), 1059, "holds for another 1 s"),
        (figures(199), 1100, "199 of 200"),
        (Figures(figures().canary, Arm()), 1100, "p95"),
    ],
)
def test_without_evidence_nothing_moves(shown: Figures, now: float, waits_for: str) -> None:
    assert decide(ROLLOUT, shown, now) is ROLLOUT
    assert waits_for in missing_evidence(ROLLOUT, shown, now)


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (figures(failures=11), "11 of 1000 statements failed"),
        (figures(3, failures=3), "3 of 3 statements failed"),
        (figures(canary_ms=20), "p95 is 1.9"),
        (figures(mismatched=1), "1 of 50 shadowed results differ"),
    ],
)
def test_a_broken_limit_goes_back_a_stage_at_once_and_halts(shown: Figures, reason: str) -> None:
    at_ten = replace(ROLLOUT, stage=1)
    after = decide(at_ten, shown, 1001)
    assert (after.stage, after.percent, after.status) == (0, 1.0, RolloutStatus.HALTED)
    assert reason in after.reason
    assert "stage 2 (10%)" in after.reason
    assert decide(ROLLOUT, shown, 1001).percent == 0


def test_one_failure_among_few_statements_is_no_breach_yet() -> None:
    assert decide(ROLLOUT, figures(3, failures=1), 1001) is ROLLOUT


@pytest.mark.parametrize("status", [s for s in RolloutStatus if s is not RolloutStatus.RUNNING])
def test_only_a_running_rollout_moves(status: RolloutStatus) -> None:
    still = replace(ROLLOUT, status=status)
    assert decide(still, figures(failures=1000), 9999) is still


def test_a_rollout_that_was_aborted_moves_nobody_and_stays_aborted() -> None:
    aborted = ROLLOUT.moved(RolloutStatus.ABORTED, 5, "by hand")
    assert aborted.percent == 0
    with pytest.raises(ValueError, match="ABORTED cannot become RUNNING"):
        aborted.moved(RolloutStatus.RUNNING, 6, "")


def test_units_stay_moved_as_stages_grow_and_the_share_is_right() -> None:
    users = [f"user{i}" for i in range(5000)]
    moved = [{u for u in users if replace(ROLLOUT, stage=stage).includes(u, "s")} for stage in (0, 1, 2)]
    assert moved[0] < moved[1] < moved[2] == set(users)
    assert 400 < len(moved[1]) < 600
    by_session = replace(ROLLOUT, stage=1, unit=RolloutUnit.SESSION)
    sessions = [by_session.includes("one", str(i)) for i in range(5000)]
    assert 400 < sum(sessions) < 600


@pytest.mark.parametrize("text", ["", "10%,5%", "0%", "101%", "a", "10,,20", "nan", "5%,nan,10%"])
def test_stages_that_do_not_rise_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="stage"):
        parse_stages(text)


def test_stages_are_percents() -> None:
    assert parse_stages("1%, 10,50 %,100%") == (1.0, 10.0, 50.0, 100.0)


@given(st.lists(st.floats(0.01, 60_000), min_size=1, max_size=300))
def test_a_quantile_is_right_within_its_bucket(durations: list[float]) -> None:
    latencies = Latencies()
    for duration in durations:
        latencies.add(duration)
    found = latencies.quantile_ms(0.95)
    exact = max(sorted(durations)[-(-len(durations) * 95 // 100) - 1], 0.05)
    assert found is not None
    assert exact * 0.999 <= found <= exact * 1.101


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=5))
def test_figures_of_gateways_add_up_and_survive_json(parts: list[tuple[int, int]]) -> None:
    each = [figures(n, min(n, f)) for n, f in parts]
    total = sum_figures(Figures.from_json(part.as_json()) for part in each)
    assert total.canary.statements == sum(n for n, _ in parts)
    assert total.canary.failures == sum(min(n, f) for n, f in parts)
    assert sum(total.control.latencies.counts.values()) == sum(n for n, _ in parts)


@pytest.mark.parametrize(
    ("sqlstate", "fallback", "counts"),
    [
        ("00000", "", False), ("42P01", "", False), ("57014", "", False), ("22012", "", False),
        ("08006", "", True), ("53200", "", True), ("57P03", "", True), ("XX000", "", True),
        ("00000", "connect", True),
    ],
)  # fmt: skip
def test_only_failures_of_the_infrastructure_count(sqlstate: str, fallback: str, counts: bool) -> None:
    assert is_failure(sqlstate, fallback) is counts
