"""The controller on a real metastore: gateways share their counts, and one of them moves the rollout."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from pgproxy.control.fleet import EndpointState
from pgproxy.control.fleet_changes import set_endpoint_state
from pgproxy.control.metastore import Metastore
from pgproxy.control.opening import open_metastore
from pgproxy.control.rollout_changes import move_rollout, resume_rollout, start_rollout, widen_rollout
from pgproxy.control.rollouts import Rollout, RolloutLimits, RolloutStatus
from pgproxy.rollout.controller import ACTOR, RolloutController, shared_figures
from pgproxy.rollout.figures import Figures
from pgproxy.routing.resolve import RouteReason
from pgproxy.session.telemetry import Outcome, StatementRecord
from pgwire.errors import StatementError
from tests.unit.control.states import sample_state

ROLLOUT = Rollout("r", "node", (10.0, 100.0), 60.0, RolloutLimits(min_queries=40), since=1000.0)


@pytest.fixture
async def metastore(tmp_path: Path) -> AsyncIterator[Metastore]:
    async with open_metastore(f"sqlite:///{tmp_path / 'm.sqlite'}") as store:
        await store.change("tester", lambda _: start_rollout(sample_state(), ROLLOUT))
        yield store


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def gateways(metastore: Metastore, clock: Clock) -> list[RolloutController]:
    found = [RolloutController(metastore, name, clock) for name in ("a", "b")]
    await follow(metastore, *found)
    return found


async def follow(metastore: Metastore, *controllers: RolloutController) -> Rollout:
    state = await metastore.state()
    for controller in controllers:
        controller.apply(state.rollouts, state.endpoints.values())
    return state.rollouts["r"]


def serve(
    controller: RolloutController, count: int, reason: RouteReason = RouteReason.ROLLOUT, **facts: object
) -> None:
    for _ in range(count):
        record = StatementRecord("ann", 1, kind="SELECT", route_reason=reason.value, total_ms=10.0)
        for name, value in facts.items():
            setattr(record, name, value)
        controller.statements_ended([record])


async def step(*controllers: RolloutController) -> None:
    for controller in controllers:
        await controller.step()


async def test_figures_of_two_gateways_together_move_the_rollout_once(metastore: Metastore) -> None:
    clock = Clock()
    a, b = await gateways(metastore, clock)
    for each in (a, b):
        serve(each, 20)
        serve(each, 20, RouteReason.NOT_CANARY)
    await step(a, b)
    clock.now = 1060.0
    await step(a, b, a)
    rollout = await follow(metastore, a, b)
    assert (rollout.percent, rollout.status, rollout.since) == (100.0, RolloutStatus.RUNNING, 1060.0)
    moves = [version for version in await metastore.history() if version.actor == ACTOR]
    assert len(moves) == 1
    assert "kept every limit over 40 statements" in moves[0].after
    await step(a, b)
    assert (await shared_figures(metastore, rollout)).canary.statements == 0


async def test_failures_on_one_gateway_send_all_back_at_once(metastore: Metastore) -> None:
    a, b = await gateways(metastore, Clock())
    serve(a, 100)
    serve(b, 3, outcome=Outcome.OK, fallback_reason="node_lost")
    await step(a, b)
    rollout = await follow(metastore, a, b)
    assert (rollout.percent, rollout.status) == (0.0, RolloutStatus.HALTED)
    assert "3 of 103 statements failed" in rollout.reason
    serve(a, 1000, sqlstate="08006")
    await step(a, b)
    assert await follow(metastore, a) == rollout


async def test_a_shadow_mismatch_sends_back(metastore: Metastore) -> None:
    a, b = await gateways(metastore, Clock())
    a.shadow_compared("node", {}, is_same=True)
    await step(a, b)
    assert (await follow(metastore, a, b)).status is RolloutStatus.RUNNING
    b.shadow_compared("node", {}, is_same=False)
    await step(b)
    assert "1 of 2 shadowed results differ" in (await follow(metastore, a)).reason


async def test_a_shadow_mismatch_of_another_endpoint_counts_for_nothing(metastore: Metastore) -> None:
    a, b = await gateways(metastore, Clock())
    a.shadow_compared("stale", {}, is_same=False)
    a.shadow_compared("stale", {}, is_same=True)
    await step(a, b)
    assert (await follow(metastore, a, b)).status is RolloutStatus.RUNNING
    assert (a.figures.compared, a.figures.mismatched) == (0, 0)


@pytest.mark.parametrize(
    ("labels", "counted"), [({"size": "large", "zone": "eu"}, 1), ({"size": "small"}, 0), ({}, 0)]
)
async def test_a_pools_shadow_mismatches_are_those_of_its_members(
    metastore: Metastore, labels: dict[str, str], counted: int
) -> None:
    (a, _) = await gateways(metastore, Clock())
    a.apply({"r": replace(ROLLOUT, target="size=large")}, ())
    a.shadow_compared("node", labels, is_same=False)
    assert (a.figures.compared, a.figures.mismatched) == (counted, counted)


@pytest.mark.parametrize("to", [EndpointState.DRAINING, EndpointState.RETIRED])
async def test_a_target_that_takes_nothing_new_sends_all_back_and_says_so(
    metastore: Metastore, to: EndpointState
) -> None:
    told: list[tuple[str, str, str]] = []
    a, b = (RolloutController(metastore, name, Clock(), lambda *m: told.append(m)) for name in ("a", "b"))
    await metastore.change("ann", lambda s: widen_rollout(s, "r", 1000.0, "by hand"))
    await metastore.change("ann", lambda s: set_endpoint_state(s, "node", to))
    await follow(metastore, a, b)
    await step(a, b)
    rollout = await follow(metastore, a, b)
    assert (rollout.percent, rollout.status) == (0.0, RolloutStatus.HALTED)
    assert rollout.reason == f'stage 2 (100%): endpoint "node" is {to.value}'
    assert told == [("r", "HALTED", "lost_target")]
    with pytest.raises(StatementError, match=f'endpoint "node" is {to.value}'):
        await metastore.change("ann", lambda s: resume_rollout(s, "r", 1001.0, "by hand"))


async def test_a_paused_rollout_counts_and_stays(metastore: Metastore) -> None:
    clock = Clock()
    a, _ = await gateways(metastore, clock)
    await metastore.change("ann", lambda s: move_rollout(s, "r", RolloutStatus.PAUSED, 1001.0, "lunch"))
    rollout = await follow(metastore, a)
    serve(a, 500, sqlstate="XX000")
    clock.now = 9999.0
    await step(a)
    assert await follow(metastore, a) == rollout
    assert (await shared_figures(metastore, rollout)).canary.failures == 500


async def test_what_is_no_evidence_is_not_counted(metastore: Metastore) -> None:
    a, _ = await gateways(metastore, Clock())
    serve(a, 5, kind="INSERT")
    serve(a, 5, outcome=Outcome.DENIED)
    serve(a, 5, RouteReason.CATALOG)
    serve(a, 5, sqlstate="22012", outcome=Outcome.ERROR)
    await step(a)
    figures = await shared_figures(metastore, ROLLOUT)
    assert (figures.canary.statements, figures.canary.failures, figures.control.statements) == (5, 0, 0)


async def test_without_a_rollout_nothing_happens(metastore: Metastore) -> None:
    await metastore.change("ann", lambda s: replace(s, rollouts={}))
    a = RolloutController(metastore, "a", Clock())
    a.apply((await metastore.state()).rollouts, ())
    serve(a, 5)
    await step(a)
    assert await metastore.figures("r", 1000.0) == ()


async def test_figures_that_nobody_can_read_move_nothing_and_end_nothing(
    metastore: Metastore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway of another version counts otherwise."""
    monkeypatch.setattr("pgproxy.rollout.controller._INTERVAL_S", 0)
    moved, clock = asyncio.Event(), Clock()
    one = RolloutController(metastore, "a", clock, lambda *_: moved.set())
    rollout = await follow(metastore, one)
    await metastore.record_figures("r", rollout.since, "newer", '{"arms": []}')
    serve(one, 40)
    serve(one, 40, RouteReason.NOT_CANARY)
    clock.now += 61
    with pytest.raises(KeyError):
        await one.step()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(one.run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await follow(metastore, one) == rollout
        await metastore.record_figures("r", rollout.since, "newer", json.dumps(Figures().as_json()))
        await moved.wait()
        running.cancel()
