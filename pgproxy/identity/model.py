"""An attempt to come in, and the identity that it ends in."""

from dataclasses import dataclass
from enum import StrEnum

from pgproxy.control.api_keys import Interface
from pgproxy.policy.model import WHOLE_SCOPE, CredentialScope


class AuthMethod(StrEnum):
    """How an identity was proven; the label of the metric."""

    SCRAM = "scram-sha-256"
    SCRAM_PLUS = "scram-sha-256-plus"
    PASSWORD = "password"  # noqa: S105  # the name of a method
    API_KEY = "api_key"
    JWT = "jwt"
    CERTIFICATE = "cert"


@dataclass(frozen=True, slots=True)
class Identity:
    """A proven principal. scope: what of its rights this credential carries. key_id: of the API key used."""

    principal: str
    method: AuthMethod
    scope: CredentialScope = WHOLE_SCOPE
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What a client says and shows before it is asked for anything.

    user, database: from the startup packet. address: without a port; empty: none. certificate_names: the CNs
    of a certificate that our authorities vouch for. channel_binding: our certificate's hash; None: no TLS.
    """

    user: str
    database: str
    address: str
    is_tls: bool = False
    certificate_names: tuple[str, ...] = ()
    channel_binding: bytes | None = None
    interface: Interface = Interface.POSTGRES
