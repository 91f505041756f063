"""Who is connected: slots for all and for each, and every session of a principal found when it must end.

A slot is taken once a client has proven who it is, so that strangers cannot use them up. PostgreSQL docs,
"Connection Settings": max_connections, superuser_reserved_connections.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pgwire.errors import TooManyConnections

_End = Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Session:
    end: _End
    key_id: str | None


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How many sessions there may be.

    reserved: of max_sessions, for administrators only. max_per_principal: 0 means no limit of its own;
    administrators have none.
    """

    max_sessions: int = 500
    reserved: int = 3
    max_per_principal: int = 0


class SessionRegistry:
    """Every session that has logged in.

    is_admin: whether a principal may use the reserved slots. limit_of: its CONNECTION LIMIT; -1: none.
    """

    def __init__(
        self,
        limits: SessionLimits,
        is_admin: Callable[[str], bool],
        limit_of: Callable[[str], int] = lambda _: -1,
    ) -> None:
        self._limits = limits
        self._limit_of = limit_of
        self._is_admin = is_admin
        self._by_principal: dict[str, dict[object, _Session]] = {}
        self._count = 0

    @property
    def session_count(self) -> int:
        """Sessions now."""
        return self._count

    @contextmanager
    def place(self, principal: str, end: _End, key_id: str | None = None) -> Iterator[None]:
        """Hold a slot.

        end: how to end the session when its principal may no longer be here. key_id: of the API key that
        opened it.

        Raises:
            TooManyConnections: 53300, no slot for this principal.
        """
        self._check(principal)
        place = object()
        self._by_principal.setdefault(principal, {})[place] = _Session(end, key_id)
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            mine = self._by_principal[principal]
            del mine[place]
            if not mine:
                del self._by_principal[principal]

    def end_unless(self, may_stay: Callable[[str, str | None], bool]) -> int:
        """End every session whose principal, or API key, may not stay; give how many they are."""
        ends = [
            session.end
            for principal, sessions in self._by_principal.items()
            for session in sessions.values()
            if not may_stay(principal, session.key_id)
        ]
        for end in ends:
            end()
        return len(ends)

    def _check(self, principal: str) -> None:
        limits = self._limits
        free = limits.max_sessions - self._count
        if free <= 0:
            raise TooManyConnections("sorry, too many clients already")
        if self._is_admin(principal):
            return
        if free <= limits.reserved:
            raise TooManyConnections(
                "remaining connection slots are reserved for roles with the SUPERUSER attribute"
            )
        own, held = self._limit_of(principal), len(self._by_principal.get(principal, ()))
        if 0 <= own <= held or 0 < limits.max_per_principal <= held:
            raise TooManyConnections(f'too many connections for role "{principal}"')
