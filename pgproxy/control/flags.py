"""The settings that may change while gateways run: by SIGHUP, and by `pgproxy flags set` in the metastore.

Pure. What the metastore says wins over the environment, since an operator said it later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

_TRUE = frozenset({"true", "1", "on", "yes"})
_FALSE = frozenset({"false", "0", "off", "no"})


@dataclass(frozen=True, slots=True)
class Flags:
    """Their values; each field is a setting's name in lower case.

    feature_internal_grpc: off, no node is called at all. remote_canary_percent: None: not asked for. With
    none of the three canary settings remote routing is for everybody.
    """

    feature_remote_routing: bool = False
    feature_async_queue: bool = False
    feature_cursor_mode: bool = False
    feature_internal_grpc: bool = True
    remote_canary_users: frozenset[str] = frozenset()
    remote_canary_groups: frozenset[str] = frozenset()
    remote_canary_percent: float | None = None

    def with_stored(self, stored: Mapping[str, str]) -> "Flags":
        """Give the flags with what the metastore says. Raises: ValueError, it does not parse."""
        parsed = {name.lower(): FLAG_PARSERS[name](text) for name, text in stored.items()}
        return replace(self, **parsed)  # type: ignore[arg-type]  # each parser gives its field's type


def parse_boolean(text: str) -> bool:
    """Parse true, false, 1, 0, on, off, yes or no. Raises: ValueError."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("expected true, false, 1, 0, on or off")


def parse_names(text: str) -> frozenset[str]:
    """Parse names with commas between; blanks around them and empty ones do not count."""
    return frozenset(name for part in text.split(",") if (name := part.strip()))


def parse_percent(text: str) -> float:
    """Parse a number from 0 to 100, with or without `%`. Raises: ValueError."""
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise ValueError("expected a number from 0 to 100")
    return percent


FLAG_PARSERS: Mapping[str, Callable[[str], bool | float | frozenset[str]]] = MappingProxyType(
    {
        "FEATURE_REMOTE_ROUTING": parse_boolean,
        "FEATURE_ASYNC_QUEUE": parse_boolean,
        "FEATURE_CURSOR_MODE": parse_boolean,
        "FEATURE_INTERNAL_GRPC": parse_boolean,
        "REMOTE_CANARY_USERS": parse_names,
        "REMOTE_CANARY_GROUPS": parse_names,
        "REMOTE_CANARY_PERCENT": parse_percent,
    }
)
"""By the setting's name."""


class CurrentFlags:
    """The flags that hold now. base: of the environment; the metastore's lie over it."""

    def __init__(self, base: Flags, stored: Mapping[str, str]) -> None:
        self._base = base
        self._stored = dict(stored)
        self._value = base.with_stored(stored)

    @property
    def value(self) -> Flags:
        """What holds."""
        return self._value

    def rebase(self, base: Flags) -> bool:
        """Take the environment's again; give whether anything changed."""
        return self._replace(base, self._stored)

    def store(self, stored: Mapping[str, str]) -> bool:
        """Take the metastore's; give whether anything changed. Raises: ValueError, nothing changed."""
        return self._replace(self._base, dict(stored))

    def _replace(self, base: Flags, stored: dict[str, str]) -> bool:
        value = base.with_stored(stored)
        has_changed = value != self._value
        self._base, self._stored, self._value = base, stored, value
        return has_changed
