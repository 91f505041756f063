"""Interrupts: each cause stops only what it may, and clean-up is never struck."""

import asyncio
from collections.abc import Callable

import pytest

from pgproxy.net.interrupts import Activity, Interrupts
from pgwire.errors import QueryCanceled, ShuttingDown

CANCEL, GONE = Interrupts.cancel_statement, Interrupts.client_gone
WHEN_IDLE, NOW = Interrupts.end_when_idle, Interrupts.end_now
Strike = Callable[[Interrupts], None]


async def struck(activity: Activity, *strikes: Strike) -> BaseException | None:
    """Strike a task that waits in `activity`; give what ended it, or None where it went on."""
    interrupts, entered, go_on = Interrupts(), asyncio.Event(), asyncio.Event()

    async def work() -> BaseException | None:
        interrupts.attach()
        try:
            with interrupts.during(activity):
                entered.set()
                await go_on.wait()
        except (QueryCanceled, ShuttingDown, ConnectionResetError) as error:
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0, "a cancellation that has arrived is over"
            return error
        return None

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work())
        await entered.wait()
        for strike in strikes:
            strike(interrupts)
        go_on.set()
    return task.result()


@pytest.mark.parametrize(
    ("activity", "strike", "expected"),
    [
        (Activity.PERFORMING, CANCEL, "57014"),
        (Activity.IDLE, CANCEL, None),
        (Activity.WAITING, CANCEL, None),
        (Activity.SENDING, CANCEL, None),
        (Activity.LOGIN, CANCEL, None),
        (Activity.PROTECTED, CANCEL, None),
        (Activity.PERFORMING, WHEN_IDLE, None),
        (Activity.IDLE, WHEN_IDLE, "57P01"),
        (Activity.WAITING, WHEN_IDLE, None),
        (Activity.SENDING, WHEN_IDLE, None),
        (Activity.LOGIN, WHEN_IDLE, "57P03"),
        (Activity.PROTECTED, WHEN_IDLE, None),
        (Activity.PERFORMING, NOW, "57P01"),
        (Activity.IDLE, NOW, "57P01"),
        (Activity.WAITING, NOW, "57P01"),
        (Activity.SENDING, NOW, "57P01"),
        (Activity.PROTECTED, NOW, None),
    ],
)
async def test_each_cause_stops_only_what_it_may(
    activity: Activity, strike: Strike, expected: str | None
) -> None:
    error = await struck(activity, strike)
    assert getattr(error, "sqlstate", None) == expected


async def test_a_client_that_is_gone_stops_its_statement() -> None:
    assert isinstance(await struck(Activity.PERFORMING, GONE), ConnectionResetError)
    assert await struck(Activity.IDLE, GONE) is None


async def test_many_cancellations_arrive_as_one() -> None:
    assert isinstance(await struck(Activity.PERFORMING, CANCEL, CANCEL, GONE), QueryCanceled)


async def test_a_shutdown_amid_a_cancellation_is_remembered_for_the_next_step() -> None:
    interrupts, entered, cleaned = Interrupts(), asyncio.Event(), asyncio.Event()

    async def work() -> str:
        interrupts.attach()
        with pytest.raises(QueryCanceled), interrupts.during(Activity.PERFORMING):  # noqa: PT012
            entered.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await cleaned.wait()  # the engine confirms
                raise
        with pytest.raises(ShuttingDown), interrupts.during(Activity.WAITING):
            pass
        return "ended"

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work())
        await entered.wait()
        interrupts.cancel_statement()
        await asyncio.sleep(0)
        interrupts.end_now()
        cleaned.set()
    assert task.result() == "ended"


async def test_work_that_turns_its_cancellation_into_an_error_leaves_no_trace() -> None:
    interrupts, entered = Interrupts(), asyncio.Event()

    async def work() -> int:
        interrupts.attach()
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(ValueError, match="engine"), interrupts.during(Activity.PERFORMING):  # noqa: PT012
            entered.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise ValueError("engine") from None
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):  # works only where nothing is still being cancelled
                await asyncio.Event().wait()
        return task.cancelling()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work())
        await entered.wait()
        interrupts.cancel_statement()
    assert task.result() == 0


async def test_reading_copy_data_is_part_of_performing() -> None:
    interrupts, entered = Interrupts(), asyncio.Event()

    async def work() -> None:
        interrupts.attach()
        with interrupts.during(Activity.PERFORMING), interrupts.during(Activity.WAITING):
            entered.set()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(work())
            await entered.wait()
            interrupts.cancel_statement()
    assert isinstance(caught.value.exceptions[0], QueryCanceled)


async def test_a_cancellation_by_the_tasks_parent_passes_through() -> None:
    interrupts, entered = Interrupts(), asyncio.Event()

    async def work() -> None:
        interrupts.attach()
        with interrupts.during(Activity.PERFORMING):
            entered.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work())
        await entered.wait()
        task.cancel()
    assert task.cancelled()
