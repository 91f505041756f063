"""Whoever still waits after a while is called back, by one timer for all."""

from collections.abc import Callable

import pytest

from execnode.engine.alarm import Alarm


class Clock:
    """Time that passes when it is told to, and the timers that were asked for."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self.timers.append((self.now_s + delay_s, call))

    def pass_to(self, now_s: float) -> None:
        self.now_s = now_s
        due = [timer for timer in self.timers if timer[0] <= now_s]
        self.timers = [timer for timer in self.timers if timer[0] > now_s]
        for _, call in due:
            call()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_who_still_waits_is_called_back_when_due_and_no_sooner(clock: Clock) -> None:
    alarm, rung = Alarm(1.0, clock.later, lambda: clock.now_s), []
    alarm.set(lambda: rung.append("first"))
    clock.now_s = 100.5
    alarm.set(lambda: rung.append("second"))
    clock.pass_to(101.0)
    assert rung == ["first"]
    clock.pass_to(101.5)
    assert rung == ["first", "second"]
    assert clock.timers == []


def test_many_that_are_served_in_time_cost_one_timer_and_hear_nothing(clock: Clock) -> None:
    alarm, rung = Alarm(1.0, clock.later, lambda: clock.now_s), []
    for number in range(50):
        alarm.set(lambda number=number: rung.append(number)).cancel()
    assert len(clock.timers) == 1
    clock.pass_to(101.0)
    assert (rung, clock.timers) == ([], [])
    alarm.set(lambda: rung.append("later"))
    clock.pass_to(102.0)
    assert rung == ["later"]


def test_one_that_sets_the_alarm_anew_while_it_rings_is_called_again(clock: Clock) -> None:
    alarm, rung = Alarm(1.0, clock.later, lambda: clock.now_s), []
    alarm.set(lambda: (rung.append("once"), alarm.set(lambda: rung.append("twice"))))
    clock.pass_to(101.0)
    clock.pass_to(102.0)
    assert rung == ["once", "twice"]
