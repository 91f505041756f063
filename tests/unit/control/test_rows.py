"""The relational form: nothing is lost on the way there and back, and no change is invisible."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from pgproxy.control.difference import compute_differences
from pgproxy.control.metastore import MetastoreError
from pgproxy.control.rollouts import Rollout, RolloutLimits, RolloutUnit
from pgproxy.control.rows import TABLES, rows_to_state, state_to_rows
from pgproxy.control.state import ControlState
from tests.unit.control.states import CUSTOMERS, control_states, sample_state


@settings(max_examples=30)
@given(control_states())
def test_a_state_survives_the_way_through_rows(state: ControlState) -> None:
    rows = state_to_rows(state)
    assert rows_to_state(rows) == state
    for table in TABLES:
        for key, values in rows[table.name].items():
            assert (len(key), len(values)) == (len(table.key), len(table.values))


@settings(max_examples=30)
@given(control_states(), control_states())
def test_states_differ_in_rows_exactly_when_a_difference_is_told(
    one: ControlState, other: ControlState
) -> None:
    is_told = bool(compute_differences(one, other))
    assert is_told is (state_to_rows(one) != state_to_rows(other))


@pytest.mark.parametrize(
    "change",
    [
        {"stages": (5.0, 100.0)},
        {"hold_s": 1.0},
        {"limits": RolloutLimits(max_p95_ratio=3.0)},
        {"unit": RolloutUnit.SESSION},
        {"since": 7.0},
    ],
    ids=str,
)
def test_whatever_changes_in_a_rollout_is_told(change: dict[str, Any]) -> None:
    rollout = Rollout("move", "node", (10.0, 100.0))
    one = replace(sample_state(), rollouts={"move": rollout})
    other = replace(one, rollouts={"move": replace(rollout, **change)})
    assert [d.kind for d in compute_differences(one, other)] == ["rollout"]


@pytest.mark.parametrize("table", ["row_filter_principals", "column_mask_principals"])
def test_bindings_that_vanished_are_refused_instead_of_meaning_everybody(table: str) -> None:
    rows = dict(state_to_rows(sample_state()))
    rows[table] = {}
    with pytest.raises(MetastoreError):
        rows_to_state(rows)


@pytest.mark.parametrize(
    ("table", "key", "values"),
    [
        ("principals", ("x",), ("robot", 0, 0, None)),
        ("grants", ("ann", "FLY", "demo", "", "", ""), ()),
        ("endpoints", ("e",), ("grpc://h:1", None, "ACTIVE")),
        ("assignments", ("ann", "node"), ("first", "automatic")),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(table: str, key: tuple, values: tuple) -> None:
    rows = {name: dict(found) for name, found in state_to_rows(sample_state()).items()}
    rows[table][key] = values
    with pytest.raises(MetastoreError):
        rows_to_state(rows)


def test_a_change_of_a_secret_is_told_and_the_secret_is_not() -> None:
    state = sample_state()
    endpoint = replace(state.endpoints["node"], token="a-new-token")
    changed = replace(
        state, verifiers={**state.verifiers, "ann": "SCRAM-other"}, endpoints={"node": endpoint}
    )
    differences = compute_differences(state, changed)
    assert [(d.kind, d.action, d.changed_facts) for d in differences] == [
        ("endpoint", "change", ("token",)),
        ("user", "change", ("password",)),
    ]
    assert "a-new-token" not in repr(differences)
    assert "SCRAM" not in repr(differences)


def test_the_policy_set_is_in_a_stable_order() -> None:
    policy = sample_state().policy_set(7)
    assert policy.epoch == 7
    assert [f.table for f in policy.row_filters] == [CUSTOMERS]
    assert policy == sample_state().policy_set(7)
