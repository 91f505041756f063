"""The audit log in the metastore's own database: batches of rows, which readers take apart."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pgproxy.control.audit import AuditPage, AuditRecord, AuditRow
from pgproxy.control.audit_batches import BATCH_ROWS, packed, unpacked
from pgproxy.control.metastore import Scalar
from pgproxy.control.moments import microseconds

SQLITE_INSERT = (
    "INSERT INTO audit_batches (first_id, key, row_count, ended_us, shapes, rows) "
    "SELECT next_id, $1, $2, $3, $4, $5 FROM audit_counter WHERE true ON CONFLICT (key) DO NOTHING"
)
"""A trigger moves the counter."""

POSTGRES_INSERT = (
    "WITH taken AS (UPDATE audit_counter SET next_id = next_id + $2::bigint "
    "RETURNING next_id - $2::bigint AS first_id) "
    "INSERT INTO audit_batches (first_id, key, row_count, ended_us, shapes, rows) "
    "SELECT first_id, $1::text, $2::bigint, $3::bigint, $4::text, $5::text FROM taken "
    "ON CONFLICT (key) DO NOTHING"
)
"""Gateways wait for one another at the counter's row, so batches become visible in the order of their ids."""

_BOUNDS = (
    "SELECT (SELECT first_id FROM audit_batches ORDER BY first_id LIMIT 1), "
    "(SELECT first_id + row_count - 1 FROM audit_batches ORDER BY first_id DESC LIMIT 1)"
)
_NEWEST = "SELECT first_id, row_count FROM audit_batches ORDER BY first_id DESC LIMIT $1"
_AFTER = (
    "SELECT first_id, row_count FROM audit_batches WHERE first_id > $1 AND "
    "first_id + row_count > $2 ORDER BY first_id LIMIT $3"
)
_BETWEEN = (
    "SELECT first_id, shapes, rows FROM audit_batches WHERE first_id BETWEEN $1 AND $2 ORDER BY first_id"
)
_PURGE = (
    "DELETE FROM audit_batches WHERE first_id IN "
    "(SELECT first_id FROM audit_batches WHERE ended_us < $1 ORDER BY ended_us LIMIT 100) "
    "RETURNING row_count"
)

_Run = Callable[[str, Sequence[Scalar]], Awaitable[list[tuple[Any, ...]]]]


class StoredAudit:
    """See `AuditStore`. run: the metastore's `run_statement`. insert: its database's, for a batch."""

    def __init__(self, run: _Run, insert: str) -> None:
        self._run = run
        self._insert = insert

    async def write(self, rows: Sequence[AuditRow]) -> None:
        for batch in packed(rows):
            facts = (batch.key, batch.row_count, batch.ended_us, batch.shapes, batch.rows)
            await self._run(self._insert, facts)

    async def last(self, limit: int = 100) -> tuple[AuditRecord, ...]:
        wanted = _holding(limit, await self._run(_NEWEST, (limit,)))
        if not wanted:
            return ()
        found = await self._between(wanted[-1], wanted[0])
        return tuple(record for _, record in reversed(found[-limit:]))

    async def page(self, after_id: int, limit: int) -> AuditPage:
        batches = await self._run(_AFTER, (after_id - BATCH_ROWS, after_id + 1, limit))
        wanted = _holding(limit + BATCH_ROWS, batches)
        if not wanted:
            return AuditPage((), ())
        found = [row for row in await self._between(wanted[0], wanted[-1]) if row[0] > after_id][:limit]
        return AuditPage(tuple(number for number, _ in found), tuple(record for _, record in found))

    async def bounds(self) -> tuple[int, int]:
        ((low, high),) = await self._run(_BOUNDS, ())
        return low or 0, high or 0

    async def purge(self, before: datetime) -> int:
        deleted = 0
        while found := await self._run(_PURGE, (microseconds(before.astimezone(UTC)),)):
            deleted += sum(row_count for (row_count,) in found)
        return deleted

    async def _between(self, low: int, high: int) -> list[tuple[int, AuditRecord]]:
        return [
            numbered
            for first_id, shapes, rows in await self._run(_BETWEEN, (low, high))
            for numbered in enumerate(unpacked(shapes, rows), first_id)
        ]


def _holding(limit: int, batches: Sequence[tuple[Any, ...]]) -> list[int]:
    """Give the first ids of so many of these (first id, number of rows) that they have `limit` rows."""
    before = 0
    found = []
    for first_id, row_count in batches:
        if before >= limit:
            break
        found.append(first_id)
        before += row_count
    return found
