"""From the first byte to a proven user: TLS, startup packet, authentication. PostgreSQL docs, "Start-up".

Knows no SQL. CancelRequest ends here too.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pgproxy.net.cancel import CancelRegistry
from pgproxy.net.client_certificates import ClientCertificates
from pgproxy.net.output import ClientOutput
from pgproxy.net.stream import ClientStream
from pgproxy.net.tls import ALPN_PROTOCOL, TlsOffer
from pgwire.auth.scram import ScramExchange
from pgwire.auth.verifier import ScramVerifier
from pgwire.backend import AuthenticationOk
from pgwire.errors import AuthenticationFailed, ProtocolViolation
from pgwire.framing import FrameReader, FrameStage
from pgwire.frontend import PasswordMessage
from pgwire.sqlstate import SqlState
from pgwire.startup import (
    CancelRequest,
    GSSENCRequest,
    ProtocolVersion,
    SSLRequest,
    StartupMessage,
    decode_startup,
    negotiate,
)

_NONCE_BYTES = 18
_TLS_HANDSHAKE_RECORD = 0x16


@dataclass(frozen=True, slots=True)
class HandshakePolicy:
    """What the listener asks of every connection.

    verifier_for: of a user, or a mock where there is none; raises GatewayError where that cannot be told.
    current_tls: the offer for a new connection; None: no TLS. may_log_in: for whom a certificate speaks.
    observe: told of each authentication, its method and how it ended.
    """

    verifier_for: Callable[[str], Awaitable[ScramVerifier]]
    current_tls: Callable[[], TlsOffer | None]
    is_tls_required: bool
    timeout_s: float
    may_log_in: Callable[[str], Awaitable[bool]]
    client_certificates: ClientCertificates = ClientCertificates.OFF
    observe: Callable[[str, str], None] = lambda method, outcome: None


@dataclass(frozen=True, slots=True)
class Greeting:
    """A client that has proven who it is."""

    startup: StartupMessage
    version: ProtocolVersion


class Handshake:
    """One connection's way in."""

    def __init__(
        self,
        stream: ClientStream,
        output: ClientOutput,
        frames: FrameReader,
        policy: HandshakePolicy,
        cancels: CancelRegistry,
    ) -> None:
        self._stream = stream
        self._output = output
        self._frames = frames
        self._policy = policy
        self._cancels = cancels
        self._tls: TlsOffer | None = None

    async def run(self) -> Greeting | None:
        """Let the client in; None where it only wanted to cancel, or went away.

        Raises:
            AuthenticationFailed: 28P01 wrong password or unknown user, 28000 no TLS or no certificate.
            ProtocolViolation: not PostgreSQL's protocol.
        """
        await self._begin_direct_tls()
        startup = await self._startup()
        if startup is None:
            return None
        version, notice = negotiate(startup)
        if notice is not None:
            self._output.send(notice)
        if self._policy.is_tls_required and self._tls is None:
            raise AuthenticationFailed(
                "this server accepts only encrypted connections",
                sqlstate=SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                hint="Connect with sslmode=require.",
            )
        self._frames.enter(FrameStage.AUTHENTICATION)
        if not await self._authenticate(startup.user):
            return None
        self._output.send(AuthenticationOk())
        self._frames.enter(FrameStage.SESSION)
        return Greeting(startup, version)

    async def _startup(self) -> StartupMessage | None:
        has_asked_gss = False
        while (body := await self._next_body()) is not None:
            match decode_startup(body):
                case StartupMessage() as startup:
                    return startup
                case CancelRequest(process_id=process_id, secret_key=secret_key):
                    self._cancels.cancel(process_id, secret_key)
                    return None
                case SSLRequest() if self._tls is None:
                    await self._answer_tls()
                case GSSENCRequest() if self._tls is None and not has_asked_gss:
                    has_asked_gss = True
                    self._refuse_plaintext_behind("GSSENCRequest")
                    self._stream.write(b"N")
                case _:
                    raise ProtocolViolation("unsupported frontend protocol request")
        return None

    async def _begin_direct_tls(self) -> None:
        """TLS from the first byte on, as PostgreSQL 17 has it: without SSLRequest, and only with ALPN."""
        offer = self._policy.current_tls()
        if offer is None or await self._stream.first_byte() != _TLS_HANDSHAKE_RECORD:
            return
        self._tls = offer
        session = await self._stream.start_tls(offer.context)
        if session.application_protocol != ALPN_PROTOCOL:
            raise ProtocolViolation(
                "received direct SSL connection request without ALPN protocol negotiation extension"
            )

    async def _answer_tls(self) -> None:
        self._refuse_plaintext_behind("SSLRequest")
        offer = self._policy.current_tls()
        if offer is None:
            self._stream.write(b"N")
            return
        self._tls = offer
        self._stream.write(b"S")
        await self._stream.start_tls(offer.context)

    def _refuse_plaintext_behind(self, what: str) -> None:
        """Bytes sent before encryption began must not be taken for encrypted ones (CVE-2021-23214)."""
        if self._frames.buffered_bytes or self._stream.has_input:
            raise ProtocolViolation(
                f"received unencrypted data after {what}",
                detail="This could be either a client-software bug or evidence of an attempted "
                "man-in-the-middle attack.",
            )

    async def _authenticate(self, user: str) -> bool:
        method = "certificate" if self._policy.client_certificates is ClientCertificates.REQUIRED else "scram"
        try:
            if await self._is_proven_by_certificate(user):
                method = "certificate"
            elif not await self._is_proven_by_password(user):
                return False
        except AuthenticationFailed:
            self._policy.observe(method, "failed")
            raise
        self._policy.observe(method, "ok")
        return True

    async def _is_proven_by_certificate(self, user: str) -> bool:
        wanted = self._policy.client_certificates
        if wanted is ClientCertificates.OFF:
            return False
        names = self._stream.tls.peer_common_names if self._stream.tls is not None else ()
        if user in names[:1] and await self._policy.may_log_in(user):
            return True
        if wanted is ClientCertificates.REQUIRED:
            raise AuthenticationFailed(
                f'certificate authentication failed for user "{user}"'
                if names
                else "connection requires a valid client certificate",
                sqlstate=SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
            )
        return False

    async def _is_proven_by_password(self, user: str) -> bool:
        """Run SCRAM, with channel binding inside TLS. A password in the clear is never asked for."""
        verifier = await self._policy.verifier_for(user)
        binding = self._tls.certificate_hash if self._tls is not None else None
        exchange = ScramExchange(user, verifier, secrets.token_urlsafe(_NONCE_BYTES), binding)
        for message in exchange.start():
            self._output.send(message)
        while not exchange.is_done:
            await self._output.drain()
            body = await self._next_body()
            if body is None:
                return False
            for message in exchange.receive(PasswordMessage(body)):
                self._output.send(message)
        return True

    async def _next_body(self) -> bytes | None:
        while (frame := self._frames.next_frame()) is None:
            data = await self._stream.read()
            if not data:
                return None
            self._frames.feed(data)
        return frame.body
