"""SQL cursors: DECLARE, FETCH, MOVE, CLOSE. A cursor is a portal, in the name space of Bind's portals.

PostgreSQL docs, "DECLARE", "FETCH", "MOVE". What a FETCH passes is decided by `CursorRows`.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import NoReturn, TypeVar
from uuid import uuid4

from execnode.spool import ChunkSpool, SpoolLimits
from pgproxy.session.cursor_rows import CursorRows, Keeps
from pgproxy.session.planning import StatementPlanner, field_descriptions
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import Completion, PortalDriver
from pgproxy.session.presenting import present_error, shift_position
from pgproxy.session.running import OutputShape
from pgproxy.session.sink import Sink
from pgproxy.session.statement_log import StatementLog
from pgproxy.session.transaction import Transaction
from pgproxy.session.utilities import UtilityResult
from pgproxy.sql.utility import statements as u
from pgwire.backend import BackendMessage, FieldDescription, RowDescription
from pgwire.errors import FeatureNotSupported, GatewayError, InternalError, StatementError, UnknownPortal
from pgwire.session.objects import Portal as NamedPortal
from pgwire.session.objects import Portals, PortalState, PreparedStatement
from pgwire.sqlstate import SqlState

_Result = TypeVar("_Result")
_BINARY = 1


class Cursors:
    """The cursors of one session. spool_limits: for each; what they keep is bounded by it."""

    def __init__(
        self,
        planner: StatementPlanner,
        driver: PortalDriver,
        transaction: Transaction,
        portals: Portals,
        spool_limits: SpoolLimits,
    ) -> None:
        self._log = driver.log
        self._planner = planner
        self._driver = driver
        self._transaction = transaction
        self._portals = portals
        self._spool_limits = spool_limits

    def columns(
        self, statement: u.UtilityStatement, formats: Sequence[int]
    ) -> tuple[FieldDescription, ...] | None:
        """Give the shape of what FETCH returns, in the formats that it is bound with.

        None for a cursor that does not exist: only executing the FETCH is an error.
        """
        if not isinstance(statement, u.FetchCursor) or statement.name not in self._portals:
            return None
        portal = self._resolve(statement.name)
        return field_descriptions(portal.prepared.columns or (), formats)

    async def run(
        self, statement: u.UtilityStatement, sink: Sink, bound: Portal | None
    ) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind.

        bound: what Bind made of it: DECLARE's parameters, the formats of FETCH's rows. None: the simple
        protocol, where FETCH describes its rows itself.
        """
        match statement:
            case u.DeclareCursor():
                await self._declare(statement, bound)
                return UtilityResult("DECLARE CURSOR")
            case u.FetchCursor():
                portal = self._resolve(statement.name)
                if bound is not None:
                    await self._read_as(portal, bound.result_formats)
                    rows = _Described(sink, None, self._log)
                else:
                    rows = _Described(sink, self.columns(statement, portal.result_formats), self._log)
                count = await self._move(statement, rows)
                rows.describe()
                return UtilityResult(f"FETCH {count}")
            case u.MoveCursor():
                return UtilityResult(f"MOVE {await self._move(statement, None)}")
            case u.CloseCursor(name=None):
                for named in self._portals.clear():
                    await self._driver.close(_own(named))
                return UtilityResult("CLOSE CURSOR ALL")
            case u.CloseCursor(name=str(name)):
                await self._driver.close(self._resolve(name))
                self._portals.remove(name)
                return UtilityResult("CLOSE CURSOR")
            case _:
                return None

    async def execute(self, portal: Portal, max_rows: int, sink: Sink) -> Completion:
        """Execute a cursor by the protocol: it goes forward from where it stands."""
        rows = portal.cursor
        if rows is None:
            raise InternalError("the portal is no cursor")
        counted = _Described(sink, None, self._log)
        count = await self._guarded(portal, rows.forward(max_rows or None, counted))
        if max_rows and count == max_rows:
            return Completion(None, is_suspended=True)
        return Completion(f"SELECT {count}")

    @property
    def have_to_be_held(self) -> bool:
        """Whether `hold` would have something to do."""
        return any(_own(named).declared is not None and not named.is_held for named in self._portals)

    async def hold(self) -> None:
        """Let the WITH HOLD cursors of this transaction outlive it: read them to their end.

        Raises:
            GatewayError: a cursor's statement failed; the transaction cannot commit.
        """
        for named in self._portals:
            portal = _own(named)
            if not portal.is_with_hold or named.is_held or portal.cursor is None:
                continue
            await self._guarded(portal, portal.cursor.read_all())
            await self._driver.finish(portal)
            named.is_held = True

    async def _declare(self, statement: u.DeclareCursor, bound: Portal | None) -> None:
        if not statement.hold and not self._transaction.allows_cursors:
            raise StatementError(
                "DECLARE CURSOR can only be used in transaction blocks",
                sqlstate=SqlState.NO_ACTIVE_SQL_TRANSACTION,
            )
        self._portals.check_free(statement.name)
        try:
            prepared = await self._planner.prepare(
                statement.query, bound.prepared.parameter_oids if bound is not None else ()
            )
        except GatewayError as error:
            raise shift_position(error, statement.offset) from error
        if prepared.plan is None or not prepared.plan.is_read_only or prepared.columns is None:
            raise StatementError("DECLARE CURSOR must not contain statements that write")
        parameters = bound.parameters if bound is not None else ()
        portal = Portal(prepared, parameters, (_BINARY,) if statement.is_binary else (), declared=statement)
        await self._open(portal, _keeps(statement))
        columns = field_descriptions(prepared.columns, portal.result_formats)
        named = PreparedStatement(statement.name, (), columns, prepared)
        self._portals.add(NamedPortal(statement.name, named, columns, portal))

    async def _open(self, portal: Portal, keeps: Keeps) -> None:
        shape = OutputShape(with_row_offsets=True)
        await self._guarded(portal, self._driver.start(portal, in_block=True, shape=shape))
        portal.cursor = CursorRows(portal.read, self._spool(), keeps)

    async def _read_as(self, portal: Portal, formats: tuple[int, ...]) -> None:
        """Let the rows come in the formats that this FETCH was bound with.

        Raises:
            FeatureNotSupported: rows of another format have been read.
        """
        columns = portal.prepared.columns or ()
        wanted, now = (
            [field.format for field in field_descriptions(columns, codes)]
            for codes in (formats, portal.result_formats)
        )
        if portal.cursor is None or wanted == now:
            return
        if portal.cursor.is_touched:
            raise FeatureNotSupported(
                "a cursor cannot be read in several formats", hint="Fetch all rows as text, or all as binary."
            )
        keeps = portal.cursor.keeps
        await self._driver.close(portal)
        portal.result_formats = formats
        await self._open(portal, keeps)

    def _spool(self) -> ChunkSpool:
        return ChunkSpool(f"cursor-{uuid4().hex}", replace(self._spool_limits, memory_bytes=4 << 20))

    async def _move(self, statement: u.FetchCursor | u.MoveCursor, sink: Sink | None) -> int:
        portal = self._resolve(statement.name)
        if portal.prepared.plan is not None:
            self._log.note_plan(portal.prepared.plan)
        named = self._portals.resolve(statement.name)
        if named.state is PortalState.FAILED:
            raise StatementError(
                f'portal "{named.name}" cannot be run', sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE
            )
        named.state = PortalState.FAILED  # unless what follows succeeds
        if portal.cursor is None:
            await self._adopt(portal)
        if portal.cursor is None:
            raise InternalError("the portal is no cursor")
        count = await self._guarded(portal, _moved(portal.cursor, statement, sink))
        if portal.stream is not None:
            self._log.note_route(portal.stream.outcome)
        named.state = PortalState.SUSPENDED  # wherever it stands now, Execute goes on from there
        return count

    async def _adopt(self, portal: Portal) -> None:
        """Let SQL read a portal that Bind made, from the row that Execute would give next."""
        if portal.prepared.plan is None or not portal.prepared.plan.returns_rows:
            raise StatementError("cursor is not a query", sqlstate=SqlState.INVALID_CURSOR_STATE)
        if portal.is_started:
            portal.cursor = CursorRows(portal.read, self._spool(), Keeps.WINDOW)
        else:
            await self._open(portal, Keeps.WINDOW)

    async def _guarded(self, portal: Portal, work: Awaitable[_Result]) -> _Result:
        try:
            return await work
        except GatewayError as error:
            shown = present_error(error, portal.prepared.plan)
            await self._driver.fail(portal)
            raise shown from error

    def _resolve(self, name: str) -> Portal:
        return _own(self._portals.resolve(name)) if name in self._portals else self._unknown(name)

    def _unknown(self, name: str) -> NoReturn:
        raise UnknownPortal(f'cursor "{name}" does not exist')


class _Described:
    """A sink that counts, and sends RowDescription before the first row: an error may come before either.

    fields: None where Describe has told them.
    """

    def __init__(self, sink: Sink, fields: tuple[FieldDescription, ...] | None, log: StatementLog) -> None:
        self._sink = sink
        self._log = log
        self._fields = fields

    def describe(self) -> None:
        """Send it, if it has not been sent."""
        fields, self._fields = self._fields, None
        if fields is not None:
            self._sink.send(RowDescription(fields))

    def send(self, message: BackendMessage) -> None:
        """Queue one message."""
        self._sink.send(message)

    async def write_rows(self, rows: bytes | memoryview) -> None:
        """Forward encoded rows."""
        self.describe()
        self._log.note_rows(0, len(rows))
        await self._sink.write_rows(rows)


async def _moved(rows: CursorRows, statement: u.FetchCursor | u.MoveCursor, sink: Sink | None) -> int:
    """Do what FETCH says. PostgreSQL's DoPortalRunFetch; None as sink: MOVE."""
    count = statement.count
    match statement.direction:
        case u.FetchDirection.ABSOLUTE:
            return await _absolute(rows, count or 0, sink)
        case u.FetchDirection.RELATIVE if count is not None and abs(count) > 1:
            await _relative(rows, count - (1 if count > 0 else -1), None)
            return await _relative(rows, 1 if count > 0 else -1, sink)
        case u.FetchDirection.BACKWARD:
            return await _relative(rows, None if count is None else -count, sink, is_backward=True)
        case _:
            return await _relative(rows, count, sink)


async def _absolute(rows: CursorRows, row: int, sink: Sink | None) -> int:
    if row < 0:
        await rows.forward(None, None)
        await rows.backward(-row - 1, None)
        return await rows.backward(1, sink)
    if row == 0:
        await rows.rewind()
        return 0
    if row > rows.position:
        await rows.forward(row - rows.position - 1, None)
    else:
        await rows.backward(rows.position - row + 1, None)
    return await rows.forward(1, sink)


async def _relative(
    rows: CursorRows, count: int | None, sink: Sink | None, *, is_backward: bool = False
) -> int:
    if count == 0:
        return int(rows.is_on_row) if sink is None else await rows.again(sink)
    if count is None:
        return await (rows.backward(None, sink) if is_backward else rows.forward(None, sink))
    return await (rows.backward(-count, sink) if count < 0 else rows.forward(count, sink))


def _keeps(statement: u.DeclareCursor) -> Keeps:
    if statement.scroll is False:
        return Keeps.NOTHING
    return Keeps.ALL if statement.scroll or statement.hold else Keeps.WINDOW


def _own(named: NamedPortal) -> Portal:
    if not isinstance(named.handle, Portal):
        raise InternalError("a portal holds no stream")
    return named.handle
