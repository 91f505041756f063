"""EXPLAIN. PostgreSQL docs, "EXPLAIN".

The inner statement is planned like any other; the engine's own plan is shown only where it hides nothing.
"""

from pgproxy.session.kept_rows import KeptRows
from pgproxy.session.planning import StatementPlanner
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import PortalDriver
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.presenting import shift_position
from pgproxy.session.sink import Sink
from pgproxy.session.utilities import UtilityResult, utility_columns
from pgproxy.sql.planner import plan_explain
from pgproxy.sql.utility import statements as u
from pgwire.errors import FeatureNotSupported, GatewayError, StatementError
from pgwire.sqlstate import SqlState

_WITHOUT_EFFECT = frozenset({"verbose", "costs", "settings", "summary", "timing", "buffers", "wal"})


class Explains:
    """Runs EXPLAIN for one session."""

    def __init__(self, planner: StatementPlanner, driver: PortalDriver) -> None:
        self._planner = planner
        self._driver = driver

    async def run(self, statement: u.UtilityStatement, sink: Sink, *, describe: bool) -> UtilityResult | None:
        """Run a statement; None where it is not of this kind."""
        if not isinstance(statement, u.Explain):
            return None
        _check_options(statement)
        prepared = await self._prepare(statement)
        rows = KeptRows()
        await self._driver.run(Portal(prepared), rows, 0, describe=False, in_block=True)
        text = "\n".join((row[-1] or b"").decode() for row in rows.rows())
        lines = tuple((line.rstrip(),) for line in text.splitlines() if line.strip())
        return UtilityResult("EXPLAIN", utility_columns(statement), lines)

    async def _prepare(self, statement: u.Explain) -> PreparedQuery:
        try:
            inner = await self._planner.prepare(statement.query, needs_columns=False)
        except GatewayError as error:
            raise shift_position(error, statement.offset) from error
        if inner.plan is None:
            raise StatementError("EXPLAIN needs a query")
        plan = plan_explain(inner.plan, is_admin=self._planner.policy.is_admin)
        return PreparedQuery(statement.query, (), plan=plan)


def _check_options(statement: u.Explain) -> None:
    for option in statement.options:
        is_off = option.value in ("off", "false", "0")
        is_text = option.name == "format" and option.value == "text"
        if not is_off and not is_text and option.name not in _WITHOUT_EFFECT:
            raise FeatureNotSupported(
                f"EXPLAIN option {option.name.upper()} is not supported",
                sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
            )
