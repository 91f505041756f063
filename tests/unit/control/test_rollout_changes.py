"""Rollouts are started, moved and forgotten by checked changes; one at a time."""

from dataclasses import replace

import pytest

from pgproxy.control.rollout_changes import (
    drop_rollout,
    move_rollout,
    replace_rollout,
    rollout_named,
    start_rollout,
)
from pgproxy.control.rollouts import Rollout, RolloutLimits, RolloutStatus
from pgwire.errors import StatementError
from tests.unit.control.states import sample_state

ROLLOUT = Rollout("r", "node", (1.0, 100.0))
STARTED = start_rollout(sample_state(), ROLLOUT)


def state_of(error: pytest.ExceptionInfo[StatementError]) -> str:
    return error.value.sqlstate.value


@pytest.mark.parametrize(
    ("rollout", "sqlstate"),
    [
        (replace(ROLLOUT, target="nowhere"), "42704"),
        (replace(ROLLOUT, target="b=1,a=2"), "22023"),
        (replace(ROLLOUT, name=""), "42602"),
        (replace(ROLLOUT, stages=()), "22023"),
        (replace(ROLLOUT, hold_s=-1), "22023"),
        (replace(ROLLOUT, limits=RolloutLimits(min_queries=0)), "22023"),
        (replace(ROLLOUT, limits=RolloutLimits(max_error_rate=1.1)), "22023"),
        (replace(ROLLOUT, limits=RolloutLimits(max_p95_ratio=0)), "22023"),
    ],
)
def test_a_rollout_that_makes_no_sense_is_refused(rollout: Rollout, sqlstate: str) -> None:
    with pytest.raises(StatementError) as caught:
        start_rollout(sample_state(), rollout)
    assert state_of(caught) == sqlstate


@pytest.mark.parametrize(("name", "sqlstate"), [("r", "42710"), ("s", "55000")])
def test_one_rollout_moves_at_a_time(name: str, sqlstate: str) -> None:
    with pytest.raises(StatementError) as caught:
        start_rollout(STARTED, replace(ROLLOUT, name=name))
    assert state_of(caught) == sqlstate


def test_an_ended_rollout_makes_room_and_can_be_forgotten() -> None:
    ended = move_rollout(STARTED, "r", RolloutStatus.ABORTED, 5.0, "by hand")
    assert rollout_named(ended, "r").percent == 0
    assert rollout_named(start_rollout(ended, ROLLOUT), "r") == ROLLOUT
    assert rollout_named(start_rollout(ended, replace(ROLLOUT, name="s")), "s").percent == 1
    assert not drop_rollout(ended, "r").rollouts
    with pytest.raises(StatementError) as caught:
        drop_rollout(STARTED, "r")
    assert state_of(caught) == "55000"


def test_a_move_that_the_table_lacks_is_refused() -> None:
    ended = move_rollout(STARTED, "r", RolloutStatus.ABORTED, 5.0, "by hand")
    with pytest.raises(StatementError) as caught:
        move_rollout(ended, "r", RolloutStatus.RUNNING, 6.0, "")
    assert state_of(caught) == "55000"
    with pytest.raises(StatementError) as caught:
        move_rollout(ended, "other", RolloutStatus.PAUSED, 6.0, "")
    assert state_of(caught) == "42704"


def test_a_decision_about_a_rollout_that_has_moved_since_changes_nothing() -> None:
    paused = move_rollout(STARTED, "r", RolloutStatus.PAUSED, 5.0, "by hand")
    assert replace_rollout(paused, ROLLOUT, replace(ROLLOUT, stage=1)) is paused
    assert rollout_named(replace_rollout(STARTED, ROLLOUT, replace(ROLLOUT, stage=1)), "r").stage == 1
