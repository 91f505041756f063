"""The metastore in a PostgreSQL database, schema `pgproxy`: one truth for several gateways.

A change is one transaction that holds the row of `epochs`, so changes follow one another whoever makes them;
its NOTIFY wakes every gateway when it commits. A poll besides finds what a lost connection missed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import asyncpg

from pgproxy.control.difference import facts_as_json
from pgproxy.control.metastore import ChangeResult, MetastoreError, PolicyVersion, Scalar, Transform
from pgproxy.control.migration import load_migrations, pending_migrations
from pgproxy.control.postgres_notes import PostgresNotes
from pgproxy.control.rollout_rows import FIGURES_QUERY, FIGURES_UPSERT
from pgproxy.control.rows import NOT_POLICY_TABLES, TABLES
from pgproxy.control.secret_box import SecretBox, load_secret_box
from pgproxy.control.shared_metastore import SharedMetastore, wait_for
from pgproxy.control.state import ControlState
from pgproxy.control.stored_audit import POSTGRES_INSERT, StoredAudit
from pgproxy.control.stored_change import (
    PlannedChange,
    build_state,
    plan_change,
    sealed,
    select_all,
    upsert,
)
from pgproxy.control.table import Table, timestamp
from pgproxy.control.undo import undo_of

_CHANNEL = "pgproxy_epoch"
_SCHEMA = "pgproxy"
_MIGRATION_LOCK = 7_462_871_530
_CONNECT_TIMEOUT_S = 5.0
_COMMAND_TIMEOUT_S = 10.0
_POLL_INTERVAL_S = 0.5
"""A commit is seen within this even where its notification was lost; the contract says one second."""

_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

_Isolation = Literal["read_committed", "repeatable_read"]


class PostgresMetastore(SharedMetastore):
    """See `Metastore`."""

    clock_sql = "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"

    def __init__(self, pool: Any, box: SecretBox) -> None:
        super().__init__(box)
        self._pool = pool
        self.audit = StoredAudit(self.run_statement, POSTGRES_INSERT)
        self.notes = PostgresNotes(self._transaction)

    async def epoch(self) -> int:
        async with self._acquired() as connection:
            return int(await connection.fetchval("SELECT epoch FROM epochs"))

    async def run_statement(self, sql: str, parameters: Sequence[Scalar] = ()) -> list[tuple[Any, ...]]:
        # Its own transaction: BEGIN and COMMIT would each be a round trip.
        async with self._acquired() as connection:
            return [tuple(row) for row in await connection.fetch(sql, *parameters)]

    async def change(self, actor: str, transform: Transform) -> ChangeResult:
        async with self._transaction() as connection:
            epoch, policy_epoch = await connection.fetchrow(
                "SELECT epoch, policy_epoch FROM epochs FOR UPDATE"
            )
            before = await self._load(connection, epoch)
            planned = await asyncio.to_thread(plan_change, before, transform)
            if not planned.differences:
                return ChangeResult(epoch, ())
            epoch += 1
            changed_tables = await self._write_rows(connection, planned)
            if changed_tables - NOT_POLICY_TABLES:
                policy_epoch = epoch
            await connection.execute("UPDATE epochs SET epoch = $1, policy_epoch = $2", epoch, policy_epoch)
            await connection.execute(
                "INSERT INTO policy_versions (epoch, changed_at, actor, before, after, undo) "
                "VALUES ($1, $2, $3, $4, $5, $6)",
                epoch,
                timestamp(datetime.now(UTC)),
                actor,
                facts_as_json(planned.differences, "before"),
                facts_as_json(planned.differences, "after"),
                undo_of(planned),
            )
            await connection.execute("SELECT pg_notify($1, $2)", _CHANNEL, str(epoch))
        self.wake_watchers()
        return ChangeResult(epoch, planned.differences)

    async def watch(self, since: int | None = None) -> AsyncIterator[int]:
        committed = asyncio.Event()
        self._watchers.add(committed)
        try:
            async with self._acquired() as connection, _listening(connection, committed):
                seen = await self.epoch() if since is None else since
                while True:
                    epoch = await self.epoch()
                    if epoch != seen:
                        seen = epoch
                        yield epoch
                    await wait_for(committed, _POLL_INTERVAL_S)
        finally:
            self._watchers.discard(committed)

    async def _undo_since(self, epoch: int, current: int) -> list[str | None]:
        query = "SELECT undo FROM policy_versions WHERE epoch > $1 AND epoch <= $2 ORDER BY epoch DESC"
        async with self._transaction() as connection:
            return [row[0] for row in await connection.fetch(query, epoch, current)]

    async def history(self, limit: int = 100) -> tuple[PolicyVersion, ...]:
        query = (
            "SELECT epoch, changed_at, actor, before, after FROM policy_versions ORDER BY epoch DESC LIMIT $1"
        )
        async with self._transaction() as connection:
            found = await connection.fetch(query, limit)
        return tuple(
            PolicyVersion(epoch, datetime.fromisoformat(changed_at), actor, before, after)
            for epoch, changed_at, actor, before, after in found
        )

    async def record_figures(self, rollout: str, since: float, gateway: str, figures: str) -> None:
        statement = FIGURES_UPSERT.format("$1", "$2", "$3", "$4")
        async with self._transaction() as connection:
            await connection.execute(statement, rollout, repr(since), gateway, figures)

    async def figures(self, rollout: str, since: float) -> tuple[str, ...]:
        async with self._transaction() as connection:
            found = await connection.fetch(FIGURES_QUERY.format("$1", "$2"), rollout, repr(since))
        return tuple(str(row["figures"]) for row in found)

    async def migrate(self) -> None:
        """Bring the schema to this program's, in one transaction, one gateway at a time.

        Raises:
            MetastoreError: the schema is newer.
        """
        async with self._transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
            await connection.execute("CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY)")
            applied = await connection.fetchval("SELECT coalesce(max(number), 0) FROM migrations")
            for migration in pending_migrations(load_migrations("postgres"), applied):
                await connection.execute(migration.sql)
                await connection.execute("INSERT INTO migrations VALUES ($1)", migration.number)

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Any]:
        try:
            async with self._pool.acquire(timeout=_CONNECT_TIMEOUT_S) as connection:
                yield connection
        except _FAILURES as error:
            raise _failure(error) from error

    @asynccontextmanager
    async def _transaction(self, isolation: _Isolation = "read_committed") -> AsyncIterator[Any]:
        async with self._acquired() as connection, connection.transaction(isolation=isolation):
            yield connection

    async def _current(self) -> tuple[int, int, ControlState]:
        """Give the two epochs and the state that belong together."""
        if await self.epoch() == self._known[0]:
            return self._known
        async with self._transaction("repeatable_read") as connection:
            epoch, policy_epoch = await connection.fetchrow("SELECT epoch, policy_epoch FROM epochs")
            if epoch == self._known[0]:
                return self._known
            current = (epoch, policy_epoch, await self._load(connection, epoch))
        if epoch > self._known[0]:
            self._known = current
        return current

    async def _load(self, connection: Any, epoch: int) -> ControlState:
        """Read the state of `epoch`, inside the caller's transaction."""
        known_epoch, _, known = self._known
        if known_epoch == epoch:
            return known
        found = {table: [tuple(row) for row in await connection.fetch(select_all(table))] for table in TABLES}
        return await asyncio.to_thread(build_state, found, self._box)

    async def _write_rows(self, connection: Any, planned: PlannedChange) -> set[str]:
        """Write what differs; gives the tables that did."""
        changed: set[str] = set()
        for table in reversed(TABLES):
            where = " AND ".join(f"{column} = ${place}" for place, column in enumerate(table.key, 1))
            if gone := planned.gone(table):
                await connection.executemany(f"DELETE FROM {table.name} WHERE {where}", list(gone))
                changed.add(table.name)
        for table in TABLES:
            new = [sealed(table, key, row, self._box) for key, row in planned.new(table)]
            if new:
                await connection.executemany(_upsert(table), new)
                changed.add(table.name)
        return changed


@asynccontextmanager
async def _listening(connection: Any, committed: asyncio.Event) -> AsyncIterator[None]:
    """Set `committed` at each notification."""

    def notice(*_: object) -> None:
        committed.set()

    await connection.add_listener(_CHANNEL, notice)
    try:
        yield
    finally:
        await connection.remove_listener(_CHANNEL, notice)


def _upsert(table: Table) -> str:
    return upsert(table, [f"${place}" for place in range(1, len(table.columns) + 1)])


def _failure(error: BaseException) -> MetastoreError:
    """Keep PostgreSQL's message, which names tables and constraints, never its detail, which holds values."""
    text = error.message if isinstance(error, asyncpg.PostgresError) else type(error).__name__
    return MetastoreError(f"the metastore failed: {text}")


@asynccontextmanager
async def open_postgres_metastore(url: str, secret_key_file: Path | None) -> AsyncIterator[PostgresMetastore]:
    """Connect, migrate, and disconnect at the end. Every gateway of one metastore needs the same key.

    Raises:
        MetastoreError: no key, no connection, a newer schema, a key that does not fit.
    """
    if secret_key_file is None:
        raise MetastoreError("a PostgreSQL metastore needs SECRET_KEY_FILE")
    # asyncpg's pool logs, with a traceback, each try to connect again; whoever needs a connection tells it.
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    box = load_secret_box(secret_key_file, create=False)
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=8,
            timeout=_CONNECT_TIMEOUT_S,
            command_timeout=_COMMAND_TIMEOUT_S,
            server_settings={"search_path": _SCHEMA, "application_name": "pgproxy"},
        )
    except (*_FAILURES, ValueError) as error:
        raise _failure(error) from error
    try:
        metastore = PostgresMetastore(pool, box)
        await metastore.migrate()
        await metastore.state()
        yield metastore
    finally:
        pool.terminate()
