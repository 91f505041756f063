"""Putting the authenticator together: the default rules, how guesses are slowed down, who is told."""

import time

from pgproxy.audit.logins import LoginEnd
from pgproxy.audit.writer import AuditWriter
from pgproxy.control.api_keys import Interface
from pgproxy.control.metastore import Metastore
from pgproxy.following import MetastoreFollower
from pgproxy.identity.authenticator import AuthenticationEvent, AuthenticationOptions, Authenticator
from pgproxy.identity.default_rules import default_hba_rules
from pgproxy.identity.key_ring import KeyRing, key_source
from pgproxy.identity.model import Identity
from pgproxy.identity.reasons import Reason
from pgproxy.identity.sharing import LoginSharing
from pgproxy.identity.throttle import LockPolicy, LoginThrottle
from pgproxy.identity.tokens import TokenOptions, TokenVerifier
from pgproxy.metrics import GatewayMetrics
from pgproxy.settings import GatewaySettings
from pgwire.errors import GatewayError


class Logins:
    """The authenticator of a gateway, and what it shares with others."""

    def __init__(
        self,
        settings: GatewaySettings,
        metastore: Metastore,
        follower: MetastoreFollower,
        metrics: GatewayMetrics,
        audit: AuditWriter,
    ) -> None:
        policy = LockPolicy(settings.login_lock_after, settings.login_lock_first, settings.login_lock_longest)
        throttle = LoginThrottle(policy, time.time)
        verifier = token_verifier(settings)
        options = AuthenticationOptions(
            default_hba_rules(settings.client_cert_auth),
            settings.catalog_name,
            settings.scram_iterations,
            None if verifier is None else verifier.read,
        )
        self._metrics = metrics
        self._audit = audit
        self._sharing = LoginSharing(metastore.notes, throttle)
        self.authenticator = Authenticator(metastore, throttle, options, follower.catch_up, self._observe)

    async def share(self) -> None:
        """Share for as long as the gateway runs."""
        await self._sharing.share()

    def _observe(self, event: AuthenticationEvent) -> None:
        self._metrics.authentications.labels(event.method, event.outcome).inc()
        self._sharing.observe(event)
        self._audit.login_ended(
            LoginEnd(
                event.principal,
                event.address,
                event.interface.value,
                event.method,
                event.sqlstate,
                event.reason.value if event.reason is not None else "",
            )
        )

    def turned_away(self, identity: Identity, address: str, error: GatewayError) -> None:
        """Note a principal that proved who it is and got no session."""
        self._audit.login_ended(
            LoginEnd(
                identity.principal,
                address,
                Interface.POSTGRES.value,
                identity.method.value,
                error.sqlstate.value,
                Reason.TURNED_AWAY.value,
            )
        )


def token_verifier(settings: GatewaySettings) -> TokenVerifier | None:
    """Make what checks JWTs; None: none are taken."""
    if settings.jwt_jwks is None or settings.jwt_issuer is None or settings.jwt_audience is None:
        return None
    options = TokenOptions(
        settings.jwt_issuer,
        settings.jwt_audience,
        settings.jwt_algorithms,
        settings.jwt_principal_claim,
        settings.jwt_groups_claim,
        settings.jwt_leeway,
    )
    ring = KeyRing(key_source(settings.jwt_jwks), settings.jwt_jwks_refresh, time.monotonic)
    return TokenVerifier(options, ring, time.time)
