"""LISTEN and NOTIFY between one gateway's sessions of one database. PostgreSQL docs, "NOTIFY".

What a transaction listens to, no longer listens to and notifies counts from its commit.
"""

from collections import deque
from collections.abc import Callable

from pgproxy.session.notification_hub import NotificationHub
from pgproxy.session.utilities import UtilityResult
from pgproxy.sql.utility import statements as u
from pgwire.backend import NotificationResponse
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

MAX_PAYLOAD_BYTES = 8000
"""PostgreSQL's NOTIFY_PAYLOAD_MAX_LENGTH; a payload is shorter."""

MAX_WAITING = 100_000
"""Notifications kept for a session that does not read them; older ones are dropped, as memory is bounded."""


class Notifications:
    """One session's side: what it listens to, what its transaction will notify, what waits for its client.

    wake: called when something has arrived; the connection then sends it, if its client is idle.
    """

    def __init__(self, hub: NotificationHub, process_id: int, database: str) -> None:
        self._hub = hub
        self._database = database
        self._process_id = process_id
        self._channels: dict[str, None] = {}
        self._changes: list[u.Listen | u.Unlisten] = []
        self._outgoing: dict[tuple[str, str], None] = {}
        self._waiting: deque[NotificationResponse] = deque(maxlen=MAX_WAITING)
        self.wake: Callable[[], None] = _stay_asleep

    def run(self, statement: u.UtilityStatement) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind.

        Raises:
            StatementError: 22023, the payload is too long.
        """
        match statement:
            case u.Listen():
                self._changes.append(statement)
                return UtilityResult("LISTEN")
            case u.Unlisten():
                self._changes.append(statement)
                return UtilityResult("UNLISTEN")
            case u.Notify(channel=channel, payload=payload):
                if len(payload.encode()) >= MAX_PAYLOAD_BYTES:
                    raise StatementError("payload string too long", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
                self._outgoing[channel, payload] = None
                return UtilityResult("NOTIFY")
            case _:
                return None

    @property
    def has_changes(self) -> bool:
        """Whether the transaction's end will do something."""
        return bool(self._changes or self._outgoing)

    def end_transaction(self, *, is_commit: bool) -> None:
        """Do what the transaction asked for, or forget it."""
        changes, self._changes = self._changes, []
        outgoing, self._outgoing = self._outgoing, {}
        if not is_commit:
            return
        for change in changes:
            self._apply(change)
        if outgoing:
            self._hub.publish(
                self._database, [NotificationResponse(self._process_id, *one) for one in outgoing]
            )

    def unlisten_all(self) -> None:
        """DISCARD ALL, and the end of the session."""
        self._apply(u.Unlisten(None))

    def receive(self, notification: NotificationResponse) -> None:
        """Keep a notification for the client."""
        self._waiting.append(notification)

    def take(self) -> tuple[NotificationResponse, ...]:
        """Give what waits for the client, once."""
        if not self._waiting:
            return ()
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken

    def _apply(self, change: u.Listen | u.Unlisten) -> None:
        match change:
            case u.Listen(channel=channel):
                self._channels[channel] = None
                self._hub.listen(self._database, channel, self)
            case u.Unlisten(channel=wanted):
                for channel in tuple(self._channels) if wanted is None else (wanted,):
                    self._channels.pop(channel, None)
                    self._hub.unlisten(self._database, channel, self)


def _stay_asleep() -> None:
    """Nobody waits yet."""
