"""DISCARD: a session as if it were new. PostgreSQL docs, "DISCARD"."""

from pgproxy.session.notifications import Notifications
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import PortalDriver
from pgproxy.session.session_catalog import SessionCatalog
from pgproxy.session.settings import SessionSettings
from pgproxy.session.transaction import Transaction
from pgproxy.session.utilities import UtilityResult
from pgproxy.sql.utility import statements as u
from pgwire.errors import StatementError
from pgwire.session.objects import Portals, PreparedStatements
from pgwire.sqlstate import SqlState


class Discards:
    """Runs DISCARD for one session."""

    def __init__(
        self,
        settings: SessionSettings,
        driver: PortalDriver,
        catalog: SessionCatalog,
        notifications: Notifications,
        names: tuple[PreparedStatements, Portals],
    ) -> None:
        """names: what the client has named."""
        self._settings = settings
        self._driver = driver
        self._catalog = catalog
        self._notifications = notifications
        self._statements, self._portals = names

    async def run(self, statement: u.UtilityStatement, transaction: Transaction) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind.

        Raises:
            StatementError: 25001, DISCARD ALL within a block.
        """
        if not isinstance(statement, u.Discard):
            return None
        if statement.target is u.DiscardTarget.ALL:
            if transaction.allows_cursors:
                raise StatementError(
                    "DISCARD ALL cannot run inside a transaction block",
                    sqlstate=SqlState.ACTIVE_SQL_TRANSACTION,
                )
            await self._discard_all()
        elif statement.target is u.DiscardTarget.TEMP:
            await self._catalog.drop_temp_tables()
        return UtilityResult(f"DISCARD {statement.target.value}")

    async def _discard_all(self) -> None:
        for named in self._portals.clear():
            if isinstance(named.handle, Portal):
                await self._driver.close(named.handle)
        self._settings.reset_all()
        self._statements.clear()
        self._notifications.unlisten_all()
        await self._catalog.drop_temp_tables()
