"""What a client certificate proves."""

from enum import StrEnum


class ClientCertificates(StrEnum):
    """What a certificate that our authorities vouch for proves; its first CN is the principal's name.

    off: nothing. optional: who has one for its name needs no password. required: nothing else will do.
    """

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"
