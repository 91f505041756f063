"""The audit log in SQLite, by the metastore's own two connections."""

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from itertools import chain

import aiosqlite

from pgproxy.control.audit import AUDIT_COLUMNS, AuditPage, AuditRecord
from pgproxy.control.table import Value, timestamp

_NAMES = ", ".join(AUDIT_COLUMNS)
_ROW = f"({', '.join('?' * len(AUDIT_COLUMNS))})"
_INSERT = f"INSERT OR IGNORE INTO audit_log ({_NAMES}) VALUES {_ROW}"
_ROWS_AT_ONCE = 16
_INSERT_SEVERAL = f"{_INSERT}{f', {_ROW}' * (_ROWS_AT_ONCE - 1)}"
"""Each statement that is run gives the interpreter's lock away and asks for it again, which clients feel."""
_PURGE = "DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE ended_at < ? LIMIT 5000)"

_Read = Callable[[str, tuple[Value, ...]], Awaitable[list[sqlite3.Row]]]
_Write = Callable[[], AbstractAsyncContextManager[aiosqlite.Connection]]


class SqliteAudit:
    """See `AuditStore`. write: lends the writer for one transaction. read: runs a query on the reader."""

    def __init__(self, write: _Write, read: _Read) -> None:
        self._write = write
        self._read = read

    async def write(self, records: Sequence[AuditRecord]) -> None:
        async with self._write() as connection:
            whole = len(records) - len(records) % _ROWS_AT_ONCE
            pieces = (records[start : start + _ROWS_AT_ONCE] for start in range(0, whole, _ROWS_AT_ONCE))
            await connection.executemany(_INSERT_SEVERAL, map(_flat, pieces))
            await connection.executemany(_INSERT, records[whole:])

    async def last(self, limit: int = 100) -> tuple[AuditRecord, ...]:
        found = await self._read(f"SELECT {_NAMES} FROM audit_log ORDER BY id DESC LIMIT ?", (limit,))
        return tuple(AuditRecord.of_row(row) for row in found)

    async def page(self, after_id: int, limit: int) -> AuditPage:
        query = f"SELECT id, {_NAMES} FROM audit_log WHERE id > ? ORDER BY id LIMIT ?"
        found = await self._read(query, (after_id, limit))
        ids = tuple(int(row[0]) for row in found)
        return AuditPage(ids, tuple(AuditRecord.of_row(tuple(row)[1:]) for row in found))

    async def bounds(self) -> tuple[int, int]:
        query = "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM audit_log"
        ((low, high),) = await self._read(query, ())
        return int(low), int(high)

    async def purge(self, before: datetime) -> int:
        deleted = 0
        while True:
            async with self._write() as connection:
                cursor = await connection.execute(_PURGE, (timestamp(before),))
                count = cursor.rowcount
                await cursor.close()
            deleted += count
            if not count:
                return deleted


def _flat(records: Iterable[AuditRecord]) -> tuple[object, ...]:
    return tuple(chain.from_iterable(records))
