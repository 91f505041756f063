"""Plans by everything that decides them.

Bounded, least recently used first out. Not shared between threads.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Generic, TypeVar

from pgproxy.sql.plan import Plan, PlanContext
from pgproxy.sql.planner import plan_statement
from pgproxy.sql.statement_shape import Shape, shape_of, with_constants
from pgproxy.sql.templates import Template, fixed_part, make_template, slots_in, stand_ins
from pgwire.errors import GatewayError

DEFAULT_CAPACITY = 2_000
MAX_CACHED_TEXT_CHARS = 20_000
"""Longer texts are mostly generated INSERTs, each seen once."""
_Held = TypeVar("_Held")


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


class _Bounded(Generic[_Held]):
    """What is kept by keys, so much of it at most."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: OrderedDict[PlanKey, _Held] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def find(self, key: PlanKey) -> _Held | None:
        """Give what is kept by a key, which is now the last to go."""
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def keep(self, key: PlanKey, value: _Held) -> None:
        """Keep a value, in the place of one that there was."""
        self._held[key] = value
        self._held.move_to_end(key)
        if len(self._held) > self._capacity:
            self._held.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()


class _Awaited(Enum):
    """What is known of a template that there is not."""

    SEEN = auto()
    IMPOSSIBLE = auto()


class PlanCache:
    """Plans statements, or remembers.

    A policy or catalog change moves the epoch or the generation, so a stale plan is never found again.
    A text that is new only in constants on which no plan depends is planned from a template, which is made
    when the second such text comes: most queries that hold their constants are many.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._plans: _Bounded[Plan] = _Bounded(capacity)
        self._slots: _Bounded[tuple[int, ...]] = _Bounded(capacity)
        self._templates: _Bounded[Template | _Awaited] = _Bounded(capacity)
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
        found = self._plans.find(key)
        if found is None:
            shape = shape_of(text)
            template = self._template(key, shape) if shape is not None else None
            if shape is None or not isinstance(template, Template):
                return self._planned(key, shape, context)
            found = template.filled(shape.constants)
        self.hits += 1
        return found

    def _planned(self, key: PlanKey, shape: Shape | None, context: PlanContext) -> Plan:
        planned = plan_statement(key.text, key.parameter_oids, context)
        self._plans.keep(key, planned)
        if shape is not None:
            self._await_template(key, shape, planned, context)
        return planned

    def _template(self, key: PlanKey, shape: Shape) -> Template | _Awaited | None:
        slots = self._slots.find(replace(key, text=shape.key))
        template_key = _template_key(key, shape, slots) if slots else None
        return self._templates.find(template_key) if template_key is not None else None

    def _await_template(self, key: PlanKey, shape: Shape, planned: Plan, context: PlanContext) -> None:
        """Remember a statement's shape; make its template when it is seen again."""
        slots = slots_in(shape, planned.constant_slots)
        self._slots.keep(replace(key, text=shape.key), slots)
        template_key = _template_key(key, shape, slots) if slots else None
        if template_key is None:
            return
        held: Template | _Awaited | None = self._templates.find(template_key)
        if held is None:
            held = _Awaited.SEEN
        elif held is _Awaited.SEEN:
            held = _new_template(key, shape, planned, context) or _Awaited.IMPOSSIBLE
        self._templates.keep(template_key, held)

    def clear(self) -> None:
        """Forget everything."""
        for held in (self._plans, self._slots, self._templates):
            held.clear()


def _template_key(key: PlanKey, shape: Shape, slots: Sequence[int]) -> PlanKey | None:
    fixed = fixed_part(shape, slots)
    return replace(key, text="\0".join((shape.key, *fixed))) if fixed is not None else None


def _new_template(key: PlanKey, shape: Shape, planned: Plan, context: PlanContext) -> Template | None:
    others = stand_ins(shape, slots_in(shape, planned.constant_slots))
    text = with_constants(key.text, shape, others)
    try:
        return make_template(planned, plan_statement(text, key.parameter_oids, context), shape, others)
    except GatewayError:
        return None


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
