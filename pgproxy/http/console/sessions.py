"""Console sessions: a random cookie for each login, known here by its hash only. They end by themselves."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pgproxy.identity.model import Identity

_IDLE_S = 30 * 60.0
_LONGEST_S = 12 * 3600.0
_MOST = 256
_TOKEN_BYTES = 32


@dataclass(slots=True)
class ConsoleSession:
    """One login. csrf: what every form of it carries. used_at, began_at: monotonic seconds."""

    identity: Identity
    began_at: float
    used_at: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(_TOKEN_BYTES), repr=False)

    def takes(self, csrf: str) -> bool:
        """Whether a form came from a page of this session."""
        return same_token(self.csrf, csrf)


class ConsoleSessions:
    """Who is logged in to the console of this gateway. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: dict[bytes, ConsoleSession] = {}

    def open(self, identity: Identity) -> str:
        """Begin a session; gives the cookie's value. Of too many, the longest unused one ends."""
        now = self._clock()
        self._end_old(now)
        while len(self._sessions) >= _MOST:
            del self._sessions[min(self._sessions, key=lambda key: self._sessions[key].used_at)]
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._sessions[_key(token)] = ConsoleSession(identity, now, now)
        return token

    def find(self, token: str) -> ConsoleSession | None:
        """Give the session of a cookie, if it has not ended."""
        now = self._clock()
        self._end_old(now)
        session = self._sessions.get(_key(token))
        if session is not None:
            session.used_at = now
        return session

    def close(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(_key(token), None)

    def _end_old(self, now: float) -> None:
        for key, session in list(self._sessions.items()):
            if now - session.used_at > _IDLE_S or now - session.began_at > _LONGEST_S:
                del self._sessions[key]


def same_token(one: str, other: str) -> bool:
    """Compare in constant time; nothing equals an empty one."""
    return bool(one) and hmac.compare_digest(one.encode(), other.encode())


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
