"""Times as the metastore keeps them: in microseconds, or in ISO 8601 and UTC, whose text order is theirs."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

ZONE = "+00:00"
"""UTC, as the audit log spells it."""

US_PER_S = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def moment(unix_us: int, zone: str = ZONE) -> str:
    """UTC with microseconds. zone: how UTC is spelled."""
    second, rest = divmod(unix_us, US_PER_S)
    return "%s.%06d%s" % (_second(second), rest, zone)  # noqa: UP031  # a third of an f-string's cost


def microseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=16)
def _second(unix_s: int) -> str:
    """Kept, since many things happen within one second."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
