"""Times as the audit log keeps them."""

from datetime import UTC, datetime


def moment(unix_s: float) -> str:
    """UTC in ISO 8601 with microseconds, so that text order is time order."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="microseconds")
