"""SQL cursors: DECLARE, FETCH, MOVE, CLOSE. A cursor is a portal, in the name space of Bind's portals.

PostgreSQL docs, "DECLARE", "FETCH", "MOVE". Forward-only for now: SCROLL and WITH HOLD are refused.
"""

from collections.abc import Sequence

from pgproxy.session.planning import StatementPlanner, field_descriptions
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import PortalDriver
from pgproxy.session.running import OutputShape
from pgproxy.session.sink import Sink
from pgproxy.session.transaction import Transaction
from pgproxy.session.utilities import UtilityResult
from pgproxy.sql.utility import statements as u
from pgwire.backend import FieldDescription, RowDescription
from pgwire.errors import FeatureNotSupported, GatewayError, InternalError, StatementError, UnknownPortal
from pgwire.session.objects import Portal as NamedPortal
from pgwire.session.objects import Portals, PreparedStatement
from pgwire.sqlstate import SqlState

_BINARY = 1
_ALL_ROWS = 0


class Cursors:
    """The cursors of one session."""

    def __init__(
        self, planner: StatementPlanner, driver: PortalDriver, transaction: Transaction, portals: Portals
    ) -> None:
        self._planner = planner
        self._driver = driver
        self._transaction = transaction
        self._portals = portals

    def columns(
        self, statement: u.UtilityStatement, formats: Sequence[int]
    ) -> tuple[FieldDescription, ...] | None:
        """Give the shape of what FETCH returns: the cursor's, in the cursor's own formats if it is BINARY."""
        if not isinstance(statement, u.FetchCursor):
            return None
        portal = self._resolve(statement.name)
        return field_descriptions(portal.prepared.columns or (), portal.result_formats or formats)

    async def run(self, statement: u.UtilityStatement, sink: Sink, *, describe: bool) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind."""
        match statement:
            case u.DeclareCursor():
                await self._declare(statement)
                return UtilityResult("DECLARE CURSOR")
            case u.FetchCursor():
                count = await self._fetch(statement, sink, describe=describe)
                return UtilityResult(f"FETCH {count}")
            case u.MoveCursor():
                count = await self._fetch(statement, _Discard(), describe=False)
                return UtilityResult(f"MOVE {count}")
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

    async def _declare(self, statement: u.DeclareCursor) -> None:
        if statement.hold or statement.scroll:
            raise FeatureNotSupported("SCROLL and WITH HOLD cursors are not supported")
        if not self._transaction.is_open or self._transaction.is_implicit:
            raise StatementError(
                "DECLARE CURSOR can only be used in transaction blocks",
                sqlstate=SqlState.NO_ACTIVE_SQL_TRANSACTION,
            )
        self._portals.check_free(statement.name)
        try:
            prepared = await self._planner.prepare(statement.query)
        except GatewayError as error:
            if error.position is not None:
                error.position += statement.offset
            raise
        if prepared.plan is None or not prepared.plan.is_read_only or prepared.columns is None:
            raise StatementError("DECLARE CURSOR must not contain statements that write")
        portal = Portal(prepared, result_formats=(_BINARY,) if statement.is_binary else ())
        named = PreparedStatement(statement.name, (), field_descriptions(prepared.columns), prepared)
        self._portals.add(NamedPortal(statement.name, named, named.columns, portal))

    async def _fetch(
        self, statement: u.FetchCursor | u.MoveCursor, sink: "Sink | _Discard", *, describe: bool
    ) -> int:
        portal = self._resolve(statement.name)
        count = statement.count
        if (
            statement.direction is u.FetchDirection.ABSOLUTE
            or statement.direction is u.FetchDirection.BACKWARD
        ):
            raise StatementError(
                "cursor can only scan forward",
                sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
                hint="Declare it with SCROLL option to enable backward scan.",
            )
        if describe:
            columns = field_descriptions(portal.prepared.columns or (), portal.result_formats)
            sink.send(RowDescription(columns))
        if count == 0:
            return 0
        if not portal.is_started and portal.rows_sent == 0:
            await self._driver.start(portal, in_block=True, shape=OutputShape(with_row_offsets=True))
        run = await self._driver.forward(portal, sink, count if count is not None else _ALL_ROWS)
        return run.rows

    def _resolve(self, name: str) -> Portal:
        try:
            return _own(self._portals.resolve(name))
        except UnknownPortal:
            raise UnknownPortal(f'cursor "{name}" does not exist') from None


class _Discard:
    """A sink for MOVE: rows are passed over."""

    def send(self, message: object) -> None:
        """Drop a message."""

    async def write_rows(self, rows: bytes | memoryview) -> None:
        """Drop rows."""


def _own(named: NamedPortal) -> Portal:
    if not isinstance(named.handle, Portal):
        raise InternalError("a portal holds no stream")
    return named.handle
