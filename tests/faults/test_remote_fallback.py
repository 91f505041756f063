"""A killed node and the statements on it: answered elsewhere before their first row, never after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from execnode.engine import DuckEngine, EngineLimits
from execnode.statement import CatalogGeneration
from pgproxy.control.fleet import Assignment, Endpoint, Fallback
from pgproxy.engines.embedded import EmbeddedEngine
from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.routing.attempts import RoutedStream, RouteOutcome
from pgproxy.routing.registry import EndpointRegistry, ProbeTimes
from pgproxy.routing.resolve import EndpointHealth, RouteReason, RoutingFlags, StatementTraits
from pgproxy.routing.router import Router, RouteRequest
from tests.faults.exec_nodes import (
    ALL_ROWS,
    ROWS,
    TOKEN,
    exec_node,
    first_columns,
    make_catalogs,
    remote_engine,
)

REQUEST = RouteRequest(ALL_ROWS, "ann", frozenset(), StatementTraits(is_read_only=True))


@asynccontextmanager
async def gateway(
    folder: Path, port: int, catalogs: CatalogGeneration, fallback: Fallback
) -> AsyncIterator[tuple[Router, EndpointRegistry]]:
    """A router with the embedded engine and one endpoint, to which `ann` is assigned."""
    local = EmbeddedEngine(DuckEngine(EngineLimits(temp_directory=folder)))
    await local.attach_catalogs(catalogs)
    times = ProbeTimes(interval_s=60)
    async with EndpointRegistry(lambda _: remote_engine(port, catalogs), times) as registry:
        registry.publish(catalogs)
        registry.apply(
            [Endpoint("a", f"grpc://127.0.0.1:{port}", TOKEN)], [Assignment("ann", "a", fallback=fallback)]
        )
        await registry.first_probes(10)
        yield Router(local, registry, lambda: RoutingFlags(is_remote_enabled=True)), registry
    await local.close()


async def read(router: Router) -> tuple[list[int], RouteOutcome]:
    async with router.run(REQUEST) as stream:
        return await read_rest(stream), stream.outcome


async def read_rest(stream: RoutedStream) -> list[int]:
    values: list[int] = []
    while (chunk := await stream.read()) is not None:
        values += first_columns(chunk)
    return values


async def read_or_lose(router: Router) -> tuple[list[int], RouteOutcome] | FallbackReason:
    try:
        return await read(router)
    except EngineUnavailable as failure:
        return failure.reason


@pytest.mark.parametrize("fallback", list(Fallback))
async def test_a_node_killed_before_the_first_row(tmp_path: Path, fallback: Fallback) -> None:
    catalogs = make_catalogs(tmp_path)
    async with (
        exec_node(tmp_path) as node,
        gateway(tmp_path, node.port, catalogs, fallback) as (router, registry),
    ):
        assert await read(router) == (list(range(ROWS)), RouteOutcome("a", RouteReason.ASSIGNED_USER))
        node.stop_running()
        async with asyncio.TaskGroup() as tasks:
            answer = tasks.create_task(read_or_lose(router))
            await asyncio.sleep(0)  # it starts
            assert registry.statuses()["a"].load == 1
            await node.kill()
        if fallback is Fallback.AUTOMATIC:
            outcome = RouteOutcome("local", RouteReason.ASSIGNED_USER, FallbackReason.NODE_LOST)
            assert answer.result() == (list(range(ROWS)), outcome)
        else:
            assert answer.result() is FallbackReason.NODE_LOST
        assert registry.statuses()["a"].health is not EndpointHealth.ACTIVE


async def test_a_node_killed_in_mid_stream_is_one_error_even_with_fallback(tmp_path: Path) -> None:
    catalogs = make_catalogs(tmp_path)
    async with (
        exec_node(tmp_path) as node,
        gateway(tmp_path, node.port, catalogs, Fallback.AUTOMATIC) as (router, _),
    ):
        async with router.run(REQUEST) as stream:
            chunk = await stream.read()
            assert chunk is not None
            await node.kill()
            with pytest.raises(EngineUnavailable) as caught:
                await read_rest(stream)
        assert caught.value.reason is FallbackReason.NODE_LOST
        values, outcome = await read(router)
        assert values == list(range(ROWS))
        assert outcome.endpoint == "local"
