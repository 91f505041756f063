"""Nodes are replaced one after the other, and a policy changes, under load: no query is lost or wrong."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import psycopg
import pytest

from demo.programs import running
from tests.faults.proxied_fleet import FLEET_POLICY, wait_for
from tests.gateway import ADMIN, ADMIN_PASSWORD, NODE_TOKEN, RunningGateway, start_gateway

CLIENTS, FEW = 50, 6
"""In the soak, and in the suite, whose machine has other things to do."""

NODES = (1, 2, 3)
THINK_S = 0.02
REGIONS = "SELECT region, count(*) FROM sales.customers GROUP BY region"
ANSWERS = ([("EU", 100)], [("US", 100)])
"""Under the policy before the change and under the one after it; nothing in between is right."""


class Fleet:
    """A gateway with three nodes; each can be stopped and started again on its ports."""

    def __init__(self, gateway: RunningGateway, stack: ExitStack) -> None:
        self.gateway = gateway
        self._stack = stack

    def restart(self, place: int) -> None:
        """Stop one as an operator's rollout does, start it again, and wait until it is believed in."""
        node = self.gateway.nodes[place]
        node.process.send_signal(signal.SIGTERM)
        assert node.process.wait(40) == 0, "it did not end by itself"
        node.process = self._stack.enter_context(running(["execnode", "serve"], node.environment))
        self.wait_well()

    def wait_well(self) -> None:
        """Wait until all are believed in; a machine that is full of clients may take its time to say so."""

        def endpoints() -> dict[str, str]:
            try:
                return dict(self.gateway.health()["endpoints"])
            except TimeoutError:
                return {}

        wait_for(endpoints, lambda seen: set(seen.values()) == {"active"} and len(seen) == len(NODES))

    def replace(self, place: int) -> None:
        """Retire one by `endpoint drain`, which must leave nothing on it: then kill -9 costs nothing."""
        node = self.gateway.nodes[place]
        assert "nothing is left on it" in self.gateway.cli("endpoint", "drain", node.name)
        node.kill()
        node.process = self._stack.enter_context(running(["execnode", "serve"], node.environment))
        url = f"grpc://127.0.0.1:{node.grpc_port}"
        self.gateway.cli("endpoint", "add", node.name, url, "--token", NODE_TOKEN)
        self.wait_well()

    def use_region(self, region: str) -> None:
        """Change the policy of everybody who reads."""
        with psycopg.connect(self.gateway.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as connection:
            connection.execute(f"ALTER POLICY eu_customers ON sales.customers USING (region = '{region}')")


@pytest.fixture(
    params=[pytest.param("true", id="cursor", marks=pytest.mark.soak), pytest.param("false", id="direct")]
)
def fleet(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    settings = {"FEATURE_CURSOR_MODE": request.param, "HEALTH_CHECK_INTERVAL": "200ms"}
    with (
        ExitStack() as stack,
        start_gateway(tmp_path, nodes=len(NODES), policy=FLEET_POLICY, **settings) as gateway,
    ):
        for place in NODES:
            gateway.cli("assign", "--user", "intern", "--endpoint", f"node{place}")
        yield Fleet(gateway, stack)


async def read_until(stop: asyncio.Event, dsn: str, seen: Counter[str]) -> None:
    """Ask the same thing in one session until told to stop; count answers and errors."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        while not stop.is_set():
            try:
                rows = await (await connection.execute(REGIONS)).fetchall()
            except psycopg.Error as error:
                seen[f"{error.sqlstate} {error}"] += 1
            else:
                seen["right" if rows in ANSWERS else f"wrong: {rows}"] += 1
            await asyncio.sleep(THINK_S)  # a person thinks, and nodes need some time to start


async def restart_under_load(fleet: Fleet, clients: int, least_s: float) -> Counter[str]:
    """Restart every node and change the policy with each, for at least so long, while everybody reads.

    Nodes are stopped by SIGTERM and retired by command in turns. Half of the clients may run nowhere but on
    the nodes.
    """
    stop, seen = asyncio.Event(), Counter[str]()
    until_s = time.monotonic() + least_s
    async with asyncio.TaskGroup() as tasks:
        for number in range(clients):
            dsn = fleet.gateway.dsn(("analyst", "intern")[number % 2])
            tasks.create_task(read_until(stop, dsn, seen))
        try:
            ways = cycle((fleet.restart, fleet.replace))
            while True:
                for place, region in enumerate(("US", "EU", "US")):
                    await asyncio.to_thread(next(ways), place)
                    await asyncio.to_thread(fleet.use_region, region)
                if time.monotonic() > until_s:
                    break
        finally:
            stop.set()
    return seen


def check(fleet: Fleet, seen: Counter[str]) -> None:
    """No answer was wrong, none is missing, and nothing is left anywhere."""
    assert set(seen) == {"right"}, seen
    assert seen["right"] >= FEW
    with psycopg.connect(fleet.gateway.dsn("intern")) as connection:
        assert connection.execute(REGIONS).fetchall() == [("US", 100)], "the last policy holds"
    for node in fleet.gateway.nodes:
        wait_for(
            node.health,
            lambda health: (
                not any(
                    health[name]
                    for name in ("active_queries", "open_sessions", "open_cursors", "spool_bytes")
                )
            ),
        )
    wait_for(fleet.gateway.health, lambda health: not health["active_queries"])


async def test_a_rolling_restart_and_policy_changes_under_load_lose_nothing(fleet: Fleet) -> None:
    check(fleet, await restart_under_load(fleet, FEW, least_s=0))


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_two_minutes_of_rolling_restarts_lose_nothing(fleet: Fleet) -> None:
    check(fleet, await restart_under_load(fleet, CLIENTS, least_s=120))
