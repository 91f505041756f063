"""Runs cases as their principals: the gateway's own planner and embedded engine, without a network.

Each case runs in a transaction of its own that is rolled back.
"""

import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from execnode.engine import DuckEngine, EngineLimits
from execnode.engine.parser import serialized_tree
from execnode.statement import CatalogDefinition, CatalogGeneration, EngineStatement, Parameter
from pgproxy.catalog.service import CatalogService
from pgproxy.policy.current import CurrentPolicies
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.policy.model import PolicySet
from pgproxy.session.kept_rows import KeptRows
from pgproxy.session.presenting import present_error
from pgproxy.session.services import Identity
from pgproxy.session.session_values import SessionValues
from pgproxy.session.settings import SessionSettings
from pgproxy.sql.plan import BoundValue, EngineTree, Plan, PlanContext
from pgproxy.sql.planner import plan_statement
from pgproxy.trial.cases import Case
from pgproxy.trial.judging import Outcome
from pgwire.errors import GatewayError

_READING = re.compile(r"[\s(]*(select|with|values|table|from)\b", re.IGNORECASE)


def is_reading(query: str) -> bool:
    """Whether a query surely changes nothing, so that the database may be opened for reading only."""
    return _READING.match(query) is not None


@asynccontextmanager
async def open_bench(location: str, name: str, *, is_read_only: bool) -> AsyncIterator["Bench"]:
    """Open a database file under the name that policies know it by. location: its full path.

    Raises:
        GatewayError: the engine cannot open it.
    """
    with tempfile.TemporaryDirectory(prefix="pgproxy-trial-") as folder:
        catalogs = CatalogService(name, [name])
        engine = DuckEngine(EngineLimits(Path(folder)), prepare_instance=catalogs.prepare_instance)
        try:
            definition = CatalogDefinition(name, "duckdb", location, is_read_only)
            await engine.attach(CatalogGeneration(1, (definition,)))
            await catalogs.refresh()
            yield Bench(engine, catalogs, name)
        finally:
            await catalogs.close()
            await engine.close()


class Bench:
    """One opened database."""

    def __init__(self, engine: DuckEngine, catalogs: CatalogService, database: str) -> None:
        self._engine = engine
        self.catalogs = catalogs
        self._database = database
        self._policies = CurrentPolicies(PolicySet(0))

    async def use(self, policy_set: PolicySet) -> None:
        """Let these policies hold for the cases to come."""
        self._policies.replace(policy_set)
        await self.catalogs.publish_policy_set(policy_set)

    def knows(self, principal: str) -> bool:
        """Whether the policies have a user or group of that name."""
        return principal in self._policies.policy_set.principals

    async def run(self, case: Case) -> Outcome:
        """Run one case; an error is an outcome like others."""
        plan: Plan | None = None
        try:
            policy = self._policies.effective(case.principal)
            context = self._context(case, policy)
            plan = plan_statement(case.query, (), context)
            if plan.is_catalog:
                await self.catalogs.publish_viewer(policy)
            return await self._execute(plan, context)
        except GatewayError as error:
            shown = present_error(error, plan, case.query)
            return Outcome(error=shown.sqlstate.value, message=shown.message)

    def _context(self, case: Case, policy: EffectivePolicy) -> PlanContext:
        settings = SessionSettings({"session_authorization": case.principal}, policy.attributes)
        if case.search_path is not None:
            settings.set("search_path", ", ".join(case.search_path))
        snapshot = self.catalogs.snapshot
        path = settings.search_path(case.principal)
        return PlanContext(
            policy=policy,
            catalog=snapshot,
            search_path=tuple(name for name in path if (self._database, name) in snapshot.schemas),
            session_user=case.principal,
            parse_engine_sql=engine_tree,
            default_catalog=self._database,
            session_values=SessionValues(Identity(case.principal, self._database, 0), settings),
        )

    async def _execute(self, plan: Plan, context: PlanContext) -> Outcome:
        bound = tuple(_parameter(value, context) for value in plan.bound_values)
        described = EngineStatement(plan.describe_sql) if plan.returns_rows else None
        session = await self._engine.open_session()
        try:
            await session.execute_utility("BEGIN")
            columns = await self._engine.describe(described, session) if described is not None else ()
            statement = EngineStatement(plan.sql, bound, columns, returns_rows=plan.returns_rows)
            rows = KeptRows()
            async with self._engine.execute(statement, session) as stream:
                while (chunk := await stream.read()) is not None:
                    await rows.write_rows(chunk.rows)
                affected = stream.affected_rows
        finally:
            await session.close()
        if not plan.returns_rows:
            return Outcome(affected=affected)
        texts = tuple(tuple(None if cell is None else cell.decode() for cell in row) for row in rows.rows())
        names = plan.column_names or tuple(column.name for column in columns)
        is_read = plan.is_read_only
        return Outcome(names, texts, None if is_read else len(texts))


def engine_tree(sql: str) -> EngineTree:
    """Ask DuckDB's own parser, in the planner's terms."""
    tree = serialized_tree(sql)
    return EngineTree(tree.statement_types, tree.relations, tree.functions)


def _parameter(value: BoundValue, context: PlanContext) -> Parameter:
    held = value
    if value.session_key is not None:
        held = context.session_values.get(value.session_key, BoundValue(value.type_oid, None))
    return Parameter(value.type_oid, 0, held.text.encode() if held.text is not None else None)
