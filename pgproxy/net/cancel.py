"""Backend keys, and CancelRequest finding its connection.

PostgreSQL docs, "Canceling Requests in Progress".
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

_MAX_PROCESS_ID = 2**31 - 1

CancelStatement = Callable[[float | None], None]
"""Stops what a connection runs. Its argument: when that was asked for, Unix seconds; None: now."""


@dataclass(frozen=True, slots=True)
class BackendKey:
    """What a client must know to cancel: the process id and the secret key."""

    process_id: int
    secret_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyDigest:
    """A key as gateways may tell it each other: the secret does not show."""

    process_id: int
    digest: bytes


class CancelRegistry:
    """Every live connection's key. A wrong key is ignored, in the same time as a right one."""

    def __init__(
        self, digest_key: bytes | None = None, forward: Callable[[KeyDigest], None] | None = None
    ) -> None:
        """digest_key: the same for gateways that know each other. forward: told of keys of nobody here."""
        self._digest_key = digest_key or secrets.token_bytes(32)
        self._live: dict[int, tuple[bytes, CancelStatement]] = {}
        self._nobody = (secrets.token_bytes(32), _do_nothing)
        self.forward = forward or _forget

    def register(self, cancel: CancelStatement, *, secret_key_bytes: int) -> BackendKey:
        """Make a key for a connection. secret_key_bytes: 4 for protocol 3.0, 32 for 3.2."""
        process_id = _random_process_id()
        while process_id in self._live:
            process_id = _random_process_id()
        key = BackendKey(process_id, secrets.token_bytes(secret_key_bytes))
        self._live[process_id] = (self._digest(process_id, key.secret_key), cancel)
        return key

    def forget(self, key: BackendKey) -> None:
        """End a key with its connection."""
        self._live.pop(key.process_id, None)

    def cancel(self, process_id: int, secret_key: bytes) -> bool:
        """Cancel what runs on the connection that the key names. Say whether the key was right.

        Digests of one length are compared, so that neither a byte nor the length of a key shows in the time.
        """
        asked = KeyDigest(process_id, self._digest(process_id, secret_key))
        if self._cancel(asked, None):
            return True
        self.forward(asked)
        return False

    def cancel_forwarded(self, asked: KeyDigest, asked_at: float) -> bool:
        """Cancel what ran here when another gateway was asked to. Say whether the key is one of here."""
        return self._cancel(asked, asked_at)

    def _cancel(self, asked: KeyDigest, asked_at: float | None) -> bool:
        expected, callback = self._live.get(asked.process_id, self._nobody)
        if not hmac.compare_digest(expected, asked.digest):
            return False
        callback(asked_at)
        return True

    def _digest(self, process_id: int, secret_key: bytes) -> bytes:
        return hmac.digest(
            self._digest_key, process_id.to_bytes(4, "big", signed=True) + secret_key, "sha256"
        )


def _random_process_id() -> int:
    return secrets.randbelow(_MAX_PROCESS_ID) + 1


def _do_nothing(_: float | None) -> None:
    """Nobody is there to be cancelled."""


def _forget(_: KeyDigest) -> None:
    """No other gateway is known."""
