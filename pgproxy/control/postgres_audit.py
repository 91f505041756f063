"""The audit log in PostgreSQL."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from pgproxy.control.audit import AUDIT_COLUMNS, AuditPage, AuditRecord
from pgproxy.control.table import timestamp

_NAMES = ", ".join(AUDIT_COLUMNS)
_MARKS = ", ".join(f"${place}" for place in range(1, len(AUDIT_COLUMNS) + 1))
_INSERT = f"INSERT INTO audit_log ({_NAMES}) VALUES ({_MARKS}) ON CONFLICT (request_id) DO NOTHING"
_PURGE = "DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE ended_at < $1 LIMIT 5000)"

_WRITE_LOCK = 7_462_871_531

_Transaction = Callable[[], AbstractAsyncContextManager[Any]]


class PostgresAudit:
    """See `AuditStore`. transaction: gives a connection for one."""

    def __init__(self, transaction: _Transaction) -> None:
        self._transaction = transaction

    async def write(self, records: Sequence[AuditRecord]) -> None:
        async with self._transaction() as connection:
            # One gateway after the other, so that rows become visible in the order of their ids.
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _WRITE_LOCK)
            await connection.executemany(_INSERT, records)

    async def last(self, limit: int = 100) -> tuple[AuditRecord, ...]:
        async with self._transaction() as connection:
            found = await connection.fetch(f"SELECT {_NAMES} FROM audit_log ORDER BY id DESC LIMIT $1", limit)
        return tuple(AuditRecord.of_row(tuple(row)) for row in found)

    async def page(self, after_id: int, limit: int) -> AuditPage:
        query = f"SELECT id, {_NAMES} FROM audit_log WHERE id > $1 ORDER BY id LIMIT $2"
        async with self._transaction() as connection:
            found = await connection.fetch(query, after_id, limit)
        ids = tuple(int(row[0]) for row in found)
        return AuditPage(ids, tuple(AuditRecord.of_row(tuple(row)[1:]) for row in found))

    async def bounds(self) -> tuple[int, int]:
        query = "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM audit_log"
        async with self._transaction() as connection:
            low, high = await connection.fetchrow(query)
        return int(low), int(high)

    async def purge(self, before: datetime) -> int:
        deleted = 0
        while True:
            async with self._transaction() as connection:
                tag = await connection.execute(_PURGE, timestamp(before))
            count = int(tag.split()[-1])
            deleted += count
            if not count:
                return deleted
