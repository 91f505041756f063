"""The `Authorization` header of HTTP (RFC 7617 Basic, RFC 6750 Bearer), and what hba rules mean there."""

import asyncio
import binascii
from base64 import b64decode
from dataclasses import dataclass, field

from pgproxy.control.api_keys import key_id_of
from pgproxy.control.hba import SECRET_KINDS, HbaMethod, HbaRule, parse_address
from pgproxy.control.state import ControlState
from pgproxy.identity.model import Identity
from pgproxy.identity.subjects import SecretCheck, TokenReader
from pgwire.errors import AuthenticationFailed
from pgwire.sqlstate import SqlState

_MAX_HEADER_CHARS = 16_384


@dataclass(frozen=True, slots=True)
class HttpCredentials:
    """What a header says. user None: the secret itself says whose it is (Bearer)."""

    user: str | None
    secret: str = field(repr=False)


def parse(authorization: str | None, peer: str, *, is_tls: bool) -> HttpCredentials:
    """Read a header.

    Raises:
        AuthenticationFailed: 28000, there is none, or it came unencrypted from another machine; 28P01, it is
        malformed.
    """
    if not authorization:
        raise _not_acceptable("authentication is required")
    address = parse_address(peer)
    if not is_tls and (address is None or not address.is_loopback):
        raise _not_acceptable("credentials are accepted over TLS only")
    scheme, _, rest = authorization.strip().partition(" ")
    value = rest.strip()
    if len(value) > _MAX_HEADER_CHARS or not value or not value.isascii():
        raise refused()
    match scheme.lower():
        case "bearer":
            return HttpCredentials(None, value)
        case "basic":
            return _basic(value)
        case _:
            raise refused()


def _basic(value: str) -> HttpCredentials:
    try:
        user, colon, secret = b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise refused() from None
    if not colon or not user or "\0" in user + secret:
        raise refused()
    return HttpCredentials(user, secret)


async def bearer_user(state: ControlState, secret: str, read_token: TokenReader | None) -> str:
    """Whose a bearer credential says that it is.

    Raises:
        AuthenticationFailed: 28P01, there is no such key, or the token is not valid.
    """
    key_id = key_id_of(secret)
    if key_id is not None:
        key = state.api_keys.get(key_id)
        user = None if key is None else key.principal
    else:
        found = None if read_token is None else await asyncio.to_thread(read_token, secret)
        user = None if found is None else found.principal
    if user is None:
        raise refused()
    return user


def accepted_kinds(rule: HbaRule) -> frozenset[str] | None:
    """What a rule takes over HTTP; None: nothing, since it asks for a certificate or a bound channel."""
    if rule.options.get("clientcert", "sufficient") != "sufficient":
        return None
    match rule.method:
        case HbaMethod.SCRAM:
            return SECRET_KINDS
        case HbaMethod.PASSWORD:
            return rule.accepted_secrets
        case HbaMethod.SCRAM_PLUS | HbaMethod.CERT | HbaMethod.REJECT:
            return None


async def checked(check: SecretCheck, secret: str) -> Identity | None:
    """Check a secret; a password that is not known to be right is hashed, so in a thread."""
    return check.quick_identity(secret) or await asyncio.to_thread(check.identity, secret)


def wrong_method(rule: HbaRule) -> AuthenticationFailed:
    """The rule of this caller asks for what HTTP cannot give."""
    return _not_acceptable(f"authentication method {rule.method.value} is not possible over HTTP")


def refused() -> AuthenticationFailed:
    """Wrong, unknown, expired, revoked and locked alike."""
    return AuthenticationFailed("authentication failed")


def _not_acceptable(message: str) -> AuthenticationFailed:
    return AuthenticationFailed(message, sqlstate=SqlState.INVALID_AUTHORIZATION_SPECIFICATION)
