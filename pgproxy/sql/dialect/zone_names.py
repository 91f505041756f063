"""Time zones by name in constants of moments. PostgreSQL docs, "Time Zones"; its abbreviations, `Default`."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_NAMED = re.compile(
    r"(?P<moment>.*\d(?:\s*[ap]m(?![a-z]))?)\s*(?P<zone>[a-z][a-z_]*(?:/[a-z0-9_+-]+)*)\s*", re.IGNORECASE
)
_HOURS = {
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9,
    "akdt": -8, "hst": -10, "ast": -4, "adt": -3, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2,
    "eet": 2, "eest": 3, "msk": 3, "jst": 9, "kst": 9, "nzst": 12, "nzdt": 13, "aest": 10, "sgt": 8, "hkt": 8,
}  # fmt: skip
_NO_ZONE = frozenset({"am", "pm", "z", "utc", "gmt", "bc", "ad", "t"})


def split_zone(text: str) -> tuple[str, str] | None:
    """A moment, and the name of the zone behind it; None where there is none."""
    match = _NAMED.fullmatch(text.strip())
    if match is None or match["zone"].lower() in _NO_ZONE:
        return None
    zone = match["zone"]
    return (match["moment"], zone) if "/" in zone or zone.lower() in _HOURS else None


def offset_at(moment: str, zone: str) -> str | None:
    """The offset of a zone at an ISO moment of its clock, as `+hh:mm`; None where no such zone is known.

    Of two offsets, in a gap or an overlap, PostgreSQL takes standard time, which is the smaller.
    """
    hours = _HOURS.get(zone.lower())
    if hours is not None:
        return f"{hours:+03}:00"
    try:
        local = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
    except (ValueError, KeyError, OSError):
        return None
    offsets = [one for fold in (0, 1) if (one := local.replace(fold=fold).utcoffset()) is not None]
    if not offsets:
        return None
    minutes, rest = divmod(int(min(offsets) / timedelta(seconds=1)), 60)
    sign = "-" if minutes < 0 else "+"
    return None if rest else f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
