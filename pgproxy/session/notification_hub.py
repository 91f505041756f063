"""Who listens to which channel of which database, over all sessions of one gateway.

PostgreSQL docs, "NOTIFY": nothing passes from one database to another.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from pgwire.backend import NotificationResponse


class Listener(Protocol):
    """A session that listens."""

    def receive(self, notification: NotificationResponse) -> None:
        """Keep a notification for the client."""
        ...

    @property
    def wake(self) -> Callable[[], None]:
        """Called when something has been received."""
        ...


class NotificationHub:
    """Who listens to which channel. Used by the sessions of one event loop."""

    def __init__(self) -> None:
        self._listeners: defaultdict[tuple[str, str], dict[Listener, None]] = defaultdict(dict)

    def listen(self, database: str, channel: str, session: Listener) -> None:
        """Let a session hear of a channel."""
        self._listeners[database, channel][session] = None

    def unlisten(self, database: str, channel: str, session: Listener) -> None:
        """Let it hear no more."""
        listeners = self._listeners.get((database, channel))
        if listeners is not None:
            listeners.pop(session, None)
            if not listeners:
                del self._listeners[database, channel]

    def publish(self, database: str, notifications: list[NotificationResponse]) -> None:
        """Give notifications to everybody who listens in the database, in order."""
        awake: dict[Listener, None] = {}
        for notification in notifications:
            for session in self._listeners.get((database, notification.channel), ()):
                session.receive(notification)
                awake[session] = None
        for session in awake:
            session.wake()
