"""TLS without a socket: ciphertext in, plaintext out, and back.

asyncio's own upgrade cannot begin with bytes that were already read, and direct TLS is known only by its
first byte.
"""

import ssl
from typing import TypeAlias, cast

_Subject: TypeAlias = tuple[tuple[tuple[str, str], ...], ...]
_READ_BYTES = 256 * 1024


class TlsLayer:
    """The server's side of one TLS session. After every call, `outgoing` is to be sent."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._from_peer = ssl.MemoryBIO()
        self._to_peer = ssl.MemoryBIO()
        self._session = context.wrap_bio(self._from_peer, self._to_peer, server_side=True)
        self._is_established = False
        self._is_ended = False

    @property
    def is_established(self) -> bool:
        """The handshake is over; data may flow."""
        return self._is_established

    @property
    def is_ended(self) -> bool:
        """The peer has said that nothing more comes (close_notify)."""
        return self._is_ended

    @property
    def application_protocol(self) -> str | None:
        """What ALPN agreed on."""
        return self._session.selected_alpn_protocol()

    @property
    def peer_common_names(self) -> tuple[str, ...]:
        """Every CN of the peer's certificate, if it gave one and our authorities vouch for it."""
        certificate = self._session.getpeercert()
        if not certificate:
            return ()
        subject = cast(_Subject, certificate.get("subject", ()))
        return tuple(value for part in subject for name, value in part if name == "commonName")

    def receive(self, ciphertext: bytes) -> bytes:
        """Take what came from the peer; give what it decrypts to, which may be nothing.

        Raises:
            ssl.SSLError: not TLS, or nothing that both sides accept; `outgoing` may hold the alert.
        """
        self._from_peer.write(ciphertext)
        plaintext = bytearray()
        try:
            if not self._is_established:
                self._session.do_handshake()
                self._is_established = True
            while piece := self._session.read(_READ_BYTES):
                plaintext += piece
            self._is_ended = True
        except ssl.SSLWantReadError:
            pass  # the rest of the record is still on its way
        return bytes(plaintext)

    def send(self, plaintext: bytes | memoryview) -> None:
        """Encrypt."""
        with memoryview(plaintext) as rest:
            sent = 0
            while sent < len(rest):
                sent += self._session.write(rest[sent:])

    def outgoing(self) -> bytes:
        """Take what is to be sent to the peer."""
        return self._to_peer.read()

    def end(self) -> None:
        """Say that nothing more comes. The peer's own close_notify is not waited for."""
        try:
            self._session.unwrap()
        except ssl.SSLError:
            return  # not heard yet, or never established: either way there is nothing more to say
