"""Why a principal's statements go where they go, in lines for an operator. Pure, like the decision."""

from collections.abc import Iterable, Iterator, Mapping

from pgproxy.control.fleet import Assignment
from pgproxy.control.rollouts import RolloutUnit
from pgproxy.routing.resolve import (
    AssignmentTier,
    EndpointStatus,
    RoutingFlags,
    StatementTraits,
    assignment_tiers,
    canary_bucket,
    resolve_route,
)


def explain_route(
    flags: RoutingFlags,
    principal: str,
    groups: frozenset[str],
    assignments: Iterable[Assignment],
    endpoints: Mapping[str, EndpointStatus],
) -> Iterator[str]:
    """Give one line a fact, and the decision for a read of the caller's tables as the last one."""
    yield f"remote routing: {'on' if flags.is_remote_enabled else 'off'}"
    yield f"groups: {', '.join(sorted(groups)) or 'none'}"
    yield f"canary: {_canary(flags, principal, groups)}"
    bound = tuple(assignments)
    for tier in assignment_tiers(principal, groups, bound):
        yield from _tier(tier, endpoints)
    for status in sorted(endpoints.values(), key=lambda s: s.name):
        labels = "".join(f" {key}={value}" for key, value in sorted(status.labels.items()))
        yield f"endpoint {status.name}: {status.health}, load {status.load} of {status.capacity}{labels}"
    traits = StatementTraits(is_read_only=True)
    route = resolve_route(flags, principal, groups, bound, endpoints, traits)
    yield f"candidates: {', '.join(route.candidates) or 'none'}; fallback {route.fallback}"
    yield f"route: {route.endpoint or 'local'} ({route.reason})"


def _use(assignment: Assignment) -> str:
    if assignment.is_shadow:
        return f"shadows {assignment.shadow_percent} %"
    return f"fallback {assignment.fallback}"


def _canary(flags: RoutingFlags, principal: str, groups: frozenset[str]) -> str:
    rollout = flags.rollout
    if rollout is not None and flags.waits_for_rollout:
        unit = f"{rollout.percent:g} % by {rollout.unit.value}"
        if rollout.unit is RolloutUnit.SESSION:
            return f"rollout {rollout.name}, {unit}"
        return f"{'in' if rollout.includes(principal, '') else 'not in'} rollout {rollout.name}, {unit}"
    if not flags.has_canary:
        return "everybody"
    allowed = "in" if flags.is_canary(principal, groups) else "not in"
    if flags.canary_percent is None:
        return allowed
    return (
        f"{allowed} (stands at {canary_bucket(principal):.2f}, the first {flags.canary_percent:g} % are in)"
    )


def _tier(tier: AssignmentTier, endpoints: Mapping[str, EndpointStatus]) -> Iterator[str]:
    for a in sorted(tier.assignments, key=lambda a: a.endpoint):
        what = "endpoint" if a.selector is None else "pool"
        named = f"{a.principal} → {what} {a.endpoint}"
        yield f"assignment: {named}, priority {a.priority}, weight {a.weight}, {_use(a)}"
    if not tier.members(endpoints):
        yield "  names no registered endpoint"
