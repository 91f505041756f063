"""From a statement's text to a PreparedQuery: utility or plan, with the shape of its rows.

The one caller of `plan_statement` on behalf of clients; both query protocols, cursors, COPY and EXPLAIN come
here.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from execnode.statement import EngineStatement
from pgproxy.catalog.sequences import SequenceInfo
from pgproxy.catalog.snapshot import TableInfo
from pgproxy.control.administration import as_role
from pgproxy.policy.effective import EffectivePolicy
from pgproxy.routing.resolve import Route, StatementTraits
from pgproxy.routing.router import PinnedSession, RouteRequest
from pgproxy.session.prepared import PreparedQuery
from pgproxy.session.presenting import present_error, shift_position
from pgproxy.session.query_calls import QueryCalls
from pgproxy.session.services import Identity, SessionServices
from pgproxy.session.session_catalog import SessionCatalog
from pgproxy.session.session_values import SessionValues
from pgproxy.session.settings import SessionSettings
from pgproxy.session.violations import Viewer
from pgproxy.sql.cache import MAX_CACHED_TEXT_CHARS
from pgproxy.sql.names import find_relation
from pgproxy.sql.owner_changes import plan_owner_change
from pgproxy.sql.parse import parse_statement
from pgproxy.sql.plan import NO_ORIGIN, Origin, Plan, PlanContext, PlanNotice, StatementKind
from pgproxy.sql.planner import plan_statement
from pgproxy.sql.schemas import knows_schema
from pgproxy.sql.sequences import Named, find_sequence
from pgproxy.sql.utility import UtilityStatement, parse_utility
from pgproxy.sql.utility.owners import AlterOwner, ReassignOwned
from pgproxy.sql.utility.query_calls import parse_query_call
from pgproxy.sql.utility.statements import DeclareCursor
from pgwire.backend import FieldDescription
from pgwire.errors import FeatureNotSupported, GatewayError, StatementError
from pgwire.sqlstate import SqlState
from pgwire.types import ResultColumn, engine_type_of, type_by_oid

_DESCRIBED_LIMIT = 4096
_SYSTEM_SCHEMAS = frozenset({"pg_catalog", "pgproxy"})
_ALWAYS_THERE = frozenset({"public", "main", "pg_catalog", "information_schema", "pgproxy"})


class PlanMoved(StatementError):
    """The statement would be planned otherwise by now than it was begun."""

    def __init__(self) -> None:
        super().__init__(
            "what the statement reads has changed while it waited to be run",
            sqlstate=SqlState.SERIALIZATION_FAILURE,
            hint="Run it again.",
        )


class StatementPlanner:
    """Plans for one session: with its principal's policy, its settings and its search path."""

    def __init__(
        self,
        identity: Identity,
        services: SessionServices,
        settings: SessionSettings,
        catalog: SessionCatalog,
    ) -> None:
        self.identity = identity
        self.settings = settings
        self._services = services
        self.catalog = catalog
        self.calls = QueryCalls(identity, services.queries, settings)
        self._path: tuple[tuple[str, int, str], tuple[str, ...]] | None = None

    @property
    def policy(self) -> EffectivePolicy:
        """The principal's policy as of now."""
        return self._services.policies.effective(self.identity.principal, self.identity.scope)

    async def prepare(
        self, text: str, declared_oids: Sequence[int] = (), *, needs_columns: bool = True
    ) -> PreparedQuery:
        """Parse one statement. needs_columns: False where the rows' shape comes with the stream itself.

        Raises:
            GatewayError: the statement is wrong or denied.
        """
        is_long = len(text) > MAX_CACHED_TEXT_CHARS
        utility = await asyncio.to_thread(parse_utility, text) if is_long else parse_utility(text)
        if utility is not None:
            inner = await self._inner(utility, declared_oids)
            return PreparedQuery(text, tuple(declared_oids), utility=utility, inner=inner)
        call = await self.calls.prepare(text, tuple(declared_oids))
        if call is not None:
            return call
        planned_for = self._circumstances()
        plan = await self._plan_apart(text, declared_oids)
        columns: tuple[ResultColumn, ...] | None = None
        if plan.returns_rows and (needs_columns or plan.column_type_oids is not None):
            columns = await self._describe(plan, text)
        return PreparedQuery(text, tuple(declared_oids), None, plan, columns, planned_for)

    async def _inner(self, utility: UtilityStatement, declared_oids: Sequence[int]) -> PreparedQuery | None:
        if not isinstance(utility, DeclareCursor):
            return None
        try:
            return await self.prepare(utility.query, declared_oids)
        except GatewayError as error:
            raise shift_position(error, utility.offset) from error

    async def refreshed(self, prepared: PreparedQuery) -> PreparedQuery:
        """Give the statement as planned under the policy and catalog of now.

        The same object if nothing moved.
        """
        if prepared.plan is None or prepared.call is not None:
            return prepared
        if prepared.planned_for == self._circumstances():
            return prepared
        return await self.prepare(
            prepared.text, prepared.declared_oids, needs_columns=prepared.columns is not None
        )

    async def confirm(self, prepared: PreparedQuery) -> None:
        """Check that what an engine has begun may still run as it was planned: it may have waited for long.

        The engine reads what has the names by now; what a name's owner may do is bound to the table.

        Raises:
            GatewayError: the statement is wrong or denied by now.
            PlanMoved: 40001, it would be planned otherwise.
        """
        plan, catalogs = prepared.plan, self._services.catalogs
        if plan is not None and catalogs.replacing and self.touches_owned(plan):
            await catalogs.refresh()
        if plan is None or _without_settings(prepared.planned_for) == _without_settings(
            self._circumstances()
        ):
            return
        if all(access.table.schema in _SYSTEM_SCHEMAS for access in plan.accesses):
            return  # the rows themselves are guarded, in the engine's transaction
        is_same = False
        if plan.kind is not StatementKind.EXPLAIN:
            now = await self._plan_apart(prepared.text, prepared.declared_oids)
            is_same = (now.sql, now.bound_values) == (plan.sql, plan.bound_values)
        if not is_same:
            raise PlanMoved

    def touches_owned(self, plan: Plan) -> bool:
        """Whether a privilege of the plan may come from owning the table, and so is on that table only."""
        if self.policy.is_admin:
            return False
        tables = self.catalog.snapshot.tables
        found = (tables.get(access.table) for access in plan.accesses)
        return any(info is not None and info.owner is not None for info in found)

    def prepare_owner_change(
        self, statement: AlterOwner | ReassignOwned
    ) -> tuple[PreparedQuery, tuple[PlanNotice, ...]]:
        """Plan ALTER … OWNER TO or REASSIGN OWNED, for a run at once; gives what to tell besides, too.

        Raises:
            GatewayError: it is wrong or denied.
        """
        actor = self.identity.principal
        if isinstance(statement, ReassignOwned):
            statement = replace(statement, names=tuple(as_role(name, actor) for name in statement.names))
        owner = self._services.policies.effective(as_role(statement.owner, actor))
        plan = plan_owner_change(statement, self._context(), owner)
        planned = PreparedQuery("", (), plan=replace(plan, notices=()), planned_for=self._circumstances())
        return planned, plan.notices

    def check_syntax(self, text: str) -> None:
        """Parse one statement and no more.

        Raises:
            GatewayError: it is not well-formed, or too complex.
        """
        if parse_utility(text) is None and parse_query_call(text) is None:
            parse_statement(text, self._context())

    def plan(self, text: str, declared_oids: Sequence[int]) -> Plan:
        """Plan one statement, from the cache where nothing has moved."""
        return self._services.plan_cache.plan(text, tuple(declared_oids), self._context())

    async def _plan_apart(self, text: str, declared_oids: Sequence[int]) -> Plan:
        """Plan a long text, which takes seconds, in a thread: one at a time, as its tree is large too."""
        if len(text) <= MAX_CACHED_TEXT_CHARS:
            return self.plan(text, declared_oids)
        async with self._services.long_plans:
            return await asyncio.to_thread(plan_statement, text, tuple(declared_oids), self._context())

    def find_table(self, parts: Sequence[str], *, sees_all: bool = False) -> TableInfo | None:
        """Find the table or view that a name means, or None: absent, hidden or a system relation.

        sees_all: hidden ones too, for who administers them.
        """
        catalog, schema, name = (None, None, None, *parts)[-3:]
        context = self._context()
        if sees_all:
            context = replace(context, policy=replace(context.policy, is_admin=True))
        found = find_relation(context, catalog, schema, name or "")
        return found.info if found is not None and isinstance(found.info, TableInfo) else None

    def find_sequence(self, named: Named) -> SequenceInfo | None:
        """Find the sequence that a name means, hidden or not, for who administers it."""
        context = self._context()
        return find_sequence(named, replace(context, policy=replace(context.policy, is_admin=True)))

    def route(self, plan: Plan) -> Route:
        """Resolve where a plan would run now."""
        traits = StatementTraits(is_read_only=plan.is_read_only, is_catalog=plan.is_catalog)
        statement = EngineStatement(plan.sql)
        return self._services.router.resolve(
            RouteRequest(
                statement,
                self.identity.principal,
                self.policy.groups,
                traits,
                session=str(self.identity.connection_id),
            )
        )

    def _context(self) -> PlanContext:
        snapshot = self.catalog.snapshot
        private = self.catalog.private
        policy = self.policy
        return PlanContext(
            policy=policy,
            catalog=snapshot,
            search_path=self.existing_path(),
            session_user=self.identity.principal,
            parse_engine_sql=self._services.parse_engine_sql,
            dialect=self.settings.show("pgproxy.dialect"),
            default_catalog=self.identity.database,
            session_values=SessionValues(self.identity, self.settings),
            temp_tables=self.catalog.temp_tables,
            private=private.view if private is not None else None,
        )

    @property
    def viewer(self) -> Viewer:
        """Who is told of an error, and what there is."""
        return Viewer(self.policy, self.catalog.snapshot, tuple(self.temp_tables.values()))

    @property
    def temp_tables(self) -> dict[str, TableInfo]:
        """Tables of this session alone, by lower-case name, such as where COPY FROM gathers its rows."""
        return self.catalog.temp_tables

    def existing_path(self) -> tuple[str, ...]:
        """Give the schemas of search_path that are there for this principal, as namespace.c does."""
        catalog, policy = self.catalog.snapshot, self.policy
        key = (policy.fingerprint, catalog.generation, self.settings.show("search_path"))
        if self._path is None or self._path[0] != key:
            database = self.identity.database
            found = tuple(
                name
                for name in self.settings.search_path(self.identity.principal)
                if name in _ALWAYS_THERE or knows_schema((database, name), catalog, policy)
            )
            self._path = (key, found)
        return self._path[1]

    def _circumstances(self) -> tuple[object, ...]:
        """Give what a plan holds for: a statement whose circumstances have moved is planned again."""
        return (
            self.policy.epoch,
            *self.catalog.version,
            self.settings.show("search_path"),
            self.settings.show("pgproxy.dialect"),
        )

    async def _describe(self, plan: Plan, text: str) -> tuple[ResultColumn, ...]:
        pin = self.catalog.described_by(plan)
        described = self._services.described
        key = f"{plan.catalog_generation}\0{plan.policy_epoch}\0{plan.describe_sql}"
        columns = described.get(key) if pin is None else None
        if columns is None:
            columns = await self._describe_on_engine(plan, text, pin)
        if pin is None and len(text) <= MAX_CACHED_TEXT_CHARS:
            if len(described) >= _DESCRIBED_LIMIT:
                described.clear()
            described[key] = columns
        return overlay(plan, columns)

    async def _describe_on_engine(
        self, plan: Plan, text: str, pin: PinnedSession | None
    ) -> tuple[ResultColumn, ...]:
        statement = EngineStatement(plan.describe_sql, output=self.settings.output())
        traits = StatementTraits(is_read_only=True, is_catalog=plan.is_catalog)
        request = RouteRequest(statement, self.identity.principal, self.policy.groups, traits, pin)
        try:
            return await self._services.router.describe(request)
        except GatewayError as error:
            raise present_error(error, plan, text, f"DESCRIBE {plan.describe_sql}") from error


def _without_settings(circumstances: tuple[object, ...]) -> tuple[object, ...]:
    """Policy and catalog: a statement may change the settings itself, by set_config()."""
    return circumstances[:-2]


def overlay(plan: Plan, columns: Sequence[ResultColumn]) -> tuple[ResultColumn, ...]:
    """Give the engine's columns PostgreSQL's names and, where the plan knows better, types and origins.

    Raises:
        FeatureNotSupported: the engine has more columns than the plan: an output stands for several.
    """
    names = plan.column_names or tuple(column.name for column in columns)
    oids = plan.column_type_oids or (None,) * len(columns)
    origins = plan.column_origins or (NO_ORIGIN,) * len(columns)
    typmods = plan.column_typmods or (None,) * len(columns)
    if not len(names) == len(oids) == len(origins) == len(typmods) == len(columns):
        raise FeatureNotSupported(
            "an output that gives several columns is not supported",
            hint="SET pgproxy.dialect = duckdb, or select each field by its name.",
        )
    return tuple(map(_overlaid, columns, names, oids, origins, typmods))


def _overlaid(
    column: ResultColumn, name: str, oid: int | None, origin: Origin, typmod: int | None
) -> ResultColumn:
    if oid is None or oid == column.type_oid:
        return ResultColumn(name, column.type_oid, column.typmod, column.engine_type, *origin, typmod)
    return ResultColumn(name, oid, -1, engine_type_of(oid, -1), *origin, typmod)


def field_descriptions(
    columns: Sequence[ResultColumn], formats: Sequence[int] = ()
) -> tuple[FieldDescription, ...]:
    """Give RowDescription's fields. formats: none (all text), one for all, or one a column."""
    return tuple(
        FieldDescription(
            name=column.name,
            table_oid=column.table_oid,
            column_number=column.column_number,
            type_oid=column.type_oid,
            type_size=_type_size(column.type_oid),
            typmod=column.typmod if column.shown_typmod is None else column.shown_typmod,
            format=_format_of(formats, index),
        )
        for index, column in enumerate(columns)
    )


def _type_size(oid: int) -> int:
    found = type_by_oid(oid)
    return found.typlen if found is not None else -1


def _format_of(formats: Sequence[int], index: int) -> int:
    if not formats:
        return 0
    return formats[0] if len(formats) == 1 else formats[index]
