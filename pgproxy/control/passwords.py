"""Verifiers made from passwords and checked against them, off the event loop.

The text is PostgreSQL's (docs, "pg_authid", rolpassword), so `pg_dumpall` output can be taken over.
"""

import asyncio
import secrets
from datetime import UTC, datetime

from pgproxy.control.api_keys import KEY_ID_BYTES, SECRET_BYTES, KeyDraft, make_key_text
from pgproxy.control.state import ControlState
from pgproxy.policy.model import PrincipalKind
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


async def draft_api_key(iterations: int = scram.DEFAULT_ITERATIONS) -> KeyDraft:
    """Make a new API key, for nobody yet."""
    key_id, text = make_key_text(secrets.token_bytes(KEY_ID_BYTES), secrets.token_bytes(SECRET_BYTES))
    return KeyDraft(key_id, text, await make_verifier(text, iterations), datetime.now(UTC))


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


def login_verifier(state: ControlState, user: str, now: datetime) -> str | None:
    """The verifier of a user who may log in by password now, else None."""
    principal = state.principals.get(user)
    if principal is None or principal.kind is not PrincipalKind.USER or not principal.can_login:
        return None
    if principal.valid_until is not None and principal.valid_until <= now:
        return None
    return state.verifiers.get(user)
