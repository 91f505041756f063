"""How logins end, as rows of the audit log: each success of a session, failures counted together.

Somebody who guesses makes failures faster than anybody could read rows of them, and faster than a metastore
should write them. So failures of one kind, of one principal and from one address are one row with the number
of attempts, from the first to the last of about ten seconds; kinds beyond a limit share a row. Logins over
HTTP come with every request, so successes there are counted in the same way.
"""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pgproxy.control.audit import AuditRecord
from pgproxy.control.moments import US_PER_S, moment

LOGIN = "login"
_KINDS_LIMIT = 1000
_WINDOW_S = 10.0
_NOTHING = json.dumps([])
_MS_PER_S = 1000


@dataclass(frozen=True, slots=True)
class LoginEnd:
    """How a login ended.

    principal: empty where the name is nobody's, since people type passwords there. method: the hba rule's or
    the credential's. reason: why it failed, of a closed list; empty: it did not. interface: postgres or http.
    """

    principal: str
    address: str
    interface: str
    method: str
    sqlstate: str = "00000"
    reason: str = ""

    @property
    def is_single(self) -> bool:
        """Whether it has a row of its own."""
        return not self.reason and self.interface != "http"


@dataclass(slots=True)
class LoginRecord:
    """One row: attempts of one kind, the first and the last of them in Unix seconds."""

    end: LoginEnd
    first: float
    last: float
    attempts: int = 1
    request_id: str = field(default_factory=lambda: f"login-{secrets.token_hex(12)}")

    def row(self, gateway: str) -> AuditRecord:
        """Give it as the audit log keeps it."""
        end = self.end
        return AuditRecord(
            request_id=self.request_id, event=LOGIN, gateway=gateway, principal=end.principal,
            client_addr=end.address, application_name="", pid=0, protocol=end.interface, kind=end.method,
            fingerprint="", query=None, objects=_NOTHING, policies=_NOTHING, route="", route_reason="",
            endpoint="", fallback_reason="", started_at=_at(self.first), ended_at=_at(self.last),
            queue_ms=None, first_row_ms=None, total_ms=round((self.last - self.first) * _MS_PER_S, 3),
            rows=0, bytes=0, outcome="denied" if end.reason else "ok", sqlstate=end.sqlstate, engine_text="",
            reason=end.reason, attempts=self.attempts,
        )  # fmt: skip


class LoginTally:
    """Counts what shares rows. Bounded: beyond the limit addresses, then principals, are left out."""

    def __init__(self) -> None:
        self._counted: dict[LoginEnd, LoginRecord] = {}
        self._taken_at = -_WINDOW_S

    @property
    def due_in_s(self) -> float | None:
        """In how many seconds what is counted should be written; None: nothing is."""
        return max(0.0, self._taken_at + _WINDOW_S - time.monotonic()) if self._counted else None

    def add(self, end: LoginEnd) -> None:
        """Count one."""
        for kind in (end, replace(end, address=""), replace(end, address="", principal="")):
            record = self._counted.get(kind)
            if record is not None:
                record.attempts, record.last = record.attempts + 1, time.time()
                return
            if len(self._counted) < _KINDS_LIMIT:
                self._counted[kind] = single(kind)
                return
        self._counted[kind] = single(kind)  # methods, reasons and interfaces are closed lists

    def take(self) -> Iterator[LoginRecord]:
        """Give what is counted, and begin anew."""
        counted, self._counted, self._taken_at = self._counted, {}, time.monotonic()
        yield from counted.values()


def _at(unix_s: float) -> str:
    return moment(round(unix_s * US_PER_S))


def single(end: LoginEnd) -> LoginRecord:
    """Give a record of one login that ends now."""
    now = time.time()
    return LoginRecord(end, now, now)
