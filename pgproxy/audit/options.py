"""How the audit log is kept."""

from dataclasses import dataclass
from enum import StrEnum


class AuditMode(StrEnum):
    """What happens while the audit log cannot be written.

    best_effort: statements run; records wait in memory; beyond a limit the newest are dropped, counted.
    fail_closed: no statement runs until all that waits is written; nothing is dropped.
    """

    BEST_EFFORT = "best_effort"
    FAIL_CLOSED = "fail_closed"


class AuditQueryText(StrEnum):
    """What of a statement's text is kept: nothing, its shape without literals and comments, or all of it."""

    NONE = "none"
    REDACTED = "redacted"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """gateway: the name of this gateway in the log. retention_s: rows that are older go; 0: none do."""

    gateway: str
    mode: AuditMode = AuditMode.BEST_EFFORT
    query_text: AuditQueryText = AuditQueryText.NONE
    retention_s: float = 0.0
