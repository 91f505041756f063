"""One session's statements from their arrival to their end: exactly one record each, however they end.

The session begins and ends records; whatever runs a plan in between says what it learns. A statement inside
another (the query of EXECUTE, COPY or EXPLAIN) adds to the record of the one that the client sent.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from pgproxy.control.administering import command_tag
from pgproxy.routing.attempts import RouteOutcome
from pgproxy.session.portal import Portal
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.services import Identity, Recorder
from pgproxy.session.settings import SessionSettings
from pgproxy.session.telemetry import UNPLANNED, Outcome, Protocol, StatementRecord
from pgproxy.sql.plan import Plan
from pgproxy.sql.utility import admin_statements as a
from pgproxy.sql.utility import statements as u
from pgproxy.sql.utility.owners import AlterOwner, ReassignOwned
from pgwire.errors import AccessDenied, GatewayError, QueryCanceled, ShuttingDown
from pgwire.sqlstate import SqlState

_NANOSECONDS_PER_MS = 1_000_000

MAX_TEXT = 10_000
"""Characters of a statement's text that its record keeps."""

_WORDS = frozenset(
    ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "TRUNCATE", "COPY", "EXPLAIN",
     "GRANT", "REVOKE", "SET", "DECLARE", "PREPARE", "EXECUTE", "SECURITY", "COMMIT")
)  # fmt: skip
"""What a statement without a plan is called by: a closed list, since kinds are labels of metrics."""

_KINDS: dict[type[object], str] = {
    u.Begin: "BEGIN",
    u.Commit: "COMMIT",
    u.Rollback: "ROLLBACK",
    u.Savepoint: "SAVEPOINT",
    u.ReleaseSavepoint: "RELEASE",
    u.RollbackTo: "ROLLBACK TO",
    u.SetVariable: "SET",
    u.SetTransaction: "SET TRANSACTION",
    u.ResetVariable: "RESET",
    u.ShowVariable: "SHOW",
    u.Discard: "DISCARD",
    u.PrepareStatement: "PREPARE",
    u.ExecuteStatement: "EXECUTE",
    u.Deallocate: "DEALLOCATE",
    u.DeclareCursor: "DECLARE CURSOR",
    u.FetchCursor: "FETCH",
    u.MoveCursor: "MOVE",
    u.CloseCursor: "CLOSE CURSOR",
    u.Listen: "LISTEN",
    u.Notify: "NOTIFY",
    u.Unlisten: "UNLISTEN",
    u.Explain: "EXPLAIN",
    u.CopyTo: "COPY TO",
    u.CopyFrom: "COPY FROM",
}


@dataclass(slots=True)
class StatementLog:
    """What one session runs and has suspended.

    current: what runs now. latest: what ran last, and may still run.
    """

    identity: Identity
    settings: SessionSettings
    recorder: Recorder
    current: StatementRecord | None = None
    latest: StatementRecord | None = None
    _suspended: dict[Portal, StatementRecord] = field(default_factory=dict)
    _prefix: str = field(default_factory=lambda: secrets.token_hex(8))
    _count: int = 0
    _outcome: RouteOutcome | None = None
    _route: tuple[str, str, str, str] = ("", "", "none", "")

    @property
    def statement_count(self) -> int:
        """Statements that have begun so far."""
        return self._count

    def begin(self, text: str, protocol: Protocol, prepared: PreparedQuery | None = None) -> None:
        """A statement has arrived. prepared: what it is, where that is known already."""
        if self._suspended:
            self.sweep()
        self._count += 1
        record = self.current = self.latest = StatementRecord(
            principal=self.identity.principal,
            connection_id=self.identity.connection_id,
            request_id=f"{self._prefix}-{self._count:x}",
            client_host=self.identity.client_host,
            application_name=self.settings.show("application_name"),
            protocol=protocol,
            text=text[:MAX_TEXT],
            started_at=time.time(),
            started_ns=time.perf_counter_ns(),
        )
        self.recorder.statement_began(record)
        if prepared is None:
            record.kind = _first_word(text)
        else:
            self.recognise(prepared)

    def recognise(self, prepared: PreparedQuery) -> None:
        """Note what the current statement is."""
        record = self.current
        if record is None:
            return
        if prepared.utility is not None:
            record.kind = utility_kind(prepared.utility)
        elif prepared.plan is not None:
            record.kind = prepared.plan.kind.value
            self.note_plan(prepared.plan)

    def note_plan(self, plan: Plan) -> None:
        """Note what the current statement touches, and what was enforced."""
        record = self.current
        if record is not None:
            record.fingerprint, record.accesses = plan.fingerprint, plan.accesses
            record.rows = record.bytes = 0

    def note_started(self, waited_ns: int) -> None:
        """The engine has started it. waited_ns: how long that took."""
        if self.current is not None:
            self.current.queue_ms = waited_ns / _NANOSECONDS_PER_MS

    def note_rows(self, count: int, size: int) -> None:
        """Encoded rows go to the client. size: in bytes."""
        record = self.current
        if record is None:
            return
        record.rows += count
        record.bytes += size
        if record.first_row_ms is None:
            record.first_row_ms = (time.perf_counter_ns() - record.started_ns) / _NANOSECONDS_PER_MS

    def note_route(self, outcome: RouteOutcome) -> None:
        """Note where the current statement runs."""
        record = self.current
        if record is None:
            return
        if outcome is not self._outcome:
            fallback = outcome.fallback_reason.value if outcome.fallback_reason else ""
            reason = outcome.reason
            self._outcome = outcome
            self._route = outcome.endpoint, reason.value, reason.arm.value, fallback
        record.route, record.route_reason, record.arm, record.fallback_reason = self._route

    def traceparent(self) -> str:
        """What the spans below the current statement name; empty: it is not traced."""
        return self.current.span.traceparent if self.current is not None else ""

    def suspend(self, portal: Portal) -> None:
        """The portal's statement goes on with a later Execute."""
        if self.current is not None:
            self._suspended[portal] = self.current
            self.current = None

    def resume(self, portal: Portal, protocol: Protocol) -> None:
        """The portal's statement goes on, or begins."""
        if self._suspended:
            self.sweep()
        record = self._suspended.pop(portal, None)
        if record is not None:
            self.current = self.latest = record
        else:
            self.begin(portal.prepared.text, protocol, portal.prepared)

    def end(self, rows: int = 0, error: GatewayError | None = None) -> None:
        """The current statement has ended; nothing happens where none runs. rows: as its tag says."""
        record, self.current = self.current, None
        if record is not None:
            record.rows = max(record.rows, rows)
            self._finish(record, error)

    def forget(self) -> None:
        """The current statement was only looked at; it runs elsewhere, where it is recorded."""
        self.current = None

    def release(self, portal: Portal) -> None:
        """The portal is closed: its statement ended well as far as it got."""
        record = self._suspended.pop(portal, None)
        if record is not None:
            self._finish(record, None)

    def sweep(self) -> None:
        """End the statements of portals that went with their transaction."""
        for portal in [portal for portal in self._suspended if portal.stream is None]:
            self.release(portal)

    def close(self, error: GatewayError) -> None:
        """End what still runs, the session being over."""
        self.end(error=error)
        for portal in list(self._suspended):
            self.release(portal)

    def running(self) -> Iterator[StatementRecord]:
        """What runs or is suspended now."""
        if self.current is not None:
            yield self.current
        yield from self._suspended.values()

    def _finish(self, record: StatementRecord, error: GatewayError | None) -> None:
        record.total_ms = (time.perf_counter_ns() - record.started_ns) / _NANOSECONDS_PER_MS
        record.ended_at = time.time()
        if error is not None:
            record.sqlstate = error.sqlstate.value
            record.engine_text = str(getattr(error, "engine_text", "") or "")
            record.outcome = _outcome(error)
            record.denied_by = str(getattr(error, "rule", ""))
        self.recorder.statement_ended(record)


class ClientGone(GatewayError):
    """The client went away while its statement ran."""

    default_sqlstate = SqlState.CONNECTION_FAILURE
    fatal = True


def utility_kind(statement: u.UtilityStatement) -> str:
    """Name the statement as command tags do."""
    if isinstance(statement, u.NoOp):
        return statement.tag
    if isinstance(statement, a.AdminStatement):
        return command_tag(statement)
    if isinstance(statement, (AlterOwner, ReassignOwned)):
        return statement.tag
    return _KINDS.get(type(statement), UNPLANNED)


def _first_word(text: str) -> str:
    word = text.lstrip()[:12].split(maxsplit=1)
    return word[0].upper() if word and word[0].upper() in _WORDS else UNPLANNED


def _outcome(error: GatewayError) -> Outcome:
    match error:
        case AccessDenied():
            return Outcome.DENIED
        case QueryCanceled() | ShuttingDown() | ClientGone():
            return Outcome.CANCELED
        case _:
            return Outcome.ERROR
