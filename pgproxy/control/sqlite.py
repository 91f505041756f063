"""The metastore in an SQLite file: WAL, one writer connection and one reader connection per process.

A change is one IMMEDIATE transaction that writes the differing rows, the history and the epoch, so another
process sees all of it or nothing. `PRAGMA data_version` tells cheaply that somebody committed.
"""

import asyncio
import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosqlite

from pgproxy.control.difference import facts_as_json
from pgproxy.control.metastore import ChangeResult, PolicyVersion, Scalar, Transform
from pgproxy.control.rollout_rows import FIGURES_QUERY, FIGURES_UPSERT
from pgproxy.control.rows import NOT_POLICY_TABLES, TABLES
from pgproxy.control.secret_box import SecretBox, load_secret_box
from pgproxy.control.shared_metastore import SharedMetastore, wait_for
from pgproxy.control.sqlite_file import configure, create_private, failure, fetched, migrate, transaction
from pgproxy.control.sqlite_notes import SqliteNotes
from pgproxy.control.state import ControlState
from pgproxy.control.stored_audit import SQLITE_INSERT, StoredAudit
from pgproxy.control.stored_change import (
    PlannedChange,
    build_state,
    plan_change,
    sealed,
    select_all,
    upsert,
)
from pgproxy.control.table import timestamp
from pgproxy.control.undo import undo_of

_PARAMETER = re.compile(r"\$(\d+)")
_POLL_INTERVAL_S = 0.2
"""A commit by another process is seen within this and one query; the contract says one second."""


class SqliteMetastore(SharedMetastore):
    """See `Metastore`."""

    clock_sql = "(julianday('now') - 2440587.5) * 86400.0"

    def __init__(self, writer: aiosqlite.Connection, reader: aiosqlite.Connection, box: SecretBox) -> None:
        self._writer = writer
        self._reader = reader
        super().__init__(box)
        self._writing = asyncio.Lock()
        self._reading = asyncio.Lock()
        self.audit = StoredAudit(self.run_statement, SQLITE_INSERT)
        self.notes = SqliteNotes(self._written, self._read)

    async def epoch(self) -> int:
        ((epoch,),) = await self._read("SELECT epoch FROM epochs")
        return int(epoch)

    async def run_statement(self, sql: str, parameters: Sequence[Scalar] = ()) -> list[tuple[Any, ...]]:
        numbered = _PARAMETER.sub(r"?\1", sql)
        if sql.startswith("SELECT"):
            return [tuple(row) for row in await self._read(numbered, tuple(parameters))]
        # Its own transaction: BEGIN and COMMIT would each wait for a turn of SQLite's thread.
        async with self._writing:
            found = await fetched(self._writer, numbered, parameters)
        return [tuple(row) for row in found]

    async def change(self, actor: str, transform: Transform) -> ChangeResult:
        async with self._written():
            epoch, policy_epoch = await self._epochs(self._writer)
            before = await self._load(self._writer, epoch)
            planned = await asyncio.to_thread(plan_change, before, transform)
            differences = planned.differences
            if not differences:
                return ChangeResult(epoch, ())
            epoch += 1
            changed_tables = await self._write_rows(planned)
            if changed_tables - NOT_POLICY_TABLES:
                policy_epoch = epoch
            await self._writer.execute_fetchall(
                "UPDATE epochs SET epoch = ?, policy_epoch = ?", (epoch, policy_epoch)
            )
            await self._writer.execute_fetchall(
                "INSERT INTO policy_versions (epoch, changed_at, actor, before, after, undo) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    epoch,
                    timestamp(datetime.now(UTC)),
                    actor,
                    facts_as_json(differences, "before"),
                    facts_as_json(differences, "after"),
                    undo_of(planned),
                ),
            )
        self.wake_watchers()
        return ChangeResult(epoch, differences)

    async def watch(self, since: int | None = None) -> AsyncIterator[int]:
        committed = asyncio.Event()
        self._watchers.add(committed)
        try:
            seen = await self.epoch() if since is None else since
            version = -1
            while True:
                ((current,),) = await self._read("PRAGMA data_version")
                if current != version:
                    version, epoch = current, await self.epoch()
                    if epoch != seen:
                        seen = epoch
                        yield epoch
                await wait_for(committed, _POLL_INTERVAL_S)
        finally:
            self._watchers.discard(committed)

    async def _undo_since(self, epoch: int, current: int) -> list[str | None]:
        query = "SELECT undo FROM policy_versions WHERE epoch > ? AND epoch <= ? ORDER BY epoch DESC"
        return [row[0] for row in await self._read(query, (epoch, current))]

    async def history(self, limit: int = 100) -> tuple[PolicyVersion, ...]:
        query = (
            "SELECT epoch, changed_at, actor, before, after FROM policy_versions ORDER BY epoch DESC LIMIT ?"
        )
        found = await self._read(query, (limit,))
        return tuple(
            PolicyVersion(epoch, datetime.fromisoformat(changed_at), actor, before, after)
            for epoch, changed_at, actor, before, after in found
        )

    @asynccontextmanager
    async def _written(self) -> AsyncIterator[aiosqlite.Connection]:
        """Lend the writer for one transaction."""
        async with self._writing, transaction(self._writer):
            yield self._writer

    async def record_figures(self, rollout: str, since: float, gateway: str, figures: str) -> None:
        statement = FIGURES_UPSERT.format(*"????")
        async with self._writing, transaction(self._writer):
            await self._writer.execute_fetchall(statement, (rollout, repr(since), gateway, figures))

    async def figures(self, rollout: str, since: float) -> tuple[str, ...]:
        found = await self._read(FIGURES_QUERY.format(*"??"), (rollout, repr(since)))
        return tuple(str(figures) for (figures,) in found)

    async def _read(self, query: str, parameters: Sequence[Scalar] = ()) -> list[sqlite3.Row]:
        async with self._reading:
            return await fetched(self._reader, query, parameters)

    async def _current(self) -> tuple[int, int, ControlState]:
        """Give the two epochs and the state that belong together."""
        async with self._reading:
            ((epoch,),) = await fetched(self._reader, "SELECT epoch FROM epochs", ())
            if epoch == self._known[0]:  # BEGIN and COMMIT would each wait for a turn of SQLite's thread
                return self._known
            return await self._read_anew()

    async def _read_anew(self) -> tuple[int, int, ControlState]:
        async with transaction(self._reader, "DEFERRED"):
            epoch, policy_epoch = await self._epochs(self._reader)
            if epoch != self._known[0]:
                self._known = (epoch, policy_epoch, await self._load(self._reader, epoch))
            return self._known

    async def _epochs(self, connection: aiosqlite.Connection) -> tuple[int, int]:
        ((epoch, policy_epoch),) = await connection.execute_fetchall("SELECT epoch, policy_epoch FROM epochs")
        return epoch, policy_epoch

    async def _load(self, connection: aiosqlite.Connection, epoch: int) -> ControlState:
        """Read the state of `epoch`, inside the caller's transaction."""
        known_epoch, _, known = self._known
        if known_epoch == epoch:
            return known
        found = {
            table: [tuple(row) for row in await connection.execute_fetchall(select_all(table))]
            for table in TABLES
        }
        return await asyncio.to_thread(build_state, found, self._box)

    async def _write_rows(self, planned: PlannedChange) -> set[str]:
        """Write what differs; gives the tables that did."""
        changed: set[str] = set()
        for table in reversed(TABLES):
            where = " AND ".join(f"{column} = ?" for column in table.key)
            if gone := planned.gone(table):
                await self._writer.executemany(f"DELETE FROM {table.name} WHERE {where}", gone)
                changed.add(table.name)
        for table in TABLES:
            new = [sealed(table, key, row, self._box) for key, row in planned.new(table)]
            if new:
                await self._writer.executemany(upsert(table, "?" * len(table.columns)), new)
                changed.add(table.name)
        return changed


@asynccontextmanager
async def open_sqlite_metastore(path: Path, secret_key_file: Path | None) -> AsyncIterator[SqliteMetastore]:
    """Open or create the file, migrate it, and close it at the end.

    Raises:
        MetastoreError: it cannot be opened, is newer than this program, or the key does not fit.
    """
    # aiosqlite logs every call with its parameters, verifiers and tokens among them, at DEBUG.
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    key_file = secret_key_file or path.with_name(f"{path.name}.key")
    create_private(path)
    box = load_secret_box(key_file, create=secret_key_file is None)
    try:
        async with aiosqlite.connect(path, isolation_level=None) as writer:
            await configure(writer)
            await migrate(writer)
            async with aiosqlite.connect(path, isolation_level=None) as reader:
                await configure(reader)
                metastore = SqliteMetastore(writer, reader, box)
                await metastore.state()
                yield metastore
    except sqlite3.Error as error:
        raise failure(error) from error
