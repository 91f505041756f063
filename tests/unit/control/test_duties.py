"""Who may change policy and who may see data, apart from one another."""

from dataclasses import replace

import pytest

from pgproxy.control import changes
from pgproxy.control.duties import check_no_data, check_officers_change, may_administer
from pgproxy.control.state import ControlState
from pgproxy.policy.effective import effective_policy
from pgproxy.policy.model import Grant, Principal, Privilege
from pgwire.errors import AccessDenied, StatementError
from tests.unit.control.states import CUSTOMERS, VERIFIER, group, sample_state, user

GRANT = Grant("team", Privilege.INSERT, "demo", "sales", "customers")


def state_with(*more: Principal) -> ControlState:
    state = sample_state()
    return replace(state, principals={**state.principals, **{p.name: p for p in more}})


def test_duties_are_held_through_groups_and_by_whom_may_log_in() -> None:
    state = state_with(
        group("guards", is_security_officer=True),
        user("gus", "guards"),
        user("out", "guards", can_login=False),
        user("eye", is_auditor=True),
    )
    assert [may_administer(state, n) for n in ("root", "gus", "out", "eye", "ann", "nobody")] == [
        *(True, True, False, False, False, False)
    ]
    policies = state.policy_set(1)
    seen = {n: effective_policy(policies, n) for n in ("root", "gus", "out", "eye", "ann")}
    assert {n for n, p in seen.items() if p.may_administer} == {"root", "gus"}
    assert {n for n, p in seen.items() if p.sees_activity} == {"root", "eye"}
    assert {n for n, p in seen.items() if p.sees_policy} == {"root", "gus", "eye"}
    assert not seen["gus"].table(CUSTOMERS).is_visible
    assert not seen["eye"].table(CUSTOMERS).is_visible


def test_an_officer_changes_grants_and_roles_without_a_duty() -> None:
    before = state_with(user("gus", is_security_officer=True))
    check_officers_change(before, changes.add_grants(before, [GRANT]))
    check_officers_change(before, changes.create_principal(before, user("new"), VERIFIER))
    check_officers_change(before, changes.add_member(before, "team", "ann"))


@pytest.mark.parametrize(
    "after",
    [
        lambda s: changes.create_principal(s, user("new", is_admin=True)),
        lambda s: changes.create_principal(s, user("new", is_security_officer=True)),
        lambda s: changes.create_principal(s, user("new", "admins")),
        lambda s: changes.alter_principal(s, user("ann", "team", is_admin=True)),
        lambda s: changes.alter_principal(s, user("gus", is_admin=True)),
        lambda s: changes.alter_principal(s, user("eye")),
        lambda s: changes.set_verifier(s, "root", None),
        lambda s: changes.drop_principal(s, "eye"),
        lambda s: changes.add_member(s, "admins", "ann"),
        lambda s: replace(s, endpoints={}),
        lambda s: replace(s, hba_rules=()),
        lambda s: replace(s, api_keys={}),
    ],
)
def test_an_officer_changes_no_duties_no_administrators_and_no_fleet(after: object) -> None:
    before = state_with(
        user("gus", is_security_officer=True), user("eye", is_auditor=True), group("admins", is_admin=True)
    )
    with pytest.raises(AccessDenied):
        check_officers_change(before, after(before))  # type: ignore[operator]


def test_an_officer_can_hold_no_privilege_on_data() -> None:
    officer = user("gus", is_security_officer=True)
    check_no_data(state_with(officer))
    for state in (
        changes.add_grants(state_with(officer), [replace(GRANT, principal="gus")]),
        state_with(replace(officer, member_of=frozenset({"team"}))),
        state_with(user("gus", "guards", "team"), group("guards", is_security_officer=True)),
    ):
        with pytest.raises(StatementError, match="can hold no privilege on data"):
            check_no_data(state)
    check_no_data(state_with(replace(officer, is_admin=True, member_of=frozenset({"team"}))))
