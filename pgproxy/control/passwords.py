"""Verifiers made from passwords and checked against them, off the event loop.

The text is PostgreSQL's (docs, "pg_authid", rolpassword), so `pg_dumpall` output can be taken over.
"""

import asyncio
import secrets
from datetime import UTC, datetime

from pgwire.auth import verifier as scram
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_MAX_ITERATIONS = 10_000_000
"""A login costs as many hash rounds; a verifier that asks for more would be a way to stall the gateway."""


async def make_verifier(password: str, iterations: int = scram.DEFAULT_ITERATIONS) -> str:
    """Hash `password` with a fresh salt.

    Raises:
        StatementError: the password is empty.
    """
    if not password:
        raise StatementError("a password cannot be empty", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
    made = await asyncio.to_thread(scram.make_verifier, password, secrets.token_bytes(16), iterations)
    return made.format()


async def matches_verifier(password: str, verifier: str) -> bool:
    """Whether `verifier` was made from `password`; a text that is no verifier matches nothing."""
    try:
        parsed = scram.parse_verifier(verifier)
    except ValueError:
        return False
    return await asyncio.to_thread(parsed.matches, password)


def check_verifier(verifier: str) -> str:
    """Give back a well-formed verifier.

    Raises:
        StatementError: it is not one; an MD5 hash, for instance.
    """
    try:
        parsed = scram.parse_verifier(verifier)
    except ValueError:
        parsed = None
    if parsed is None or parsed.iterations > _MAX_ITERATIONS or not parsed.salt:
        raise StatementError("not a SCRAM-SHA-256 verifier", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
    return verifier


def is_expired(valid_until: str | None) -> bool:
    """Whether a password's stored end, ISO 8601, has passed."""
    return valid_until is not None and datetime.fromisoformat(valid_until) <= datetime.now(UTC)
