"""UTC offsets of the session's time zone for whole columns.

PostgreSQL docs, "Time Zones" and "POSIX Time Zone Specifications".

Arrow's own zone arithmetic stops knowing daylight saving after 2037, so a zone's transitions are taken from
`zoneinfo`, once a process and zone, and looked up by binary search.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from pgwire.errors import StatementError
from pgwire.rows.arrow import pa
from pgwire.rows.cells import Fixed, Piece, Varying
from pgwire.sqlstate import SqlState

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1840, 2440
# The Gregorian calendar, weekdays included, repeats every 400 years, and zone rules are about weekdays.
_CYCLE_S = 146_097 * 86_400
_STEP_S = 7 * 86_400
_POSIX = re.compile(r"(?:<[^>]*>|[A-Za-z]*)([+-]?)(\d{1,2})(?::?(\d{2}))?(?::(\d{2}))?\Z")
_HOURS = re.compile(r"[+-]?\d+(?:\.\d+)?\Z")


class ZoneOffsets:
    """A zone's offsets east of UTC, in seconds.

    transitions_s: instants, in seconds since 1970; none for a fixed offset. offsets_s: before the first of
    them, and from each on.
    """

    def __init__(self, transitions_s: npt.NDArray[np.int64], offsets_s: npt.NDArray[np.int64]) -> None:
        self.transitions_s = transitions_s
        self.offsets_s = offsets_s

    def at(self, micros: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give the offset in seconds at each instant (microseconds since 1970, UTC)."""
        if len(self.offsets_s) == 1:
            return np.broadcast_to(self.offsets_s, micros.shape)
        seconds = micros // 1_000_000
        late = int(self.transitions_s[-1])
        if len(seconds) and int(seconds.max()) > late:
            cycles = np.maximum(-(-(seconds - late) // _CYCLE_S), 0)
            seconds = seconds - cycles * _CYCLE_S
        return self.offsets_s[np.searchsorted(self.transitions_s, seconds, "right")]


@lru_cache(maxsize=256)
def zone_offsets(name: str) -> ZoneOffsets:
    """Read a zone: an IANA name, a number of hours east, or a POSIX offset (`UTC+3` is west).

    Raises:
        StatementError: 22023, there is no such zone.
    """
    fixed_s = _fixed_offset(name)
    if fixed_s is not None:
        return ZoneOffsets(np.zeros(0, np.int64), np.array([fixed_s], np.int64))
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise StatementError(
            f'invalid value for parameter "TimeZone": "{name}"', sqlstate=SqlState.INVALID_PARAMETER_VALUE
        ) from error
    return _sampled(zone)


def offset_pieces(offsets_s: npt.NDArray[np.int64]) -> tuple[Piece, ...]:
    """Give `+00`, `-05:30` or `+00:53:28` for each offset."""
    if len(offsets_s) == 0:
        return ()
    if offsets_s.min() == offsets_s.max():
        return (Fixed((_offset_text(int(offsets_s[0])),)),)
    distinct, index = np.unique(offsets_s, return_inverse=True)
    texts = pa.array([_offset_text(int(offset)) for offset in distinct], pa.binary())
    return (Varying(texts.take(pa.array(index))),)


def _offset_text(offset_s: int) -> bytes:
    sign = "-" if offset_s < 0 else "+"
    hours, rest = divmod(abs(offset_s), 3600)
    minutes, seconds = divmod(rest, 60)
    text = f"{sign}{hours:02d}"
    if minutes or seconds:
        text += f":{minutes:02d}"
    if seconds:
        text += f":{seconds:02d}"
    return text.encode()


def _fixed_offset(name: str) -> int | None:
    if name.upper() in {"UTC", "GMT", "ETC/UTC", "ZULU", "Z"}:
        return 0
    if _HOURS.match(name):
        return round(float(name) * 3600)
    found = _POSIX.match(name)
    if found is None:
        return None
    hours, minutes, seconds = int(found[2]), int(found[3] or 0), int(found[4] or 0)
    west_s = hours * 3600 + minutes * 60 + seconds
    return west_s if found[1] == "-" else -west_s


def _sampled(zone: ZoneInfo) -> ZoneOffsets:
    """Find transitions by weekly samples and bisection to the second."""

    def offset_at(second: int) -> int:
        moment = (_EPOCH + timedelta(seconds=second)).astimezone(zone)
        offset = moment.utcoffset()
        return 0 if offset is None else int(offset.total_seconds())

    first = int((datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
    last = int((datetime(_LAST_YEAR, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
    transitions, offsets = [], [offset_at(first)]
    for second in range(first + _STEP_S, last, _STEP_S):
        after = offset_at(second)
        if after == offsets[-1]:
            continue
        low, high = second - _STEP_S, second
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset_at(middle) == offsets[-1] else (low, middle)
        transitions.append(high)
        offsets.append(after)
    if not transitions:
        return ZoneOffsets(np.zeros(0, np.int64), np.array(offsets, np.int64))
    # A sentinel: instants after it are moved back by whole cycles.
    return ZoneOffsets(np.array([*transitions, last], np.int64), np.array([*offsets, offsets[-1]], np.int64))
