"""Policy files: lines of mistakes, idempotence, what is kept, and the round trip through an export."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pgproxy.control import open_metastore
from pgproxy.control.api_keys import KeyTerms
from pgproxy.control.fleet import EndpointState, Fallback
from pgproxy.control.passwords import matches_verifier
from pgproxy.control.policy_export import export_policy
from pgproxy.control.policy_file import apply_policy, check_policy, parse_policy, plan_policy
from pgproxy.control.service import Actor, ControlService
from pgproxy.control.state import ControlState
from pgproxy.control.yaml_lines import PolicyFileError
from pgproxy.policy.model import Grant, PolicyCommand, Privilege, RowFilter
from tests.unit.control.states import CUSTOMERS, VERIFIER, sample_state, user

OPERATOR = Actor("os:me", is_operator=True)

FILE = f"""
users:
  analyst: {{password: "first secret", groups: [eu_team], attributes: {{tenant: a}}}}
  taken_over: {{verifier: "{VERIFIER}", login: false}}
  from_env: {{password_env: FROM_ENV}}
  bare:
groups:
  eu_team: {{groups: [readers]}}
  readers: {{members: [bare]}}
grants:
  - {{to: eu_team, privileges: [SELECT], on: demo.sales.customers, columns: [ID, "\\"Name\\""]}}
  - {{to: readers, privileges: [ALL], on: demo.hr.*}}
  - {{to: readers, privileges: [USAGE, CREATE], on: demo.sales}}
  - {{to: readers, privileges: [CONNECT], on: demo}}
row_filters:
  - {{name: eu_only, on: demo.sales.customers, using: "region = 'EU'", to: [eu_team], check: "region <> 'X'"}}
  - {{name: live, on: demo.sales.customers, using: "NOT deleted", restrictive: true}}
  - {{name: red, on: demo.sales.customers, for: insert, check: "region = 'EU'"}}
column_masks:
  - {{name: hide, on: demo.sales.customers, column: Email, using: "'***'", exempt: [analyst], strictness: 3}}
endpoints:
  node: {{url: "grpc://127.0.0.1:9444", token_env: NODE_TOKEN}}
assignments:
  - {{group: eu_team, endpoint: node, priority: 5, fallback: automatic}}
  - {{user: analyst, endpoint: node}}
hba_rules:
  - hostssl all +eu_team,analyst 10.0.0.0/8 password accept=api_key
  - host demo "all" 10.1.0.0 255.255.0.0 reject
  - host all all all scram-sha-256
"""
ENVIRONMENT = {"FROM_ENV": "second secret", "NODE_TOKEN": "a token"}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ControlService]:
    async with open_metastore(f"sqlite:///{tmp_path}/m.sqlite") as metastore:
        yield ControlService(metastore)


async def apply(service: ControlService, text: str) -> int:
    return (await apply_policy(service, OPERATOR, parse_policy(text), ENVIRONMENT)).epoch


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(PolicyFileError) as caught:
        check_policy(parse_policy(text))
    return caught.value.problems


async def test_every_section_is_applied(service: ControlService) -> None:
    await apply(service, FILE)
    state = await service.metastore.state()
    assert state.principals["analyst"] == user("analyst", "eu_team", attributes={"tenant": "a"})
    assert not state.principals["taken_over"].can_login
    assert state.principals["bare"].member_of == {"readers"}
    assert state.verifiers["taken_over"] == VERIFIER
    assert await matches_verifier("first secret", state.verifiers["analyst"])
    assert await matches_verifier("second secret", state.verifiers["from_env"])
    assert "bare" not in state.verifiers
    assert Grant("eu_team", Privilege.SELECT, *CUSTOMERS, columns=frozenset({"id", "Name"})) in state.grants
    on_hr = {g.privilege.value for g in state.grants if g.schema == "hr"}
    assert on_hr == {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"}
    assert Grant("readers", Privilege.USAGE, "demo", "sales") in state.grants
    assert Grant("readers", Privilege.CONNECT, "demo") in state.grants
    assert state.row_filters[CUSTOMERS, "eu_only"].check == "region <> 'X'"
    assert state.row_filters[CUSTOMERS, "live"].is_restrictive
    assert state.row_filters[CUSTOMERS, "live"].command is PolicyCommand.ALL
    assert state.row_filters[CUSTOMERS, "red"].command is PolicyCommand.INSERT
    assert state.row_filters[CUSTOMERS, "red"].using == "false"
    assert state.row_filters[CUSTOMERS, "live"].principals == frozenset()
    mask = state.column_masks[CUSTOMERS, "hide"]
    assert (mask.column, mask.exempt, mask.strictness) == ("email", {"analyst"}, 3)
    assert state.endpoints["node"].token == "a token"
    assert state.assignments["eu_team", "node"].fallback is Fallback.AUTOMATIC
    assert state.assignments["analyst", "node"].fallback is Fallback.DISABLED


async def test_applying_twice_changes_nothing_and_keeps_verifiers(service: ControlService) -> None:
    assert await apply(service, FILE) == 1
    before = await service.metastore.state()
    assert await plan_policy(service, parse_policy(FILE), ENVIRONMENT) == ()
    assert await apply(service, FILE) == 1
    assert await service.metastore.state() == before


async def test_a_plan_is_what_apply_then_does_and_changes_nothing_itself(service: ControlService) -> None:
    await apply(service, FILE)
    changed = FILE.replace("first secret", "third secret").replace("[SELECT]", "[SELECT, INSERT]")
    plan = await plan_policy(service, parse_policy(changed), ENVIRONMENT)
    assert [(d.kind, d.action) for d in plan] == [("grant", "add"), ("user", "change")]
    assert await service.metastore.epoch() == 1
    assert await apply(service, changed) == 2


async def test_an_export_applied_again_changes_nothing(service: ControlService) -> None:
    await apply(service, FILE)
    exported = export_policy(await service.metastore.state())
    assert await apply(service, exported) == 1
    for secret in ("first secret", "second secret", "a token"):
        assert secret not in exported


async def test_an_export_builds_the_same_policy_elsewhere(service: ControlService, tmp_path: Path) -> None:
    await apply(service, FILE)
    state = await service.metastore.state()
    document = yaml.safe_load(export_policy(state))
    for endpoint in document["endpoints"].values():
        endpoint["token"] = "a token"
    async with open_metastore(f"sqlite:///{tmp_path}/other.sqlite") as other:
        await apply_policy(ControlService(other), OPERATOR, parse_policy(yaml.safe_dump(document)), {})
        assert await other.state() == state


async def test_a_section_that_is_left_out_is_left_alone(service: ControlService) -> None:
    await apply(service, FILE)
    before = await service.metastore.state()
    await apply(service, "grants: []")
    assert await service.metastore.state() == replace(before, grants=frozenset())


async def test_what_a_section_does_not_name_is_removed_with_all_that_names_it(
    service: ControlService,
) -> None:
    await service.metastore.change("fixture", lambda _: sample_state())
    await apply(service, "users: {}\ngroups: {team: }")
    state = await service.metastore.state()
    assert set(state.principals) == {"root", "team"}
    assert set(state.verifiers) == {"root"}
    assert state.column_masks[CUSTOMERS, "hide"].exempt == {"root"}


async def test_administrators_who_are_not_named_stay(service: ControlService) -> None:
    await service.bootstrap_admin("root", "x")
    await apply(service, FILE)
    assert (await service.metastore.state()).principals["root"].is_admin


async def test_a_filter_is_never_widened_by_removing_the_roles_that_it_names(service: ControlService) -> None:
    await service.metastore.change("fixture", lambda _: sample_state())
    with pytest.raises(PolicyFileError, match='row filter "eu" is only for roles that the file removes'):
        await apply(service, "groups: {rest: }")
    assert await service.metastore.state() == sample_state()
    both = RowFilter("eu", CUSTOMERS, "true", frozenset({"team", "rest"}))
    await service.alter_row_filter(OPERATOR, both)
    await service.drop_column_mask(OPERATOR, CUSTOMERS, "hide")
    await apply(service, "groups: {rest: }")
    state = await service.metastore.state()
    assert state.row_filters[CUSTOMERS, "eu"].principals == {"rest"}
    assert (state.grants, state.assignments) == (frozenset(), {})


async def test_an_endpoint_that_is_not_named_is_retired_while_assigned(service: ControlService) -> None:
    await service.metastore.change("fixture", lambda _: sample_state())
    await apply(service, "endpoints: {}")
    assert (await service.metastore.state()).endpoints["node"].state is EndpointState.RETIRED
    await apply(service, "endpoints: {}\nassignments: []")
    assert (await service.metastore.state()).endpoints == {}


async def test_a_mistake_changes_nothing_at_all(service: ControlService) -> None:
    wrong = FILE.replace("to: eu_team, privileges: [SELECT]", "to: eu_teem, privileges: [SELECT]")
    with pytest.raises(PolicyFileError, match=r'^line 11: role "eu_teem" does not exist$'):
        await apply(service, wrong)
    assert await service.metastore.state() == ControlState()


async def test_a_secret_that_the_environment_lacks_is_named_by_its_variable(service: ControlService) -> None:
    with pytest.raises(PolicyFileError) as caught:
        await apply_policy(service, OPERATOR, parse_policy(FILE), {})
    assert caught.value.problems == (
        "line 5: the environment variable FROM_ENV is not set",
        "line 22: the environment variable NODE_TOKEN is not set",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("users: [", ["line 1: not valid YAML"]),
        ("users:\n  a: {}\n  b: {}\n  a: {}", ["line 4: the key 'a' is there twice"]),
        ("? [a]\n: b", ["line 1: a key must be a plain text"]),
        ("usres: {}", ["line 1: usres: no such key"]),
        ("users:\n  a:\n    passwrd: x", ["line 3: users.a.passwrd: no such key"]),
        ("users:\n  a: {password: x, password_env: Y}", ["line 2: users.a: give only one of"]),
        (
            "users:\n  a:\n    attributes: {n: 1}",
            ["line 3: users.a.attributes.n: Input should be a valid string"],
        ),
        ("users: {a: {groups: [g]}}\ngroups: {}", ['line 1: role "g" does not exist']),
        ("users: {a: , b: {groups: [a]}}\ngroups: {}", ['line 1: role "a" is not a group']),
        ("users: {a: }\ngroups: {a: }", ['line 1: "a" is a user and a group']),
        ("grants:\n- {to: a, privileges: [], on: d}", ["line 2: grants.0.privileges: "]),
        ("grants:\n- {to: a, privileges: [FLY], on: d}", ["line 2: grants.0.privileges.0: "]),
        ("grants:\n- to: a\n  privileges: [SELECT]\n  on: d.s", ["line 4: write d.s.* to mean every table"]),
        ("grants:\n- to: a\n  privileges: [SELECT]\n  on: d..t", ["line 4: expected names"]),
        ("grants:\n- to: a\n  privileges: [CREATE]\n  on: d.s.t", ["line 3: invalid privilege type CREATE"]),
        ("row_filters:\n- {name: f, on: d.s.t, using: x, to: []}", ["line 2: row_filters.0.to: "]),
        ("row_filters:\n- name: f\n  on: d.s.t\n  using: a b c", ["line 4: syntax error in a policy"]),
        ("row_filters:\n- {name: f, on: d.s.t}", ["line 2: row_filters.0: `using` is missing"]),
        ("row_filters:\n- {name: f, on: d.s.t, for: insert}", ["line 2: row_filters.0: `check` is missing"]),
        (
            "row_filters:\n- {name: f, on: d.s.t, for: insert, using: a, check: a}",
            ["line 2: row_filters.0: `using` is of no use for insert"],
        ),
        (
            "row_filters:\n- {name: f, on: d.s.t, for: delete, using: a, check: a}",
            ["line 2: row_filters.0: `check` is of no use for select and delete"],
        ),
        ("row_filters:\n- {name: f, on: d.s.t, for: drop, using: a}", ["line 2: row_filters.0.for: "]),
        ("row_filters:\n- name: f\n  on: d.s\n  using: a", ["line 3: expected a table's full name"]),
        (
            "row_filters:\n- {name: f, on: d.s.t, using: a}\n- {name: f, on: d.s.t, using: b}",
            ['line 3: the name "f" is there twice for one table'],
        ),
        (
            "column_masks:\n- name: m\n  on: d.s.t\n  column: a.b\n  using: count(*)",
            ["line 4: expected one name", "line 5: aggregate functions"],
        ),
        ("endpoints: {e: {url: u, token: a, token_env: B}}", ["line 1: endpoints.e: give only one of"]),
        ("assignments:\n- {endpoint: e}", ["line 2: assignments.0: give one of user and group"]),
        ("[" * 50 + "]" * 50, ["line 1: nested too deeply"]),
        ("users: \x07", ["line 1: not valid YAML"]),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, said: list[str]) -> None:
    found = problems(text)
    assert [f.startswith(s) for f, s in zip(found, said, strict=True)] == [True] * len(said), found


def test_a_mistake_never_repeats_a_password() -> None:
    secret = "hunter2"
    for text in (
        f"users: {{a: {{password: [{secret}]}}}}",
        f"users: {{a: {{password: {secret}, password_env: X}}}}",
        f"users: {{a: {secret}}}",
    ):
        assert secret not in "".join(problems(text))


def test_a_file_that_leaves_roles_to_the_metastore_is_checked_without_them() -> None:
    check_policy(parse_policy("grants:\n- {to: a, privileges: [SELECT], on: d.s.*}"))
    check_policy(parse_policy(""))
    check_policy(parse_policy(FILE))


async def test_keys_are_in_no_file_and_go_with_their_role(service: ControlService) -> None:
    await apply(service, FILE)
    await service.create_api_key(OPERATOR, "bare", KeyTerms("a"))
    await service.create_api_key(OPERATOR, "analyst", KeyTerms("b"))
    state = await service.metastore.state()
    exported = export_policy(state)
    assert not any(key.digest in exported or key.key_id in exported for key in state.api_keys.values())
    await apply(service, exported)
    assert (await service.metastore.state()).api_keys == state.api_keys
    await apply(
        service, FILE.replace("  bare:\n", "").replace(", members: [bare]", "").replace("members: [bare]", "")
    )
    assert [key.label for key in (await service.metastore.state()).api_keys.values()] == ["b"]


def test_a_rule_that_is_none_is_told_with_its_line() -> None:
    text = "hba_rules:\n  - host all all all scram-sha-256\n  - host all all all trust\n"
    with pytest.raises(PolicyFileError, match=r"line 3: no such authentication method"):
        check_policy(parse_policy(text))
