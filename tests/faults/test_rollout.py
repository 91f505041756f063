"""Rollouts on real nodes: a healthy one goes to its end by itself, an ill one is stopped and taken back."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import duckdb
import psycopg
import pytest

from pgproxy.control.opening import open_metastore
from pgproxy.control.rollouts import Rollout, RolloutStatus
from tests.clients.console_client import live_facts
from tests.faults.fault_proxy import fault_proxy
from tests.gateway import (
    ADMIN,
    ADMIN_PASSWORD,
    NODE_TOKEN,
    RunningGateway,
    RunningNode,
    start_gateway,
    start_node,
)

WORK = "SELECT region, count(*) FROM sales.customers WHERE id > %s GROUP BY region"
LIMITS = ("--hold", "1s", "--min-queries", "30", "--max-p95-ratio", "50", "--by", "session")
SESSIONS = 12
TOO_LITTLE = "0.001"
"""GiB of memory with which a node attaches the catalog and can read no table of it."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway with one healthy node, one to be killed, and one whose data is a stale copy."""
    folder = tmp_path_factory.mktemp("rollout")
    with start_gateway(folder, nodes=2) as gateway, ExitStack() as stack:
        if os.geteuid() == 0:
            gateway.nodes.append(_stale_node(stack, gateway, folder))
        yield gateway


def _stale_node(stack: ExitStack, gateway: RunningGateway, folder: Path) -> RunningNode:
    """Give a node in a mount namespace of its own, where the database's file is an older one."""
    stale, current = folder / "stale.duckdb", folder / "test.duckdb"
    stale.write_bytes(current.read_bytes())
    with duckdb.connect(str(stale)) as connection:
        connection.execute("DELETE FROM sales.customers WHERE id = 150")
    script = f'mount --bind {stale} {current} && exec "$@"'
    node = start_node(stack, gateway.environment, "stale", prefix=["unshare", "-m", "sh", "-c", script, "sh"])
    gateway.wait_for_endpoints(node1="active", node2="active", stale="active")
    return node


async def rollout_of(gateway: RunningGateway, name: str) -> Rollout:
    async with open_metastore(gateway.environment["METASTORE_URL"]) as metastore:
        return (await metastore.state()).rollouts[name]


@asynccontextmanager
async def rolling_out(gateway: RunningGateway, name: str, *options: str) -> AsyncIterator[None]:
    """Start a rollout; however the test ends, it makes room for the next one's."""
    await asyncio.to_thread(gateway.cli, "rollout", "start", name, *options)
    try:
        yield
    finally:
        async with open_metastore(gateway.environment["METASTORE_URL"]) as metastore:
            left = (await metastore.state()).rollouts.get(name)
        if left is not None and left.status is not RolloutStatus.ABORTED:
            await asyncio.to_thread(gateway.cli, "rollout", "abort", name)


@asynccontextmanager
async def removed_after(gateway: RunningGateway, *command: str) -> AsyncIterator[None]:
    """Run a command that undoes what a test did, however the test ends."""
    try:
        yield
    finally:
        await asyncio.to_thread(gateway.cli, *command)


@asynccontextmanager
async def workload(gateway: RunningGateway) -> AsyncIterator[list[str]]:
    """Run reads in many sessions until left. Gives the errors that clients see."""
    errors: list[str] = []

    async def client() -> None:
        while True:
            async with await psycopg.AsyncConnection.connect(gateway.dsn(), autocommit=True) as connection:
                for i in range(10):
                    try:
                        rows = await (await connection.execute(WORK, (i,))).fetchall()
                        assert len(rows) == 1
                    except psycopg.Error as error:
                        errors.append(f"{error.sqlstate}")

    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(client()) for _ in range(SESSIONS)]
        yield errors
        for task in clients:
            task.cancel()


async def ended(gateway: RunningGateway, name: str) -> Rollout:
    """Wait until the rollout moves no more by itself."""
    found: list[Rollout] = []

    async def has_ended() -> bool:
        found.append(await rollout_of(gateway, name))
        return found[-1].status is not RolloutStatus.RUNNING

    await until(has_ended)
    return found[-1]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(90):
        while not await holds():  # noqa: ASYNC110  # it sends us no event
            await asyncio.sleep(0.2)


async def test_a_healthy_rollout_reaches_everybody_by_itself(fleet: RunningGateway) -> None:
    async with rolling_out(fleet, "good", "--to", "node1", "--stages", "40%,100%", *LIMITS):
        async with workload(fleet) as errors:
            rollout = await ended(fleet, "good")
        assert (rollout.status, rollout.percent, errors) == (RolloutStatus.COMPLETED, 100.0, [])
        route = fleet.psql("-Atc", "SELECT n FROM numbers LIMIT 1", "-c", "SHOW pgproxy.last_route").stdout
        assert route.splitlines()[-1] == "node1 (rollout)"
        shown = fleet.cli("rollout", "status", "good")
        assert "COMPLETED" in shown
        assert "40% → 100%" in shown
        history = fleet.cli("policy", "history", "--limit", "100").splitlines()
        steps = [
            line for by, line in pairwise(history) if "rollout controller" in by and "rollout good" in line
        ]
        assert len(steps) == 2
        fleet.cli("rollout", "remove", "good")


async def test_a_node_that_dies_stops_the_rollout_and_no_client_notices(fleet: RunningGateway) -> None:
    options = ("--to", "node2", "--stages", "50%,100%", *LIMITS, "--hold", "1h")
    async with rolling_out(fleet, "dies", *options):
        async with workload(fleet) as errors:
            await _until_served_by(fleet, "node2")
            fleet.nodes[1].kill()
            rollout = await ended(fleet, "dies")
        assert (rollout.status, rollout.percent, errors) == (RolloutStatus.HALTED, 0.0, [])
        assert re.search(r"stage 1 \(50%\): \d+ of \d+ statements failed", rollout.reason)
        await _everybody_is_told(fleet, rollout, "error_rate")


async def test_a_node_that_returns_errors_stops_the_rollout_and_no_client_sees_them(
    fleet: RunningGateway,
) -> None:
    with ExitStack() as stack:
        start = partial(start_node, stack, fleet.environment, "poor", MAX_MEMORY_GB=TOO_LITTLE)
        poor = await asyncio.to_thread(start)
        async with removed_after(fleet, "endpoint", "remove", "poor"):
            await until(partial(_is_active, fleet, "poor"))
            async with rolling_out(fleet, "poor", "--to", "poor", "--stages", "50%,100%", *LIMITS):
                async with workload(fleet) as errors:
                    rollout = await ended(fleet, "poor")
                assert (rollout.status, rollout.percent, errors) == (RolloutStatus.HALTED, 0.0, [])
                assert re.search(r"stage 1 \(50%\): \d+ of \d+ statements failed", rollout.reason)
                assert 'reason="out_of_memory"' in fleet.metrics()
                assert 'execnode_failures_total{reason="out_of_memory"}' in await asyncio.to_thread(
                    poor.metrics
                )
                await _everybody_is_told(fleet, rollout, "error_rate")


@pytest.mark.skipif(os.geteuid() != 0, reason="a stale copy under the same path needs a mount namespace")
async def test_a_stale_copy_is_found_by_its_shadow(fleet: RunningGateway) -> None:
    fleet.cli("assign", "--user", "analyst", "--endpoint", "stale", "--shadow", "100")
    options = ("--to", "stale", "--stages", "1%,100%", *LIMITS, "--hold", "1h")
    async with (
        removed_after(fleet, "unassign", "--user", "analyst", "--endpoint", "stale"),
        rolling_out(fleet, "stale", *options),
    ):
        async with workload(fleet) as errors:
            rollout = await ended(fleet, "stale")
        assert (rollout.status, rollout.percent, errors) == (RolloutStatus.HALTED, 0.0, [])
        assert re.search(r"\d+ of \d+ shadowed results differ", rollout.reason)
        await _everybody_is_told(fleet, rollout, "shadow_mismatches")
        shadow = (await asyncio.to_thread(live_facts, fleet))["shadow"]
        assert shadow["counts"]["stale"]["mismatch"] >= len(shadow["mismatches"]) > 0
        found = {(seen["endpoint"], seen["difference"]) for seen in shadow["mismatches"]}
        assert found == {("stale", "content")}


async def test_a_slow_node_stops_the_rollout_by_its_p95(fleet: RunningGateway) -> None:
    async with fault_proxy("127.0.0.1", fleet.nodes[0].grpc_port) as proxy:
        url = f"grpc://127.0.0.1:{proxy.port}"
        await asyncio.to_thread(fleet.cli, "endpoint", "add", "slow", url, "--token", NODE_TOKEN)
        async with removed_after(fleet, "endpoint", "remove", "slow"):
            await until(partial(_is_active, fleet, "slow"))
            proxy.latency_s = 0.4
            options = ("--to", "slow", "--stages", "50%", *LIMITS, "--max-p95-ratio", "2")
            async with rolling_out(fleet, "slow", *options):
                async with workload(fleet) as errors:
                    rollout = await ended(fleet, "slow")
                assert (rollout.status, rollout.percent) == (RolloutStatus.HALTED, 0.0)
                assert "times the control's" in rollout.reason
                await _everybody_is_told(fleet, rollout, "p95_ratio")
                assert errors == []


async def test_a_target_that_is_drained_stops_the_rollout_and_no_client_notices(
    fleet: RunningGateway,
) -> None:
    options = ("--to", "node1", "--stages", "50%,100%", *LIMITS, "--hold", "1h")
    async with removed_after(fleet, "endpoint", "activate", "node1"), rolling_out(fleet, "drained", *options):
        async with workload(fleet) as errors:
            await _until_served_by(fleet, "node1")
            await asyncio.to_thread(fleet.cli, "endpoint", "drain", "node1", "--keep")
            rollout = await ended(fleet, "drained")
        assert (rollout.status, rollout.percent, errors) == (RolloutStatus.HALTED, 0.0, [])
        assert rollout.reason == 'stage 1 (50%): endpoint "node1" is DRAINING'
        await _everybody_is_told(fleet, rollout, "lost_target")
        with pytest.raises(subprocess.CalledProcessError):
            await asyncio.to_thread(fleet.cli, "rollout", "resume", "drained")


async def _is_active(gateway: RunningGateway, endpoint: str) -> bool:
    return (await asyncio.to_thread(gateway.health))["endpoints"].get(endpoint) == "active"


async def _everybody_is_told(gateway: RunningGateway, rollout: Rollout, cause: str) -> None:
    """The reason is in the terminal, the metrics, the audit log (with the figures) and the console."""
    moved = f'pgproxy_rollout_moves_total{{cause="{cause}",rollout="{rollout.name}",status="HALTED"}} 1.0'
    stands = f'pgproxy_rollout_percent{{rollout="{rollout.name}",status="HALTED"}} 0.0'

    async def is_counted() -> bool:
        text = await asyncio.to_thread(gateway.metrics)
        return moved in text and stands in text

    await until(is_counted)
    assert rollout.reason in await asyncio.to_thread(gateway.cli, "rollout", "status", rollout.name)
    query = "SELECT objects FROM pgproxy.audit_log WHERE event = 'rollout' AND kind = 'ROLLOUT HALTED'"
    printed = await asyncio.to_thread(gateway.psql, "-Atc", query, user=ADMIN, password=ADMIN_PASSWORD)
    steps = [json.loads(line)[0] for line in printed.stdout.splitlines()]
    (step,) = (step for step in steps if step["rollout"] == rollout.name)
    assert (step["reason"], step["cause"]) == (rollout.reason, cause)
    assert step["canary_statements"] + step["shadow_compared"] > 0
    shown = await asyncio.to_thread(live_facts, gateway)
    assert (shown["rollout"]["name"], shown["rollout"]["status"]) == (rollout.name, "HALTED")
    assert shown["rollout"]["reason"] == rollout.reason


async def _until_served_by(gateway: RunningGateway, endpoint: str) -> None:
    metric = re.compile(rf'pgproxy_statements_total\{{[^}}]*reason="rollout",route="{endpoint}"')

    async def has_served() -> bool:
        return metric.search(await asyncio.to_thread(gateway.metrics)) is not None

    await until(has_served)
