"""Who a user name speaks of, and whether a secret is that principal's. Pure; as slow as a password's hash."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pgproxy.control.api_keys import ApiKey, Interface, key_id_of, split_user
from pgproxy.control.hba import Caller
from pgproxy.control.passwords import login_verifier
from pgproxy.control.state import ControlState
from pgproxy.identity.model import AuthMethod, Identity
from pgproxy.identity.proven_passwords import ProvenPasswords
from pgproxy.identity.tokens import TokenSubject
from pgproxy.policy.effective import transitive_groups
from pgproxy.policy.model import CredentialScope, PrincipalKind
from pgwire.auth.verifier import ScramVerifier, mock_verifier, parse_verifier

TokenReader = Callable[[str], TokenSubject | None]
"""Gives whom a valid token speaks for; None: it is not valid. Slow where keys must be fetched."""


@dataclass(frozen=True, slots=True)
class MockSource:
    """How verifiers of unknown names are made, so that they look like real ones."""

    server_secret: bytes
    iterations: int

    def instead_of(self, stored: str | None, user: str) -> ScramVerifier:
        """Give the stored verifier, or one that nothing matches, of the name's own; by the same work."""
        mock = mock_verifier(user, self.server_secret, self.iterations)
        found = parse_verifier(stored if stored is not None else mock.format())
        return found if stored is not None else mock


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a user name speaks of, as of one state. key_id: of `role+id`."""

    state: ControlState
    user: str
    name: str
    key_id: str | None

    @classmethod
    def of(cls, state: ControlState, user: str) -> "Subject":
        """Read a user name; a principal of exactly this name comes first."""
        name, key_id = (user, None) if user in state.principals else split_user(user)
        return cls(state, user, name, key_id)

    @property
    def may_log_in(self) -> bool:
        """Whether there is a user of this name who is not locked."""
        return may_log_in(self.state, self.name)

    def caller(self, database: str | None, address: str, *, is_tls: bool) -> Caller:
        """Give what hba rules look at."""
        groups = transitive_groups(self.state.principals, self.state.principals.get(self.name))
        return Caller(self.name, groups, database, address, is_tls)

    def api_key(self, key_id: str | None, now: datetime, interface: Interface) -> ApiKey | None:
        """Find an API key of this principal that may be used here and now."""
        key = self.state.api_keys.get(key_id or "")
        if key is None or key.principal != self.name or not self.may_log_in:
            return None
        return key if key.is_valid(now) and interface in key.interfaces else None

    def scram(self, now: datetime, mocks: MockSource) -> tuple[ScramVerifier, ApiKey | None]:
        """Give the verifier to run SCRAM with: the key's, the password's, or one that nothing matches."""
        if self.key_id is not None:
            key = self.api_key(self.key_id, now, Interface.POSTGRES)
            return mocks.instead_of(key.verifier if key is not None else None, self.user), key
        return mocks.instead_of(login_verifier(self.state, self.name, now), self.user), None


@dataclass(frozen=True, slots=True)
class SecretCheck:
    """Checks a secret that came in the clear.

    kinds: of hba rules' `accept`. is_password_locked: a password is looked at but never right. read_token:
    None: no tokens are taken. proven: passwords that need not be hashed again.
    """

    subject: Subject
    kinds: frozenset[str]
    interface: Interface
    now: datetime
    mocks: MockSource
    proven: ProvenPasswords
    is_password_locked: bool = False
    read_token: TokenReader | None = None

    def kind_of(self, secret: str) -> AuthMethod:
        """What a secret is by its look."""
        if key_id_of(secret) is not None:
            return AuthMethod.API_KEY
        is_token = secret.count(".") == 2 and secret.startswith("eyJ")
        return AuthMethod.JWT if is_token and self.read_token is not None else AuthMethod.PASSWORD

    def quick_identity(self, secret: str) -> Identity | None:
        """Give the identity of an API key, or of a password that was right a while ago; never slow.

        None: it is to be checked.
        """
        match self.kind_of(secret):
            case AuthMethod.API_KEY:
                return self.identity(secret)
            case AuthMethod.PASSWORD:
                return self._by_password(secret, self.proven.has)
            case _:
                return None

    def identity(self, secret: str) -> Identity | None:
        """Give the identity that the secret proves, if it is right."""
        kind = self.kind_of(secret)
        if kind is AuthMethod.API_KEY:
            return self._by_key(secret) if "api_key" in self.kinds else None
        if kind is AuthMethod.JWT:
            return self._by_token(secret) if "jwt" in self.kinds else None
        return self._by_password(secret, self.proven.check)

    def _by_key(self, secret: str) -> Identity | None:
        key = self.subject.api_key(key_id_of(secret), self.now, self.interface)
        if key is None or not key.matches(secret) or self.subject.key_id not in (None, key.key_id):
            return None
        return key_identity(key)

    def _by_token(self, secret: str) -> Identity | None:
        found = self.read_token(secret) if self.read_token is not None else None
        if found is None or found.principal != self.subject.user or not self.subject.may_log_in:
            return None
        return Identity(found.principal, AuthMethod.JWT, CredentialScope(groups=found.groups))

    def _by_password(self, secret: str, is_proof: Callable[[ScramVerifier, str], bool]) -> Identity | None:
        """Ask in every case, so that no refusal comes sooner than another."""
        subject = self.subject
        stored = login_verifier(subject.state, subject.user, self.now)
        verifier = self.mocks.instead_of(stored, subject.user)
        if self.is_password_locked or "password" not in self.kinds:
            verifier = replace(verifier, is_mock=True)
        is_right = is_proof(verifier, secret)
        return Identity(subject.user, AuthMethod.PASSWORD) if is_right and secret else None


def key_identity(key: ApiKey) -> Identity:
    """Give whom a key speaks for, within its scope."""
    return Identity(key.principal, AuthMethod.API_KEY, key.scope, key.key_id)


def may_log_in(state: ControlState, name: str) -> bool:
    """Whether there is a user of this name who is not locked."""
    known = state.principals.get(name)
    return known is not None and known.kind is PrincipalKind.USER and known.can_login
