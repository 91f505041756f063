"""The one place where it is decided who comes in, over the PostgreSQL protocol and over HTTP.

For each attempt: the control plane's state of now, the first hba rule that matches, the proof that the rule
asks for, and a lock where guesses have failed. Unknown names run the same exchange as known ones.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from pgproxy.control.api_keys import Interface, key_id_of
from pgproxy.control.hba import HbaMethod, HbaRule, first_match
from pgproxy.control.metastore import ControlPlaneUnavailable, MetastoreError
from pgproxy.control.state import ControlState
from pgproxy.identity import http_credentials
from pgproxy.identity.login import Login, LoginWatch, is_guessable
from pgproxy.identity.model import AuthMethod, Identity, LoginAttempt
from pgproxy.identity.proven_passwords import ProvenPasswords
from pgproxy.identity.reasons import Reason, failure_reason
from pgproxy.identity.subjects import MockSource, SecretCheck, Subject, TokenReader, key_identity, may_log_in
from pgproxy.identity.throttle import LoginThrottle
from pgwire.auth.cleartext import CleartextExchange
from pgwire.auth.scram import ScramExchange
from pgwire.errors import AuthenticationFailed
from pgwire.sqlstate import SqlState

log = structlog.get_logger(__name__)

_NONCE_BYTES = 18


class StateSource(Protocol):
    """Where the control plane's state is read; a metastore is one."""

    async def state(self) -> ControlState:
        """Everything, as of now. Raises: MetastoreError."""
        ...

    @property
    def server_secret(self) -> bytes:
        """The secret behind verifiers of unknown users."""
        ...


@dataclass(frozen=True, slots=True)
class AuthenticationOptions:
    """What the settings say.

    default_rules: hold while the control plane has none. default_database: what a database named as the user
    means. read_token: checks JWTs; None: none are taken.
    """

    default_rules: Sequence[HbaRule]
    default_database: str
    scram_iterations: int
    read_token: TokenReader | None = None


@dataclass(frozen=True, slots=True)
class AuthenticationEvent:
    """How one authentication ended. principal: only of a name that exists, since others may be secrets.

    outcome: ok, failed (a wrong secret), rejected (by a rule), locked (not even looked at). reason: why not
    ok; for operators only. sqlstate: what the client was told.
    """

    method: str
    outcome: str
    principal: str
    address: str
    interface: Interface
    key_id: str | None = None
    reason: Reason | None = None
    sqlstate: str = "00000"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What an authentication came to. error: what the client is told, where it is not a wrong password."""

    outcome: str
    identity: Identity | None = None
    reason: Reason | None = None
    error: AuthenticationFailed | None = None

    @property
    def sqlstate(self) -> SqlState:
        if self.identity is not None:
            return SqlState.SUCCESSFUL_COMPLETION
        return SqlState.INVALID_PASSWORD if self.error is None else self.error.sqlstate


class Authenticator:
    """Decides who comes in.

    catch_up: lets what has been committed hold here, and gives all of it. observe: told of every end of an
    authentication.
    """

    def __init__(
        self,
        source: StateSource,
        throttle: LoginThrottle,
        options: AuthenticationOptions,
        catch_up: Callable[[], Awaitable[ControlState]],
        observe: Callable[[AuthenticationEvent], None],
    ) -> None:
        self._source = source
        self._throttle = throttle
        self._options = options
        self._catch_up = catch_up
        self._observe = observe
        self._proven = ProvenPasswords()

    async def begin(self, attempt: LoginAttempt) -> Login:
        """Find the rule of a PostgreSQL client and begin the exchange that it asks for.

        Raises:
            AuthenticationFailed: 28000, no rule lets it in, or its certificate does not do.
            ControlPlaneUnavailable: 57P03.
        """
        subject = Subject.of(await self._state(), attempt.user)
        is_default = attempt.database == attempt.user
        rule = self._rule(
            subject, self._options.default_database if is_default else attempt.database, attempt
        )
        try:
            return self._login(rule, subject, attempt)
        except AuthenticationFailed as error:
            self._tell(subject, attempt, AuthMethod.CERTIFICATE, _Verdict("failed", error=error))
            raise

    async def authenticate_http(
        self, authorization: str | None, peer: str, *, is_tls: bool, database: str | None = None
    ) -> Identity:
        """Give the identity behind an `Authorization` header: Basic, or Bearer with an API key or a JWT.

        peer: the client's address. Without TLS credentials are taken from this machine only. hba rules and
        locks are those of the PostgreSQL protocol; `scram-sha-256` rules take all kinds of credentials here.
        database: that the request is for; None: the default one. What the identity may do is what
        `policies.effective(identity.principal, identity.scope)` says.

        Raises:
            AuthenticationFailed: 28000, no header, no TLS or no rule; 28P01, anything else, with one text.
            ControlPlaneUnavailable: 57P03.
        """
        given = http_credentials.parse(authorization, peer, is_tls=is_tls)
        state = await self._catch_up()
        user = given.user
        if user is None:
            user = await self._bearer_user(state, given.secret, peer)
        subject = Subject.of(state, user)
        database = database or self._options.default_database
        attempt = LoginAttempt(user, database, peer, is_tls, interface=Interface.HTTP)
        rule = self._rule(subject, database, attempt)
        kinds = http_credentials.accepted_kinds(rule)
        if kinds is None:
            error = http_credentials.wrong_method(rule)
            self._tell(subject, attempt, rule.method, _Verdict("rejected", None, Reason.WRONG_METHOD, error))
            raise error
        check = self._check(subject, attempt, kinds)
        identity = await http_credentials.checked(check, given.secret)
        if identity is not None and is_guessable(identity.method) and self._is_locked(attempt):
            identity = None  # others have failed meanwhile
        self._ended(subject, attempt, check.kind_of(given.secret), identity)
        if identity is None:
            raise http_credentials.refused()
        return identity

    async def _bearer_user(self, state: ControlState, secret: str, peer: str) -> str:
        try:
            return await http_credentials.bearer_user(state, secret, self._options.read_token)
        except AuthenticationFailed as error:
            attempt = LoginAttempt("", "", peer, interface=Interface.HTTP)
            kind = AuthMethod.API_KEY if key_id_of(secret) is not None else AuthMethod.JWT
            self._tell(
                Subject.of(state, ""), attempt, kind, _Verdict("failed", None, Reason.WRONG_SECRET, error)
            )
            raise

    async def is_still_valid(self, identity: Identity) -> bool:
        """Whether the identity may open a session now: not locked meanwhile, its key not revoked.

        Raises:
            ControlPlaneUnavailable: 57P03.
        """
        state = await self._catch_up()
        return may_log_in(state, identity.principal) and identity.key_id in (None, *state.api_keys)

    async def _state(self) -> ControlState:
        try:
            return await self._source.state()
        except MetastoreError:
            raise ControlPlaneUnavailable("the control plane cannot be read") from None

    def _rule(self, subject: Subject, database: str, attempt: LoginAttempt) -> HbaRule:
        rules = subject.state.hba_rules or self._options.default_rules
        rule = first_match(rules, subject.caller(database, attempt.address, is_tls=attempt.is_tls))
        if rule is not None and rule.method is not HbaMethod.REJECT:
            return rule
        encryption = "SSL encryption" if attempt.is_tls else "no encryption"
        what = "no pg_hba.conf entry" if rule is None else "pg_hba.conf rejects connection"
        error = AuthenticationFailed(
            f'{what} for host "{attempt.address or "[local]"}", user "{attempt.user}", '
            f'database "{attempt.database}", {encryption}',
            sqlstate=SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
        )
        reason = Reason.NO_RULE if rule is None else Reason.RULE_REJECTS
        self._tell(subject, attempt, HbaMethod.REJECT, _Verdict("rejected", None, reason, error))
        raise error

    def _login(self, rule: HbaRule, subject: Subject, attempt: LoginAttempt) -> Login:
        names = attempt.certificate_names
        is_own = subject.user in names[:1]
        wanted = rule.options.get("clientcert")
        if rule.method is HbaMethod.CERT or (wanted == "sufficient" and is_own and subject.may_log_in):
            _require_certificate(subject.user, names, is_own=is_own and subject.may_log_in)
            identity = Identity(subject.user, AuthMethod.CERTIFICATE)
            watch = self._watch(subject, attempt, lambda: AuthMethod.CERTIFICATE)
            return Login(subject.user, None, lambda: identity, watch)
        if wanted in ("verify-ca", "verify-full"):
            _require_certificate(subject.user, names, is_own=is_own or wanted == "verify-ca")
        if rule.method is HbaMethod.PASSWORD:
            return self._cleartext_login(rule, subject, attempt)
        return self._scram_login(rule, subject, attempt)

    def _scram_login(self, rule: HbaRule, subject: Subject, attempt: LoginAttempt) -> Login:
        verifier, key = subject.scram(_now(), self._mocks)
        if key is None and self._is_locked(attempt):
            verifier = replace(verifier, is_mock=True)  # the same salt: a lock cannot be seen
        nonce, binding = secrets.token_urlsafe(_NONCE_BYTES), attempt.channel_binding
        is_bound = rule.method is HbaMethod.SCRAM_PLUS
        exchange = ScramExchange(attempt.user, verifier, nonce, binding, requires_binding=is_bound)

        def method() -> AuthMethod:
            if key is not None:
                return AuthMethod.API_KEY
            return AuthMethod.SCRAM_PLUS if exchange.uses_binding else AuthMethod.SCRAM

        def proven() -> Identity:
            return key_identity(key) if key is not None else Identity(subject.name, method())

        return Login(attempt.user, exchange, proven, self._watch(subject, attempt, method))

    def _cleartext_login(self, rule: HbaRule, subject: Subject, attempt: LoginAttempt) -> Login:
        check = self._check(subject, attempt, rule.accepted_secrets)
        found: list[Identity] = []
        seen = [AuthMethod.PASSWORD]

        def is_password(secret: str) -> bool:
            seen[0] = check.kind_of(secret)
            identity = check.identity(secret)
            found.extend(() if identity is None else (identity,))
            return identity is not None

        exchange = CleartextExchange(attempt.user, is_password)
        watch = self._watch(subject, attempt, lambda: seen[0])
        return Login(attempt.user, exchange, lambda: found[0], watch, is_slow=True)

    def _check(self, subject: Subject, attempt: LoginAttempt, kinds: frozenset[str]) -> SecretCheck:
        return SecretCheck(
            subject,
            kinds,
            attempt.interface,
            _now(),
            self._mocks,
            self._proven,
            is_password_locked=self._is_locked(attempt),
            read_token=self._options.read_token,
        )

    @property
    def _mocks(self) -> MockSource:
        return MockSource(self._source.server_secret, self._options.scram_iterations)

    def _is_locked(self, attempt: LoginAttempt) -> bool:
        return self._throttle.is_locked(attempt.user, attempt.address)

    def _watch(self, subject: Subject, attempt: LoginAttempt, method: Callable[[], AuthMethod]) -> LoginWatch:
        return LoginWatch(
            is_locked=lambda: self._is_locked(attempt),
            failed=lambda: self._ended(subject, attempt, method(), None),
            succeeded=lambda identity: self._ended(subject, attempt, identity.method, identity),
        )

    def _ended(
        self, subject: Subject, attempt: LoginAttempt, method: AuthMethod, identity: Identity | None
    ) -> None:
        """Count a guess, unless it was made while a lock held, and tell of it."""
        outcome = "failed" if identity is None else "ok"
        if is_guessable(method):
            if identity is not None:
                self._throttle.succeeded(attempt.user, attempt.address)
            elif self._is_locked(attempt):
                outcome = "locked"
            else:
                self._throttle.failed(attempt.user, attempt.address)
        reason = Reason.LOCKED if outcome == "locked" else None
        self._tell(subject, attempt, method, _Verdict(outcome, identity, reason))

    def _tell(
        self, subject: Subject, attempt: LoginAttempt, method: AuthMethod | HbaMethod, verdict: _Verdict
    ) -> None:
        principal = subject.name if subject.name in subject.state.principals else ""
        identity, reason = verdict.identity, verdict.reason
        if identity is None and reason is None:
            reason = failure_reason(subject, method.value, _now())
        event = AuthenticationEvent(
            method.value,
            verdict.outcome,
            principal,
            attempt.address,
            attempt.interface,
            identity.key_id if identity is not None else None,
            reason,
            verdict.sqlstate.value,
        )
        if reason is not None:
            log.info(
                "authentication.refused",
                method=event.method,
                outcome=event.outcome,
                reason=reason.value,
                principal=principal or "(unknown)",
                address=attempt.address,
                interface=attempt.interface.value,
            )
        self._observe(event)


def _require_certificate(user: str, names: tuple[str, ...], *, is_own: bool) -> None:
    if is_own and names:
        return
    raise AuthenticationFailed(
        f'certificate authentication failed for user "{user}"'
        if names
        else "connection requires a valid client certificate",
        sqlstate=SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
    )


def _now() -> datetime:
    return datetime.now(UTC)
