"""CancelRequests that reached another gateway of the same metastore than the one that runs the statement.

A key that is of no connection here is written down as a note, by its digest: a wrong one too, for nobody here
can tell them apart. So notes are few a second at most, and live a minute. Another gateway sees one within
about half a second, and stops only what began before it was asked for.
"""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog

from pgproxy.control.metastore import MetastoreError
from pgproxy.control.notes import Note, NoteStore
from pgproxy.net.cancel import CancelRegistry, KeyDigest

log = structlog.get_logger(__name__)

TOPIC = "cancel"
_INTERVAL_S = 0.5
_LONGEST_BATCH = 50
"""Keys that are told in one interval; what comes beside is dropped, as a network may drop it."""

_LIFE = timedelta(seconds=10)
"""An older request is not obeyed any more: who asked has long given up."""

_KEPT = timedelta(minutes=1)
_PURGE_EVERY = 20


class CancelSharing:
    """Moves keys between a registry and the metastore."""

    def __init__(self, store: NoteStore, registry: CancelRegistry) -> None:
        self._store = store
        self._registry = registry
        self._waiting: dict[str, Note] = {}
        self._obeyed: dict[str, datetime] = {}
        self._rounds = 0
        registry.forward = self.forward

    def forward(self, asked: KeyDigest) -> None:
        """Tell the others at the next turn."""
        key = f"{asked.process_id}:{asked.digest.hex()}"
        if len(self._waiting) < _LONGEST_BATCH or key in self._waiting:
            self._waiting[key] = Note(TOPIC, key, "", datetime.now(UTC))

    async def share(self) -> None:
        """Share for as long as the gateway runs."""
        while True:
            try:
                await self.share_once()
            except MetastoreError:
                self._waiting.clear()  # later it would stop something else
            await asyncio.sleep(_INTERVAL_S)

    async def share_once(self) -> None:
        """Tell what was asked here, and obey what was asked elsewhere. Raises: MetastoreError."""
        waiting, self._waiting = self._waiting, {}
        if waiting:
            await self._store.put(list(waiting.values()))
        now = datetime.now(UTC)
        for note in await self._store.of(TOPIC, now - _LIFE):
            if note.key not in waiting and self._obeyed.get(note.key) != note.noted_at:
                self._obeyed[note.key] = note.noted_at
                self._obey(note)
        self._obeyed = {key: moment for key, moment in self._obeyed.items() if moment > now - 2 * _LIFE}
        self._rounds += 1
        if self._rounds % _PURGE_EVERY == 1:
            await self._store.purge(TOPIC, now - _KEPT)

    def _obey(self, note: Note) -> None:
        with suppress(ValueError):  # what another program wrote there
            process_id, _, digest = note.key.partition(":")
            asked = KeyDigest(int(process_id), bytes.fromhex(digest))
            if self._registry.cancel_forwarded(asked, note.noted_at.timestamp()):
                log.info("cancel.forwarded", late_ms=round(1000 * (time.time() - note.noted_at.timestamp())))
