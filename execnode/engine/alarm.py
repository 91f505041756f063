"""Calling back whoever still waits after a while, by one timer for all of them.

Most have what they wait for long before; a timer each, made and dropped, would be a good part of what a short
statement costs the event loop.
"""

import time
from collections import deque
from collections.abc import Callable

Later = Callable[[float, Callable[[], None]], object]
"""Calls a function after so many seconds, in the thread that asks for it."""


class Waiter:
    """One who is to be called back. Made by `Alarm.set`."""

    __slots__ = ("_call", "due_s")

    def __init__(self, due_s: float, call: Callable[[], None]) -> None:
        self.due_s = due_s
        self._call: Callable[[], None] | None = call

    @property
    def is_cancelled(self) -> bool:
        """Whether it waits no more."""
        return self._call is None

    def cancel(self) -> None:
        """It has what it waits for."""
        self._call = None

    def ring(self) -> None:
        """Call it back, if it still waits."""
        if self._call is not None:
            self._call()


class Alarm:
    """Rings for each waiter the same time after it was set. Used from one event loop."""

    def __init__(self, after_s: float, later: Later, clock: Callable[[], float] = time.monotonic) -> None:
        self._after_s = after_s
        self._later = later
        self._clock = clock
        self._waiters: deque[Waiter] = deque()  # the first is due first
        self._is_armed = False

    def set(self, call: Callable[[], None]) -> Waiter:
        """Call back later, unless it is cancelled before."""
        waiter = Waiter(self._clock() + self._after_s, call)
        self._waiters.append(waiter)
        if not self._is_armed:
            self._arm(self._after_s)
        return waiter

    def _arm(self, delay_s: float) -> None:
        self._is_armed = True
        self._later(delay_s, self._ring)

    def _ring(self) -> None:
        waiters, now_s = self._waiters, self._clock()
        self._is_armed = False
        while waiters and (waiters[0].is_cancelled or waiters[0].due_s <= now_s):
            waiters.popleft().ring()
        if waiters and not self._is_armed:
            self._arm(waiters[0].due_s - now_s)
