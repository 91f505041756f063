"""Slows down guessing of passwords: a lock with back-off after failures, by principal and address.

Three tallies per failure. The pair (name, address) locks first. An address that fails for many names, and a
name that fails from many addresses, lock too, but never for a pair that has logged in before: so nobody locks
an administrator out of the place where they work. A lock is never extended by what arrives while it holds,
and is at most `longest_s`. Names that do not exist are counted like those that do. Credentials that cannot
be guessed (API keys, tokens, certificates) do not come here. IPv6 addresses count by their /64.

What one gateway learns the others get as notes; see `pgproxy.identity.sharing`.
"""

import hashlib
import ipaddress
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from pgproxy.control.hba import parse_address
from pgproxy.control.notes import Note

TOPIC = "login"
UNLOCK_TOPIC = "unlock"
_ANY = ""
_IPV6_PREFIX = 64
_TALLIES_LIMIT = 50_000
"""Bounds the memory that ever new names and addresses can take; the oldest go first."""

_KNOWN_REFRESH_S = 86_400.0


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """How guesses are slowed down.

    lock_after: failures of one pair that are free; 0: nothing is ever locked. first_s: the first lock; each
    further failure doubles it, up to longest_s. address_factor, name_factor: how many times lock_after the
    failures of an address or a name may be. forget_s: silence after which failures are forgotten.
    known_s: for how long a pair that has logged in is known.
    """

    lock_after: int = 5
    first_s: float = 1.0
    longest_s: float = 900.0
    address_factor: int = 10
    name_factor: int = 20
    forget_s: float = 3600.0
    known_s: float = 30 * 86_400.0


class _Key(NamedTuple):
    """name: hashed, since people type passwords where the name should be."""

    name: str
    network: str


@dataclass(slots=True)
class _Tally:
    """failures: since the last success. changed_at: the newer of two gateways' wins."""

    failures: int = 0
    last_failure: float = 0.0
    locked_until: float = 0.0
    succeeded_at: float = 0.0
    changed_at: float = 0.0


class LoginThrottle:
    """The tallies of one gateway. clock: seconds since the epoch, comparable between gateways."""

    def __init__(self, policy: LockPolicy, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._clock = clock
        self._tallies: OrderedDict[_Key, _Tally] = OrderedDict()
        self._unlocked: dict[str, float] = {}
        self._changed: set[_Key] = set()

    def is_locked(self, name: str, address: str) -> bool:
        """Whether a guess for this name from this address is not even looked at now."""
        if self._policy.lock_after == 0:
            return False
        now, network, name = self._clock(), _network(address), _hashed(name)
        pair = self._tallies.get(_Key(name, network))
        if pair is not None and now < pair.locked_until:
            return True
        if pair is not None and now - pair.succeeded_at < self._policy.known_s:
            return False
        wide = (self._tallies.get(key) for key in (_Key(_ANY, network), _Key(name, _ANY)))
        return any(tally is not None and now < tally.locked_until for tally in wide)

    def failed(self, name: str, address: str) -> None:
        """Count a guess that was looked at and wrong."""
        policy, network, name = self._policy, _network(address), _hashed(name)
        if policy.lock_after == 0:
            return
        self._count(_Key(name, network), policy.lock_after)
        self._count(_Key(_ANY, network), policy.lock_after * policy.address_factor)
        self._count(_Key(name, _ANY), policy.lock_after * policy.name_factor)

    def succeeded(self, name: str, address: str) -> None:
        """Forget a pair's failures, and know it from now on; the wider tallies are of other guesses, too."""
        if self._policy.lock_after == 0:
            return
        key, now = _Key(_hashed(name), _network(address)), self._clock()
        tally = self._tally(key)
        is_news = tally.failures > 0 or now - tally.succeeded_at > _KNOWN_REFRESH_S
        if is_news:
            tally.failures, tally.locked_until, tally.succeeded_at, tally.changed_at = 0, 0.0, now, now
            self._changed.add(key)

    def unlock(self, name: str) -> None:
        """Forget every failure of a name up to now, from wherever it came."""
        self._unlock(_hashed(name), self._clock())

    def _unlock(self, name: str, moment: float) -> None:
        self._unlocked[name] = max(moment, self._unlocked.get(name, 0.0))
        for key, tally in self._tallies.items():
            if key.name == name and tally.last_failure <= moment:
                tally.failures, tally.locked_until = 0, 0.0

    def take_changes(self) -> tuple[Note, ...]:
        """Give what other gateways do not know yet: locks, their ends, and pairs that are known."""
        changed, self._changed = self._changed, set()
        return tuple(_note(key, self._tallies[key]) for key in changed if key in self._tallies)

    def merge(self, notes: Iterable[Note]) -> None:
        """Take what other gateways know; the newer of two wins."""
        for note in notes:
            if note.topic == UNLOCK_TOPIC:
                self._unlock(note.key, note.noted_at.timestamp())
            else:
                self._merge_tally(note)

    def _merge_tally(self, note: Note) -> None:
        name, network = json.loads(note.key)
        failures, last_failure, locked_until, succeeded_at = json.loads(note.text)
        changed_at = note.noted_at.timestamp()
        tally = self._tally(_Key(name, network))
        is_forgiven = failures and last_failure <= self._unlocked.get(name, -1.0)
        if tally.changed_at >= changed_at or is_forgiven:
            return
        tally.failures, tally.last_failure = failures, last_failure
        tally.locked_until, tally.succeeded_at, tally.changed_at = locked_until, succeeded_at, changed_at

    def _count(self, key: _Key, free: int) -> None:
        policy, now, tally = self._policy, self._clock(), self._tally(key)
        if now - tally.last_failure > policy.forget_s:
            tally.failures = 0
        tally.failures += 1
        tally.last_failure = tally.changed_at = now
        over = tally.failures - free
        if over >= 0:
            doubled = policy.first_s * 2.0 ** min(over, 40)
            tally.locked_until = now + min(doubled, policy.longest_s)
            self._changed.add(key)

    def _tally(self, key: _Key) -> _Tally:
        found = self._tallies.get(key)
        if found is None:
            if len(self._tallies) >= _TALLIES_LIMIT:
                self._tallies.popitem(last=False)
            found = self._tallies[key] = _Tally()
        self._tallies.move_to_end(key)
        return found


def unlock_note(name: str, at: datetime) -> Note:
    """Tell every gateway to forget the failures of a name."""
    return Note(UNLOCK_TOPIC, _hashed(name), "", at)


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _network(address: str) -> str:
    """What an attacker can be expected to have: one IPv4 address, or a /64 of IPv6."""
    found = parse_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))
    return str(found) if found is not None else "local"


def _note(key: _Key, tally: _Tally) -> Note:
    text = json.dumps([tally.failures, tally.last_failure, tally.locked_until, tally.succeeded_at])
    return Note(TOPIC, json.dumps(list(key)), text, datetime.fromtimestamp(tally.changed_at, UTC))
