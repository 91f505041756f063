"""Beginning a portal's statement while the catalog changes under it."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import PortalDriver
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.running import OutputShape
from pgproxy.sql.plan import Plan, StatementKind
from tests.policy.world import plan


class Changing:
    """A catalog that is published anew behind the first statements that are begun, and their runner."""

    def __init__(self, changes: int) -> None:
        self.number = 1
        self.changes = changes
        self.opened: list[int | None] = []
        self.closed = 0
        self.transaction = SimpleNamespace(is_engine_open=False)

    async def publish_viewer(self, policy: object, private: object) -> int:
        return self.number

    def published(self, policy: object, private: object) -> int | None:
        return self.number

    async def open(self, portal: Portal, plan: Plan, groups: object, shape: object) -> None:
        self.opened.append(portal.rows_as_of)
        if self.changes:
            self.changes -= 1
            self.number += 1

    async def close(self, portal: Portal) -> None:
        self.closed += 1


async def begun(world: Changing, planned: Plan) -> Portal:
    prepared = PreparedQuery("", (), plan=planned)

    async def refreshed(prepared: PreparedQuery) -> PreparedQuery:
        return prepared

    async def confirm(prepared: PreparedQuery) -> None:
        """Nothing has moved."""

    planner = SimpleNamespace(
        settings=None,
        policy=SimpleNamespace(groups=frozenset()),
        catalog=SimpleNamespace(private=None),
        refreshed=refreshed,
        confirm=confirm,
    )
    log = SimpleNamespace(note_plan=lambda plan: None, note_started=lambda ns: None)
    services: Any = SimpleNamespace(catalogs=world)
    driver = PortalDriver(services, cast(Any, planner), cast(Any, world), cast(Any, log))
    portal = Portal(prepared)
    await driver.start(portal, in_block=False, shape=OutputShape())
    return portal


@pytest.mark.parametrize(("changes", "begun_as_of"), [(0, [1]), (2, [1, 2, 3]), (99, [1, 2, 3, 4, 5])])
async def test_what_was_begun_as_the_catalog_changed_is_begun_anew(
    changes: int, begun_as_of: list[int]
) -> None:
    world = Changing(changes)
    planned = replace(plan("SELECT relname FROM pg_class"), is_repeatable=True)
    await begun(world, planned)
    assert world.opened == begun_as_of
    assert world.closed == len(begun_as_of) - 1


async def test_what_may_not_run_twice_is_begun_once_and_not_kept() -> None:
    world = Changing(1)
    planned = replace(plan("SELECT relname FROM pg_class"), is_repeatable=False)
    assert planned.kind is StatementKind.SELECT
    await begun(world, planned)
    assert world.opened == [None]
