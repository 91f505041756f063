"""From the first byte to a proven user: TLS, startup packet, authentication. PostgreSQL docs, "Start-up".

Knows no SQL. CancelRequest ends here too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pgproxy.identity.login import Login
from pgproxy.identity.model import Identity, LoginAttempt
from pgproxy.net.cancel import CancelRegistry
from pgproxy.net.output import ClientOutput
from pgproxy.net.stream import ClientStream
from pgproxy.net.tls import ALPN_PROTOCOL, TlsOffer
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

_TLS_HANDSHAKE_RECORD = 0x16


@dataclass(frozen=True, slots=True)
class HandshakePolicy:
    """What the listener asks of every connection.

    begin_login: decides what the client must prove, and checks it. current_tls: the offer for a new
    connection; None: no TLS.
    """

    begin_login: Callable[[LoginAttempt], Awaitable[Login]]
    current_tls: Callable[[], TlsOffer | None]
    is_tls_required: bool
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Greeting:
    """A client that has proven who it is."""

    startup: StartupMessage
    version: ProtocolVersion
    identity: Identity


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
            AuthenticationFailed: 28P01 wrong password or unknown user, 28000 no TLS, no certificate, no rule.
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
        identity = await self._authenticate(startup)
        if identity is None:
            return None
        self._output.send(AuthenticationOk())
        self._frames.enter(FrameStage.SESSION)
        return Greeting(startup, version, identity)

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

    async def _authenticate(self, startup: StartupMessage) -> Identity | None:
        """Let the client prove who it is; None: it has gone."""
        offer, tls = self._tls, self._stream.tls
        attempt = LoginAttempt(
            startup.user,
            startup.database,
            self._stream.peer_host,
            is_tls=offer is not None,
            certificate_names=tls.peer_common_names if tls is not None else (),
            channel_binding=offer.certificate_hash if offer is not None else None,
        )
        login = await self._policy.begin_login(attempt)
        for message in login.start():
            self._output.send(message)
        while login.identity is None:
            await self._output.drain()
            body = await self._next_body()
            if body is None:
                return None
            for message in await login.receive(PasswordMessage(body)):
                self._output.send(message)
        return login.identity

    async def _next_body(self) -> bytes | None:
        while (frame := self._frames.next_frame()) is None:
            data = await self._stream.read()
            if not data:
                return None
            self._frames.feed(data)
        return frame.body
