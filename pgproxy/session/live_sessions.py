"""Every session that is open in this gateway, and signals from one to another.

PostgreSQL docs, "Server Signaling Functions": to one's own role's sessions, or as an administrator.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import time

from pgproxy.session.services import Policies
from pgproxy.session.sql_session import SqlSession


@dataclass(frozen=True, slots=True, eq=False)
class LiveSession:
    """One session. cancel: stops what it runs. end: ends it with 57P01."""

    sql: SqlSession
    cancel: Callable[[], None]
    end: Callable[[], None]
    backend_start: float = field(default_factory=time)

    @property
    def principal(self) -> str:
        """Whose it is."""
        return self.sql.identity.principal


class LiveSessions:
    """Sessions by process id. Used from one event loop."""

    def __init__(self) -> None:
        self._live: dict[int, LiveSession] = {}

    @property
    def by_pid(self) -> Mapping[int, LiveSession]:
        """All of them."""
        return self._live

    @property
    def running_count(self) -> int:
        """How many statements of sessions run or are suspended."""
        return sum(1 for session in self._live.values() for _ in session.sql.log.running())

    @contextmanager
    def place(self, session: LiveSession) -> Iterator[None]:
        """List a session for as long as it is open."""
        pid = session.sql.identity.connection_id
        self._live[pid] = session
        try:
            yield
        finally:
            del self._live[pid]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a signal is not sent. PostgreSQL's words."""

    message: str


def send_signal(
    sessions: LiveSessions, policies: Policies, pid: int, asker: str, *, is_end: bool
) -> bool | Refusal:
    """Cancel what a session runs, or end it. False: there is no such session."""
    target = sessions.by_pid.get(pid)
    if target is None:
        return False
    policy = policies.effective(asker)
    if not policy.is_admin:
        if policies.effective(target.principal).is_admin:
            return Refusal(f"must be a superuser to {'terminate' if is_end else 'cancel'} superuser "
                           f"{'process' if is_end else 'query'}")  # fmt: skip
        if target.principal != asker and target.principal not in policy.groups:
            what = "process is being terminated" if is_end else "query is being canceled"
            return Refusal(f"must be a member of the role whose {what} or member of pg_signal_backend")
    if is_end:
        target.end()
    else:
        target.cancel()
    return True
