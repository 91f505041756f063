"""Encryption of secrets at rest: AES-256-GCM under a key that lives beside, not in, the metastore."""

import base64
import binascii
import contextlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pgproxy.control.metastore import MetastoreError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class SecretBox:
    """Seals short secrets.

    `context` (whose secret it is) is authenticated, so sealed values cannot be swapped.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._key = key

    def derive(self, purpose: str) -> bytes:
        """Give 32 bytes for one purpose; the same for every process that has the key."""
        return hmac.digest(self._key, b"derive\0" + purpose.encode(), "sha256")

    def seal(self, secret: str, context: str) -> bytes:
        """Encrypt with a fresh nonce."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret.encode(), _VERSION + context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """Decrypt.

        Raises:
            MetastoreError: another key or context, or damaged.
        """
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, _VERSION + context.encode()).decode()
        except (InvalidTag, ValueError):
            raise MetastoreError("a stored secret does not open: is SECRET_KEY_FILE the right key?") from None


def load_secret_box(path: Path, *, create: bool) -> SecretBox:
    """Read the base64 key in `path`; `create`: make one with mode 0600 where there is none.

    Raises:
        MetastoreError: no key, not a key, or others may read it.
    """
    if create and not path.exists():
        _create_key(path)
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise MetastoreError(f"the key file {path} must not be open to group or others (chmod 600)")
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except OSError as error:
        raise MetastoreError(f"cannot read the key file {path}: {error.strerror}") from error
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise MetastoreError(f"the key file {path} does not hold {_KEY_BYTES} bytes in base64")
    return SecretBox(key)


def _create_key(path: Path) -> None:
    """Make the file whole or not at all, and only once though two processes try."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    except OSError as error:
        raise MetastoreError(f"cannot create the key file {path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
