"""How many statements run at once, how many may wait, and whether new ones are taken at all."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState


class QueueFull(GatewayError):
    """No slot and no place in the queue."""

    default_sqlstate = SqlState.TOO_MANY_CONNECTIONS


class NodeDraining(GatewayError):
    """The node is shutting down and takes nothing new."""

    default_sqlstate = SqlState.ADMIN_SHUTDOWN


class AdmissionGate:
    """Slots for statements. First come, first served."""

    def __init__(
        self, max_running: int, max_queued: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._slots = asyncio.Semaphore(max_running)
        self.max_running = max_running
        self.max_queued = max_queued
        self._idle = asyncio.Event()
        self._idle.set()
        self.running = 0
        self._waiting: dict[object, float] = {}  # in the order of their arrival
        self._is_draining = False
        self._refuses_until_s = 0.0

    @property
    def is_draining(self) -> bool:
        """Whether nothing new is taken."""
        return self._is_draining or self._clock() < self._refuses_until_s

    def drain(self) -> None:
        """Take nothing new any more."""
        self._is_draining = True

    def refuse_for(self, seconds: float) -> None:
        """Take nothing new for so long from now."""
        self._refuses_until_s = max(self._refuses_until_s, self._clock() + seconds)

    @property
    def queued(self) -> int:
        """Statements that wait for a slot."""
        return len(self._waiting)

    @property
    def oldest_queued_s(self) -> float:
        """For how long the first of those that wait has done so; 0: none waits."""
        arrived_s = next(iter(self._waiting.values()), None)
        return 0.0 if arrived_s is None else time.monotonic() - arrived_s

    @asynccontextmanager
    async def slot(self, *, is_pinned: bool = False) -> AsyncGenerator[None, None]:
        """Hold a slot, waiting for it in the queue.

        is_pinned: a statement of an open session takes no slot, lest it wait for those that wait for its
        locks; it is let through while draining, so that its transaction can end.

        Raises:
            QueueFull: no place in the queue. NodeDraining: nothing new is taken.
        """
        if self.is_draining and not is_pinned:
            raise NodeDraining("the exec node is shutting down")
        if not is_pinned:
            await self._enter()
        self.running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.running -= 1
            if not is_pinned:
                self._slots.release()
            self._tell_idle()

    def _tell_idle(self) -> None:
        if not self.running and not self._waiting:
            self._idle.set()

    async def wait_idle(self) -> None:
        """Return once no statement runs or waits for a slot."""
        await self._idle.wait()

    async def _enter(self) -> None:
        if self._slots.locked() and self.queued >= self.max_queued:
            raise QueueFull("the exec node's queue is full")
        place = object()
        self._waiting[place] = time.monotonic()
        try:
            await self._slots.acquire()
        except BaseException:
            del self._waiting[place]
            self._tell_idle()
            raise
        del self._waiting[place]
