"""Driving one portal: start its plan, forward rows up to a limit, and say how it ended.

Shared by the simple and the extended protocol, by FETCH and by COPY TO.
"""

import time
from dataclasses import dataclass

from pgproxy.policy.effective import EffectivePolicy
from pgproxy.routing.attempts import RouteOutcome
from pgproxy.session.notices import is_wanted
from pgproxy.session.planning import PlanMoved, StatementPlanner, field_descriptions, overlay
from pgproxy.session.portal import Portal
from pgproxy.session.presenting import present_error
from pgproxy.session.running import ROW_WRITES, OutputShape, PlanRunner
from pgproxy.session.services import SessionServices
from pgproxy.session.sink import Sink
from pgproxy.session.statement_log import StatementLog
from pgproxy.sql.plan import Plan, StatementKind
from pgwire.backend import NoticeResponse, RowDescription
from pgwire.errors import CachedPlanChanged, GatewayError, InternalError
from pgwire.sqlstate import SqlState

_MOST_BEGINNINGS = 5
"""A statement whose plan moves while it waits is begun so often; what comes faster than that is told."""

_READS = frozenset({StatementKind.SELECT, StatementKind.EXPLAIN})
_CONFIRMED_WRITES = ROW_WRITES | {StatementKind.CREATE_TABLE}


@dataclass(frozen=True, slots=True)
class Run:
    """What one Execute (or FETCH) of a portal did. rows: sent by this one."""

    rows: int
    is_suspended: bool


@dataclass(frozen=True, slots=True)
class Completion:
    """How an Execute ended. tag: None for the empty query, and where the portal is suspended.

    rows: sent or written by this one.
    """

    tag: str | None
    is_suspended: bool = False
    transaction_ended: bool = False
    rows: int = 0


class PortalDriver:
    """Runs the portals of one session. log: told what they do."""

    def __init__(
        self, services: SessionServices, planner: StatementPlanner, runner: PlanRunner, log: StatementLog
    ) -> None:
        self.log = log
        self._services = services
        self._planner = planner
        self._runner = runner
        self._transaction = runner.transaction
        self._settings = planner.settings
        self._warnings: list[NoticeResponse] = []
        self._told: RouteOutcome | None = None

    def warn(self, message: str) -> None:
        """Tell the client, before the next rows that it is sent."""
        self._warnings.append(NoticeResponse("WARNING", SqlState.WARNING, message))

    async def run(
        self, portal: Portal, sink: Sink, max_rows: int, *, describe: bool, in_block: bool
    ) -> Completion:
        """Start a portal or continue it, forward rows, and end it when they are all sent.

        Raises:
            GatewayError: as the client may see it; the portal is closed.
        """
        try:
            if not portal.is_started:
                shape = OutputShape(with_row_offsets=max_rows > 0)
                await self.start(portal, in_block=in_block, shape=shape)
            run = await self.forward(portal, sink, max_rows, describe=describe)
            if run.is_suspended:
                return Completion(None, is_suspended=True)
            plan = _plan_of(portal)
            rows = run.rows if plan.returns_rows else portal.affected_rows
            await self.finish(portal)
        except GatewayError as error:
            failed = portal.prepared.plan
            shown = present_error(error, failed, portal.prepared.text, viewer=self._planner.viewer)
            await self.fail(portal)
            raise shown from error
        return Completion(command_tag(plan, rows), rows=rows)

    async def start(self, portal: Portal, *, in_block: bool, shape: OutputShape) -> None:
        """Start the portal's plan, planned anew if policy or catalog moved since it was prepared.

        in_block: a write opens an implicit transaction block, since more statements may follow before Sync.
        So does a write to what somebody owns, which must not be kept before it is confirmed.

        Raises:
            GatewayError: denied, wrong, or refused by the engine.
        """
        began_ns, told = time.perf_counter_ns(), len(self._warnings)
        for left in reversed(range(_MOST_BEGINNINGS)):
            plan = await self._begin(portal, in_block=in_block, shape=shape)
            try:
                if plan.kind in _READS or (
                    plan.kind in _CONFIRMED_WRITES and self._transaction.is_engine_open
                ):
                    await self._planner.confirm(portal.prepared)
                break
            except PlanMoved:  # nothing of it has left: a read outside of a block begins anew, as planned now
                if not left or plan.kind is not StatementKind.SELECT or self._transaction.is_engine_open:
                    raise
                await self._runner.close(portal)
                del self._warnings[told:]  # the new plan tells its own
        self.log.note_started(time.perf_counter_ns() - began_ns)
        if portal.stream is not None:
            self.log.note_route(portal.stream.outcome)

    async def _begin(self, portal: Portal, *, in_block: bool, shape: OutputShape) -> Plan:
        before = portal.prepared
        portal.prepared = await self._planner.refreshed(before)
        _check_same_shape(before.columns, portal.prepared.columns)
        plan = _plan_of(portal)
        policy = self._planner.policy
        self.log.note_plan(plan)
        if plan.live_relations:
            await self._services.activity.refresh(plan.live_relations)
        self._warnings += [NoticeResponse("NOTICE", n.sqlstate, n.message) for n in plan.notices]
        has_parts = bool(plan.following_sql or plan.looks_in)
        if not plan.is_read_only and (in_block or has_parts or self._planner.touches_owned(plan)):
            self._transaction.begin_implicit()
        if plan.changes_catalog and _replaces(plan):
            self._services.catalogs.replacing.add(portal)
        await self._open(portal, plan, policy, shape)
        return plan

    async def _open(self, portal: Portal, plan: Plan, policy: EffectivePolicy, shape: OutputShape) -> None:
        """Open the stream, once who asks is published in the catalog, if the plan reads that.

        A change of the catalog takes what was published away until it is published anew; a statement that the
        engine begins in between would find nothing.
        """
        catalogs, private = self._services.catalogs, self._planner.catalog.private
        for left in reversed(range(_MOST_BEGINNINGS)):
            as_of = await catalogs.publish_viewer(policy, private) if plan.is_catalog else None
            portal.rows_as_of = as_of if plan.is_repeatable else None
            await self._runner.open(portal, plan, policy.groups, shape)
            is_settled = as_of is None or catalogs.published(policy, private) == as_of
            if is_settled or not left or not plan.is_repeatable:
                return
            await self._runner.close(portal)

    async def forward(self, portal: Portal, sink: Sink, max_rows: int, *, describe: bool = False) -> Run:
        """Send up to `max_rows` rows (0: all). describe: send RowDescription first."""
        plan = _plan_of(portal)
        if describe and plan.returns_rows and portal.stream is not None:
            columns = portal.prepared.columns or overlay(plan, portal.stream.columns)
            sink.send(RowDescription(field_descriptions(columns, portal.result_formats)))
        sent = 0
        while not max_rows or sent < max_rows:
            chunk = await portal.next_chunk(max_rows - sent if max_rows else 0)
            if self._warnings:
                self._send_warnings(sink)
            if chunk is None:
                return Run(sent, is_suspended=False)
            sent += chunk.row_count
            self.log.note_rows(chunk.row_count, len(chunk.rows))
            await sink.write_rows(chunk.rows)
        return Run(sent, is_suspended=True)

    def _send_warnings(self, sink: Sink) -> None:
        warnings, self._warnings = self._warnings, []
        for warning in warnings:
            if is_wanted(warning, self._settings):
                sink.send(warning)

    async def finish(self, portal: Portal) -> None:
        """End a portal whose rows are all sent: free the engine, follow DDL."""
        self._note_route(portal)
        await self._runner.finish(portal)
        plan = _plan_of(portal)
        if plan.following_sql or plan.looks_in:
            await self._runner.complete(plan)
        if plan.changes_catalog:
            await self._planner.catalog.follow(plan)
            self._services.catalogs.replacing.discard(portal)

    async def fail(self, portal: Portal) -> None:
        """End a portal that failed."""
        self._note_route(portal)
        self._services.catalogs.replacing.discard(portal)
        await self._runner.close(portal)

    async def close(self, portal: Portal) -> None:
        """End a portal that the client no longer wants; its statement ended well as far as it got."""
        if not portal.holds_nothing:
            await self._runner.close(portal)
        self.log.release(portal)

    def _note_route(self, portal: Portal) -> None:
        if portal.stream is None:
            return
        outcome = portal.stream.outcome
        self.log.note_route(outcome)
        if outcome is self._told:
            return
        self._told = outcome
        told = f"{outcome.endpoint} ({outcome.reason.value})"
        if outcome.fallback_reason is not None:
            told += f", fallback after {outcome.fallback_reason.value}"
        self._settings.set_internal("pgproxy.last_route", told)


def command_tag(plan: Plan, rows: int) -> str:
    """Give CommandComplete's tag. PostgreSQL docs, "Message Formats", CommandComplete."""
    match plan.kind:
        case StatementKind.SELECT:
            return f"SELECT {rows}"
        case StatementKind.INSERT:
            return f"INSERT 0 {rows}"
        case StatementKind.UPDATE | StatementKind.DELETE:
            return f"{plan.kind.value} {rows}"
        case StatementKind.CREATE_TABLE if plan.fills_table:
            return f"SELECT {rows}"
        case other:
            return str(other.value)


def _replaces(plan: Plan) -> bool:
    """Whether a definition gives a name to something else, or to nothing."""
    makes = plan.kind in (StatementKind.CREATE_TABLE, StatementKind.CREATE_VIEW, StatementKind.CREATE_SCHEMA)
    return not makes or plan.sql.startswith("CREATE OR REPLACE")


def _plan_of(portal: Portal) -> Plan:
    if portal.prepared.plan is None:
        raise InternalError("the portal's statement has no plan")
    return portal.prepared.plan


def _check_same_shape(before: object, now: object) -> None:
    if before is not None and now is not None and before != now:
        raise CachedPlanChanged("cached plan must not change result type")
