"""What gateways of one metastore tell each other about logins: locks, known addresses, last uses of keys.

Once a second, in batches, and never in the way of a login: what a metastore cannot take now is told later.
A lock holds on the gateway that made it at once, on the others within about a second.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog

from pgproxy.control.metastore import MetastoreError
from pgproxy.control.notes import Note, NoteStore
from pgproxy.identity.authenticator import AuthenticationEvent
from pgproxy.identity.throttle import TOPIC, UNLOCK_TOPIC, LoginThrottle

log = structlog.get_logger(__name__)

KEY_USE_TOPIC = "key_use"
_INTERVAL_S = 1.0
_OVERLAP = timedelta(seconds=30)
"""How far the clocks of gateways may be apart, and how late a note may be written."""

_KEPT = timedelta(days=31)
_WAITING_LIMIT = 10_000


class LoginSharing:
    """Moves notes between a throttle and the metastore."""

    def __init__(self, store: NoteStore, throttle: LoginThrottle) -> None:
        self._store = store
        self._throttle = throttle
        self._waiting: dict[tuple[str, str], Note] = {}
        self._seen: datetime | None = None

    def observe(self, event: AuthenticationEvent) -> None:
        """Note when a key was used."""
        if event.key_id is not None:
            self._add(Note(KEY_USE_TOPIC, event.key_id, "", datetime.now(UTC)))

    async def share(self) -> None:
        """Share for as long as the gateway runs."""
        is_well = True
        try:
            while True:
                try:
                    await self.share_once()
                    is_well = True
                except MetastoreError:
                    if is_well:
                        log.warning("logins.not_shared")
                    is_well = False
                await asyncio.sleep(_INTERVAL_S)
        finally:
            with suppress(MetastoreError):  # it stops; what others did not hear is not worth its exit status
                await self._put()

    async def share_once(self) -> None:
        """Tell what is new here, and learn what is new elsewhere. Raises: MetastoreError."""
        await self._put()
        now = datetime.now(UTC)
        since = None if self._seen is None else self._seen - _OVERLAP
        if self._seen is None:
            for topic in (TOPIC, UNLOCK_TOPIC):
                await self._store.purge(topic, now - _KEPT)
        for topic in (UNLOCK_TOPIC, TOPIC):
            self._throttle.merge(await self._store.of(topic, since))
        self._seen = now

    async def _put(self) -> None:
        for note in self._throttle.take_changes():
            self._add(note)
        if self._waiting:
            waiting = dict(self._waiting)
            await self._store.put(list(waiting.values()))
            for key, note in waiting.items():
                if self._waiting.get(key) is note:
                    del self._waiting[key]

    def _add(self, note: Note) -> None:
        if len(self._waiting) < _WAITING_LIMIT or (note.topic, note.key) in self._waiting:
            self._waiting[note.topic, note.key] = note
