"""Plans by everything that decides them.

Bounded, least recently used first out. Not shared between threads.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from pgproxy.sql.plan import Plan, PlanContext
from pgproxy.sql.planner import plan_statement

DEFAULT_CAPACITY = 2_000
MAX_CACHED_TEXT_CHARS = 20_000
"""Longer texts are mostly generated INSERTs, each seen once."""


@dataclass(frozen=True, slots=True)
class PlanKey:
    """What a plan depends on."""

    text: str
    parameter_oids: tuple[int, ...]
    policy_fingerprint: str
    policy_epoch: int
    catalog_generation: int
    search_path: tuple[str, ...]
    dialect: str
    catalog_name: str
    session_user: str


class PlanCache:
    """Plans statements, or remembers.

    A policy or catalog change moves the epoch or the generation, so a stale plan is never found again.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._capacity = capacity
        self._plans: OrderedDict[PlanKey, Plan] = OrderedDict()
        self.hits = 0

    def __len__(self) -> int:
        return len(self._plans)

    def plan(self, text: str, parameter_oids: Sequence[int], context: PlanContext) -> Plan:
        """Give the plan of a statement; the same errors as `plan_statement`, which are not remembered.

        A session with temporary tables plans anew each time: their shapes are no part of the key.
        """
        if context.temp_tables or len(text) > MAX_CACHED_TEXT_CHARS:
            return plan_statement(text, parameter_oids, context)
        key = plan_key(text, parameter_oids, context)
        found = self._plans.get(key)
        if found is not None:
            self.hits += 1
            self._plans.move_to_end(key)
            return found
        planned = plan_statement(text, parameter_oids, context)
        self._plans[key] = planned
        if len(self._plans) > self._capacity:
            self._plans.popitem(last=False)
        return planned

    def clear(self) -> None:
        """Forget everything."""
        self._plans.clear()


def plan_key(text: str, parameter_oids: Sequence[int], context: PlanContext) -> PlanKey:
    """The key of a statement in its context.

    Session values are no part of it: a plan carries their keys, and each run reads them anew.
    """
    return PlanKey(
        text=text,
        parameter_oids=tuple(parameter_oids),
        policy_fingerprint=context.policy.fingerprint,
        policy_epoch=context.policy.epoch,
        catalog_generation=context.catalog.generation,
        search_path=context.search_path,
        dialect=context.dialect,
        catalog_name=context.catalog_name,
        session_user=context.session_user,
    )
