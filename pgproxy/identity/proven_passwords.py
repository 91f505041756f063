"""Passwords that were right a while ago: a client that sends its own with every request is hashed once."""

import hmac
import secrets
import threading
import time
from collections.abc import Callable

from pgwire.auth.verifier import ScramVerifier

KEPT_S = 300.0
"""For so long a password is not hashed again."""


class ProvenPasswords:
    """Remembers neither a password nor whose it was: a digest of it and its verifier, keyed by this process.

    A changed password has another verifier, so what was proven to the old one proves nothing. Who is unknown
    or locked has one that stands in, which nothing proves. A wrong password is hashed each time. Any thread
    may call it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = 10_000) -> None:
        self._clock = clock
        self._most = most
        self._key = secrets.token_bytes(32)
        self._until: dict[bytes, float] = {}  # the one that ends first comes first
        self._lock = threading.Lock()

    def has(self, verifier: ScramVerifier, password: str) -> bool:
        """Whether the password was right for this verifier not long ago. Takes microseconds."""
        until = self._until.get(self._digest(verifier, password), 0.0)
        return self._clock() < until and not verifier.is_mock

    def check(self, verifier: ScramVerifier, password: str) -> bool:
        """Hash it, and remember it if it is right. Slow by design: run it in an executor."""
        is_right = verifier.matches(password)
        if is_right:
            self._note(self._digest(verifier, password))
        return is_right

    def _note(self, digest: bytes) -> None:
        with self._lock:
            self._until.pop(digest, None)
            self._until[digest] = self._clock() + KEPT_S
            if len(self._until) > self._most:
                del self._until[next(iter(self._until))]

    def _digest(self, verifier: ScramVerifier, password: str) -> bytes:
        text = password.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, verifier.format().encode() + b"\0" + text, "sha256")
