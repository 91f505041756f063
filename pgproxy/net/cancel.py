"""Backend keys, and CancelRequest finding its connection.

PostgreSQL docs, "Canceling Requests in Progress".
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

_PROTOCOL_3_0_SECRET_BYTES = 4
_PROTOCOL_3_2_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class BackendKey:
    """What a client must know to cancel: the process id and the secret key."""

    process_id: int
    secret_key: bytes


class CancelRegistry:
    """Every live connection's key. A wrong key is ignored, in the same time as a right one."""

    def __init__(self) -> None:
        self._live: dict[int, tuple[bytes, Callable[[], None]]] = {}

    def register(self, cancel: Callable[[], None], *, has_long_keys: bool) -> BackendKey:
        """Make a key for a connection. has_long_keys: protocol 3.2 has 32-byte secrets, 3.0 has 4 bytes."""
        process_id = secrets.randbelow(2**31 - 1) + 1
        while process_id in self._live:
            process_id = secrets.randbelow(2**31 - 1) + 1
        size = _PROTOCOL_3_2_SECRET_BYTES if has_long_keys else _PROTOCOL_3_0_SECRET_BYTES
        key = BackendKey(process_id, secrets.token_bytes(size))
        self._live[process_id] = (key.secret_key, cancel)
        return key

    def forget(self, key: BackendKey) -> None:
        """End a key with its connection."""
        self._live.pop(key.process_id, None)

    def cancel(self, process_id: int, secret_key: bytes) -> bool:
        """Cancel what runs on the connection that the key names. Say whether the key was right."""
        expected, callback = self._live.get(process_id, (b"\0" * _PROTOCOL_3_2_SECRET_BYTES, None))
        if not hmac.compare_digest(expected, secret_key) or callback is None:
            return False
        callback()
        return True
