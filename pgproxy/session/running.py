"""Running a plan: where (routed, or pinned to the block's engine session) and with which values.

A portal's stream is opened here and read by the session; opening counts as the statement's start.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from execnode.statement import EngineStatement, Parameter, RowEncoding
from pgproxy.catalog.snapshot import TEMP_CATALOG
from pgproxy.policy.model import Privilege
from pgproxy.routing.resolve import StatementTraits
from pgproxy.routing.router import PinnedSession, Router, RouteRequest
from pgproxy.session.portal import Portal
from pgproxy.session.query_calls import QueryCalls
from pgproxy.session.services import Identity, PortalStreamContext
from pgproxy.session.settings import SessionSettings
from pgproxy.session.transaction import Transaction
from pgproxy.sql.plan import BoundValue, Plan, SettingChange, StatementKind
from pgproxy.sql.setting_calls import SETTING_KEY, unknown_setting
from pgwire.errors import InternalError, StatementError
from pgwire.sqlstate import SqlState

_READING = frozenset({Privilege.SELECT, Privilege.EXECUTE})
_READ = StatementTraits(is_read_only=True)
_CATALOG_READ = StatementTraits(is_read_only=True, is_catalog=True)
ROW_WRITES = frozenset({StatementKind.INSERT, StatementKind.UPDATE, StatementKind.DELETE})
"""What a node may do to a catalog that every node writes; definitions are made by the embedded engine."""


@dataclass(frozen=True, slots=True)
class OutputShape:
    """How the rows leave the engine. with_row_offsets: a chunk may have to be split (row limits, cursors).

    tracks_progress: somebody will ask how far the statement is.
    """

    with_row_offsets: bool = False
    encoding: RowEncoding = RowEncoding.DATA_ROW
    copy_options: Mapping[str, str] = field(default_factory=dict)
    tracks_progress: bool = False


class PlanRunner:
    """Opens the streams of one session's portals, inside its transaction block."""

    def __init__(  # noqa: PLR0913, PLR0917  # the parts that decide where and with which values
        self,
        identity: Identity,
        router: Router,
        settings: SessionSettings,
        transaction: Transaction,
        values: Mapping[str, BoundValue],
        calls: QueryCalls,
        traceparent: Callable[[], str],
    ) -> None:
        """traceparent: of the statement that is run."""
        self._traceparent = traceparent
        self._calls = calls
        self._identity = identity
        self._session = str(identity.connection_id)
        self._router = router
        self._settings = settings
        self.transaction = transaction
        self._values = values
        self._open: set[Portal] = set()

    async def open(self, portal: Portal, plan: Plan, groups: frozenset[str], shape: OutputShape) -> None:
        """Start the portal's statement; returns once its columns are known.

        Raises:
            StatementError: 25006, a write in a READ ONLY block.
            GatewayError: the engine refused the statement.
        """
        if not plan.is_read_only and not _is_of_session(plan):
            self._check_writable("nextval()" if plan.kind is StatementKind.SELECT else plan.kind.value)
        pin = await self._pin_for(plan, groups) if portal.prepared.call is None else None
        parameters = portal.parameters
        if plan.bound_values or plan.setting_changes:
            parameters += self._bound(plan, portal.parameters)
        if plan.parameter_numbers is not None:
            parameters = tuple([parameters[number - 1] for number in plan.parameter_numbers])
        statement = EngineStatement(
            sql=plan.sql,
            parameters=parameters,
            result_columns=portal.prepared.columns or (),
            result_formats=portal.result_formats,
            output=self._settings.output(),
            encoding=shape.encoding,
            with_row_offsets=shape.with_row_offsets,
            returns_rows=plan.returns_rows,
            copy_options=shape.copy_options,
            tracks_progress=shape.tracks_progress,
            keeps_plan=_may_be_kept(plan) and not parameters,
            reads=plan.reads or frozenset(),
            rows_as_of=portal.rows_as_of,
        )
        call = portal.prepared.call
        if call is not None:
            rows: PortalStreamContext = self._calls.open(call, portal.parameters, statement)
        else:
            rows = self._router.run(self._request(plan, groups, statement, pin))
        if plan.looks_in is not None:
            await self.transaction.look_in(*plan.looks_in)
        await portal.open(rows)
        self._open.add(portal)
        if not plan.is_read_only:
            self.transaction.writes += 1
        if plan.changes_catalog and not plan.uses_temp:
            self.transaction.changes_catalog = True

    async def close(self, portal: Portal) -> None:
        """Stop the portal's statement if it runs; the engine has confirmed when this returns."""
        self._open.discard(portal)
        await portal.close()

    async def finish(self, portal: Portal) -> None:
        """Let the engine go after the portal's last row; what a cursor keeps of it stays."""
        self._open.discard(portal)
        await portal.finish()

    async def complete(self, plan: Plan) -> None:
        """Run what completes a definition, in the transaction that it was made in.

        Raises:
            GatewayError: the engine refused it; the definition must not stay.
        """
        pinned = self.transaction.pinned
        if pinned is None or not self.transaction.is_engine_open:
            raise InternalError("a definition of several parts needs a transaction")
        await self.transaction.look_home()
        for sql in plan.following_sql:
            await pinned.session.execute_utility(sql)

    @property
    def has_open(self) -> bool:
        """Whether a portal's statement runs or is suspended."""
        return bool(self._open)

    async def close_all(self) -> None:
        """Stop everything, for the end of the transaction or of the session."""
        while self._open:
            await self._open.pop().close()

    async def pin(self, plan: Plan, groups: frozenset[str]) -> None:
        """Pin the block to an engine session now."""
        request = self._request(plan, groups, EngineStatement(plan.sql), None)
        self.transaction.pinned = await self._router.open_session(request)

    async def pin_for_write(self, plan: Plan, groups: frozenset[str], command: str) -> PinnedSession:
        """Give the engine session in which the open block writes.

        command: what a READ ONLY block refuses by this name.

        Raises:
            StatementError: 25006.
            InternalError: no block is open.
        """
        self._check_writable(command)
        pinned = await self._pin_for(plan, groups)
        if pinned is None:
            raise InternalError("a write outside of a block has no engine session")
        return pinned

    async def _pin_for(self, plan: Plan, groups: frozenset[str]) -> PinnedSession | None:
        transaction = self.transaction
        if plan.is_catalog and plan.is_read_only and not plan.uses_temp:
            return None
        needs_block = transaction.is_open and (not plan.is_read_only or transaction.needs_snapshot)
        if transaction.pinned is None:
            if not needs_block and not plan.uses_temp:
                return None
            await self.pin(plan, groups)
        elif not (needs_block or plan.uses_temp or transaction.is_engine_open):
            return None  # the session is kept for temporary tables, and this statement has nothing of them
        await transaction.begin_engine()
        return transaction.pinned

    def _request(
        self, plan: Plan, groups: frozenset[str], statement: EngineStatement, pin: PinnedSession | None
    ) -> RouteRequest:
        return RouteRequest(
            statement,
            self._identity.principal,
            groups,
            self._traits(plan),
            pin,
            self._session,
            plan.fingerprint,
            self._traceparent(),
            keeps_writes=not plan.is_read_only and not self.transaction.is_engine_open,
        )

    def _traits(self, plan: Plan) -> StatementTraits:
        if plan.is_read_only:
            return _CATALOG_READ if plan.is_catalog else _READ
        written = frozenset(a.table.catalog for a in plan.accesses if not a.privileges <= _READING)
        can_write_remotely = plan.kind in ROW_WRITES and self._router.can_write_remotely(written)
        return StatementTraits(False, plan.is_catalog, can_write_remotely)

    def _check_writable(self, command: str) -> None:
        if self.transaction.is_read_only or self._settings.show("transaction_read_only") == "on":
            raise StatementError(
                f"cannot execute {command} in a read-only transaction",
                sqlstate=SqlState.READ_ONLY_SQL_TRANSACTION,
            )

    def _bound(self, plan: Plan, parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
        """Give the gateway's own values, and make the settings that set_config() asks for in between."""
        values = plan.bound_values
        before = [None if value.follows_changes else self._current(value) for value in values]
        for change in plan.setting_changes:
            self._change(change, parameters)
        held = [found or self._current(value) for found, value in zip(before, values, strict=True)]
        return tuple(_parameter(value) for value in held)

    def _change(self, change: SettingChange, parameters: Sequence[Parameter]) -> None:
        is_admin = self._settings.show("is_superuser") == "on"
        text = change.value
        if change.parameter is not None:
            value = parameters[change.parameter - 1].value
            text = value.decode() if value is not None else None
        if text is None:
            self._settings.reset(change.name, is_local=change.is_local, is_admin=is_admin)
        else:
            self._settings.set(change.name, text, is_local=change.is_local, is_admin=is_admin)

    def _current(self, value: BoundValue) -> BoundValue:
        """A plan may be cached for longer than a setting keeps its value.

        Session values are read at each run.

        Raises:
            StatementError: 42704, the setting is gone.
        """
        if value.session_key is None:
            return value
        found = self._values.get(value.session_key)
        if found is None and not value.may_be_missing:
            raise unknown_setting(value.session_key.removeprefix(SETTING_KEY))
        return found or BoundValue(value.type_oid, None)


def _may_be_kept(plan: Plan) -> bool:
    """Whether an engine's own plan of it stays right while the catalogs that it reads stay as they are.

    A live relation gets its rows just before, and of a view nobody here knows what it reads.
    """
    return plan.is_read_only and plan.reads is not None and not plan.live_relations


def _is_of_session(plan: Plan) -> bool:
    """Whether it writes nothing but the session's own temporary tables."""
    return plan.uses_temp and all(
        access.table.catalog == TEMP_CATALOG or access.privileges <= _READING for access in plan.accesses
    )


def _parameter(value: BoundValue) -> Parameter:
    return Parameter(value.type_oid, 0, value.text.encode() if value.text is not None else None)
