"""Filling the relations of what happens now, just before a statement that reads them runs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pgproxy.activity import rows
from pgproxy.activity.rows import Row
from pgproxy.audit.recorder import StatementRecorder
from pgproxy.audit.writer import AuditWriter
from pgproxy.catalog.builtin import RelationKey
from pgproxy.catalog.relations.registry import LIVE_RELATIONS, physical_name
from pgproxy.catalog.service import CatalogService
from pgproxy.control.audit import AuditPage
from pgproxy.control.hba import HbaRule
from pgproxy.control.metastore import Metastore, MetastoreError
from pgproxy.identity.sharing import KEY_USE_TOPIC
from pgproxy.policy.current import CurrentPolicies
from pgproxy.queue.service import AsyncQueue
from pgproxy.routing.registry import EndpointRegistry
from pgproxy.session.live_sessions import LiveSessions
from pgproxy.session.telemetry import StatementRecord
from pgwire.errors import GatewayError
from pgwire.sqlstate import SqlState

QuerySource = Callable[[], Iterable[Row]]
"""Gives rows of pgproxy.queries; see `pgproxy.activity.rows.query_row` for the columns."""

_VERSIONS = 10_000
_PAGE = 5000
_NEWEST_QUERIES = 1000


class ActivityUnavailable(GatewayError):
    """What the relation shows is in the metastore, and that cannot be read."""

    default_sqlstate = SqlState.IO_ERROR


@dataclass(frozen=True, slots=True)
class Observed:
    """Where the facts come from, and the catalog that shows them."""

    catalogs: CatalogService
    metastore: Metastore
    sessions: LiveSessions
    recorder: StatementRecorder
    audit: AuditWriter
    registry: EndpointRegistry
    policies: CurrentPolicies
    default_rules: Sequence[HbaRule]
    """What holds while the control plane has no rules."""


class ActivityRelations:
    """Fills the live relations. query_sources: where pgproxy.queries takes its rows; more may be added.

    audit_rows: how many of the newest rows pgproxy.audit_log shows. queue: whose queries are shown as well.
    """

    def __init__(self, observed: Observed, audit_rows: int, queue: AsyncQueue | None = None) -> None:
        self._queue = queue
        self._catalogs = observed.catalogs
        self._metastore = observed.metastore
        self._sessions = observed.sessions
        self._audit = observed.audit
        self._registry = observed.registry
        self._policies = observed.policies
        self._default_rules = observed.default_rules
        self._audit_rows = audit_rows
        self._audit_last = 0
        self._syncing = asyncio.Lock()
        self.query_sources: list[QuerySource] = [
            lambda: map(rows.query_row, self._running()),
            lambda: map(rows.query_row, observed.recorder.recent()),
        ]
        self._fill: Mapping[str, Callable[[], Awaitable[Iterable[Row]]]] = {
            "pg_stat_activity": self._activity,
            "sessions": self._session_rows,
            "queries": self._queries,
            "endpoints": self._endpoints,
            "assignments": self._assignments,
            "policy_versions": self._versions,
            "pg_hba_file_rules": self._hba_rules,
            "api_keys": self._api_keys,
        }

    async def refresh(self, relations: Iterable[tuple[str, str]]) -> None:
        """Fill relations. relations: as `Plan.live_relations` names them.

        Raises:
            ActivityUnavailable: 58030, the metastore cannot be read.
        """
        wanted = set(relations)
        try:
            for relation in LIVE_RELATIONS:
                if physical_name(relation) in wanted:
                    await self._refresh(relation)
        except MetastoreError:
            raise ActivityUnavailable("the metastore cannot be read") from None

    async def _refresh(self, relation: RelationKey) -> None:
        if relation[1] == "audit_log":
            async with self._syncing:
                await self._follow_audit(relation)
            return
        found = await self._fill[relation[1]]()
        await self._catalogs.publish_rows(relation, await asyncio.to_thread(rows.table, relation, found))

    async def _follow_audit(self, relation: RelationKey) -> None:
        """Take up what was written since the last time; what is queued here is written before."""
        await self._audit.flush()
        store = self._metastore.audit
        low, high = await store.bounds()
        first = max(low, high - self._audit_rows + 1)
        await self._catalogs.forget_rows(relation, first)
        self._audit_last = max(self._audit_last, first - 1)
        while self._audit_last < high:
            page = await store.page(self._audit_last, _PAGE)
            if not page.records:
                return
            more = await asyncio.to_thread(_audit_table, relation, page)
            await self._catalogs.publish_rows(relation, more, is_more=True)
            self._audit_last = page.last_id

    async def _activity(self) -> Iterable[Row]:
        databases, roles = self._catalogs.database_oids, self._catalogs.role_oids
        return [rows.activity_row(s, databases, roles) for s in self._sessions.by_pid.values()]

    async def _session_rows(self) -> Iterable[Row]:
        return [rows.session_row(session) for session in self._sessions.by_pid.values()]

    async def _queries(self) -> Iterable[Row]:
        stored = await self._queue.newest(_NEWEST_QUERIES) if self._queue is not None else ()
        return [
            *(row for source in self.query_sources for row in source()),
            *map(rows.async_query_row, stored),
        ]

    def _running(self) -> Iterator[StatementRecord]:
        for session in self._sessions.by_pid.values():
            yield from session.sql.log.running()

    async def _endpoints(self) -> Iterable[Row]:
        statuses = self._registry.statuses()
        return [rows.endpoint_row(e, statuses.get(e.name)) for e in await self._metastore.endpoints()]

    async def _assignments(self) -> Iterable[Row]:
        principals, roles = self._policies.policy_set.principals, self._catalogs.role_oids
        return [rows.assignment_row(a, principals, roles) for a in await self._metastore.assignments()]

    async def _hba_rules(self) -> Iterable[Row]:
        rules = (await self._metastore.state()).hba_rules or self._default_rules
        return [rows.hba_row(number, rule) for number, rule in enumerate(rules, 1)]

    async def _api_keys(self) -> Iterable[Row]:
        notes = await self._metastore.notes.of(KEY_USE_TOPIC)
        used = {note.key: note.noted_at for note in notes}
        keys = (await self._metastore.state()).api_keys
        return [rows.api_key_row(keys[key_id], used.get(key_id)) for key_id in sorted(keys)]

    async def _versions(self) -> Iterable[Row]:
        return [rows.version_row(version) for version in await self._metastore.history(_VERSIONS)]


def _audit_table(relation: RelationKey, page: AuditPage) -> pa.Table:
    return rows.table(relation, rows.audit_rows(page))
