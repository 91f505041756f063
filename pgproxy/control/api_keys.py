"""API keys: what one is, how its text is made, and what is stored instead of it. Pure.

A key's text is `pgk_<id>_<secret>`: the id is public and finds the row, the secret has 256 bits, so that a
plain SHA-256 of the whole text is as good as any slow hash. A SCRAM verifier of the same text is stored
besides, for clients that log in by SCRAM as `role+id`.
"""

import hashlib
import hmac
import re
from base64 import b32encode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pgproxy.policy.model import WHOLE_SCOPE, CredentialScope

KEY_ID_BYTES = 10
SECRET_BYTES = 32
_TEXT = re.compile(r"pgk_([a-z2-7]{16})_[A-Za-z0-9_-]{43}", re.ASCII)
_KEY_ID = re.compile(r"[a-z2-7]{16}", re.ASCII)


class Interface(StrEnum):
    """Where a key may be used."""

    POSTGRES = "postgres"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key.

    digest: SHA-256 of its text, in hex. verifier: for SCRAM. valid_until: in UTC; None: until revoked.
    """

    key_id: str
    principal: str
    label: str
    digest: str = field(repr=False)
    verifier: str = field(repr=False)
    created_at: datetime
    valid_until: datetime | None = None
    scope: CredentialScope = WHOLE_SCOPE
    interfaces: frozenset[Interface] = frozenset(Interface)

    def is_valid(self, now: datetime) -> bool:
        """Whether it has not run out."""
        return self.valid_until is None or now < self.valid_until

    def matches(self, text: str) -> bool:
        """Whether `text` is this key, in constant time."""
        return hmac.compare_digest(digest_key(text), self.digest)


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What is asked of a new key; as in ApiKey."""

    label: str = ""
    valid_until: datetime | None = None
    scope: CredentialScope = WHOLE_SCOPE
    interfaces: frozenset[Interface] = frozenset(Interface)


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """A key that belongs to nobody yet. text: shown once, to whoever asked for it, and kept nowhere."""

    key_id: str
    text: str = field(repr=False)
    verifier: str = field(repr=False)
    created_at: datetime

    def key_for(self, principal: str, terms: KeyTerms) -> ApiKey:
        """Give what is stored of it."""
        return ApiKey(
            self.key_id,
            principal,
            terms.label,
            digest_key(self.text),
            self.verifier,
            self.created_at,
            terms.valid_until,
            terms.scope,
            terms.interfaces,
        )


def make_key_text(random_id: bytes, random_secret: bytes) -> tuple[str, str]:
    """Give a new key's id and text."""
    key_id = b32encode(random_id).decode().lower()
    return key_id, f"pgk_{key_id}_{urlsafe_b64encode(random_secret).decode().rstrip('=')}"


def digest_key(text: str) -> str:
    """Hash a key's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def key_id_of(text: str) -> str | None:
    """The id inside a key's text; None: it is no key."""
    match = _TEXT.fullmatch(text)
    return None if match is None else match[1]


def split_user(user: str) -> tuple[str, str | None]:
    """Read `role+id`, the user name of a key that logs in by SCRAM; no id: (user, None)."""
    name, separator, key_id = user.rpartition("+")
    return (name, key_id) if separator and _KEY_ID.fullmatch(key_id) else (user, None)
