"""SCRAM-SHA-256 verifiers: what a server stores instead of a password.

The text form is PostgreSQL's `rolpassword`, so verifiers move between the two. RFC 5802, section 3.
"""

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from pgwire.auth.saslprep import prepare_password

DEFAULT_ITERATIONS = 4096
_MOCK_SALT_BYTES = 16
_KEY_BYTES = hashlib.sha256().digest_size
_TEXT = re.compile(r"SCRAM-SHA-256\$([1-9][0-9]{0,8}):([^$:]+)\$([^$:]+):([^$:]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ScramVerifier:
    """All that proves a password without being it. The keys are secrets, and stay out of `repr`.

    is_mock: stands in for a user that does not exist; no password matches.
    """

    iterations: int
    salt: bytes = field(repr=False)
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)
    is_mock: bool = False

    def format(self) -> str:
        """Give `SCRAM-SHA-256$iterations:salt$stored:server`."""
        salt, stored, server = (
            b64encode(part).decode() for part in (self.salt, self.stored_key, self.server_key)
        )
        return f"SCRAM-SHA-256${self.iterations}:{salt}${stored}:{server}"

    def matches(self, password: str) -> bool:
        """Check a cleartext password in constant time. Slow by design: run it in an executor."""
        candidate = make_verifier(password, self.salt, self.iterations)
        is_equal = hmac.compare_digest(candidate.stored_key, self.stored_key)
        return is_equal and not self.is_mock


def parse_verifier(text: str) -> ScramVerifier:
    """Read PostgreSQL's text form.

    Raises:
        ValueError: not such a text; the message does not repeat it.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError("not a SCRAM-SHA-256 verifier")
    try:
        salt, stored_key, server_key = (b64decode(part, validate=True) for part in match.groups()[1:])
    except binascii.Error:
        raise ValueError("not a SCRAM-SHA-256 verifier: bad base64") from None
    if len(stored_key) != _KEY_BYTES or len(server_key) != _KEY_BYTES:
        raise ValueError("not a SCRAM-SHA-256 verifier: bad key length")
    return ScramVerifier(int(match[1]), salt, stored_key, server_key)


def make_verifier(password: str, salt: bytes, iterations: int = DEFAULT_ITERATIONS) -> ScramVerifier:
    """Derive the verifier of a password. Slow by design: run it in an executor. salt: 16 random bytes."""
    prepared = prepare_password(password).encode("utf-8", "surrogatepass")
    salted_password = hashlib.pbkdf2_hmac("sha256", prepared, salt, iterations)
    client_key = hmac.digest(salted_password, b"Client Key", "sha256")
    server_key = hmac.digest(salted_password, b"Server Key", "sha256")
    return ScramVerifier(iterations, salt, hashlib.sha256(client_key).digest(), server_key)


def mock_verifier(
    user_name: str, server_secret: bytes, iterations: int = DEFAULT_ITERATIONS
) -> ScramVerifier:
    """Make the verifier of a user that does not exist: the same for a name as long as the secret lives.

    A changing salt would tell that there is no such user. server_secret: random, kept, shared by gateways.
    iterations: what real verifiers have.
    """
    salt = hmac.digest(server_secret, b"salt\0" + user_name.encode(), "sha256")[:_MOCK_SALT_BYTES]
    stored_key = hmac.digest(server_secret, b"stored\0" + user_name.encode(), "sha256")
    server_key = hmac.digest(server_secret, b"server\0" + user_name.encode(), "sha256")
    return ScramVerifier(iterations, salt, stored_key, server_key, is_mock=True)
