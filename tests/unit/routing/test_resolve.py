"""The routing decision, case by case."""

import pytest

from pgproxy.control.fleet import Assignment, Fallback
from pgproxy.routing.resolve import (
    EndpointHealth,
    EndpointStatus,
    Route,
    RouteReason,
    RoutingFlags,
    StatementTraits,
    resolve_route,
)

ON = RoutingFlags(is_remote_enabled=True)
READ = StatementTraits(is_read_only=True)


def status(name: str, health: EndpointHealth = EndpointHealth.ACTIVE, load: int = 0) -> EndpointStatus:
    return EndpointStatus(name, health, load)


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
