"""The public keys that tokens are signed with: a JWKS (RFC 7517) from a file or a URL, kept and renewed.

Blocking: used in threads only. A source that fails leaves the keys as they are, up to a day.
"""

import json
import threading
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

log = structlog.get_logger(__name__)

_FETCH_TIMEOUT_S = 5.0
_MAX_BYTES = 1 << 20
_STALE_S = 86_400.0
_EARLIEST_S = 10.0
"""A key id that nobody knows makes the source be read again, but not more often than this."""

_PUBLIC_TYPES = frozenset({"RSA", "EC", "OKP"})


class KeyRing:
    """The keys of now.

    load: reads the source. refresh_s: age at which it is read again. clock: seconds, monotonic.
    """

    def __init__(self, load: Callable[[], bytes], refresh_s: float, clock: Callable[[], float]) -> None:
        self._load = load
        self._refresh_s = refresh_s
        self._clock = clock
        self._keys: KeySet | None = None
        self._loaded_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = threading.Lock()

    def keys(self, *, is_unknown: bool = False) -> KeySet | None:
        """Give the keys; None: there are none that can be trusted. is_unknown: one was missing."""
        with self._lock:
            now = self._clock()
            age_s = now - self._loaded_at
            is_due = age_s >= self._refresh_s or is_unknown
            if is_due and now - self._tried_at >= _EARLIEST_S:
                self._tried_at = now
                self._renew(now)
            return self._keys if now - self._loaded_at < max(_STALE_S, self._refresh_s) else None

    def _renew(self, now: float) -> None:
        try:
            self._keys = parse_keys(self._load())
        except (OSError, HTTPException, ValueError, JoseError) as error:
            log.warning("jwks.not_read", cause=type(error).__name__)
        else:
            self._loaded_at = now


def parse_keys(text: bytes) -> KeySet:
    """Read a JWKS; keys that are not public ones are left out, since whoever reads them could sign.

    Raises:
        ValueError, JoseError: it is none, or holds no public key.
    """
    document: Any = json.loads(text)
    found = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise ValueError("not a JWKS")  # noqa: TRY004  # of whoever wrote the file
    public = [key for key in found if isinstance(key, dict) and key.get("kty") in _PUBLIC_TYPES]
    return KeySet.import_key_set({"keys": public})


def key_source(location: str) -> Callable[[], bytes]:
    """Give the reader of a file or URL.

    Raises:
        ValueError: a URL that is not https, except on this machine.
    """
    parts = urlsplit(location)
    if parts.scheme not in ("http", "https"):
        return lambda: Path(location).read_bytes()
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("a JWKS is fetched over https")
    opener = urllib.request.build_opener(_NoRedirect())

    def fetch() -> bytes:
        with opener.open(location, timeout=_FETCH_TIMEOUT_S) as answer:
            text: bytes = answer.read(_MAX_BYTES + 1)
        if len(text) > _MAX_BYTES:
            raise ValueError("the JWKS is too large")
        return text

    return fetch


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Whoever may redirect could send us anywhere, out of TLS too."""

    def redirect_request(self, *_: Any) -> None:
        return None
