"""What is known of one statement when it ends.

The facts behind the log line, the metrics and the audit row.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from pgproxy.sql.plan import ObjectAccess


class Outcome(StrEnum):
    """How a statement ended."""

    OK = "ok"
    DENIED = "denied"
    ERROR = "error"
    CANCELED = "canceled"


@dataclass(slots=True)
class StatementRecord:
    """Facts of one statement; no SQL text, no value. Durations in milliseconds, sizes in bytes."""

    principal: str
    connection_id: int
    kind: str = "UTILITY"
    fingerprint: str = ""
    route: str = "local"
    route_reason: str = ""
    fallback_reason: str = ""
    outcome: Outcome = Outcome.OK
    sqlstate: str = "00000"
    engine_text: str = ""
    rows: int = 0
    bytes: int = 0
    first_row_ms: float | None = None
    total_ms: float = 0.0
    accesses: tuple[ObjectAccess, ...] = field(default=())
