"""How far a node's clock is off, as a probe finds it."""

import time

from execnode.contract import CONTRACT_VERSION
from execnode.rpc.execnode import v1
from pgproxy.engines.remote import RemoteEngine


class Node:
    """A node that answers a probe; its clock is off by so much."""

    def __init__(self, off_s: float | None) -> None:
        self._off_s = off_s

    async def health(self, timeout_s: float, refuse_new_s: float) -> v1.HealthReply:
        assert timeout_s > 0
        assert refuse_new_s == 0
        wall_s = 0.0 if self._off_s is None else time.time() + self._off_s
        return v1.HealthReply(contract_version=CONTRACT_VERSION, wall_clock_s=wall_s)

    async def drop_abandoned(self) -> None:
        """It never had anything."""


async def skew_of(off_s: float | None) -> float | None:
    engine = RemoteEngine("a", "grpc://127.0.0.1:1", "token")
    engine._node = Node(off_s)  # type: ignore[assignment]  # the wire is tested elsewhere
    return (await engine.probe()).clock_skew_s


async def test_a_probe_tells_the_skew_and_an_old_node_tells_none() -> None:
    found = await skew_of(-90.0)
    assert found is not None
    assert -91 < found < -89
    assert await skew_of(None) is None
