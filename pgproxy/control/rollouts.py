"""A rollout as it is administered: who is moved where, in which stages, within which limits. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType

from pgproxy.control.fleet import Endpoint, EndpointState, matches, parse_selector

_BUCKETS = 1 << 32
_PERCENT = 100
_TAKES_NOTHING = frozenset({EndpointState.DRAINING, EndpointState.RETIRED})


class RolloutStatus(StrEnum):
    """RUNNING moves by itself; PAUSED holds its stage; HALTED went back a stage and waits for an operator.

    COMPLETED: the last stage held. ABORTED: nobody is routed by it, and nobody else goes remote instead.
    """

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    HALTED = "HALTED"
    COMPLETED = "COMPLETED"
    ABORTED = "ABORTED"


ROLLOUT_TRANSITIONS: Mapping[RolloutStatus, frozenset[RolloutStatus]] = MappingProxyType(
    {
        RolloutStatus.RUNNING: frozenset(
            {RolloutStatus.PAUSED, RolloutStatus.HALTED, RolloutStatus.COMPLETED, RolloutStatus.ABORTED}
        ),
        RolloutStatus.PAUSED: frozenset({RolloutStatus.RUNNING, RolloutStatus.ABORTED}),
        RolloutStatus.HALTED: frozenset({RolloutStatus.RUNNING, RolloutStatus.ABORTED}),
        RolloutStatus.COMPLETED: frozenset({RolloutStatus.ABORTED}),
        RolloutStatus.ABORTED: frozenset(),
    }
)
"""The whole table of moves."""


class RolloutUnit(StrEnum):
    """What is moved as a whole: a principal with all its sessions, or each session by itself."""

    PRINCIPAL = "principal"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class RolloutLimits:
    """What a stage must keep to.

    min_queries: statements on the target before a stage may end. max_error_rate: infrastructure failures
    and fallbacks over statements, 0 to 1. max_p95_ratio: the target's p95 over the control's.
    max_shadow_mismatches: differing digests within a stage.
    """

    min_queries: int = 200
    max_error_rate: float = 0.01
    max_p95_ratio: float = 1.5
    max_shadow_mismatches: int = 0


@dataclass(frozen=True, slots=True)
class Rollout:
    """One rollout.

    target: an endpoint or a pool's label selector. stages: percents of all units, rising. hold_s: how long a
    stage lasts at least. stage: index into `stages`; -1: before the first, nobody is moved. since: Unix time
    at which this stage or status began. reason: why it stands where it stands.
    """

    name: str
    target: str
    stages: tuple[float, ...]
    hold_s: float = 600.0
    limits: RolloutLimits = field(default_factory=RolloutLimits)
    unit: RolloutUnit = RolloutUnit.PRINCIPAL
    stage: int = 0
    status: RolloutStatus = RolloutStatus.RUNNING
    since: float = 0.0
    reason: str = ""

    @property
    def percent(self) -> float:
        """The share of units that is moved now."""
        if self.stage < 0 or self.status is RolloutStatus.ABORTED:
            return 0.0
        return self.stages[self.stage]

    def includes(self, principal: str, session: str) -> bool:
        """Whether a statement of `session` of `principal` is moved now.

        A unit that one stage moves stays moved in every larger one.
        """
        unit = principal if self.unit is RolloutUnit.PRINCIPAL else f"{principal}\0{session}"
        digest = blake2b(f"{self.name}\0{unit}".encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big") * _PERCENT < self.percent * _BUCKETS

    def is_target(self, endpoint: str, labels: Mapping[str, str]) -> bool:
        """Whether it moves work to this endpoint. labels: the endpoint's."""
        if "=" in self.target:
            return matches(labels, parse_selector(self.target))
        return endpoint == self.target

    def lost_target(self, endpoints: Iterable[Endpoint]) -> str:
        """Say why no endpoint of the target takes new work; empty: one does, if it is well."""
        meant = [e for e in endpoints if self.is_target(e.name, e.all_labels)]
        if any(e.state not in _TAKES_NOTHING for e in meant):
            return ""
        if "=" in self.target:
            takes_nothing = f"no endpoint with the labels {self.target} takes new work"
            return takes_nothing if meant else f"no endpoint has the labels {self.target}"
        return f'endpoint "{self.target}" ' + (f"is {meant[0].state.value}" if meant else "does not exist")

    def moved(self, to: RolloutStatus, now: float, reason: str, stage: int | None = None) -> "Rollout":
        """Give the rollout in another status, and stage where one is given.

        Raises:
            ValueError: the table of moves has no such move.
        """
        if to is not self.status and to not in ROLLOUT_TRANSITIONS[self.status]:
            raise ValueError(f"a rollout that is {self.status.value} cannot become {to.value}")
        next_stage = self.stage if stage is None else stage
        return replace(self, status=to, stage=next_stage, since=now, reason=reason)


def effective_rollout(rollouts: Iterable[Rollout]) -> Rollout | None:
    """The one that decides routes: what was not aborted, else the latest that was. None: there is none."""
    return max(rollouts, key=lambda r: (r.status is not RolloutStatus.ABORTED, r.since), default=None)


def parse_stages(text: str) -> tuple[float, ...]:
    """Parse `1%,10%,50%,100%`.

    Raises:
        ValueError: a percent is not above 0 and at most 100, or not above the one before.
    """
    stages = tuple(_parse_percent(part) for part in text.split(","))
    rising = all(low < high for low, high in zip((0.0, *stages), stages, strict=False))
    if not rising or stages[-1] > _PERCENT:
        raise ValueError("stages are percents above 0 and up to 100, each above the one before")
    return stages


def _parse_percent(text: str) -> float:
    try:
        return float(text.strip().removesuffix("%"))
    except ValueError:
        raise ValueError("a stage is a percent, such as 10%") from None
