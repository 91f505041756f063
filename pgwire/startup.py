"""The untagged messages that open a connection, and the choice of a protocol version.

PostgreSQL docs, "Start-up", "Canceling Requests in Progress", "Message Formats".
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from pgwire.backend import NegotiateProtocolVersion
from pgwire.errors import AuthenticationFailed, ProtocolViolation
from pgwire.sqlstate import SqlState

_INT32 = struct.Struct("!i")
_INT16_PAIR = struct.Struct("!HH")
_CANCEL_REQUEST = (1234, 5678)
_SSL_REQUEST = (1234, 5679)
_GSSENC_REQUEST = (1234, 5680)
_MIN_SECRET_KEY_BYTES = 4
_MAX_SECRET_KEY_BYTES = 256
_PROTOCOL_OPTION_PREFIX = "_pq_."


class ProtocolVersion(NamedTuple):
    """A version of the frontend/backend protocol; compares as versions do."""

    major: int
    minor: int

    @property
    def secret_key_bytes(self) -> int:
        """How long a BackendKeyData secret may be that every client of this version takes."""
        return _MIN_SECRET_KEY_BYTES if self < PROTOCOL_3_2 else 32

    @property
    def code(self) -> int:
        """The Int32 on the wire."""
        return self.major << 16 | self.minor


PROTOCOL_3_0 = ProtocolVersion(3, 0)
PROTOCOL_3_2 = ProtocolVersion(3, 2)
_SUPPORTED_VERSIONS = (PROTOCOL_3_0, PROTOCOL_3_2)


@dataclass(frozen=True, slots=True)
class StartupMessage:
    """The client introduces itself.

    parameters: without the `_pq_.` names, which are in protocol_options. user is never empty.
    """

    protocol_version: ProtocolVersion
    parameters: Mapping[str, str]
    protocol_options: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        """The role that the client wants to be; nothing is proven yet."""
        return self.parameters["user"]

    @property
    def database(self) -> str:
        """The database; the user's name where none is given."""
        return self.parameters.get("database") or self.user


@dataclass(frozen=True, slots=True)
class SSLRequest:
    """May we speak TLS? The answer is one byte, S or N."""


@dataclass(frozen=True, slots=True)
class GSSENCRequest:
    """May we speak GSSAPI encryption? The answer is one byte, G or N."""


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Cancel what another connection runs; never answered. secret_key: 4 to 256 bytes."""

    process_id: int
    secret_key: bytes = field(repr=False)


StartupFrame: TypeAlias = StartupMessage | SSLRequest | GSSENCRequest | CancelRequest


def decode_startup(body: bytes) -> StartupFrame:
    """Decode the body of an untagged frame.

    Raises:
        ProtocolViolation: a bad layout (08P01), another major version (0A000), bad UTF-8 (22021).
        AuthenticationFailed: 28000, no user name.
    """
    if len(body) < 4:
        raise ProtocolViolation("invalid length of startup packet")
    code: tuple[int, int] = _INT16_PAIR.unpack_from(body)
    rest = body[4:]
    if code == _CANCEL_REQUEST:
        return _decode_cancel_request(rest)
    if code in (_SSL_REQUEST, _GSSENC_REQUEST):
        if rest:
            raise ProtocolViolation("invalid length of startup packet")
        return SSLRequest() if code == _SSL_REQUEST else GSSENCRequest()
    return _decode_startup_message(ProtocolVersion(*code), rest)


def _decode_cancel_request(rest: bytes) -> CancelRequest:
    if not _MIN_SECRET_KEY_BYTES <= len(rest) - 4 <= _MAX_SECRET_KEY_BYTES:
        raise ProtocolViolation("invalid length of query cancel packet")
    return CancelRequest(_INT32.unpack_from(rest)[0], rest[4:])


def _decode_startup_message(version: ProtocolVersion, rest: bytes) -> StartupMessage:
    if version.major != PROTOCOL_3_0.major:
        newest = _SUPPORTED_VERSIONS[-1]
        raise ProtocolViolation(
            f"unsupported frontend protocol {version.major}.{version.minor}: "
            f"server supports 3.0 to {newest.major}.{newest.minor}",
            sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
        )
    names_and_values = _split_strings(rest)
    pairs = dict(zip(names_and_values[::2], names_and_values[1::2], strict=True))
    if not pairs.get("user"):
        raise AuthenticationFailed(
            "no PostgreSQL user name specified in startup packet",
            sqlstate=SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
        )
    options = tuple(name for name in pairs if name.startswith(_PROTOCOL_OPTION_PREFIX))
    parameters = {name: value for name, value in pairs.items() if name not in options}
    return StartupMessage(version, MappingProxyType(parameters), options)


def _split_strings(rest: bytes) -> list[str]:
    """Split zero-terminated pairs that end in one more zero byte."""
    layout = "invalid startup packet layout: expected terminator as last byte"
    if rest == b"\0":
        return []
    if not rest.endswith(b"\0\0"):
        raise ProtocolViolation(layout)
    strings = rest[:-2].split(b"\0")
    # A name without a value, or an empty name, which would be the terminator. Values may be empty.
    if len(strings) % 2 or not all(strings[::2]):
        raise ProtocolViolation(layout)
    try:
        return [raw.decode() for raw in strings]
    except UnicodeDecodeError:
        raise ProtocolViolation(
            'invalid byte sequence for encoding "UTF8"', sqlstate=SqlState.CHARACTER_NOT_IN_REPERTOIRE
        ) from None


def negotiate(message: StartupMessage) -> tuple[ProtocolVersion, NegotiateProtocolVersion | None]:
    """Agree on the newest version that both sides speak.

    Returns the version, and what to tell the client first where it asked for another or for `_pq_.` options.
    """
    asked = message.protocol_version
    agreed = max(version for version in _SUPPORTED_VERSIONS if version <= asked)
    if agreed == asked and not message.protocol_options:
        return agreed, None
    return agreed, NegotiateProtocolVersion(agreed.code, message.protocol_options)
