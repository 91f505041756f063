"""From the first byte to a proven user: TLS, startup packet, authentication. PostgreSQL docs, "Start-up".

Knows no SQL. CancelRequest ends here too.
"""

import secrets
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pgproxy.net.cancel import CancelRegistry
from pgproxy.net.output import ClientOutput
from pgproxy.net.stream import ClientStream
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


@dataclass(frozen=True, slots=True)
class TlsOffer:
    """How TLS is offered. certificate_hash: the tls-server-end-point channel binding of our certificate."""

    context: ssl.SSLContext
    certificate_hash: bytes


@dataclass(frozen=True, slots=True)
class HandshakePolicy:
    """What the listener asks of every connection."""

    verifier_for: Callable[[str], Awaitable[ScramVerifier]]
    tls: TlsOffer | None
    is_tls_required: bool
    timeout_s: float


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

    async def run(self) -> Greeting | None:
        """Let the client in; None where it only wanted to cancel, or went away.

        Raises:
            AuthenticationFailed: 28P01 wrong password or unknown user, 28000 TLS is required.
            ProtocolViolation: not PostgreSQL's protocol.
        """
        startup = await self._startup()
        if startup is None:
            return None
        version, notice = negotiate(startup)
        if notice is not None:
            self._output.send(notice)
        if self._policy.is_tls_required and self._stream.tls is None:
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
                case SSLRequest() if self._stream.tls is None:
                    await self._answer_tls()
                case GSSENCRequest() if not has_asked_gss:
                    has_asked_gss = True
                    self._refuse_plaintext_behind("GSSENCRequest")
                    self._stream.write(b"N")
                case _:
                    raise ProtocolViolation("unsupported frontend protocol request")
        return None

    async def _answer_tls(self) -> None:
        self._refuse_plaintext_behind("SSLRequest")
        if self._policy.tls is None:
            self._stream.write(b"N")
            return
        self._stream.write(b"S")
        await self._stream.start_tls(self._policy.tls.context, self._policy.timeout_s)

    def _refuse_plaintext_behind(self, what: str) -> None:
        """Bytes sent before encryption began must not be taken for encrypted ones (CVE-2021-23214)."""
        if self._frames.buffered_bytes or self._stream.has_input:
            raise ProtocolViolation(
                f"received unencrypted data after {what}",
                detail="This could be either a client-software bug or evidence of an attempted "
                "man-in-the-middle attack.",
            )

    async def _authenticate(self, user: str) -> bool:
        verifier = await self._policy.verifier_for(user)
        binding = self._policy.tls.certificate_hash if self._policy.tls and self._stream.tls else None
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
