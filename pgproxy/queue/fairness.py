"""Whose query runs next: pure, over what waits and what runs.

Turns go round the principals, whatever each has waiting: the one that has the fewest running comes first, and
of those the one that was served longest ago. Among its own queries a principal decides by priority.

The last of several slots is kept for principals that have nothing running. Nothing that runs is stopped for
another's sake, so without it a few principals whose queries are long fill every slot, and whoever comes then
waits for a whole one of theirs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A query that waits."""

    id: str
    principal: str
    priority: int
    submitted_at: float


def choose_next(
    waiting: Iterable[Waiting],
    running: Mapping[str, int],
    last_served: Mapping[str, float],
    limit_per_principal: int,
    *,
    is_last_slot: bool = False,
) -> Waiting | None:
    """Choose the query to start now; None where nobody who waits may have another one running.

    is_last_slot: of several, this one is left.
    """
    limit = 1 if is_last_slot else limit_per_principal
    able = (w for w in waiting if running.get(w.principal, 0) < limit)
    return min(
        able,
        default=None,
        key=lambda w: (
            running.get(w.principal, 0),
            last_served.get(w.principal, _NEVER),
            w.principal,
            -w.priority,
            w.submitted_at,
            w.id,
        ),
    )
