"""The fleet as the metastore changes it and as probes find it."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from execnode.statement import CatalogGeneration
from pgproxy.control.fleet import Endpoint, EndpointState
from pgproxy.engines.errors import FallbackReason, IncompatibleNode
from pgproxy.engines.probe import ProbeReport
from pgproxy.routing.registry import EndpointRegistry, ProbeTimes
from pgproxy.routing.resolve import EndpointHealth
from tests.unit.routing.engines import ScriptedEngine, lost

GOOD = ProbeReport(is_draining=False, load=0, catalog_generation=0)


class Fleet:
    """Makes one scripted engine for each endpoint that is added."""

    def __init__(self, *probes: ProbeReport | Exception) -> None:
        self.probes = probes or (GOOD,)
        self.made: list[ScriptedEngine] = []

    def create(self, endpoint: Endpoint) -> ScriptedEngine:
        engine = ScriptedEngine(endpoint.name, probes=list(self.probes))
        self.made.append(engine)
        return engine


def endpoint(
    name: str = "a", url: str = "grpc://h:1", state: EndpointState = EndpointState.ACTIVE
) -> Endpoint:
    return Endpoint(name, url, "t", state)


def registry(fleet: Fleet) -> EndpointRegistry:
    return EndpointRegistry(fleet.create, ProbeTimes(interval_s=60, drain_s=60))


async def test_an_endpoint_is_used_after_its_first_good_probe() -> None:
    fleet = Fleet()
    async with registry(fleet) as endpoints:
        endpoints.apply([endpoint()], [])
        assert endpoints.statuses()["a"].health is EndpointHealth.UNHEALTHY
        await endpoints.first_probes(5)
        assert endpoints.statuses()["a"].health is EndpointHealth.ACTIVE
    assert fleet.made[0].closed.is_set()


async def test_an_endpoint_is_probed_again_when_the_interval_is_over() -> None:
    probed = []
    for interval_s in (0.001, 60):
        fleet = Fleet()
        async with EndpointRegistry(fleet.create, ProbeTimes(interval_s=interval_s)) as endpoints:
            endpoints.apply([endpoint()], [])
            await endpoints.first_probes(5)
            engine = fleet.made[0]
            engine.probed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(engine.probed.wait(), 5 if interval_s < 1 else 0.05)
            probed.append(engine.probed.is_set())
    assert probed == [True, False]


async def test_a_retired_endpoint_is_not_registered() -> None:
    async with registry(Fleet()) as endpoints:
        endpoints.apply([endpoint(state=EndpointState.RETIRED)], [])
        assert not endpoints.statuses()


async def test_an_administrators_drain_takes_effect_at_once_and_can_be_undone() -> None:
    fleet = Fleet()
    async with registry(fleet) as endpoints:
        endpoints.apply([endpoint()], [])
        await endpoints.first_probes(5)
        endpoints.apply([endpoint(state=EndpointState.DRAINING)], [])
        assert endpoints.statuses()["a"].health is EndpointHealth.DRAINING
        endpoints.apply([endpoint()], [])
        assert endpoints.statuses()["a"].health is EndpointHealth.ACTIVE
    assert len(fleet.made) == 1


async def test_a_removed_endpoint_is_closed_when_its_last_statement_ends() -> None:
    fleet = Fleet()
    async with registry(fleet) as endpoints:
        endpoints.apply([endpoint()], [])
        lease = endpoints.lease("a")
        assert lease is not None
        endpoints.apply([], [])
        assert endpoints.lease("a") is None
        await asyncio.sleep(0)
        assert not fleet.made[0].closed.is_set()
        lease.release()
        await fleet.made[0].closed.wait()


async def test_a_changed_address_makes_a_new_engine() -> None:
    fleet = Fleet()
    async with registry(fleet) as endpoints:
        endpoints.apply([endpoint()], [])
        endpoints.apply([endpoint(url="grpc://h:2")], [])
        await fleet.made[0].closed.wait()
        await endpoints.first_probes(5)
        assert (len(fleet.made), endpoints.statuses()["a"].health) == (2, EndpointHealth.ACTIVE)


async def test_another_token_makes_a_new_engine_that_is_believed_as_the_old_one_was() -> None:
    fleet = Fleet()
    async with registry(fleet) as endpoints:
        endpoints.apply([endpoint()], [])
        await endpoints.first_probes(5)
        fleet.probes = (lost(),)
        endpoints.apply([Endpoint("a", "grpc://h:1", "other", EndpointState.ACTIVE)], [])
        assert endpoints.statuses()["a"].health is EndpointHealth.ACTIVE
        await endpoints.first_probes(5)
        assert (len(fleet.made), endpoints.statuses()["a"].health) == (2, EndpointHealth.SUSPECT)


class CutEngine(ScriptedEngine):
    """Its second probe is under way until it is stopped, and then ends as a call on a cut connection."""

    def __init__(self, name: str, probes: list[ProbeReport | Exception]) -> None:
        super().__init__(name, probes=probes)
        self.asked = 0
        self.asked_again = asyncio.Event()

    async def probe(self) -> ProbeReport:
        self.asked += 1
        if self.asked == 1:
            return await super().probe()
        self.asked_again.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise lost() from None
        raise AssertionError("nobody stopped it")


async def test_a_probe_that_its_engines_end_cuts_says_nothing_of_the_node() -> None:
    made: list[CutEngine] = []

    def create(definition: Endpoint) -> CutEngine:
        made.append(CutEngine(definition.name, [GOOD]))
        return made[-1]

    async with EndpointRegistry(create, ProbeTimes(interval_s=60, drain_s=60)) as endpoints:
        endpoints.apply([endpoint()], [])
        await endpoints.first_probes(5)
        endpoints.probe_all_now()
        await made[0].asked_again.wait()
        endpoints.apply([Endpoint("a", "grpc://h:1", "other", EndpointState.ACTIVE)], [])
        await made[0].closed.wait()
        assert endpoints.statuses()["a"].health is EndpointHealth.ACTIVE


async def test_a_status_is_made_anew_only_when_something_has_changed() -> None:
    async with registry(Fleet()) as endpoints:
        endpoints.apply([endpoint()], [])
        await endpoints.first_probes(5)
        seen = [endpoints.statuses()["a"]]
        assert endpoints.statuses()["a"] is seen[0]
        endpoints.apply([replace(endpoint(), labels={"zone": "b"})], [])
        seen.append(endpoints.statuses()["a"])
        lease = endpoints.lease("a")
        assert lease is not None
        seen.append(endpoints.statuses()["a"])
        endpoints.report_failure("a", FallbackReason.CONNECT)
        seen.append(endpoints.statuses()["a"])
        lease.release()
    assert [(status.health, status.load, dict(status.labels)) for status in seen] == [
        (EndpointHealth.ACTIVE, 0, {}),
        (EndpointHealth.ACTIVE, 0, {"zone": "b"}),
        (EndpointHealth.ACTIVE, 1, {"zone": "b"}),
        (EndpointHealth.SUSPECT, 1, {"zone": "b"}),
    ]


async def test_leases_count_as_load_and_are_released_once() -> None:
    async with registry(Fleet()) as endpoints:
        endpoints.apply([endpoint()], [])
        first, second = endpoints.lease("a"), endpoints.lease("a")
        assert first is not None
        assert second is not None
        assert endpoints.statuses()["a"].load == 2
        first.release()
        first.release()
        assert endpoints.statuses()["a"].load == 1
        second.release()


async def test_a_failed_statement_makes_its_endpoint_suspect_at_once() -> None:
    async with registry(Fleet()) as endpoints:
        endpoints.apply([endpoint()], [])
        await endpoints.first_probes(5)
        endpoints.report_failure("a", FallbackReason.NODE_LOST)
        assert endpoints.statuses()["a"].health is EndpointHealth.SUSPECT


async def test_a_full_queue_or_memory_does_not_cast_doubt_on_the_endpoint() -> None:
    async with registry(Fleet()) as endpoints:
        endpoints.apply([endpoint()], [])
        await endpoints.first_probes(5)
        for reason in (FallbackReason.QUEUE_FULL, FallbackReason.OUT_OF_MEMORY, FallbackReason.DRAINING):
            endpoints.report_failure("a", reason)
        assert endpoints.statuses()["a"].health is EndpointHealth.ACTIVE


async def test_catalogs_are_expected_at_once_and_attached_where_the_node_is_behind() -> None:
    fleet = Fleet(ProbeReport(is_draining=False, load=0, catalog_generation=6))
    async with registry(fleet) as endpoints:
        endpoints.publish(CatalogGeneration(7, ()))
        endpoints.apply([endpoint()], [])
        assert fleet.made[0].expected == [7]
        await endpoints.first_probes(5)
        assert fleet.made[0].attached == [7]
        endpoints.publish(CatalogGeneration(8, ()))
        assert fleet.made[0].expected == [7, 8]


async def test_a_bug_in_one_probe_stops_neither_the_prober_nor_the_others() -> None:
    engines = {
        "a": ScriptedEngine("a", probes=[RuntimeError("bug"), GOOD]),
        "b": ScriptedEngine("b", probes=[GOOD]),
    }
    async with EndpointRegistry(lambda e: engines[e.name], ProbeTimes(interval_s=60)) as endpoints:
        endpoints.apply([endpoint("a"), endpoint("b")], [])
        await endpoints.first_probes(5)
        assert endpoints.statuses()["a"].health is EndpointHealth.UNHEALTHY
        assert endpoints.statuses()["b"].health is EndpointHealth.ACTIVE
        engines["a"].probed.clear()
        endpoints.publish(CatalogGeneration(0, ()))  # wakes the probers
        await engines["a"].probed.wait()
        await asyncio.sleep(0)
        assert endpoints.statuses()["a"].health is EndpointHealth.ACTIVE


async def test_what_is_raised_inside_leaves_the_registry_as_it_is() -> None:
    fleet = Fleet(lost())

    async def use_and_fail() -> None:
        async with registry(fleet) as endpoints:
            endpoints.apply([endpoint()], [])
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await use_and_fail()
    assert fleet.made[0].closed.is_set()


async def test_a_node_of_another_contract_is_never_used() -> None:
    fleet = Fleet(GOOD, IncompatibleNode())
    async with registry(fleet) as endpoints:
        endpoints.apply([endpoint()], [])
        await endpoints.first_probes(5)
        fleet.made[0].probed.clear()
        endpoints.probe_all_now()
        await fleet.made[0].probed.wait()
        await asyncio.sleep(0)
        assert endpoints.statuses()["a"].health is EndpointHealth.UNHEALTHY


async def test_a_registered_endpoint_is_told_well_until_its_definition_says_so() -> None:
    told: list[str] = []

    async def note(name: str) -> None:
        told.append(name)

    fleet = Fleet()
    async with EndpointRegistry(fleet.create, ProbeTimes(60, 60), observe_activation=note) as endpoints:
        endpoints.apply([endpoint(state=EndpointState.REGISTERED)], [])
        await endpoints.first_probes(5)
        assert told == ["a"]
        assert endpoints.statuses()["a"].health is EndpointHealth.ACTIVE


async def test_no_node_is_called_while_that_is_switched_off() -> None:
    allowed = False
    fleet = Fleet()
    async with EndpointRegistry(fleet.create, ProbeTimes(60, 60), may_call=lambda: allowed) as endpoints:
        endpoints.apply([endpoint()], [])
        await endpoints.first_probes(5)
        assert not fleet.made[0].probed.is_set()
        allowed = True
        endpoints.probe_all_now()
        await fleet.made[0].probed.wait()


async def test_capacity_and_labels_are_the_declared_ones_or_what_the_node_says() -> None:
    said = ProbeReport(is_draining=False, load=2, catalog_generation=0, capacity=64)
    async with registry(Fleet(said)) as endpoints:
        declared = Endpoint("b", "grpc://h:2", "t", labels={"zone": "eu"}, size="large", capacity=4)
        endpoints.apply([endpoint(), declared], [])
        await endpoints.first_probes(5)
        seen = endpoints.statuses()
        assert (seen["a"].capacity, seen["b"].capacity, seen["a"].load) == (64, 4, 2)
        assert seen["b"].labels == {"zone": "eu", "size": "large"}


async def test_an_activation_that_fails_does_not_end_the_probing() -> None:
    told = asyncio.Event()

    async def refuse(_name: str) -> None:
        told.set()
        raise RuntimeError("nobody takes it")

    fleet = Fleet()
    times = ProbeTimes(interval_s=60, drain_s=60)
    async with EndpointRegistry(fleet.create, times, observe_activation=refuse) as endpoints:
        endpoints.apply([endpoint(state=EndpointState.REGISTERED)], [])
        await told.wait()
        await endpoints.first_probes(5)
        assert endpoints.statuses()["a"].health is EndpointHealth.ACTIVE
        fleet.made[0].probed.clear()
        endpoints.probe_all_now()
        await fleet.made[0].probed.wait()
