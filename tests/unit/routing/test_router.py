"""When a statement may be answered by another engine, and when it must not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from execnode.statement import EngineStatement, RowChunk
from pgproxy.control.fleet import Assignment, Endpoint, Fallback
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.probe import ProbeReport
from pgproxy.routing.registry import EndpointRegistry, ProbeTimes
from pgproxy.routing.resolve import EndpointHealth, RouteReason, RoutingFlags, StatementTraits
from pgproxy.routing.router import Router, RouteRequest
from pgwire.errors import StatementError
from pgwire.types import ResultColumn
from tests.unit.routing.engines import ScriptedEngine, lost

ROW = RowChunk(b"row", 1)
GOOD = ProbeReport(is_draining=False, load=0, catalog_generation=0)
READ = StatementTraits(is_read_only=True)


def request(traits: StatementTraits = READ) -> RouteRequest:
    return RouteRequest(EngineStatement("SELECT 1"), "ann", frozenset(), traits)


@asynccontextmanager
async def fleet(
    *remotes: ScriptedEngine, fallback: Fallback = Fallback.AUTOMATIC
) -> AsyncIterator[tuple[Router, ScriptedEngine, EndpointRegistry]]:
    """A router whose caller is assigned to the first remote engine."""
    local = ScriptedEngine("local", [RowChunk(b"local", 1)])
    by_name = {engine.name: engine for engine in remotes}
    for engine in remotes:
        engine.probes = engine.probes or [GOOD]
    async with EndpointRegistry(lambda e: by_name[e.name], ProbeTimes(interval_s=60)) as registry:
        registry.apply(
            [Endpoint(name, f"grpc://{name}:1", "t") for name in by_name],
            [Assignment("ann", remotes[0].name, fallback=fallback)] if remotes else [],
        )
        await registry.first_probes(5)
        yield Router(local, registry, lambda: RoutingFlags(is_remote_enabled=True)), local, registry


async def rows_of(router: Router, asked: RouteRequest) -> tuple[list[bytes], str, FallbackReason | None]:
    found = []
    async with router.run(asked) as stream:
        while (chunk := await stream.read()) is not None:
            found.append(bytes(chunk.rows))
        return found, stream.outcome.endpoint, stream.outcome.fallback_reason


async def test_a_statement_runs_on_the_assigned_endpoint() -> None:
    async with fleet(ScriptedEngine("a", [ROW])) as (router, local, _):
        assert await rows_of(router, request()) == ([b"row"], "a", None)
        assert local.started == 0


async def test_an_engine_that_does_not_start_is_replaced_by_the_next_endpoint() -> None:
    a = ScriptedEngine("a", on_start=lost(FallbackReason.QUEUE_FULL))
    async with fleet(a, ScriptedEngine("b", [ROW])) as (router, local, _):
        assert await rows_of(router, request()) == ([b"row"], "b", FallbackReason.QUEUE_FULL)
        assert local.started == 0


async def test_a_shed_statement_goes_to_one_other_node_and_then_to_the_embedded_engine() -> None:
    remotes = [ScriptedEngine(name, on_start=lost(FallbackReason.QUEUE_FULL)) for name in "abc"]
    async with fleet(*remotes) as (router, _, registry):
        assert await rows_of(router, request()) == ([b"local"], "local", FallbackReason.QUEUE_FULL)
        assert [engine.started for engine in remotes] == [1, 1, 0]
        assert {status.load for status in registry.statuses().values()} == {0}


async def test_without_fallback_a_shed_statement_goes_once_to_another_of_its_own_endpoints() -> None:
    remotes = [ScriptedEngine(name, on_start=lost(FallbackReason.QUEUE_FULL)) for name in "abc"]
    async with fleet(*remotes, fallback=Fallback.DISABLED) as (router, local, registry):
        endpoints = [Endpoint(name, f"grpc://{name}:1", "t") for name in "abc"]
        registry.apply(endpoints, [Assignment("ann", name) for name in "abc"])
        with pytest.raises(EngineUnavailable) as caught:
            await rows_of(router, request())
        assert caught.value.sqlstate.value == "53400"
        assert [engine.started for engine in remotes] == [1, 1, 0]
        remotes[1].on_start, remotes[1].script = None, [ROW]
        assert await rows_of(router, request()) == ([b"row"], "b", FallbackReason.QUEUE_FULL)
        remotes[0].on_start = lost()
        with pytest.raises(EngineUnavailable):
            await rows_of(router, request())
        assert local.started == 0


async def test_without_fallback_a_node_that_stops_gives_its_work_to_another_of_its_own_endpoints() -> None:
    stopping, other = (
        ScriptedEngine("a", on_start=lost(FallbackReason.DRAINING)),
        ScriptedEngine("b", [ROW]),
    )
    async with fleet(stopping, other, fallback=Fallback.DISABLED) as (router, local, registry):
        endpoints = [Endpoint(name, f"grpc://{name}:1", "t") for name in "ab"]
        registry.apply(endpoints, [Assignment("ann", name) for name in "ab"])
        assert await rows_of(router, request()) == ([b"row"], "b", FallbackReason.DRAINING)
        assert local.started == 0


async def test_when_every_endpoint_fails_the_embedded_engine_answers() -> None:
    remotes = [ScriptedEngine(name, on_start=lost()) for name in "ab"]
    async with fleet(*remotes) as (router, _, _):
        assert await rows_of(router, request()) == ([b"local"], "local", FallbackReason.NODE_LOST)


async def test_an_engine_that_dies_after_its_columns_and_before_rows_is_replaced() -> None:
    a = ScriptedEngine("a", [lost()])
    async with fleet(a) as (router, _, registry):
        assert await rows_of(router, request()) == ([b"local"], "local", FallbackReason.NODE_LOST)
        assert a.open_streams == 0
        assert registry.statuses()["a"].load == 0


async def test_after_the_first_row_a_lost_engine_is_one_error() -> None:
    a = ScriptedEngine("a", [ROW, lost()])
    async with fleet(a) as (router, local, registry):
        async with router.run(request()) as stream:
            assert await stream.read() == ROW
            with pytest.raises(EngineUnavailable):
                await stream.read()
        assert (local.started, a.open_streams) == (0, 0)
        assert registry.statuses()["a"].health in {EndpointHealth.SUSPECT, EndpointHealth.ACTIVE}


async def test_another_engine_with_other_columns_does_not_take_over() -> None:
    a = ScriptedEngine("a", [lost()], columns=(ResultColumn("x", 25, -1, "VARCHAR"),))
    async with fleet(a) as (router, local, _), router.run(request()) as stream:
        with pytest.raises(EngineUnavailable):
            await stream.read()
        assert local.started == 1
    assert local.open_streams == 0


@pytest.mark.parametrize("script", [[], [lost()]])
async def test_a_write_is_never_sent_twice(script: list[RowChunk | Exception]) -> None:
    a = ScriptedEngine("a", script, on_start=None if script else lost())
    write = request(StatementTraits(is_read_only=False, can_write_remotely=True))
    async with fleet(a, ScriptedEngine("b", [ROW])) as (router, local, _):
        with pytest.raises(EngineUnavailable):
            await rows_of(router, write)
        assert (a.started, local.started) == (1, 0)


async def test_an_assignment_without_fallback_gives_the_error_to_the_client() -> None:
    a = ScriptedEngine("a", on_start=lost())
    async with fleet(a, ScriptedEngine("b"), fallback=Fallback.DISABLED) as (router, local, _):
        with pytest.raises(EngineUnavailable):
            await rows_of(router, request())
        assert local.started == 0


async def test_an_endpoint_known_to_be_ill_is_not_even_asked() -> None:
    a = ScriptedEngine("a", [ROW], probes=[lost()])
    async with fleet(a, fallback=Fallback.DISABLED) as (router, _, _):
        with pytest.raises(EngineUnavailable) as caught:
            await rows_of(router, request())
        assert (caught.value.reason, a.started) == (FallbackReason.UNHEALTHY, 0)
    async with fleet(a) as (router, _, _):
        assert await rows_of(router, request()) == ([b"local"], "local", FallbackReason.UNHEALTHY)
        assert a.started == 0


async def test_a_statement_error_is_never_tried_elsewhere() -> None:
    a = ScriptedEngine("a", on_start=StatementError("no"))
    async with fleet(a) as (router, local, registry):
        with pytest.raises(StatementError):
            await rows_of(router, request())
        assert local.started == 0
        assert registry.statuses()["a"].load == 0


async def test_a_pinned_statement_runs_in_its_session_and_nowhere_else() -> None:
    a = ScriptedEngine("a", [lost()])
    async with fleet(a) as (router, local, registry):
        pin = await router.open_session(request())
        assert (pin.engine, pin.outcome.reason) == (a, RouteReason.ASSIGNED_USER)
        assert registry.statuses()["a"].load == 1
        pinned = RouteRequest(EngineStatement("SELECT 1"), "ann", frozenset(), READ, pin)
        with pytest.raises(EngineUnavailable):
            await rows_of(router, pinned)
        await pin.close()
        assert registry.statuses()["a"].load == 0
        assert local.started == 0


async def test_a_session_that_cannot_be_opened_is_opened_elsewhere() -> None:
    async with fleet(ScriptedEngine("a", on_start=lost())) as (router, local, registry):
        pin = await router.open_session(request())
        assert (pin.engine, pin.lease) == (local, None)
        assert pin.outcome.fallback_reason is FallbackReason.NODE_LOST
        assert registry.statuses()["a"].load == 0


async def test_leaving_a_stream_early_stops_the_engine() -> None:
    a = ScriptedEngine("a", [ROW, ROW])
    async with fleet(a) as (router, _, registry):
        async with router.run(request()) as stream:
            await stream.read()
            assert (a.open_streams, registry.statuses()["a"].load) == (1, 1)
        assert (a.open_streams, registry.statuses()["a"].load) == (0, 0)


class Offers(list[tuple[str, str, int]]):
    """A sink that keeps what it is offered."""

    def offer(self, statement: EngineStatement, endpoint: str, fingerprint: str) -> None:
        self.append((endpoint, fingerprint, len(statement.result_columns)))


async def test_a_whole_answer_from_here_is_offered_to_its_shadow_once() -> None:
    async with fleet(ScriptedEngine("a", [ROW])) as (_, local, registry):
        registry.apply([Endpoint("a", "grpc://a:1", "t")], [Assignment("ann", "a", shadow_percent=100)])
        offers = Offers()
        router = Router(local, registry, lambda: RoutingFlags(is_remote_enabled=True), None, offers)
        asked = replace(request(), fingerprint="f")
        assert (await rows_of(router, asked))[1] == "local"
        async with router.run(asked) as stream:  # closed before its end: nobody waited for the answer
            await stream.read()
        await rows_of(router, replace(asked, traits=StatementTraits(is_read_only=False)))
        assert offers == [("a", "f", 1)]
