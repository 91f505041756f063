"""The pinned sessions that gateways hold open, by id; forgotten ones are closed after a time."""

from uuid import uuid4

from execnode.engine import DuckSession

SESSION_IDLE_S = 24 * 3600.0
"""A session that no call has named for so long belonged to a gateway that died."""

UNUSED_S = 60.0
"""One that no call has named at all: the reply that told its id was lost. Gateways open one to use it."""


class SessionRegistry:
    """Open sessions."""

    def __init__(self) -> None:
        self._sessions: dict[str, DuckSession] = {}
        self._used_s: dict[str, float] = {}
        self._unused: set[str] = set()

    def __len__(self) -> int:
        return len(self._sessions)

    def add(self, session: DuckSession, now_s: float) -> str:
        """Keep a session; give its id, which nobody can guess."""
        session_id = uuid4().hex
        self._sessions[session_id] = session
        self._used_s[session_id] = now_s
        self._unused.add(session_id)
        return session_id

    def get(self, session_id: str, now_s: float) -> DuckSession | None:
        """Find a session."""
        session = self._sessions.get(session_id)
        if session is not None:
            self._used_s[session_id] = now_s
            self._unused.discard(session_id)
        return session

    async def close(self, session_id: str) -> None:
        """Roll back and close. Idempotent."""
        session = self._sessions.pop(session_id, None)
        self._used_s.pop(session_id, None)
        self._unused.discard(session_id)
        if session is not None:
            await session.close()

    async def close_idle(self, now_s: float) -> int:
        """Close those that were not used for SESSION_IDLE_S, or for UNUSED_S never; give their number."""
        closed = 0
        for session_id in tuple(self._sessions):
            if self._is_idle(session_id, now_s):  # asked only now: closing the one before took its time
                await self.close(session_id)
                closed += 1
        return closed

    def _is_idle(self, session_id: str, now_s: float) -> bool:
        used_s = self._used_s.get(session_id, now_s)
        return now_s - used_s > (UNUSED_S if session_id in self._unused else SESSION_IDLE_S)

    async def close_all(self) -> None:
        """Close every session."""
        for session_id in list(self._sessions):
            await self.close(session_id)
