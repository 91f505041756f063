"""Waiting for a node to be idle: one that is late is not absent; one that is absent is not waited for."""

from dataclasses import dataclass, field

import pytest

from pgproxy.engines.errors import FallbackReason
from pgproxy.engines.probe import ProbeReport
from pgproxy.routing import draining
from pgproxy.routing.draining import DrainEnding, wait_drained
from pgwire.errors import GatewayError
from tests.unit.routing.engines import lost

IDLE, BUSY = ProbeReport(True, 0, 1), ProbeReport(True, 2, 1)
LATE, REFUSED = lost(FallbackReason.DEADLINE), lost(FallbackReason.CONNECT)


@dataclass
class Node:
    """Gives its answers in turn; the last one repeats."""

    answers: list[ProbeReport | Exception]
    refused_s: list[float] = field(default_factory=list)
    is_closed: bool = False

    async def probe(self, *, refuse_new_s: float) -> ProbeReport:
        self.refused_s.append(refuse_new_s)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_GATEWAYS_FOLLOW_S", "_POLL_S"):
        monkeypatch.setattr(draining, name, 0.0)


@pytest.mark.parametrize(
    "before",
    [
        [BUSY, LATE, BUSY],
        [LATE, LATE],
        [REFUSED, BUSY],
        [BUSY, lost(FallbackReason.NODE_LOST)],
        [BUSY, GatewayError("the engine is ill")],
    ],
)
async def test_a_node_that_answers_late_is_waited_for(before: list[ProbeReport | Exception]) -> None:
    node = Node([*before, IDLE])
    assert await wait_drained(lambda: node, 30) is DrainEnding.IDLE
    assert len(node.refused_s) == len(before) + 1
    assert all(node.refused_s), "each question makes it refuse what is new"
    assert node.is_closed


async def test_a_node_that_refuses_connections_is_given_up_before_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(draining, "_ABSENT_S", 0.0)
    node = Node([BUSY, REFUSED])
    assert await wait_drained(lambda: node, 30) is DrainEnding.UNREACHABLE
    assert node.is_closed


@pytest.mark.parametrize(
    ("answers", "ending"),
    [([BUSY], DrainEnding.TIMEOUT), ([BUSY, LATE], DrainEnding.UNREACHABLE)],
)
async def test_the_time_ends_the_wait_and_tells_what_was_seen_last(
    answers: list[ProbeReport | Exception], ending: DrainEnding
) -> None:
    node = Node(answers)
    assert await wait_drained(lambda: node, 0.01) is ending
    assert node.is_closed
