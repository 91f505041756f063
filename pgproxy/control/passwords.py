"""SCRAM-SHA-256 verifiers in PostgreSQL's text format: made from passwords and checked against them.

PostgreSQL docs, "pg_authid" (rolpassword); RFC 5803. Making or checking one costs milliseconds of CPU, so
both run in a thread.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
import secrets

from scramp.utils import ScramException, saslprep

from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

DEFAULT_ITERATIONS = 4096
_MAX_ITERATIONS = 10_000_000
_SALT_BYTES = 16
_VERIFIER = re.compile(
    r"SCRAM-SHA-256\$([1-9][0-9]{0,7}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)", re.ASCII
)


async def make_verifier(password: str, iterations: int = DEFAULT_ITERATIONS) -> str:
    """Hash `password` with a fresh salt, off the event loop.

    Raises:
        StatementError: the password is empty.
    """
    if not password:
        raise StatementError("a password cannot be empty", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
    return await asyncio.to_thread(_derive, password, secrets.token_bytes(_SALT_BYTES), iterations)


async def matches_verifier(password: str, verifier: str) -> bool:
    """Whether `verifier` was made from `password`, in constant time once parsed, off the event loop."""
    match = _VERIFIER.fullmatch(verifier)
    if match is None or not password:
        return False
    derived = await asyncio.to_thread(_derive, password, base64.b64decode(match[2]), int(match[1]))
    return hmac.compare_digest(derived, verifier)


def check_verifier(verifier: str) -> str:
    """Give back a well-formed verifier.

    Raises:
        StatementError: it is not one; an MD5 hash, for instance.
    """
    match = _VERIFIER.fullmatch(verifier)
    if match is not None and int(match[1]) <= _MAX_ITERATIONS:
        try:
            salt, *keys = (base64.b64decode(part, validate=True) for part in match.groups()[1:])
        except binascii.Error:
            salt, keys = b"", []
        if salt and [len(key) for key in keys] == [hashlib.sha256().digest_size] * 2:
            return verifier
    raise StatementError("not a SCRAM-SHA-256 verifier", sqlstate=SqlState.INVALID_PARAMETER_VALUE)


def _derive(password: str, salt: bytes, iterations: int) -> str:
    """RFC 5802, section 3. A password that SASLprep refuses is taken as it is, like PostgreSQL does."""
    try:
        prepared = str(saslprep(password))
    except ScramException:
        prepared = password
    salted = hashlib.pbkdf2_hmac("sha256", prepared.encode(), salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode("ascii") for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${iterations}:{encoded[0]}${encoded[1]}:{encoded[2]}"
