"""What is known of one statement when it ends.

The facts behind the log line, the metrics, the audit row and `pgproxy.queries`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from execnode.tracing import NO_SPAN, TraceSpan
from pgproxy.sql.plan import ObjectAccess


class Outcome(StrEnum):
    """How a statement ended."""

    OK = "ok"
    DENIED = "denied"
    ERROR = "error"
    CANCELED = "canceled"


class Protocol(StrEnum):
    """By which way a statement came."""

    SIMPLE = "simple"
    EXTENDED = "extended"
    ASYNC = "async"


UNPLANNED = "UNPLANNED"
"""The kind of a statement that was refused before anybody knew what it is."""


@dataclass(slots=True, eq=False)
class StatementRecord:
    """Facts of one statement; no value. Durations in milliseconds, sizes in bytes, times in Unix seconds.

    request_id: one per statement, over all gateways. text: the client's own, with its literals: for
    redaction, never for the log. endpoint: where it ran; empty: here, or nowhere. queue_ms: how long the
    engine let it wait. first_row_ms: None where there were no rows. ended_at: 0 while it runs. arm: see
    `pgproxy.routing.resolve.Arm`. denied_by: the `DenialRule` that refused it.
    """

    principal: str
    connection_id: int
    request_id: str = ""
    client_host: str = ""
    application_name: str = ""
    protocol: Protocol = Protocol.SIMPLE
    text: str = field(default="", repr=False)
    kind: str = UNPLANNED
    fingerprint: str = ""
    route: str = ""
    route_reason: str = ""
    arm: str = "none"
    fallback_reason: str = ""
    outcome: Outcome = Outcome.OK
    denied_by: str = ""
    sqlstate: str = "00000"
    engine_text: str = field(default="", repr=False)
    rows: int = 0
    bytes: int = 0
    started_at: float = 0.0
    ended_at: float = 0.0
    started_ns: int = 0
    queue_ms: float | None = None
    first_row_ms: float | None = None
    total_ms: float = 0.0
    accesses: tuple[ObjectAccess, ...] = ()
    span: TraceSpan = field(default=NO_SPAN, repr=False)
