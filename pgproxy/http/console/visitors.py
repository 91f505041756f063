"""Who looks at the console: logged in by password, within a session, and with a role that may.

Every page asks again: a role that was revoked, or a principal that was locked, sees nothing more.
"""

from base64 import b64encode
from dataclasses import dataclass

from starlette.requests import Request

from pgproxy.control.metastore import ControlPlaneUnavailable
from pgproxy.http.console.sessions import ConsoleSession, ConsoleSessions
from pgproxy.identity.authenticator import Authenticator
from pgproxy.identity.login import is_guessable
from pgproxy.policy.current import CurrentPolicies
from pgproxy.policy.denial import DenialRule
from pgwire.errors import AccessDenied, AuthenticationFailed

COOKIE = "pgproxy_console"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One request's principal. is_admin: may act; others only look."""

    principal: str
    is_admin: bool
    session: ConsoleSession


class Visitors:
    """Logs in, recognises and logs out."""

    def __init__(self, authenticator: Authenticator, policies: CurrentPolicies) -> None:
        self._authenticator = authenticator
        self._policies = policies
        self._sessions = ConsoleSessions()

    async def log_in(self, request: Request, name: str, password: str) -> str:
        """Check a password as any login's is checked, locks included; give the cookie's value.

        Raises:
            AuthenticationFailed: wrong, unknown and locked alike; 28000, not over TLS from elsewhere.
            AccessDenied: the role may not see the console.
        """
        if not name or ":" in name:
            raise AuthenticationFailed("authentication failed")
        header = "Basic " + b64encode(f"{name}:{password}".encode()).decode()
        peer = request.client.host if request.client is not None else ""
        identity = await self._authenticator.authenticate_http(
            header, peer, is_tls=request.url.scheme == "https"
        )
        if (
            not is_guessable(identity.method)
            or not self._policies.effective(identity.principal).sees_activity
        ):
            raise AccessDenied("this role has no console", rule=DenialRule.ADMINISTRATION)
        return self._sessions.open(identity)

    async def visitor(self, request: Request) -> Visitor | None:
        """Recognise a request's session; None: it has none, or its principal may look no more."""
        token = request.cookies.get(COOKIE, "")
        session = self._sessions.find(token) if token else None
        if session is None:
            return None
        policy = self._policies.effective(session.identity.principal)
        if not policy.sees_activity or not await self._is_still_valid(session):
            self._sessions.close(token)
            return None
        return Visitor(policy.principal, policy.is_admin, session)

    async def _is_still_valid(self, session: ConsoleSession) -> bool:
        """Whether the principal may still log in.

        While the metastore cannot be read the last known policy decides, as it does for open sessions: an
        operator needs the console then. When its grace is over that policy allows nothing.
        """
        try:
            return await self._authenticator.is_still_valid(session.identity)
        except ControlPlaneUnavailable:
            return True

    def log_out(self, request: Request) -> None:
        """End the request's session."""
        self._sessions.close(request.cookies.get(COOKIE, ""))
