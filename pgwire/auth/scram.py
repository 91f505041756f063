"""The server's half of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS.

The scramp package has a server too, but it refuses the empty user name that libpq sends (PostgreSQL knows the
user from the startup packet) and salts and iteration counts that PostgreSQL takes. Its client tests this one.
RFC 5802 and RFC 7677; PostgreSQL docs, "SASL Authentication".
"""

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass
from enum import Enum, auto

from pgwire.auth.exchange import password_failed
from pgwire.auth.verifier import ScramVerifier
from pgwire.backend import (
    AuthenticationSASL,
    AuthenticationSASLContinue,
    AuthenticationSASLFinal,
    BackendMessage,
)
from pgwire.errors import AuthenticationFailed, ProtocolViolation
from pgwire.frontend import PasswordMessage, decode_sasl_initial_response
from pgwire.sqlstate import SqlState

MECHANISM = "SCRAM-SHA-256"
MECHANISM_PLUS = "SCRAM-SHA-256-PLUS"
_CHANNEL_BINDING_TYPE = "tls-server-end-point"
_PROOF_BYTES = hashlib.sha256().digest_size


class _Step(Enum):
    START = auto()
    MECHANISM = auto()
    CLIENT_FIRST = auto()
    CLIENT_FINAL = auto()
    DONE = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class _ClientFirst:
    gs2_header: str
    bare: str
    nonce: str


class ScramExchange:
    """One SCRAM conversation.

    user_name: from the startup packet; the one inside SCRAM is ignored, as PostgreSQL does.
    verifier: of that user, or `mock_verifier(...)` where there is none: it looks the same, and fails.
    server_nonce: printable ASCII without commas, at least 18 random bytes' worth; never used twice.
    channel_binding: the tls-server-end-point hash of our certificate; without it -PLUS is not offered.
    requires_binding: nothing but -PLUS is.
    """

    def __init__(
        self,
        user_name: str,
        verifier: ScramVerifier,
        server_nonce: str,
        channel_binding: bytes | None = None,
        *,
        requires_binding: bool = False,
    ) -> None:
        if not _is_nonce(server_nonce):
            raise ValueError("the server nonce must be printable ASCII without commas")
        if requires_binding and channel_binding is None:
            raise ValueError("there is nothing to bind to")
        self._user_name = user_name
        self._verifier = verifier
        self._server_nonce = server_nonce
        self._channel_binding = channel_binding
        self._requires_binding = requires_binding
        self._step = _Step.START
        self._uses_binding = False
        self._client_first = _ClientFirst("", "", "")
        self._server_first = ""

    @property
    def is_done(self) -> bool:
        """The client has proven that it knows the password."""
        return self._step is _Step.DONE

    @property
    def uses_binding(self) -> bool:
        """The client chose -PLUS."""
        return self._uses_binding

    def start(self) -> tuple[BackendMessage, ...]:
        """Offer the mechanisms."""
        self._step = _Step.MECHANISM
        plus = () if self._channel_binding is None else (MECHANISM_PLUS,)
        plain = () if self._requires_binding else (MECHANISM,)
        return (AuthenticationSASL((*plus, *plain)),)

    def receive(self, message: PasswordMessage) -> tuple[BackendMessage, ...]:
        """Take SASLInitialResponse, then SASLResponse.

        Raises:
            AuthenticationFailed: 28P01 wrong password or unknown user; 28000 channel binding does not agree.
            ProtocolViolation: malformed or out of turn.
        """
        step, self._step = self._step, _Step.FAILED
        match step:
            case _Step.MECHANISM:
                return self._choose_mechanism(message)
            case _Step.CLIENT_FIRST:
                return self._answer_client_first(message.body)
            case _Step.CLIENT_FINAL:
                return self._answer_client_final(message.body)
            case _:
                raise ProtocolViolation("unexpected SASL response")

    def _choose_mechanism(self, message: PasswordMessage) -> tuple[BackendMessage, ...]:
        response = decode_sasl_initial_response(message)
        self._uses_binding = response.mechanism == MECHANISM_PLUS and self._channel_binding is not None
        if not self._uses_binding and (response.mechanism != MECHANISM or self._requires_binding):
            raise ProtocolViolation("client selected an invalid SASL authentication mechanism")
        if response.data is None:
            self._step = _Step.CLIENT_FIRST
            return (AuthenticationSASLContinue(b""),)
        return self._answer_client_first(response.data)

    def _answer_client_first(self, data: bytes) -> tuple[BackendMessage, ...]:
        first = _parse_client_first(_decode(data))
        self._check_binding_flag(first.gs2_header)
        salt = b64encode(self._verifier.salt).decode()
        nonce = first.nonce + self._server_nonce
        self._client_first = first
        self._server_first = f"r={nonce},s={salt},i={self._verifier.iterations}"
        self._step = _Step.CLIENT_FINAL
        return (AuthenticationSASLContinue(self._server_first.encode()),)

    def _check_binding_flag(self, gs2_header: str) -> None:
        flag = gs2_header.partition(",")[0]
        if flag.startswith("p="):
            if not self._uses_binding:
                raise _malformed("The client selected SCRAM-SHA-256 but sent channel binding data.")
            if flag != f"p={_CHANNEL_BINDING_TYPE}":
                raise ProtocolViolation("unsupported SCRAM channel-binding type")
        elif self._uses_binding:
            raise _malformed("The client selected SCRAM-SHA-256-PLUS without channel binding data.")
        elif flag == "y" and self._channel_binding is not None:
            # The client saw no -PLUS in a list that had it: somebody in between removed it.
            raise AuthenticationFailed(
                "SCRAM channel binding negotiation error",
                sqlstate=SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                detail="The client supports SCRAM channel binding but thinks the server does not. "
                "However, this server does support channel binding.",
            )

    def _answer_client_final(self, data: bytes) -> tuple[BackendMessage, ...]:
        first = self._client_first
        without_proof, _, proof_text = _decode(data).rpartition(",p=")
        binding_text, nonce = _parse_client_final(without_proof)
        proof = _decode_base64(proof_text)
        if nonce != first.nonce + self._server_nonce:
            raise _malformed("Nonce does not match.")
        if len(proof) != _PROOF_BYTES:
            raise _malformed("Malformed proof in client-final-message.")
        self._check_binding_data(_decode_base64(binding_text), first.gs2_header)
        signed = f"{first.bare},{self._server_first},{without_proof}".encode()
        if not self._is_proven(proof, signed):
            raise password_failed(self._user_name)
        self._step = _Step.DONE
        signature = hmac.digest(self._verifier.server_key, signed, "sha256")
        return (AuthenticationSASLFinal(b"v=" + b64encode(signature)),)

    def _check_binding_data(self, data: bytes, gs2_header: str) -> None:
        bound = self._channel_binding if self._uses_binding else None
        if not hmac.compare_digest(data, gs2_header.encode() + (bound or b"")):
            raise AuthenticationFailed(
                "SCRAM channel binding check failed",
                sqlstate=SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
            )

    def _is_proven(self, proof: bytes, signed: bytes) -> bool:
        client_signature = hmac.digest(self._verifier.stored_key, signed, "sha256")
        client_key = bytes(a ^ b for a, b in zip(proof, client_signature, strict=True))
        stored_key = hashlib.sha256(client_key).digest()
        is_equal = hmac.compare_digest(stored_key, self._verifier.stored_key)
        return is_equal and not self._verifier.is_mock


def _malformed(detail: str) -> ProtocolViolation:
    return ProtocolViolation("malformed SCRAM message", detail=detail)


def _decode(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _malformed("The message is not UTF-8.") from None
    if not text or "\0" in text:
        raise _malformed("Message length does not match input length.")
    return text


def _decode_base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("An attribute is not base64.") from None


def _is_nonce(text: str) -> bool:
    return bool(text) and all("!" <= char <= "~" and char != "," for char in text)


def _parse_client_first(text: str) -> _ClientFirst:
    """Split gs2-header from client-first-message-bare and take the nonce; extensions are ignored."""
    flag, _, rest = text.partition(",")
    authorization_identity, comma, bare = rest.partition(",")
    if not comma or not (flag in ("n", "y") or flag.startswith("p=")):
        raise _malformed("Bad channel-binding flag.")
    if authorization_identity:
        raise ProtocolViolation(
            "client uses authorization identity, but it is not supported",
            sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
        )
    if bare.startswith("m="):
        raise ProtocolViolation(
            "client requires an unsupported SCRAM extension", sqlstate=SqlState.FEATURE_NOT_SUPPORTED
        )
    attributes = bare.split(",")
    if len(attributes) < 2 or not attributes[0].startswith("n=") or not attributes[1].startswith("r="):
        raise _malformed("Expected the attributes n and r.")
    nonce = attributes[1][2:]
    if not _is_nonce(nonce):
        raise _malformed("Non-printable characters in SCRAM nonce.")
    return _ClientFirst(f"{flag},,", bare, nonce)


def _parse_client_final(without_proof: str) -> tuple[str, str]:
    """Give the channel binding attribute and the nonce; extensions after them are ignored."""
    attributes = without_proof.split(",")
    if len(attributes) < 2 or not attributes[0].startswith("c=") or not attributes[1].startswith("r="):
        raise _malformed("Expected the attributes c, r and p.")
    return attributes[0][2:], attributes[1][2:]
