"""Query ids: UUIDv7 (RFC 9562). They sort by the time of submission, and no two programs make one twice.

Python has `uuid.uuid7` only from 3.14 on. Clock and randomness are arguments.
"""

import secrets
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A = 0xFFF << 64
_RANDOM_B = (1 << 62) - 1


def uuid7(unix_ms: int, random_bits: int) -> UUID:
    """Make the UUIDv7 of a moment. random_bits: 76 of them; 12 go before the variant, 62 behind it."""
    rand_a = (random_bits << 2) & _RANDOM_A
    return UUID(
        int=(unix_ms & (1 << 48) - 1) << 80 | _VERSION_7 | rand_a | _VARIANT | random_bits & _RANDOM_B
    )


def new_query_id() -> str:
    """Make an id that no other query of any gateway has."""
    return str(uuid7(time.time_ns() // 1_000_000, secrets.randbits(76)))
