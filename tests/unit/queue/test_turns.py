"""Turns over time, by arithmetic alone: no gateway, no clock."""

from pgproxy.queue.fairness import Waiting, choose_next


def waits_of_light(heavy: int, slots: int, limit: int) -> list[int]:
    """Steps that each of ten light queries waits; every query runs one step, heavy ones four."""
    waiting = [Waiting(f"h{n}", "heavy", 0, 0.0) for n in range(heavy)]
    running: list[tuple[str, int]] = []
    served: dict[str, float] = {}
    waits = []
    for step in range(60):
        running = [(who, left - 1) for who, left in running if left > 1]
        if step % 6 == 0:
            waiting.append(Waiting(f"l{step}", "light", 0, float(step)))
        while len(running) < slots:
            counts = {who: sum(one == who for one, _ in running) for who in ("heavy", "light")}
            chosen = choose_next(waiting, counts, served, limit)
            if chosen is None:
                break
            waiting.remove(chosen)
            served[chosen.principal] = step
            running.append((chosen.principal, 4 if chosen.principal == "heavy" else 1))
            if chosen.principal == "light":
                waits.append(step - int(chosen.submitted_at))
    return waits


def test_a_light_role_never_waits_while_a_heavy_one_may_not_fill_every_slot() -> None:
    assert (
        waits_of_light(heavy=500, slots=4, limit=2) == waits_of_light(heavy=0, slots=4, limit=2) == [0] * 10
    )


def test_a_light_role_waits_for_one_query_at_most_where_it_may() -> None:
    assert max(waits_of_light(heavy=500, slots=4, limit=4)) <= 4
