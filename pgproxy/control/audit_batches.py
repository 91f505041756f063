"""Rows of the audit log that are written together, as one row of the metastore. Pure.

What many rows share is said once, and the database is given one row instead of hundreds: it is most of what
recording a short statement costs otherwise.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pgproxy.control.audit import AuditRecord, AuditRow, AuditShape
from pgproxy.control.moments import moment

BATCH_ROWS = 1000
"""In a batch at most."""

_US_PER_MS = 1000
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class AuditBatch:
    """One row of `audit_batches`.

    key: the same for the same rows. ended_us: when the last of them ended, in microseconds since 1970.
    shapes: JSON, a list of the values of an AuditShape each. rows: JSON, a list of the number of its shape
    and the values of an AuditRow after it each.
    """

    key: str
    row_count: int
    ended_us: int
    shapes: str
    rows: str


def packed(rows: Sequence[AuditRow]) -> Iterator[AuditBatch]:
    """Put rows into batches, in their order."""
    for start in range(0, len(rows), BATCH_ROWS):
        yield _batch(rows[start : start + BATCH_ROWS])


def _batch(rows: Sequence[AuditRow]) -> AuditBatch:
    shapes: dict[int, AuditShape] = {id(row.shape): row.shape for row in rows}
    numbers = {place: number for number, place in enumerate(shapes)}
    return AuditBatch(
        key=f"{rows[0].request_id} {len(rows)}",
        row_count=len(rows),
        ended_us=max(row.ended_us for row in rows),
        shapes=_encode(list(shapes.values())),
        rows=_encode([(numbers[id(row[0])], *row[1:]) for row in rows]),
    )


def unpacked(shapes: str, rows: str) -> Iterable[AuditRecord]:
    """Give the rows of a batch, in their order."""
    known = [AuditShape(*values) for values in json.loads(shapes)]
    return (_record(known[number], values) for number, *values in json.loads(rows))


def _record(shape: AuditShape, values: list[Any]) -> AuditRecord:
    row = AuditRow(shape, *values)
    return AuditRecord(
        request_id=row.request_id,
        pid=row.pid,
        query=row.query,
        started_at=moment(row.started_us),
        ended_at=moment(row.ended_us),
        queue_ms=_ms(row.queue_us),
        first_row_ms=_ms(row.first_row_us),
        total_ms=row.total_us / _US_PER_MS,
        rows=row.rows,
        bytes=row.bytes,
        engine_text=row.engine_text,
        attempts=row.attempts,
        **shape._asdict(),
    )


def _ms(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / _US_PER_MS
