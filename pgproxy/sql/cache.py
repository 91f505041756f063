"""Plans by everything that decides them: a bounded cache in front of `plan_statement`.

A policy or catalog change moves the key, so a plan made before it is never found again.
"""

from collections import OrderedDict
from collections.abc import Hashable

from pgproxy.sql.plan import Plan, PlanContext
from pgproxy.sql.planner import plan_statement

DEFAULT_CAPACITY = 4096
_MAX_TEXT = 64 * 1024
"""Longer texts (generated INSERTs, mostly) seldom come twice and are not kept."""


class PlanCache:
    """Least recently used plans go first. Used from one event loop."""

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._capacity = capacity
        self._plans: OrderedDict[Hashable, Plan] = OrderedDict()

    def __len__(self) -> int:
        return len(self._plans)

    def plan(self, text: str, parameter_oids: tuple[int, ...], context: PlanContext) -> Plan:
        """Plan a statement, or give the plan that the same question had before.

        Raises:
            GatewayError: what `plan_statement` raises; refusals are not kept.
        """
        key = _key(text, parameter_oids, context)
        known = self._plans.get(key)
        if known is not None:
            self._plans.move_to_end(key)
            return known
        plan = plan_statement(text, parameter_oids, context)
        if len(text) <= _MAX_TEXT:
            self._plans[key] = plan
            if len(self._plans) > self._capacity:
                self._plans.popitem(last=False)
        return plan


def _key(text: str, parameter_oids: tuple[int, ...], context: PlanContext) -> Hashable:
    return (
        text,
        parameter_oids,
        context.policy.fingerprint,
        context.catalog.generation,
        context.search_path,
        context.session_user,
        context.dialect,
        context.catalog_name,
        tuple(sorted(context.temp_tables)),
    )
