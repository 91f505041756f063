"""Notes in PostgreSQL."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from pgproxy.control.notes import NOTE_COLUMNS, Note, upsert_note
from pgproxy.control.table import timestamp

_PUT = upsert_note(("$1", "$2", "$3", "$4"))
_OF = f"SELECT {NOTE_COLUMNS} FROM notes WHERE topic = $1 AND noted_at >= $2 ORDER BY noted_at"


class PostgresNotes:
    """See `NoteStore`. transaction: gives a connection for one."""

    def __init__(self, transaction: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
        self._transaction = transaction

    async def put(self, notes: Sequence[Note]) -> None:
        rows = sorted(note.as_row() for note in notes)  # one order for all, so that no two gateways deadlock
        async with self._transaction() as connection:
            await connection.executemany(_PUT, rows)

    async def of(self, topic: str, since: datetime | None = None) -> tuple[Note, ...]:
        earliest = "" if since is None else timestamp(since)
        async with self._transaction() as connection:
            found = await connection.fetch(_OF, topic, earliest)
        return tuple(Note.of_row(tuple(row)) for row in found)

    async def purge(self, topic: str, before: datetime) -> None:
        async with self._transaction() as connection:
            await connection.execute(
                "DELETE FROM notes WHERE topic = $1 AND noted_at < $2", topic, timestamp(before)
            )
