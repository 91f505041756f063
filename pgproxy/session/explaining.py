"""EXPLAIN. PostgreSQL docs, "EXPLAIN".

The inner statement is planned like any other. The engine's own plan is shown only where it hides nothing:
else an outline of the client's text stands for it. EXPLAIN (POLICY) adds what decides, by name, and the
route. EXPLAIN ANALYZE runs the statement as it would run anyhow, and tells what its client would learn by
that: how many rows there are and how long they took. Below the first line there are no figures, since those
of a scan would count rows that a filter hides.
"""

import time
from dataclasses import replace

from pgproxy.session.explain_document import plan_document
from pgproxy.session.kept_rows import KeptRows, UnseenRows
from pgproxy.session.planning import StatementPlanner
from pgproxy.session.portal import Portal
from pgproxy.session.portal_runs import PortalDriver
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.presenting import shift_position
from pgproxy.session.sink import Sink
from pgproxy.session.utilities import UtilityResult, utility_columns
from pgproxy.sql.outline import outline_statement, outline_steps
from pgproxy.sql.plan import Plan, StatementKind
from pgproxy.sql.planner import plan_explain
from pgproxy.sql.policy_report import report_policy
from pgproxy.sql.utility import statements as u
from pgwire.errors import FeatureNotSupported, GatewayError, StatementError
from pgwire.sqlstate import SqlState

_KNOWN = frozenset(
    {"analyze", "policy", "summary", "timing", "verbose", "costs", "settings", "buffers", "wal"}
)
"""The last four have no effect."""
_EXPLAINED = frozenset(
    {
        StatementKind.SELECT,
        StatementKind.INSERT,
        StatementKind.UPDATE,
        StatementKind.DELETE,
        StatementKind.CREATE_TABLE,
    }
)


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
        began = time.perf_counter()
        inner, plan = await self._plan(statement)
        planning_ms = (time.perf_counter() - began) * 1e3
        if statement.format == "json":
            lines: tuple[str, ...] = (await self._document(statement, inner, plan, planning_ms),)
        elif _is_on(statement, "analyze"):
            lines = await self._analysed(statement, inner, plan, planning_ms)
        elif _is_on(statement, "policy"):
            lines = (*report_policy(plan, self._planner.policy), self._route_line(plan))
        elif (plan.is_governed or plan.is_catalog) and not self._planner.policy.is_admin:
            lines = outline_statement(statement.query, self._planner.settings.show("pgproxy.dialect"))
        else:
            lines = await self._engine_lines(statement, inner, plan)
        return UtilityResult("EXPLAIN", utility_columns(statement), tuple((line,) for line in lines))

    async def _plan(self, statement: u.Explain) -> tuple[PreparedQuery, Plan]:
        try:
            inner = await self._planner.prepare(statement.query, needs_columns=False)
        except GatewayError as error:
            raise shift_position(error, statement.offset) from error
        if inner.call is not None:
            raise FeatureNotSupported("the gateway answers this itself: there is no plan to explain")
        if inner.plan is None or inner.plan.kind not in _EXPLAINED:
            raise StatementError("EXPLAIN needs a query")
        return inner, inner.plan

    async def _document(
        self, statement: u.Explain, inner: PreparedQuery, plan: Plan, planning_ms: float
    ) -> str:
        if _is_on(statement, "policy"):
            raise FeatureNotSupported("EXPLAIN (POLICY) is given as text")
        figures: dict[str, object] = {}
        times: dict[str, object] = {}
        if _is_on(statement, "analyze"):
            rows, took_ms = await self._measured(inner, plan)
            figures = {"Actual Rows": rows, "Actual Loops": 1}
            if _is_on(statement, "timing", default=True):
                figures = {"Actual Startup Time": 0.0, "Actual Total Time": round(took_ms, 3), **figures}
            if _is_on(statement, "summary", default=True):
                times = {"Planning Time": round(planning_ms, 3), "Execution Time": round(took_ms, 3)}
        steps = outline_steps(statement.query, self._planner.settings.show("pgproxy.dialect"))
        return plan_document(steps, figures, times)

    async def _measured(self, inner: PreparedQuery, plan: Plan) -> tuple[int, float]:
        """Run the statement, whose rows nobody gets; their number and the milliseconds."""
        if plan.kind is StatementKind.CREATE_TABLE:
            raise FeatureNotSupported("EXPLAIN ANALYZE of this statement is not supported")
        began = time.perf_counter()
        completion = await self._driver.run(Portal(inner), UnseenRows(), 0, describe=False, in_block=True)
        took_ms = (time.perf_counter() - began) * 1e3
        return completion.rows if plan.returns_rows else 0, took_ms

    async def _analysed(
        self, statement: u.Explain, inner: PreparedQuery, plan: Plan, planning_ms: float
    ) -> tuple[str, ...]:
        rows, took_ms = await self._measured(inner, plan)
        first, *others = outline_statement(statement.query, self._planner.settings.show("pgproxy.dialect"))
        times = f"time=0.000..{took_ms:.3f} " if _is_on(statement, "timing", default=True) else ""
        lines = [f"{first} (actual {times}rows={rows} loops=1)", *others]
        if _is_on(statement, "policy"):
            lines += [*report_policy(plan, self._planner.policy), self._route_line(plan)]
        if _is_on(statement, "summary", default=True):
            lines += [f"Planning Time: {planning_ms:.3f} ms", f"Execution Time: {took_ms:.3f} ms"]
        return tuple(lines)

    async def _engine_lines(self, statement: u.Explain, inner: PreparedQuery, plan: Plan) -> tuple[str, ...]:
        explained = plan_explain(plan, is_admin=self._planner.policy.is_admin)
        rows = KeptRows()
        # Its text is EXPLAIN's own: were it ever planned anew from that, the statement itself must not run.
        prepared = replace(inner, text=f"EXPLAIN {statement.query}", plan=explained, columns=None)
        await self._driver.run(Portal(prepared), rows, 0, describe=False, in_block=True)
        text = "\n".join((row[-1] or b"").decode() for row in rows.rows())
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())

    def _route_line(self, plan: Plan) -> str:
        route = self._planner.route(plan)
        return f"Route: {route.endpoint or 'local'} ({route.reason.value})"


def _is_on(statement: u.Explain, name: str, *, default: bool = False) -> bool:
    """Whether an option is on; the last one of a name counts."""
    values = [
        option.value not in ("off", "false", "0") for option in statement.options if option.name == name
    ]
    return values[-1] if values else default


def _check_options(statement: u.Explain) -> None:
    for option in statement.options:
        is_off = option.value in ("off", "false", "0")
        is_text = option.name == "format" and statement.format in ("text", "json")
        if not is_off and not is_text and option.name not in _KNOWN:
            raise FeatureNotSupported(
                f"EXPLAIN option {option.name.upper()} is not supported",
                sqlstate=SqlState.FEATURE_NOT_SUPPORTED,
            )
