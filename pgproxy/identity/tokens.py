"""JWTs (RFC 7519) as credentials: signature, issuer, audience and times checked, claims read as a role."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from pgproxy.identity.key_ring import KeyRing

ASYMMETRIC = frozenset(
    {
        *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
        *("ES256", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"),
    }
)
"""What may be allowed. With a shared secret whoever checks a token could make one."""

_MAX_TOKEN_CHARS = 16_384


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """What a token must be. groups_claim None: tokens give no memberships. leeway_s: of clocks."""

    issuer: str
    audience: str
    algorithms: frozenset[str]
    principal_claim: str = "sub"
    groups_claim: str | None = None
    leeway_s: float = 30.0


@dataclass(frozen=True, slots=True)
class TokenSubject:
    """Whom a valid token speaks for. groups: that it says the principal is in."""

    principal: str
    groups: frozenset[str] = frozenset()


class TokenVerifier:
    """Checks tokens. Blocking, since keys may have to be fetched. clock: seconds since the epoch."""

    def __init__(self, options: TokenOptions, ring: KeyRing, clock: Callable[[], float]) -> None:
        self._options = options
        self._ring = ring
        self._clock = clock

    def read(self, token: str) -> TokenSubject | None:
        """Give whom a token speaks for; None: it is not valid, for whatever reason."""
        if len(token) > _MAX_TOKEN_CHARS:
            return None
        try:
            return self._subject(self._decode(token))
        except (JoseError, ValueError, TypeError, KeyError):
            return None

    def _decode(self, token: str) -> jwt.Token:
        algorithms = sorted(self._options.algorithms & ASYMMETRIC)
        keys = self._ring.keys() or KeySet([])
        try:
            return jwt.decode(token, keys, algorithms)
        except InvalidKeyIdError:
            renewed = self._ring.keys(is_unknown=True)
            if renewed is None or renewed is keys:
                raise
            return jwt.decode(token, renewed, algorithms)

    def _subject(self, token: jwt.Token) -> TokenSubject | None:
        options, claims = self._options, token.claims
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=int(options.leeway_s),
            iss={"essential": True, "value": options.issuer},
            aud={"essential": True, "value": options.audience},
            exp={"essential": True},
        )
        registry.validate(claims)
        principal = claims.get(options.principal_claim)
        if not isinstance(principal, str) or not principal:
            return None
        return TokenSubject(principal, _names(claims.get(options.groups_claim or "")))


def _names(value: Any) -> frozenset[str]:
    """A claim of names: a list, or words with blanks between as in `scope`."""
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(name for name in value if isinstance(name, str) and name)
    return frozenset()
