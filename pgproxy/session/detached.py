"""A session without a connection: one statement, planned, secured and recorded like any client's.

Its rows leave as an Arrow stream, to be stored; nobody waits for them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from execnode.statement import Parameter, RowChunk, RowEncoding
from pgproxy.routing.attempts import RouteOutcome
from pgproxy.session.planning import StatementPlanner
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import PortalDriver, command_tag
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.presenting import present_error
from pgproxy.session.running import OutputShape, PlanRunner
from pgproxy.session.services import Identity, SessionServices
from pgproxy.session.session_catalog import SessionCatalog
from pgproxy.session.session_values import SessionValues
from pgproxy.session.settings import SessionSettings
from pgproxy.session.statement_log import StatementLog
from pgproxy.session.telemetry import Protocol
from pgproxy.session.transaction import Transaction
from pgproxy.sql.plan import Plan
from pgproxy.sql.utility import split_statements
from pgwire.errors import FeatureNotSupported, GatewayError, QueryCanceled, StatementError
from pgwire.sqlstate import SqlState
from pgwire.values import decode_parameter

_SHAPE = OutputShape(encoding=RowEncoding.ARROW_STREAM, tracks_progress=True)

WriteChunk = Callable[[RowChunk], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DetachedEnd:
    """How the statement ended. rows: given or written."""

    tag: str
    rows: int
    outcome: RouteOutcome | None


class DetachedSession:
    """Runs one statement. Used by one task; `read_progress` by any."""

    def __init__(self, identity: Identity, services: SessionServices, settings: SessionSettings) -> None:
        self._settings = settings
        transaction = self._transaction = Transaction()
        self._planner = StatementPlanner(
            identity, services, settings, SessionCatalog(services.catalogs, transaction, identity)
        )
        values = SessionValues(identity, settings)
        self._log = StatementLog(identity, settings, services.recorder)
        runner = PlanRunner(
            identity,
            services.router,
            settings,
            transaction,
            values,
            self._planner.calls,
            self._log.traceparent,
        )
        self._driver = PortalDriver(services, self._planner, runner, self._log)
        self._portal: Portal | None = None

    async def prepare(self, text: str, parameters: Sequence[str | None]) -> PreparedQuery:
        """Plan the statement and check its parameters, without running it.

        Raises:
            GatewayError: it is wrong, denied, or nothing that may run without a session.
        """
        statements = split_statements(text)
        if len(statements) != 1:
            raise StatementError("exactly one statement is submitted at a time")
        self._log.begin(statements[0].text, Protocol.ASYNC)
        try:
            prepared = await self._planner.prepare(statements[0].text)
            self._log.recognise(prepared)
            _check_can_be_detached(prepared)
            _bind(prepared, parameters)
        except GatewayError as error:
            self._log.end(error=error)
            raise
        return prepared

    async def check(self, text: str, parameters: Sequence[str | None]) -> PreparedQuery:
        """Prepare a statement that runs later, by another session: a refusal is recorded, the rest is not.

        Raises:
            GatewayError: as `prepare`.
        """
        prepared = await self.prepare(text, parameters)
        self._log.forget()
        return prepared

    async def run(
        self, prepared: PreparedQuery, parameters: Sequence[str | None], write: WriteChunk
    ) -> DetachedEnd:
        """Run it to its end; cancelling the task stops the engine before this returns.

        Raises:
            GatewayError: as its principal may see it.
            EngineUnavailable: an engine failed and no other could take over.
        """
        portal = self._portal = Portal(prepared, _bind(prepared, parameters))
        limit_ms = self._settings.milliseconds("statement_timeout")
        try:
            async with asyncio.timeout(limit_ms / 1000 if limit_ms else None):
                end = await self._drive(portal, write)
        except TimeoutError:
            error = QueryCanceled("canceling statement due to statement timeout")
            await self._fail(portal, error)
            raise error from None
        except GatewayError as error:
            shown = present_error(error, portal.prepared.plan, prepared.text, viewer=self._planner.viewer)
            await self._fail(portal, shown)
            raise shown from error
        except asyncio.CancelledError:
            await self._fail(portal, QueryCanceled("canceling statement due to user request"))
            raise
        finally:
            self._portal = None
        self._log.end(end.rows)
        return end

    async def _fail(self, portal: Portal, error: GatewayError) -> None:
        await self._driver.fail(portal)
        await self._transaction.end(is_commit=False)
        self._log.end(error=error)

    async def read_progress(self) -> float | None:
        """How far the statement is, from 0 to 1; None where the engine cannot tell.

        Raises:
            EngineUnavailable: the engine could not be asked.
        """
        stream = self._portal.stream if self._portal is not None else None
        return await stream.read_progress() if stream is not None else None

    async def _drive(self, portal: Portal, write: WriteChunk) -> DetachedEnd:
        await self._driver.start(portal, in_block=False, shape=_SHAPE)
        while (chunk := await portal.read()) is not None:
            self._log.note_rows(chunk.row_count, len(chunk.rows))
            await write(chunk)
        affected = portal.affected_rows
        outcome = portal.stream.outcome if portal.stream is not None else None
        await self._driver.finish(portal)
        await self._transaction.end(is_commit=True)
        plan = _plan_of(portal.prepared)
        rows = portal.rows_sent if plan.returns_rows else affected
        return DetachedEnd(command_tag(plan, rows), rows, outcome)


def _check_can_be_detached(prepared: PreparedQuery) -> None:
    plan = prepared.plan
    needs_session = plan is not None and (
        plan.uses_temp or plan.setting_changes or plan.following_sql or plan.looks_in
    )
    if plan is None or needs_session or prepared.call is not None:
        raise FeatureNotSupported("only a query or a change of data can be submitted, and no temporary table")


def _plan_of(prepared: PreparedQuery) -> Plan:
    if prepared.plan is None:
        raise FeatureNotSupported("only a query or a change of data can be submitted")
    return prepared.plan


def _bind(prepared: PreparedQuery, values: Sequence[str | None]) -> tuple[Parameter, ...]:
    """Check each value as Bind does.

    Raises:
        StatementError: 08P01, their number is another; 22P02 and the like, a value is not of its type.
    """
    oids = prepared.parameter_oids
    if len(oids) != len(values):
        raise StatementError(
            f"the statement has {len(oids)} parameters, but {len(values)} values are given",
            sqlstate=SqlState.PROTOCOL_VIOLATION,
        )
    bound = [
        Parameter(oid, 0, None if value is None else value.encode())
        for oid, value in zip(oids, values, strict=True)
    ]
    for parameter in bound:
        decode_parameter(parameter.type_oid, 0, parameter.value)
    return tuple(bound)
