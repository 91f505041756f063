"""The audit log: what a row holds, in which form it is written, and what every database can do with it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, Self

from pgproxy.control.moments import microseconds

_US_PER_MS = 1000


class AuditRecord(NamedTuple):
    """One row, in the order of its columns. No bind value, no result; SQL text only as configured.

    request_id: unique over all gateways. event: `statement`, or another kind of thing that happened. pid: of
    the session. objects: JSON, one {table, privileges} each. policies: JSON, one {table, row_filters,
    column_masks} each. started_at, ended_at: UTC in ISO 8601. engine_text: the engine's own words, where
    texts are kept in full. reason: why a login failed. attempts: how many logins the row stands for.
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

    @property
    def shape(self) -> "AuditShape":
        """What it may share with other rows."""
        return AuditShape(*(getattr(self, name) for name in AuditShape._fields))

    def to_write(self) -> "AuditRow":
        """Give it in the form in which it is written."""
        return AuditRow(
            self.shape, self.request_id, self.pid, _microseconds(self.started_at),
            _microseconds(self.ended_at), _us(self.queue_ms), _us(self.first_row_ms),
            round(self.total_ms * _US_PER_MS), self.rows, self.bytes, self.query, self.engine_text,
            self.attempts,
        )  # fmt: skip

    def as_json(self) -> Mapping[str, object]:
        """Give what a JSON line says: nothing that is empty, objects and policies as such."""
        facts = self._asdict()
        facts["objects"], facts["policies"] = json.loads(self.objects), json.loads(self.policies)
        return {name: value for name, value in facts.items() if value not in (None, "", [])}


AUDIT_COLUMNS = AuditRecord._fields


class AuditShape(NamedTuple):
    """The columns that rows of one kind share."""

    event: str
    gateway: str
    principal: str
    client_addr: str
    application_name: str
    protocol: str
    kind: str
    fingerprint: str
    objects: str
    policies: str
    route: str
    route_reason: str
    endpoint: str
    fallback_reason: str
    outcome: str
    sqlstate: str
    reason: str = ""


class AuditRow(NamedTuple):
    """A row on its way into the log. shape: one object for all rows that share it.

    Times and durations in whole microseconds. The other fields: see `AuditRecord`.
    """

    shape: AuditShape
    request_id: str
    pid: int
    started_us: int
    ended_us: int
    queue_us: int | None
    first_row_us: int | None
    total_us: int
    rows: int
    bytes: int
    query: str | None = None
    engine_text: str = ""
    attempts: int = 1


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

    async def write(self, rows: Sequence[AuditRow]) -> None:
        """Append, up to BATCH_ROWS at once in one transaction. Moves no epoch.

        The same rows may be written again where it is uncertain whether they were: they are there once.
        """
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
        """Delete what ended before a moment; gives how many. Rows that were written together go together."""
        ...


def _us(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds * _US_PER_MS)


def _microseconds(moment: str) -> int:
    return microseconds(datetime.fromisoformat(moment))
