"""A statement that has ended, in the form that its log line and its audit row are made of.

What it shares with others of its kind is looked up once, and what both need is rounded and spelled once: a
short statement is told of at a fraction of what its own run costs.
"""

from collections.abc import Iterable
from typing import NamedTuple

from pgproxy.control.audit import AuditShape
from pgproxy.control.moments import US_PER_S
from pgproxy.session.telemetry import StatementRecord

_KEPT = 2048
_US_PER_MS = 1000
_new = tuple.__new__
"""Makes named tuples at a third of the cost of calling their class."""


class StatementShape:
    """What statements of one kind have in common, and what was made of it.

    Filled by those who make it, when they first need it. line: the shared part of the log line. columns: what
    their audit rows share.
    """

    __slots__ = ("accesses", "columns", "line")

    def __init__(self, record: StatementRecord) -> None:
        self.accesses = record.accesses
        """Held, so that no other accesses get their place in memory, by which they are known."""
        self.line = ""
        self.columns: AuditShape | None = None


class EndedStatement(NamedTuple):
    """One statement. Times, since 1970, and durations in whole microseconds."""

    record: StatementRecord
    shape: StatementShape
    started_us: int
    ended_us: int
    queue_us: int | None
    first_row_us: int | None
    total_us: int


class EndedStatements:
    """Makes them. Bounded: shapes are forgotten together once there are too many."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[object, ...], StatementShape] = {}

    def of(self, records: Iterable[StatementRecord]) -> list[EndedStatement]:
        """Give them for these records."""
        shape_of = self._shape_of
        return [
            _new(
                EndedStatement,
                (
                    record,
                    shape_of(record),
                    round(record.started_at * US_PER_S),
                    round(record.ended_at * US_PER_S),
                    None if (queue_ms := record.queue_ms) is None else round(queue_ms * _US_PER_MS),
                    None if (first_ms := record.first_row_ms) is None else round(first_ms * _US_PER_MS),
                    round(record.total_ms * _US_PER_MS),
                ),
            )
            for record in records
        ]

    def _shape_of(self, record: StatementRecord) -> StatementShape:
        key = (
            record.fingerprint, record.principal, record.client_host, record.application_name, record.kind,
            record.protocol, record.route, record.route_reason, record.arm, record.fallback_reason,
            record.outcome, record.sqlstate, record.denied_by, id(record.accesses),
        )  # fmt: skip
        shape = self._shapes.get(key)
        if shape is None:
            if len(self._shapes) >= _KEPT:
                self._shapes.clear()
            shape = self._shapes[key] = StatementShape(record)
        return shape
