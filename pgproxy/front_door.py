"""Putting the PostgreSQL listener together: who is let in, with which limits, into which session."""

import secrets

from pgproxy.control.metastore import Metastore
from pgproxy.identity.model import AuthMethod
from pgproxy.identity.model import Identity as ProvenIdentity
from pgproxy.logins import Logins
from pgproxy.net.cancel import CancelRegistry
from pgproxy.net.cancel_sharing import CancelSharing
from pgproxy.net.connection import ConnectionServices
from pgproxy.net.handshake import Greeting, HandshakePolicy
from pgproxy.net.listener import Listener, ListenerOptions
from pgproxy.net.session_registry import SessionLimits, SessionRegistry
from pgproxy.net.tls import TlsCertificates, TlsFiles
from pgproxy.policy.current import CurrentPolicies
from pgproxy.queue.model import Statement
from pgproxy.session.detached import DetachedSession
from pgproxy.session.live_sessions import LiveSessions
from pgproxy.session.opening import SessionOpener
from pgproxy.session.services import SessionServices, SocketEnds
from pgproxy.session.sql_session import SqlSession
from pgproxy.settings import DatabaseMode, GatewaySettings
from pgwire.auth.exchange import password_failed
from pgwire.errors import GatewayError
from pgwire.session.machine import Session


def session_registry(settings: GatewaySettings, policies: CurrentPolicies) -> SessionRegistry:
    """Make the registry of who is connected."""
    limits = SessionLimits(
        settings.max_connections,
        settings.superuser_reserved_connections,
        settings.max_connections_per_principal,
    )

    def limit_of(principal: str) -> int:
        known = policies.policy_set.principals.get(principal)
        return -1 if known is None else known.connection_limit

    return SessionRegistry(limits, lambda principal: policies.effective(principal).is_admin, limit_of)


def tls_certificates(settings: GatewaySettings) -> TlsCertificates | None:
    """Read the certificates, where TLS is offered.

    Raises:
        OSError: a file cannot be read. ssl.SSLError: key and certificate do not fit. ValueError: no PEM.
    """
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    return TlsCertificates(
        TlsFiles(settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file)
    )


class FrontDoor:
    """Lets clients in and opens their sessions."""

    def __init__(
        self, settings: GatewaySettings, logins: Logins, services: SessionServices, metastore: Metastore
    ) -> None:
        self._settings = settings
        self._cancels = CancelRegistry(metastore.secret_box.derive("keys of cancel requests"))
        self._cancel_sharing = CancelSharing(metastore.notes, self._cancels)
        self._logins = logins
        self._authenticator = logins.authenticator
        self._opener = SessionOpener(services, _default_settings(settings))

    def listener(
        self, certificates: TlsCertificates | None, sessions: SessionRegistry, live: LiveSessions
    ) -> Listener:
        """Build the listener; it listens once it is entered. live: lists the sessions that are open."""
        settings = self._settings
        handshake = HandshakePolicy(
            begin_login=self._authenticator.begin,
            current_tls=certificates.current if certificates is not None else lambda: None,
            is_tls_required=settings.require_tls,
            timeout_s=settings.authentication_timeout,
        )
        services = ConnectionServices(
            handshake=handshake,
            cancels=self._cancels,
            sessions=sessions,
            live=live,
            open_session=self._open_session,
            new_error_id=lambda: secrets.token_hex(6),
            max_message_bytes=settings.max_message_bytes,
            max_held_bytes=settings.max_connection_memory_bytes,
        )
        address = settings.pg_wire_listen_addr
        options = ListenerOptions(address.host, address.port, settings.tcp_keepalives_idle)
        return Listener(options, services)

    async def share_cancels(self) -> None:
        """Pass on CancelRequests for other gateways, and obey theirs, for as long as the gateway runs."""
        await self._cancel_sharing.share()

    async def open_detached(self, principal: str, statement: Statement) -> DetachedSession:
        """Open the session of a submitted statement, if its principal and credential still may come in.

        Raises:
            AuthenticationFailed: 28P01, they may not.
        """
        identity = ProvenIdentity(principal, AuthMethod.PASSWORD, statement.scope, statement.key_id)
        if not await self._authenticator.is_still_valid(identity):
            raise password_failed(principal)
        return self._opener.open_detached(identity, statement.database, statement.settings)

    async def _open_session(
        self, greeting: Greeting, machine: Session, process_id: int, ends: SocketEnds
    ) -> SqlSession:
        """Open the session of a client that is proven, if its principal may still log in."""
        identity = greeting.identity
        try:
            if not await self._authenticator.is_still_valid(identity):
                raise password_failed(greeting.startup.user)
            return self._opener.open(greeting.startup, identity, machine, process_id, ends)
        except GatewayError as error:
            self._logins.turned_away(identity, ends.client_host, error)
            raise


def _default_settings(settings: GatewaySettings) -> dict[str, str]:
    """Settings that every session begins with, in PostgreSQL's units."""
    limits = {
        "statement_timeout": settings.statement_timeout,
        "idle_session_timeout": settings.idle_session_timeout,
        "idle_in_transaction_session_timeout": settings.idle_in_transaction_session_timeout,
    }
    found = {name: f"{round(seconds * 1000)}ms" for name, seconds in limits.items() if seconds}
    found["port"] = str(settings.pg_wire_listen_addr.port)
    found["max_connections"] = str(settings.max_connections)
    found["ssl"] = "on" if settings.tls_cert_file is not None else "off"
    if settings.database_mode is DatabaseMode.READ_ONLY:
        found["default_transaction_read_only"] = "on"
    return found
