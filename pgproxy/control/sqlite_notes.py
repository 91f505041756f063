"""Notes in SQLite, by the metastore's own two connections."""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import aiosqlite

from pgproxy.control.notes import NOTE_COLUMNS, Note, upsert_note
from pgproxy.control.table import Value, timestamp

_PUT = upsert_note("????")
_OF = f"SELECT {NOTE_COLUMNS} FROM notes WHERE topic = ? AND noted_at >= ? ORDER BY noted_at"


class SqliteNotes:
    """See `NoteStore`. write: lends the writer for one transaction. read: runs a query on the reader."""

    def __init__(
        self,
        write: Callable[[], AbstractAsyncContextManager[aiosqlite.Connection]],
        read: Callable[[str, tuple[Value, ...]], Awaitable[list[sqlite3.Row]]],
    ) -> None:
        self._write = write
        self._read = read

    async def put(self, notes: Sequence[Note]) -> None:
        async with self._write() as connection:
            await connection.executemany(_PUT, [note.as_row() for note in notes])

    async def of(self, topic: str, since: datetime | None = None) -> tuple[Note, ...]:
        earliest = "" if since is None else timestamp(since)
        return tuple(Note.of_row(tuple(row)) for row in await self._read(_OF, (topic, earliest)))

    async def purge(self, topic: str, before: datetime) -> None:
        async with self._write() as connection:
            await connection.execute_fetchall(
                "DELETE FROM notes WHERE topic = ? AND noted_at < ?", (topic, timestamp(before))
            )
