"""The routing decision, case by case."""

from dataclasses import replace

import pytest

from pgproxy.control.fleet import Assignment, Fallback
from pgproxy.control.rollouts import Rollout, RolloutStatus
from pgproxy.routing.resolve import (
    EndpointHealth,
    EndpointStatus,
    Route,
    RouteReason,
    RoutingFlags,
    StatementTraits,
    canary_bucket,
    resolve_route,
    resolve_shadow,
)

ON = RoutingFlags(is_remote_enabled=True)
READ = StatementTraits(is_read_only=True)


def status(
    name: str,
    health: EndpointHealth = EndpointHealth.ACTIVE,
    load: int = 0,
    capacity: int = 1,
    **labels: str,
) -> EndpointStatus:
    return EndpointStatus(name, health, load, capacity, labels)


def route(
    *endpoints: EndpointStatus,
    assignments: tuple[Assignment, ...] = (),
    flags: RoutingFlags = ON,
    groups: frozenset[str] = frozenset(),
    statement: StatementTraits = READ,
) -> Route:
    known = {endpoint.name: endpoint for endpoint in endpoints}
    return resolve_route(flags, "ann", groups, assignments, known, statement)


def test_everything_stays_local_while_the_flag_is_off() -> None:
    decided = route(status("a"), flags=RoutingFlags(), assignments=(Assignment("ann", "a"),))
    assert (decided.endpoint, decided.reason) == (None, RouteReason.FLAG_OFF)


@pytest.mark.parametrize(
    ("flags", "groups", "reason"),
    [
        (RoutingFlags(True, frozenset({"bob"})), frozenset(), RouteReason.NOT_CANARY),
        (RoutingFlags(True, frozenset(), frozenset({"early"})), frozenset({"late"}), RouteReason.NOT_CANARY),
        (RoutingFlags(True, frozenset({"ann"})), frozenset(), RouteReason.ANY_ENDPOINT),
        (
            RoutingFlags(True, frozenset({"bob"}), frozenset({"early"})),
            frozenset({"early"}),
            RouteReason.ANY_ENDPOINT,
        ),
    ],
)
def test_a_canary_list_lets_only_its_members_go_remote(
    flags: RoutingFlags, groups: frozenset[str], reason: RouteReason
) -> None:
    assert route(status("a"), flags=flags, groups=groups).reason is reason


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (StatementTraits(is_read_only=True, is_catalog=True), RouteReason.CATALOG),
        (StatementTraits(is_read_only=False), RouteReason.WRITE),
        (StatementTraits(is_read_only=False, can_write_remotely=True), RouteReason.ANY_ENDPOINT),
    ],
)
def test_catalog_reads_and_writes_that_nodes_cannot_do_stay_local(
    statement: StatementTraits, reason: RouteReason
) -> None:
    assert route(status("a"), statement=statement).reason is reason


def test_the_users_own_assignment_comes_before_its_groups() -> None:
    decided = route(
        status("a"),
        status("b"),
        assignments=(Assignment("crew", "a", priority=1), Assignment("ann", "b", priority=9)),
        groups=frozenset({"crew"}),
    )
    assert (decided.endpoint, decided.reason) == ("b", RouteReason.ASSIGNED_USER)


def test_groups_are_asked_by_priority_and_then_by_name() -> None:
    groups = frozenset({"alpha", "beta", "gamma"})
    by_priority = (Assignment("alpha", "a", priority=5), Assignment("beta", "b", priority=1))
    assert route(status("a"), status("b"), assignments=by_priority, groups=groups).endpoint == "b"
    by_name = (Assignment("gamma", "a"), Assignment("beta", "b"))
    assert route(status("a"), status("b"), assignments=by_name, groups=groups).endpoint == "b"


def test_other_principals_assignments_say_nothing() -> None:
    decided = route(status("a"), status("b", load=1), assignments=(Assignment("bob", "b"),))
    assert (decided.endpoint, decided.reason) == ("a", RouteReason.ANY_ENDPOINT)


def test_among_equal_healthy_endpoints_the_least_loaded_is_taken() -> None:
    both = (Assignment("ann", "a"), Assignment("ann", "b"))
    assert route(status("a", load=3), status("b", load=2), assignments=both).endpoint == "b"
    assert route(status("a", load=3), status("b", load=2)).endpoint == "b"
    assert route(status("a"), status("b")).endpoint == "a"


def test_a_suspect_is_tried_after_every_healthy_endpoint() -> None:
    decided = route(status("a", EndpointHealth.SUSPECT), status("b", load=50))
    assert decided.candidates == ("b", "a")


def test_without_fallback_an_unusable_endpoint_leaves_no_candidate() -> None:
    own = (Assignment("ann", "a", fallback=Fallback.DISABLED),)
    decided = route(status("a", EndpointHealth.UNHEALTHY), status("b"), assignments=own)
    assert decided == Route("a", RouteReason.ASSIGNED_USER, Fallback.DISABLED, ())


def test_an_endpoint_that_is_not_registered_does_not_free_its_principal() -> None:
    own = (Assignment("ann", "gone", fallback=Fallback.DISABLED),)
    assert route(status("b"), assignments=own) == Route(
        "gone", RouteReason.ASSIGNED_USER, Fallback.DISABLED, ()
    )


def test_with_fallback_the_next_assignment_and_then_any_endpoint_are_candidates() -> None:
    decided = route(
        status("a", EndpointHealth.DRAINING),
        status("b", load=9),
        status("c"),
        assignments=(
            Assignment("ann", "a", fallback=Fallback.AUTOMATIC),
            Assignment("crew", "b", fallback=Fallback.DISABLED),
        ),
        groups=frozenset({"crew"}),
    )
    assert decided == Route("a", RouteReason.ASSIGNED_USER, Fallback.AUTOMATIC, ("b", "c"))


def test_one_strict_assignment_binds_all_of_equal_rank() -> None:
    decided = route(
        status("a"),
        status("b"),
        status("c"),
        assignments=(
            Assignment("ann", "a", fallback=Fallback.AUTOMATIC),
            Assignment("ann", "b", fallback=Fallback.DISABLED),
        ),
    )
    assert (decided.fallback, decided.candidates) == (Fallback.DISABLED, ("a", "b"))


def test_no_usable_endpoint_and_no_assignment_means_local() -> None:
    decided = route(status("a", EndpointHealth.UNHEALTHY))
    assert decided == Route(None, RouteReason.NO_ENDPOINT, Fallback.DISABLED, ())


def test_a_percentage_lets_a_stable_share_go_remote_and_raising_it_only_adds() -> None:
    names = [f"user{n}" for n in range(2000)]

    def share(percent: float) -> set[str]:
        flags = RoutingFlags(True, canary_percent=percent)
        return {name for name in names if flags.is_canary(name, frozenset())}

    assert share(0) == set()
    assert share(100) == set(names)
    assert 150 < len(share(10)) < 250
    assert share(10) < share(30)
    assert canary_bucket("ann") == pytest.approx(61.1992, abs=1e-4)


def test_a_canary_list_adds_to_the_percentage() -> None:
    flags = RoutingFlags(True, frozenset({"ann"}), canary_percent=0)
    assert route(status("a"), flags=flags).reason is RouteReason.ANY_ENDPOINT
    nobody = RoutingFlags(True, canary_percent=0)
    assert route(status("a"), flags=nobody).reason is RouteReason.NOT_CANARY


def test_a_pool_is_every_endpoint_with_its_labels() -> None:
    fleet = (status("a", zone="eu", load=5), status("b", zone="us"), status("c", zone="eu", size="large"))
    pool = (Assignment("ann", "zone=eu"),)
    assert route(*fleet, assignments=pool) == Route(
        "c", RouteReason.ASSIGNED_USER, Fallback.DISABLED, ("c", "a")
    )
    narrow = (Assignment("ann", "size=large,zone=eu"),)
    assert route(*fleet, assignments=narrow).candidates == ("c",)


def test_an_empty_pool_without_fallback_frees_nobody() -> None:
    decided = route(status("a"), assignments=(Assignment("ann", "zone=eu"),))
    assert decided == Route("zone=eu", RouteReason.ASSIGNED_USER, Fallback.DISABLED, ())


def test_load_counts_against_capacity_and_weight() -> None:
    by_capacity = route(status("a", load=3, capacity=2), status("b", load=5, capacity=8))
    assert by_capacity.endpoint == "b"
    both = (Assignment("ann", "a", weight=1), Assignment("ann", "b", weight=3))
    picks = []
    load = {"a": 0, "b": 0}
    for _ in range(8):
        chosen = route(*(status(name, load=n) for name, n in load.items()), assignments=both).endpoint
        assert chosen is not None
        load[chosen] += 1
        picks.append(chosen)
    assert load == {"a": 2, "b": 6}


MOVES_ALL = Rollout("r", "pool=new", (100.0,))
MOVES_NOBODY = Rollout("r", "pool=new", (100.0,), stage=-1)


@pytest.mark.parametrize(
    ("rollout", "assignments", "flags", "endpoint", "reason"),
    [
        (MOVES_ALL, (), {}, "new", RouteReason.ROLLOUT),
        (MOVES_NOBODY, (), {}, None, RouteReason.NOT_CANARY),
        (replace(MOVES_ALL, status=RolloutStatus.ABORTED), (), {}, None, RouteReason.NOT_CANARY),
        (replace(MOVES_ALL, status=RolloutStatus.COMPLETED), (), {}, "new", RouteReason.ROLLOUT),
        (MOVES_ALL, (Assignment("ann", "old"),), {}, "old", RouteReason.ASSIGNED_USER),
        (MOVES_NOBODY, (Assignment("ann", "old"),), {}, "old", RouteReason.ASSIGNED_USER),
        (MOVES_ALL, (Assignment("ann", "old", shadow_percent=5),), {}, "new", RouteReason.ROLLOUT),
        (MOVES_ALL, (), {"canary_users": frozenset({"bob"})}, "new", RouteReason.ROLLOUT),
        (MOVES_NOBODY, (), {"canary_users": frozenset({"bob"})}, None, RouteReason.NOT_CANARY),
        (MOVES_NOBODY, (), {"canary_users": frozenset({"ann"})}, "new", RouteReason.ANY_ENDPOINT),
    ],
)
def test_a_rollout_moves_those_without_an_assignment_or_a_flag_of_their_own(
    rollout: Rollout,
    assignments: tuple[Assignment, ...],
    flags: dict[str, frozenset[str]],
    endpoint: str | None,
    reason: RouteReason,
) -> None:
    decided = route(
        status("old", load=3), status("new", pool="new"),
        assignments=assignments, flags=RoutingFlags(is_remote_enabled=True, rollout=rollout, **flags),
    )  # fmt: skip
    assert (decided.endpoint, decided.reason) == (endpoint, reason)


def test_a_moved_statement_falls_back_and_what_cannot_run_there_stays_whatever_the_rollout() -> None:
    flags = RoutingFlags(is_remote_enabled=True, rollout=MOVES_ALL)
    unhealthy = status("new", EndpointHealth.UNHEALTHY, pool="new")
    assert route(unhealthy, flags=flags).fallback is Fallback.AUTOMATIC
    for statement in (StatementTraits(True, is_catalog=True), StatementTraits(False)):
        assert route(status("new", pool="new"), flags=flags, statement=statement).endpoint is None


def test_only_what_waits_to_be_moved_is_shadowed() -> None:
    half, group = Assignment("ann", "a", shadow_percent=50), Assignment("team", "a", shadow_percent=20)
    known = {"a": status("a")}
    for assignments, expected in (((half, group), ("a", 50)), ((group,), ("a", 20)), ((), None)):
        decided = route(status("a"), assignments=assignments, groups=frozenset({"team"}))
        assert decided.reason is (RouteReason.SHADOW if assignments else RouteReason.ANY_ENDPOINT)
        assert resolve_shadow(decided, "ann", frozenset({"team"}), assignments, known) == expected
    for reason in RouteReason:
        shadow = resolve_shadow(Route(None, reason, Fallback.DISABLED), "ann", frozenset(), (half,), known)
        assert (shadow is not None) is (reason in {RouteReason.NOT_CANARY, RouteReason.SHADOW})
    waits = Route(None, RouteReason.SHADOW, Fallback.DISABLED)
    ill = {"a": status("a", EndpointHealth.UNHEALTHY)}
    assert resolve_shadow(waits, "ann", frozenset(), (half,), ill) is None
