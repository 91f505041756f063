"""Putting the authenticator together: the default rules, how guesses are slowed down, who is told."""

import time

from pgproxy.control.hba import ALL, ConnectionType, HbaMethod, HbaName, HbaRule
from pgproxy.control.metastore import Metastore
from pgproxy.following import MetastoreFollower
from pgproxy.identity.authenticator import AuthenticationEvent, AuthenticationOptions, Authenticator
from pgproxy.identity.sharing import LoginSharing
from pgproxy.identity.throttle import LockPolicy, LoginThrottle
from pgproxy.metrics import GatewayMetrics
from pgproxy.net.client_certificates import ClientCertificates
from pgproxy.settings import GatewaySettings


class Logins:
    """The authenticator of a gateway, and what it shares with others."""

    def __init__(
        self,
        settings: GatewaySettings,
        metastore: Metastore,
        follower: MetastoreFollower,
        metrics: GatewayMetrics,
    ) -> None:
        policy = LockPolicy(settings.login_lock_after, settings.login_lock_first, settings.login_lock_longest)
        throttle = LoginThrottle(policy, time.time)
        options = AuthenticationOptions(
            default_hba_rules(settings.client_cert_auth), settings.catalog_name, settings.scram_iterations
        )
        self._metrics = metrics
        self._sharing = LoginSharing(metastore.notes, throttle)
        self.authenticator = Authenticator(metastore, throttle, options, follower.catch_up, self._observe)

    async def share(self) -> None:
        """Share for as long as the gateway runs."""
        await self._sharing.share()

    def _observe(self, event: AuthenticationEvent) -> None:
        self._metrics.authentications.labels(event.method, event.outcome).inc()
        self._sharing.observe(event)


def default_hba_rules(certificates: ClientCertificates) -> tuple[HbaRule, ...]:
    """What holds while the control plane has no rules: all may come, as CLIENT_CERT_AUTH says."""
    everybody = (HbaName(ALL),)
    method, options = {
        ClientCertificates.OFF: (HbaMethod.SCRAM, {}),
        ClientCertificates.OPTIONAL: (HbaMethod.SCRAM, {"clientcert": "sufficient"}),
        ClientCertificates.REQUIRED: (HbaMethod.CERT, {}),
    }[certificates]
    return (HbaRule(ConnectionType.HOST, everybody, everybody, None, method, options),)
