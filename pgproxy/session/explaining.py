"""EXPLAIN. PostgreSQL docs, "EXPLAIN". The inner statement is planned like any other."""

from pgproxy.session.planning import StatementPlanner
from pgproxy.session.portal_runs import PortalDriver
from pgproxy.session.sink import Sink
from pgproxy.session.utilities import UtilityResult
from pgproxy.sql.utility import statements as u
from pgwire.errors import FeatureNotSupported


class Explains:
    """Runs EXPLAIN for one session."""

    def __init__(self, planner: StatementPlanner, driver: PortalDriver) -> None:
        self._planner = planner
        self._driver = driver

    async def run(self, statement: u.UtilityStatement, sink: Sink, *, describe: bool) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind."""
        if not isinstance(statement, u.Explain):
            return None
        raise FeatureNotSupported("EXPLAIN is not supported")
