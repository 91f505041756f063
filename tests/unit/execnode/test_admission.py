"""The gate: slots, queue, drain."""

import asyncio

import pytest

from execnode.admission import AdmissionGate, NodeDraining, QueueFull


async def test_a_statement_waits_in_the_queue_for_a_slot() -> None:
    gate = AdmissionGate(max_running=1, max_queued=1)
    order: list[str] = []

    async def second() -> None:
        async with gate.slot():
            order.append("second")

    async with asyncio.TaskGroup() as tasks, gate.slot():
        tasks.create_task(second())
        await asyncio.sleep(0)
        assert (gate.running, gate.queued) == (1, 1)
        order.append("first")
    assert order == ["first", "second"]
    assert (gate.running, gate.queued) == (0, 0)


async def test_a_full_queue_refuses_at_once() -> None:
    gate = AdmissionGate(max_running=1, max_queued=0)
    async with gate.slot():
        with pytest.raises(QueueFull):
            async with gate.slot():
                pass


async def test_a_pinned_statement_needs_no_slot() -> None:
    gate = AdmissionGate(max_running=1, max_queued=0)
    async with gate.slot(), gate.slot(is_pinned=True):
        assert gate.running == 2


async def test_a_waiter_that_is_cancelled_leaves_the_queue() -> None:
    gate = AdmissionGate(max_running=1, max_queued=5)

    async def wait() -> None:
        async with gate.slot():
            raise AssertionError

    async with asyncio.TaskGroup() as tasks, gate.slot():
        waiter = tasks.create_task(wait())
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.wait({waiter})
        assert gate.queued == 0


async def test_a_draining_gate_lets_only_pinned_statements_in() -> None:
    gate = AdmissionGate(max_running=1, max_queued=1)
    gate.drain()
    with pytest.raises(NodeDraining):
        async with gate.slot():
            pass
    async with gate.slot(is_pinned=True):
        assert gate.running == 1
    await gate.wait_idle()


async def test_a_gate_that_was_told_so_refuses_for_a_while_and_then_takes_again() -> None:
    now_s = [100.0]
    gate = AdmissionGate(max_running=1, max_queued=1, clock=lambda: now_s[0])
    gate.refuse_for(5)
    assert gate.is_draining
    with pytest.raises(NodeDraining):
        async with gate.slot():
            pass
    async with gate.slot(is_pinned=True):
        pass
    now_s[0] += 5
    assert not gate.is_draining
    async with gate.slot():
        assert gate.running == 1


async def test_a_draining_node_is_idle_only_once_those_that_waited_have_run() -> None:
    gate = AdmissionGate(max_running=1, max_queued=1)
    ended: list[str] = []

    async def run(name: str, until: asyncio.Event) -> None:
        async with gate.slot():
            await until.wait()
            ended.append(name)

    async def drain() -> None:
        gate.drain()
        await gate.wait_idle()
        ended.append("idle")

    first, second = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run("first", first))
        tasks.create_task(run("second", second))
        await asyncio.sleep(0)
        tasks.create_task(drain())
        await asyncio.sleep(0)
        first.set()
        while "first" not in ended or gate.queued:  # noqa: ASYNC110  # a few steps of this loop
            await asyncio.sleep(0)
        for _ in range(3):  # whoever believes it idle has had its turn
            await asyncio.sleep(0)
        second.set()
    assert ended == ["first", "second", "idle"]
