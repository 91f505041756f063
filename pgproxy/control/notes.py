"""Notes: small facts that gateways share and that are no policy, as of logins and keys.

They move no epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pgproxy.control.table import timestamp

NOTE_COLUMNS = "topic, key, text, noted_at"


@dataclass(frozen=True, slots=True)
class Note:
    """One fact. topic, key: identify it. noted_at: the newer of two wins."""

    topic: str
    key: str
    text: str
    noted_at: datetime

    def as_row(self) -> tuple[str, str, str, str]:
        """Give the columns."""
        return self.topic, self.key, self.text, timestamp(self.noted_at)

    @classmethod
    def of_row(cls, row: Sequence[str]) -> "Note":
        """Rebuild it from its columns."""
        topic, key, text, noted_at = row
        return cls(topic, key, text, datetime.fromisoformat(noted_at))


class NoteStore(Protocol):
    """Where notes are kept."""

    async def put(self, notes: Sequence[Note]) -> None:
        """Write notes in one transaction, dropping those older than the stored ones."""
        ...

    async def of(self, topic: str, since: datetime | None = None) -> tuple[Note, ...]:
        """The notes of a topic that are not older than `since`, oldest first."""
        ...

    async def purge(self, topic: str, before: datetime) -> None:
        """Delete a topic's notes older than `before`."""
        ...


def upsert_note(marks: Sequence[str]) -> str:
    """Insert a note, or replace an older one. marks: one parameter a column."""
    return (
        f"INSERT INTO notes ({NOTE_COLUMNS}) VALUES ({', '.join(marks)}) "
        "ON CONFLICT (topic, key) DO UPDATE SET text = excluded.text, noted_at = excluded.noted_at "
        "WHERE excluded.noted_at > notes.noted_at"
    )
