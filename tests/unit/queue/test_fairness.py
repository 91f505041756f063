"""Whose turn it is."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pgproxy.queue.fairness import Waiting, choose_next

PRINCIPALS = ("a", "b", "c", "d")
waiting_queries = st.lists(
    st.builds(
        Waiting,
        id=st.uuids().map(str),
        principal=st.sampled_from(PRINCIPALS),
        priority=st.integers(-3, 3),
        submitted_at=st.floats(0, 100),
    ),
    max_size=30,
    unique_by=lambda w: w.id,
)
running_counts = st.dictionaries(st.sampled_from(PRINCIPALS), st.integers(0, 5))
served_times = st.dictionaries(st.sampled_from(PRINCIPALS), st.floats(0, 100))


@given(waiting_queries, running_counts, served_times, st.integers(1, 4))
def test_the_chosen_one_waits_and_its_principal_has_room(
    waiting: list[Waiting], running: dict[str, int], served: dict[str, float], limit: int
) -> None:
    chosen = choose_next(waiting, running, served, limit)
    able = [w for w in waiting if running.get(w.principal, 0) < limit]
    assert (chosen is None) is (not able)
    if chosen is None:
        return
    assert chosen in able
    assert running.get(chosen.principal, 0) == min(running.get(w.principal, 0) for w in able)
    own = [w for w in waiting if w.principal == chosen.principal]
    assert chosen.priority == max(w.priority for w in own)
    assert chosen.submitted_at == min(w.submitted_at for w in own if w.priority == chosen.priority)


@given(waiting_queries, st.integers(1, 4))
def test_nobody_waits_longer_than_one_round_of_the_others(waiting: list[Waiting], limit: int) -> None:
    """One slot, each query ended before the next is chosen: turns go round all who still wait."""
    left, served, order = list(waiting), dict[str, float](), list[str]()
    while (chosen := choose_next(left, {}, served, limit)) is not None:
        left.remove(chosen)
        served[chosen.principal] = float(len(order))
        order.append(chosen.principal)
    assert Counter(order) == Counter(w.principal for w in waiting)
    for place, principal in enumerate(order):
        rest = order[place + 1 :]
        if principal in rest:
            between = rest[: rest.index(principal)]
            assert max(Counter(between).values(), default=0) <= 1


@given(waiting_queries, st.permutations(range(30)))
def test_the_order_of_what_is_given_does_not_matter(waiting: list[Waiting], order: list[int]) -> None:
    shuffled = [waiting[i] for i in order if i < len(waiting)]
    assert choose_next(shuffled, {}, {}, 2) == choose_next(waiting, {}, {}, 2)
