"""Which endpoint runs a statement, and why: one pure function over flags, principal, assignments and states.

It knows no engine and no clock. What it returns goes to the audit log, the metrics and `SHOW
pgproxy.last_route`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from itertools import groupby

from pgproxy.control.flags import Flags
from pgproxy.control.fleet import Assignment, Fallback, matches
from pgproxy.control.rollouts import Rollout


class EndpointHealth(StrEnum):
    """What the prober believes of an endpoint.

    SUSPECT: it failed lately; tried only after every ACTIVE one. DRAINING: finishes what it has, takes
    nothing new.
    """

    ACTIVE = "active"
    SUSPECT = "suspect"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"


class RouteReason(StrEnum):
    """Why a statement goes where it goes; the same word in metrics, logs and audit."""

    FLAG_OFF = "flag_off"
    NOT_CANARY = "not_canary"
    ROLLOUT = "rollout"
    SHADOW = "shadow"
    CATALOG = "catalog"
    WRITE = "write"
    ASSIGNED_USER = "assigned_user"
    ASSIGNED_GROUP = "assigned_group"
    ANY_ENDPOINT = "any_endpoint"
    NO_ENDPOINT = "no_endpoint"
    PINNED = "pinned"
    STORED = "stored"

    @property
    def arm(self) -> "Arm":
        """On which side of the comparison a statement with this reason counts."""
        if self in _CANARY:
            return Arm.CANARY
        return Arm.CONTROL if self in _CONTROL else Arm.NONE


class Arm(StrEnum):
    """canary: its principal goes to nodes. control: it could, but its principal stays here. none: neither."""

    CANARY = "canary"
    CONTROL = "control"
    NONE = "none"


_CANARY = frozenset(
    {RouteReason.ROLLOUT, RouteReason.ASSIGNED_USER, RouteReason.ASSIGNED_GROUP, RouteReason.ANY_ENDPOINT}
)
_CONTROL = frozenset({RouteReason.NOT_CANARY, RouteReason.SHADOW})


class PrincipalScope(Enum):
    """Whether an assignment is the user's own or a group's."""

    USER = 0
    GROUP = 1


@dataclass(frozen=True, slots=True)
class RoutingFlags:
    """The part of the settings that routing needs.

    canary_percent: None: not asked for. With no canary setting at all everybody may go remote.
    """

    is_remote_enabled: bool = False
    canary_users: frozenset[str] = frozenset()
    canary_groups: frozenset[str] = frozenset()
    canary_percent: float | None = None
    rollout: Rollout | None = None

    @classmethod
    def of(cls, flags: Flags, rollout: Rollout | None = None) -> "RoutingFlags":
        """Take them from the settings and from the rollout that holds now."""
        return cls(
            flags.feature_remote_routing and flags.feature_internal_grpc,
            flags.remote_canary_users,
            flags.remote_canary_groups,
            flags.remote_canary_percent,
            rollout,
        )

    @property
    def has_canary(self) -> bool:
        """Whether only some may go remote."""
        return bool(self.canary_users or self.canary_groups) or self.canary_percent is not None

    @property
    def waits_for_rollout(self) -> bool:
        """Whether those whom no flag names as canaries stay until the rollout moves them."""
        return self.rollout is not None and not self.has_canary

    def is_canary(self, principal: str, groups: frozenset[str]) -> bool:
        """Whether the principal may go remote."""
        if not self.has_canary or principal in self.canary_users or groups & self.canary_groups:
            return True
        return self.canary_percent is not None and canary_bucket(principal) < self.canary_percent


def canary_bucket(principal: str) -> float:
    """Where a principal stands between 0 and 100: the same in every gateway and after every restart.

    Raising the percentage only adds principals.
    """
    digest = hashlib.sha256(b"pgproxy canary\0" + principal.encode()).digest()
    return int.from_bytes(digest[:8], "big") / (1 << 64) * 100


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """What is known of one endpoint without asking it.

    load: statements running or queued on it. capacity: how many it runs well at once. labels: of pools.
    """

    name: str
    health: EndpointHealth
    load: int = 0
    capacity: int = 1
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_usable(self) -> bool:
        """Whether new work may be sent there."""
        return self.health in (EndpointHealth.ACTIVE, EndpointHealth.SUSPECT)

    def pressure(self, weight: int = 1) -> float:
        """How busy one more statement would make it, against its capacity and its share of the work."""
        return (self.load + 1) / (max(self.capacity, 1) * weight)


@dataclass(frozen=True, slots=True)
class StatementTraits:
    """The part of a plan that routing needs.

    is_catalog: reads system relations, which only the embedded engine has. can_write_remotely: every catalog
    that it writes is attached writable on the nodes; without that a write stays local.
    """

    is_read_only: bool
    is_catalog: bool = False
    can_write_remotely: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Where a statement goes. endpoint None: the embedded engine; an unusable pool: its label selector.

    candidates: usable endpoints in the order in which to try them, `endpoint` first where it is usable.
    fallback DISABLED: only `endpoint` may run it, and if `candidates` is empty it is not usable now; the
    other candidates are of the same assignments, for a statement that `endpoint` has refused to queue.
    """

    endpoint: str | None
    reason: RouteReason
    fallback: Fallback
    candidates: tuple[str, ...] = ()


def resolve_route(  # noqa: PLR0913, PLR0917 - the decision's whole input, one argument a concept
    flags: RoutingFlags,
    principal: str,
    groups: frozenset[str],
    assignments: Iterable[Assignment],
    endpoints: Mapping[str, EndpointStatus],
    statement: StatementTraits,
    session: str = "",
) -> Route:
    """Resolve where `statement` of `principal` runs. groups: transitive. session: for rollouts by session.

    A rollout moves those who have no assignment: that is the operator's more precise word.
    """
    bound = tuple(assignments)
    stays_local = reason_to_stay(flags, statement)
    if stays_local is not None:
        return _local(stays_local)
    tiers = tuple(assignment_tiers(principal, groups, (a for a in bound if not a.is_shadow)))
    if not tiers and flags.rollout is not None and flags.rollout.includes(principal, session):
        moved = Assignment(principal, flags.rollout.target, fallback=Fallback.AUTOMATIC)
        return _assigned_route((AssignmentTier(RouteReason.ROLLOUT, (moved,)),), endpoints)
    if not flags.is_canary(principal, groups) or (not tiers and flags.waits_for_rollout):
        return _local(RouteReason.NOT_CANARY)
    if tiers:
        return _assigned_route(tiers, endpoints)
    if shadow_tier(principal, groups, bound) is not None:
        return _local(RouteReason.SHADOW)
    anywhere = _by_preference((status, 1) for status in endpoints.values())
    if not anywhere:
        return _local(RouteReason.NO_ENDPOINT)
    return Route(anywhere[0], RouteReason.ANY_ENDPOINT, Fallback.AUTOMATIC, anywhere)


def reason_to_stay(flags: RoutingFlags, statement: StatementTraits) -> RouteReason | None:
    """Why a statement stays here whoever asks."""
    if not flags.is_remote_enabled:
        return RouteReason.FLAG_OFF
    if statement.is_catalog:
        return RouteReason.CATALOG
    if not statement.is_read_only and not statement.can_write_remotely:
        return RouteReason.WRITE
    return None


def _local(reason: RouteReason) -> Route:
    return Route(None, reason, Fallback.DISABLED)


@dataclass(frozen=True, slots=True)
class AssignmentTier:
    """Assignments of equal rank: one principal, one priority."""

    reason: RouteReason
    assignments: tuple[Assignment, ...]

    @property
    def first_target(self) -> str:
        """What to name where none of the tier can be used: an endpoint or a pool."""
        return min(a.endpoint for a in self.assignments)

    @property
    def fallback(self) -> Fallback:
        """One assignment without fallback binds its whole tier: the strict reading of a contradiction."""
        if any(a.fallback is Fallback.DISABLED for a in self.assignments):
            return Fallback.DISABLED
        return Fallback.AUTOMATIC

    def members(self, endpoints: Mapping[str, EndpointStatus]) -> Mapping[str, int]:
        """The registered endpoints that the tier names, each with its greatest weight."""
        found: dict[str, int] = {}
        for assignment in self.assignments:
            selector = assignment.selector
            for name, status in endpoints.items():
                is_meant = (
                    name == assignment.endpoint if selector is None else matches(status.labels, selector)
                )
                if is_meant:
                    found[name] = max(assignment.weight, found.get(name, 0))
        return found


def assignment_tiers(
    principal: str, groups: frozenset[str], assignments: Iterable[Assignment]
) -> Iterator[AssignmentTier]:
    """The caller's assignments, best first: its own, then its groups', by priority, then by name."""
    mine = [(scope, a) for a in assignments if (scope := _scope(a, principal, groups)) is not None]
    mine.sort(key=_rank)
    for _, members in groupby(mine, key=_rank):
        tier = tuple(a for _, a in members)
        is_own = tier[0].principal == principal
        yield AssignmentTier(RouteReason.ASSIGNED_USER if is_own else RouteReason.ASSIGNED_GROUP, tier)


def shadow_tier(
    principal: str, groups: frozenset[str], assignments: Iterable[Assignment]
) -> AssignmentTier | None:
    """The caller's best assignments that only shadow; None: there is none."""
    return next(assignment_tiers(principal, groups, (a for a in assignments if a.is_shadow)), None)


def resolve_shadow(
    route: Route,
    principal: str,
    groups: frozenset[str],
    assignments: Iterable[Assignment],
    endpoints: Mapping[str, EndpointStatus],
) -> tuple[str, int] | None:
    """Which endpoint shadows a statement that `route` serves here, and what percent of them; None: no one.

    Only what stayed because its principal is not moved yet: what else stays could not run there.
    """
    if route.reason not in (RouteReason.NOT_CANARY, RouteReason.SHADOW):
        return None
    tier = shadow_tier(principal, groups, assignments)
    usable = _usable(tier, endpoints) if tier is not None else ()
    if tier is None or not usable:
        return None
    return usable[0], max(a.shadow_percent for a in tier.assignments)


def _scope(assignment: Assignment, principal: str, groups: frozenset[str]) -> PrincipalScope | None:
    if assignment.principal == principal:
        return PrincipalScope.USER
    return PrincipalScope.GROUP if assignment.principal in groups else None


def _rank(scoped: tuple[PrincipalScope, Assignment]) -> tuple[int, int, str]:
    scope, assignment = scoped
    return (scope.value, assignment.priority, assignment.principal)


def _assigned_route(tiers: tuple[AssignmentTier, ...], endpoints: Mapping[str, EndpointStatus]) -> Route:
    """The best tier decides the reason and the fallback; the others are only places to fall back to.

    An assigned endpoint that is not registered is one that cannot be used: it never frees its principal from
    `fallback = disabled`.
    """
    first = tiers[0]
    own = _usable(first, endpoints)
    endpoint = own[0] if own else first.first_target
    if first.fallback is Fallback.DISABLED:
        return Route(endpoint, first.reason, first.fallback, own)
    candidates = list(own)
    for tier in tiers[1:]:
        candidates += _usable(tier, endpoints)
    candidates += _by_preference((status, 1) for status in endpoints.values())
    return Route(endpoint, first.reason, first.fallback, tuple(dict.fromkeys(candidates)))


def _usable(tier: AssignmentTier, endpoints: Mapping[str, EndpointStatus]) -> tuple[str, ...]:
    return _by_preference((endpoints[name], weight) for name, weight in tier.members(endpoints).items())


def _by_preference(weighted: Iterable[tuple[EndpointStatus, int]]) -> tuple[str, ...]:
    """Usable endpoints: those in good health before suspects, then the least loaded, then by name."""
    usable = [(status, weight) for status, weight in weighted if status.is_usable]
    usable.sort(key=lambda u: (u[0].health is not EndpointHealth.ACTIVE, u[0].pressure(u[1]), u[0].name))
    return tuple(status.name for status, _ in usable)
