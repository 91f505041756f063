"""ALTER … OWNER TO and REASSIGN OWNED in a session: planned by the gateway, run as a definition."""

from pgproxy.session.kept_rows import UnseenRows
from pgproxy.session.planning import StatementPlanner
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import PortalDriver
from pgproxy.session.sink import Sink
from pgproxy.session.utilities import UtilityResult
from pgproxy.sql.utility import statements as u
from pgproxy.sql.utility.owners import AlterOwner, ReassignOwned
from pgwire.backend import NoticeResponse


class OwnerChanges:
    """Runs them for one session."""

    def __init__(self, planner: StatementPlanner, driver: PortalDriver) -> None:
        self._planner = planner
        self._driver = driver

    async def run(self, statement: u.UtilityStatement, sink: Sink, *, describe: bool) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind.

        Raises:
            GatewayError: it is refused, or the engine refused it.
        """
        if not isinstance(statement, (AlterOwner, ReassignOwned)):
            return None
        prepared, notices = self._planner.prepare_owner_change(statement)
        await self._driver.run(Portal(prepared), UnseenRows(), 0, describe=False, in_block=True)
        told = tuple(NoticeResponse("NOTICE", n.sqlstate, n.message) for n in notices)
        return UtilityResult(statement.tag, notices=told)
