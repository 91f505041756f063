"""Going back to any earlier version, and what stays as it is."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgproxy.control.rows import rows_to_state, state_to_rows
from pgproxy.control.state import ControlState
from pgproxy.control.stored_change import plan_change
from pgproxy.control.undo import rolled_back, undo_of, undone
from pgwire.errors import StatementError
from tests.unit.control.states import VERIFIER, control_states, sample_state


def policy_of(state: ControlState) -> ControlState:
    """The part that goes back."""
    return rolled_back(ControlState(), state)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(control_states(), min_size=2, max_size=3))
def test_every_version_can_be_gone_back_to(states: list[ControlState]) -> None:
    known = [rows_to_state(state_to_rows(state)) for state in states]
    undos = [
        undo_of(plan_change(before, lambda _, after=after: after))  # type: ignore[misc]
        for before, after in pairwise(known)
    ]
    for version, wanted in enumerate(known):
        back = undone(known[-1], reversed(undos[version:]))
        assert policy_of(back) == policy_of(wanted)


def test_credentials_and_the_fleet_stay_and_what_hangs_on_gone_roles_goes() -> None:
    then = replace(sample_state(), assignments={}, endpoints={}, verifiers={"root": "old"})
    now = replace(sample_state(), verifiers={"ann": VERIFIER})
    back = rolled_back(now, then)
    assert back.verifiers == {"ann": VERIFIER}
    assert (back.endpoints, back.assignments) == (now.endpoints, now.assignments)
    without_ann = {name: p for name, p in then.principals.items() if name != "ann"}
    back = rolled_back(now, replace(then, principals=without_ann))
    assert (back.verifiers, back.api_keys) == ({}, {})


def test_no_verifier_is_kept_to_undo_with() -> None:
    before = sample_state()
    undo = undo_of(plan_change(before, lambda _: ControlState()))
    assert VERIFIER not in undo
    assert set(json.loads(undo)) >= {"principals", "grants", "row_filters", "column_masks"}


def test_a_change_that_kept_nothing_cannot_be_undone() -> None:
    of_another_shape = '{"row_filters": [[["demo", "sales", "customers", "eu"], ["true"]]]}'
    for undo in (None, of_another_shape):
        with pytest.raises(StatementError, match="cannot be undone"):
            undone(sample_state(), [undo])
