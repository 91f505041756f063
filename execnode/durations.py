"""Durations as Go writes them: `10m`, `1m30s`, `1.5h`, `250ms`; `0` needs no unit."""

import re
from types import MappingProxyType

_UNITS_S = MappingProxyType(
    {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
)
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def parse_duration_s(text: str) -> float:
    """Parse a Go-style duration into seconds; never negative.

    Raises:
        ValueError: the text is no such duration.
    """
    if text == "0":
        return 0.0
    total_s = 0.0
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            break
        total_s += float(part[1]) * _UNITS_S[part[2]]
        position = part.end()
    if position == 0 or position < len(text):
        raise ValueError("is not a duration such as 10m, 1m30s or 250ms")
    return total_s
