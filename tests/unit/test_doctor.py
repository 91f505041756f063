"""What the doctor says of a deployment: fine, a decision to make, or something to mend."""

from dataclasses import replace

import pytest

from pgproxy.control.fleet import Assignment, Endpoint, EndpointState, Fallback
from pgproxy.control.rollouts import Rollout, RolloutStatus
from pgproxy.control.state import ControlState
from pgproxy.doctor import Deployment, Finding, Level, NodeFacts, examine
from pgproxy.settings import GatewaySettings
from tests.unit.control.states import user

NODE = NodeFacts("v1.5.5", 1, 8 << 30, 0.2)
STATE = ControlState(
    principals={"ann": user("ann")},
    endpoints={"a": Endpoint("a", "grpcs://node-a:9444", "k3T0pQzW9vXr8sLmN2")},
    assignments={("ann", "a"): Assignment("ann", "a", fallback=Fallback.AUTOMATIC)},
)
GIVEN = frozenset({"pg_wire_listen_addr", "http_listen_addr"})


def settings(**more: object) -> GatewaySettings:
    values = {"feature_remote_routing": True, "remote_canary_users": "ann", **more}
    return GatewaySettings(**values)  # type: ignore[arg-type]


GOOD = Deployment(settings(), GIVEN, STATE, {"a": NODE}, "v1.5.5", 1)


def with_settings(**changes: object) -> Deployment:
    return replace(GOOD, settings=settings(**changes))


def with_endpoint(**changes: object) -> Deployment:
    endpoint = replace(STATE.endpoints["a"], **changes)  # type: ignore[arg-type]
    return replace(GOOD, state=replace(STATE, endpoints={"a": endpoint}))


def with_node(**changes: object) -> Deployment:
    return replace(GOOD, nodes={"a": replace(NODE, **changes)})  # type: ignore[arg-type]


def with_rollout(status: RolloutStatus) -> Deployment:
    rollout = Rollout("r", "a", (1.0,), status=status, reason="p95 is 3 times the control's")
    return replace(GOOD, state=replace(STATE, rollouts={"r": rollout}))


def found(deployment: Deployment, topic: str) -> Finding:
    return next(finding for finding in examine(deployment) if finding.topic == topic)


def test_a_good_deployment_needs_nothing_but_tls_for_clients() -> None:
    assert {f.topic for f in examine(GOOD) if f.level is not Level.OK} == {"TLS for clients"}


@pytest.mark.parametrize(
    ("deployment", "topic", "level", "text"),
    [
        (replace(GOOD, state=ControlState(principals=STATE.principals)), "flags", Level.ACT, "no endpoint"),
        (with_settings(feature_remote_routing=False), "flags", Level.LOOK, "off"),
        (with_settings(remote_canary_users="bob"), "canary", Level.ACT, "no such principal: bob"),
        (with_settings(remote_canary_users=""), "canary", Level.LOOK, "everybody"),
        (with_endpoint(token="short"), "token of a", Level.ACT, "short or a demo's"),
        (with_endpoint(token="demo-token-0123456789"), "token of a", Level.ACT, "short or a demo's"),
        (replace(GOOD, given=frozenset()), "HTTP_LISTEN_ADDR", Level.LOOK, "default, 127.0.0.1:8080"),
        (with_settings(pg_wire_listen_addr=":5433"), "TLS for clients", Level.ACT, "off"),
        (with_endpoint(url="grpc://node-a:9444"), "TLS to a", Level.ACT, "in the clear"),
        (with_endpoint(url="grpc://127.0.0.1:9444"), "TLS to a", Level.OK, "this machine"),
        (with_settings(query_result_ttl="72h"), "retention", Level.LOOK, "72 hours"),
        (replace(GOOD, nodes={"a": None}), "node a", Level.ACT, "does not answer"),
        (with_node(contract_version=2), "node a", Level.LOOK, "contract 2, not 1"),
        (with_node(engine_version="v1"), "node a", Level.ACT, "DuckDB v1,"),
        (with_node(memory_limit_bytes=0), "node a", Level.LOOK, "no memory limit"),
        (with_node(clock_skew_s=-60), "node a", Level.LOOK, "-60 s off"),
        (with_rollout(RolloutStatus.HALTED), "rollout r", Level.ACT, "p95 is 3 times"),
        (with_rollout(RolloutStatus.RUNNING), "rollout r", Level.OK, "RUNNING at 1%"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(deployment: Deployment, topic: str, level: Level, text: str) -> None:
    finding = found(deployment, topic)
    assert finding.level is level
    assert text in finding.text
    assert bool(finding.advice) is (level is not Level.OK)


def test_a_fallback_that_is_disabled_is_a_decision_to_know_of() -> None:
    bound = {("ann", "a"): Assignment("ann", "a")}
    finding = found(replace(GOOD, state=replace(STATE, assignments=bound)), "fallback of ann on a")
    assert finding.level is Level.LOOK


def test_nodes_that_share_a_token_are_named_and_retired_ones_are_not() -> None:
    one = STATE.endpoints["a"]
    nodes = {"a": one, "b": replace(one, name="b"), "c": replace(one, name="c", state=EndpointState.RETIRED)}
    deployment = replace(GOOD, state=replace(STATE, endpoints=nodes))
    assert "shares its token with a" in found(deployment, "token of b").text
    assert not [f for f in examine(deployment) if f.topic.endswith(" c")]


def test_no_finding_shows_a_token() -> None:
    report = " ".join(f.text + f.advice for f in examine(with_endpoint(token="demo-token-xyz")))
    assert "xyz" not in report
