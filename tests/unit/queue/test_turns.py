"""Turns over time, by arithmetic alone: no gateway, no clock."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pgproxy.queue.fairness import Waiting, choose_next

LIGHT = "light"


def waits_of_light(heavy: dict[str, int], slots: int, limit: int, every: int = 6) -> list[int]:
    """Steps that each light query waits, one coming at every so many steps and lasting one.

    heavy: how many steps a query of each flooding role lasts.
    """
    waiting = [Waiting(f"{who}{n}", who, 0, 0.0) for who in heavy for n in range(40)]
    running: list[tuple[str, int]] = []
    served: dict[str, float] = {}
    waits = []
    for step in range(40):
        running = [(who, left - 1) for who, left in running if left > 1]
        if step % every == 0:
            waiting.append(Waiting(f"l{step}", LIGHT, 0, float(step)))
        while (free := slots - len(running)) > 0:
            counts = {who: sum(one == who for one, _ in running) for who in (*heavy, LIGHT)}
            chosen = choose_next(waiting, counts, served, limit, is_last_slot=free == 1 < slots)
            if chosen is None:
                break
            waiting.remove(chosen)
            served[chosen.principal] = step
            running.append((chosen.principal, heavy.get(chosen.principal, 1)))
            if chosen.principal == LIGHT:
                waits.append(step - int(chosen.submitted_at))
    return waits


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 40), min_size=1),
    st.integers(2, 6),
    st.integers(1, 6),
    st.integers(2, 7),
)
def test_a_light_role_never_waits_where_heavy_ones_are_fewer_than_the_slots(
    heavy: dict[str, int], more_slots: int, limit: int, every: int
) -> None:
    slots = max(more_slots, len(heavy) + 1)
    assert set(waits_of_light(heavy, slots, limit, every)) == {0}


@given(st.integers(2, 6), st.integers(1, 6))
def test_what_waits_for_a_light_role_is_one_slot_and_no_more(slots: int, limit: int) -> None:
    waiting = [Waiting(f"{who}{n}", who, 0, 0.0) for who in "abc" for n in range(slots)]
    running: dict[str, int] = {}
    for used in range(slots):
        chosen = choose_next(waiting, running, {}, limit, is_last_slot=used == slots - 1)
        if chosen is None:
            assert sum(running.values()) >= min(slots - 1, 3 * limit)
            return
        waiting.remove(chosen)
        running[chosen.principal] = running.get(chosen.principal, 0) + 1


def test_a_single_slot_is_everybodys_and_a_light_role_waits_for_one_query_at_most() -> None:
    waits = waits_of_light({"heavy": 4}, slots=1, limit=4)
    assert len(waits) == 7
    assert max(waits) <= 4
