"""How tasks wait for something to change, at a fraction of an `asyncio.Event`'s cost."""

import asyncio


class Wakeup:
    """Wakes those who sleep; who comes later sleeps until the next time. Used from one event loop.

    Waiting is `while not done: await wakeup.sleep()`: nothing can change between the look and the sleep.
    """

    __slots__ = ("_sleepers",)

    def __init__(self) -> None:
        self._sleepers: list[asyncio.Future[None]] = []

    def sleep(self) -> "asyncio.Future[None]":
        """Give what ends with the next `wake`."""
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._sleepers:  # of those, some may have been cancelled
            self._sleepers = [one for one in self._sleepers if not one.done()]
        self._sleepers.append(sleeper)
        return sleeper

    def wake(self) -> None:
        """Wake all who sleep."""
        if self._sleepers:
            sleepers, self._sleepers = self._sleepers, []
            for sleeper in sleepers:
                if not sleeper.done():
                    sleeper.set_result(None)
