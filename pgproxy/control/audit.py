"""The audit log as the metastore keeps it: what a row holds, and what every database can do with it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, Self


class AuditRecord(NamedTuple):
    """One row, in the order of its columns. No bind value, no result; SQL text only as configured.

    request_id: unique over all gateways, so that a batch whose commit is uncertain can be written again.
    event: `statement`, or another kind of thing that happened. pid: of the session. objects: JSON, one
    {table, privileges} each. policies: JSON, one {table, row_filters, column_masks} each. started_at,
    ended_at: UTC in ISO 8601. engine_text: the engine's own words, where texts are kept in full.
    reason: why a login failed. attempts: how many logins of one kind the row stands for.
    """

    request_id: str
    event: str
    gateway: str
    principal: str
    client_addr: str
    application_name: str
    pid: int
    protocol: str
    kind: str
    fingerprint: str
    query: str | None
    objects: str
    policies: str
    route: str
    route_reason: str
    endpoint: str
    fallback_reason: str
    started_at: str
    ended_at: str
    queue_ms: float | None
    first_row_ms: float | None
    total_ms: float
    rows: int
    bytes: int
    outcome: str
    sqlstate: str
    engine_text: str
    reason: str = ""
    attempts: int = 1

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Self:
        """Read a row in the order of AUDIT_COLUMNS."""
        return cls(*row)

    def as_json(self) -> Mapping[str, object]:
        """Give what a JSON line says: nothing that is empty, objects and policies as such."""
        facts = self._asdict()
        facts["objects"], facts["policies"] = json.loads(self.objects), json.loads(self.policies)
        return {name: value for name, value in facts.items() if value not in (None, "", [])}


AUDIT_COLUMNS = AuditRecord._fields


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Rows in the order in which they were written. ids: the metastore's number of each, ascending."""

    ids: tuple[int, ...]
    records: tuple[AuditRecord, ...]

    @property
    def last_id(self) -> int:
        """After which the next page begins; 0 where this one is empty."""
        return self.ids[-1] if self.ids else 0


class AuditStore(Protocol):
    """The audit log of a metastore. Every method is safe to call from several tasks at once.

    Raises:
        MetastoreError: the database could not be read or written.
    """

    async def write(self, records: Sequence[AuditRecord]) -> None:
        """Append in one transaction; records that are there already stay. Moves no epoch."""
        ...

    async def last(self, limit: int = 100) -> tuple[AuditRecord, ...]:
        """The last records, newest first."""
        ...

    async def page(self, after_id: int, limit: int) -> AuditPage:
        """The next records after one."""
        ...

    async def bounds(self) -> tuple[int, int]:
        """The lowest and the highest id that are there; (0, 0) where nothing is."""
        ...

    async def purge(self, before: datetime) -> int:
        """Delete what ended before a moment; gives how many."""
        ...
