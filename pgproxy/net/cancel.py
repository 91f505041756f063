"""Backend keys, and CancelRequest finding its connection.

PostgreSQL docs, "Canceling Requests in Progress".
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

_MAX_PROCESS_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class BackendKey:
    """What a client must know to cancel: the process id and the secret key."""

    process_id: int
    secret_key: bytes = field(repr=False)


class CancelRegistry:
    """Every live connection's key. A wrong key is ignored, in the same time as a right one."""

    def __init__(self) -> None:
        self._live: dict[int, tuple[bytes, Callable[[], None]]] = {}
        self._nobody = (secrets.token_bytes(32), _do_nothing)

    def register(self, cancel: Callable[[], None], *, secret_key_bytes: int) -> BackendKey:
        """Make a key for a connection. secret_key_bytes: 4 for protocol 3.0, 32 for 3.2."""
        process_id = _random_process_id()
        while process_id in self._live:
            process_id = _random_process_id()
        key = BackendKey(process_id, secrets.token_bytes(secret_key_bytes))
        self._live[process_id] = (_digest(key.secret_key), cancel)
        return key

    def forget(self, key: BackendKey) -> None:
        """End a key with its connection."""
        self._live.pop(key.process_id, None)

    def cancel(self, process_id: int, secret_key: bytes) -> bool:
        """Cancel what runs on the connection that the key names. Say whether the key was right.

        Digests of one length are compared, so that neither a byte nor the length of a key shows in the time.
        """
        expected, callback = self._live.get(process_id, self._nobody)
        if not hmac.compare_digest(expected, _digest(secret_key)):
            return False
        callback()
        return True


def _random_process_id() -> int:
    return secrets.randbelow(_MAX_PROCESS_ID) + 1


def _digest(secret_key: bytes) -> bytes:
    return hashlib.sha256(secret_key).digest()


def _do_nothing() -> None:
    """Nobody is there to be cancelled."""
