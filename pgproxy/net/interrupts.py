"""Stopping a connection's task from outside: for a cause, and only where that is safe.

A CancelRequest, a vanished client and a shutdown arrive on other tasks. Each cancels the connection's task,
but never while it rolls back or closes: a shutdown is then remembered, and takes effect at the next step that
can be interrupted.
"""

import asyncio
import time
from contextlib import AbstractContextManager
from enum import Enum, IntEnum, auto
from types import TracebackType
from typing import assert_never

from pgwire.errors import QueryCanceled, ShuttingDown
from pgwire.sqlstate import SqlState


class Activity(Enum):
    """What the connection does now.

    IDLE: waits for the client, between statements. WAITING: waits for the client amid a pipeline. SENDING:
    waits until the client takes more. PROTECTED: must not be interrupted.
    """

    LOGIN = auto()
    IDLE = auto()
    WAITING = auto()
    PERFORMING = auto()
    SENDING = auto()
    PROTECTED = auto()


class _Ending(IntEnum):
    """Whether the connection has been asked to end, in order of urgency."""

    NO = 0
    WHEN_IDLE = 1
    NOW = 2


class _Cause(Enum):
    CANCEL_REQUEST = auto()
    CLIENT_GONE = auto()
    SHUTDOWN = auto()


class Interrupts:
    """What may stop one connection. Made by its task, called by others on the same event loop."""

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None
        self._activity = Activity.PROTECTED
        self._ending = _Ending.NO
        self._cause: _Cause | None = None
        self._began_at = 0.0

    def attach(self) -> None:
        """Interrupt the current task from now on."""
        self._task = asyncio.current_task()

    @property
    def is_idle(self) -> bool:
        """Whether the connection waits for its client, between statements."""
        return self._activity is Activity.IDLE

    def cancel_statement(self, asked_at: float | None = None) -> None:
        """CancelRequest: stop what runs; nothing happens while nothing runs, and nothing is remembered.

        asked_at: when, Unix seconds, where that was elsewhere: what began later is not meant.
        """
        is_meant = asked_at is None or self._began_at <= asked_at
        if self._activity is Activity.PERFORMING and is_meant:
            self._interrupt(_Cause.CANCEL_REQUEST)

    def client_gone(self) -> None:
        """Stop what runs for a client that is no longer there; a task that waits for it finds out itself."""
        if self._activity is Activity.PERFORMING:
            self._interrupt(_Cause.CLIENT_GONE)

    def end_when_idle(self) -> None:
        """End the connection with 57P01 at once if it is idle, else when its statement has ended."""
        self._ending = max(self._ending, _Ending.WHEN_IDLE)
        if self._is_due(self._activity):
            self._interrupt(_Cause.SHUTDOWN)

    def end_now(self) -> None:
        """End the connection with 57P01; what it runs is stopped first."""
        self._ending = _Ending.NOW
        if self._is_due(self._activity):
            self._interrupt(_Cause.SHUTDOWN)

    def during(self, activity: Activity) -> "AbstractContextManager[None]":
        """Allow what may interrupt this activity. One inside PERFORMING is part of it.

        Entering and leaving raise:
            QueryCanceled: 57014, by CancelRequest. ShuttingDown: 57P01, or 57P03 at login.
            ConnectionResetError: the client has gone.
        """
        return _During(self, activity)

    def _is_due(self, activity: Activity) -> bool:
        match activity:
            case Activity.PROTECTED:
                return False
            case Activity.LOGIN | Activity.IDLE:
                return self._ending is not _Ending.NO
            case Activity.WAITING | Activity.PERFORMING | Activity.SENDING:
                return self._ending is _Ending.NOW
            case _:
                assert_never(activity)

    def _interrupt(self, cause: _Cause) -> None:
        """Cancel the task, once until that has arrived: a second blow would hit the clean-up of the first."""
        if self._task is not None and self._cause is None:
            self._cause = cause
            self._task.cancel()


class _During:
    """One activity, as a context."""

    __slots__ = ("_activity", "_interrupts", "_outer")

    def __init__(self, interrupts: Interrupts, activity: Activity) -> None:
        self._interrupts = interrupts
        self._activity = activity
        self._outer = activity

    def __enter__(self) -> None:
        """Begin it; the one that it is part of is kept, to be left for."""
        interrupts, activity = self._interrupts, self._activity
        if interrupts._ending is not _Ending.NO and interrupts._is_due(activity):
            raise _shutting_down(activity)
        self._outer = interrupts._activity
        if self._outer is not Activity.PERFORMING:
            interrupts._activity = activity
            if activity is Activity.PERFORMING:
                interrupts._began_at = time.time()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it. What was to stop it has arrived by now, or it ended by itself at the same time."""
        interrupts = self._interrupts
        interrupts._activity = self._outer
        cause = interrupts._cause
        if cause is None or interrupts._task is None:
            return
        interrupts._cause = None
        interrupts._task.uncancel()
        if isinstance(error, asyncio.CancelledError):
            raise _error_for(cause, self._activity) from None


def _error_for(cause: _Cause, activity: Activity) -> Exception:
    match cause:
        case _Cause.CANCEL_REQUEST:
            return QueryCanceled("canceling statement due to user request")
        case _Cause.CLIENT_GONE:
            return ConnectionResetError("the client has gone")
        case _Cause.SHUTDOWN:
            return _shutting_down(activity)
        case _:
            assert_never(cause)


def _shutting_down(activity: Activity) -> ShuttingDown:
    if activity is Activity.LOGIN:
        return ShuttingDown("the database system is shutting down", sqlstate=SqlState.CANNOT_CONNECT_NOW)
    return ShuttingDown("terminating connection due to administrator command")
