"""Times as the audit log keeps them."""

from datetime import UTC, datetime
from functools import lru_cache

ZONE = "+00:00"
"""UTC, as the audit log spells it."""


def moment(unix_s: float, zone: str = ZONE) -> str:
    """UTC in ISO 8601 with microseconds, so that text order is time order. zone: how UTC is spelled."""
    microseconds = round(unix_s * 1_000_000)
    return f"{_second(microseconds // 1_000_000)}.{microseconds % 1_000_000:06d}{zone}"


@lru_cache(maxsize=16)
def _second(unix_s: int) -> str:
    """Kept, since many things happen within one second."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
