"""Page tokens: where the next page begins, signed, so that a token of one query is of no use for another."""

import base64
import binascii
import hmac

from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_SIGNATURE_BYTES = 16


def make_page_token(key: bytes, subject: str, place: str) -> str:
    """Make a token. subject: what it is of. place: where the next page begins; readable in the token."""
    signed = _signature(key, subject, place) + place.encode()
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def read_page_token(key: bytes, subject: str, token: str) -> str:
    """Give the place.

    Raises:
        StatementError: 22023, it was not made here for this subject.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        place = raw[_SIGNATURE_BYTES:].decode()
    except (binascii.Error, ValueError):
        raise _invalid() from None
    if not hmac.compare_digest(raw[:_SIGNATURE_BYTES], _signature(key, subject, place)):
        raise _invalid()
    return place


def _signature(key: bytes, subject: str, place: str) -> bytes:
    return hmac.digest(key, f"{subject}\0{place}".encode(), "sha256")[:_SIGNATURE_BYTES]


def _invalid() -> StatementError:
    return StatementError("the page token is not valid", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
