"""The SQLite file below the metastore: its mode, its settings, its migrations, its transactions."""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from pgproxy.control.metastore import MetastoreError, Scalar
from pgproxy.control.migration import load_migrations, pending_migrations

_BUSY_TIMEOUT_MS = 10_000
_BUSY_PAUSE_S = 0.02


def create_private(path: Path) -> None:
    """Make the file with mode 0600, since it holds verifiers; SQLite gives its side files the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise MetastoreError(f"cannot open the metastore {path}: {error.strerror}") from error


async def configure(connection: aiosqlite.Connection) -> None:
    """Set what every connection needs."""
    for pragma in (
        f"busy_timeout = {_BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # an acknowledged revocation survives a power cut too
        "foreign_keys = ON",
    ):
        await _until_not_busy(connection, f"PRAGMA {pragma}")


async def _until_not_busy(connection: aiosqlite.Connection, sql: str) -> None:
    """Going over to WAL does not wait for others who do the same, whatever busy_timeout says: try again."""
    deadline = time.monotonic() + _BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            await connection.execute_fetchall(sql)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            await asyncio.sleep(_BUSY_PAUSE_S)
        else:
            return


async def migrate(connection: aiosqlite.Connection) -> None:
    """Bring the schema to this program's, in one transaction.

    Raises:
        MetastoreError: the schema is newer.
    """
    migrations = load_migrations("sqlite")
    async with transaction(connection):
        ((applied,),) = await connection.execute_fetchall("PRAGMA user_version")
        for migration in pending_migrations(migrations, applied):
            for statement in _split_statements(migration.sql):
                await connection.execute_fetchall(statement)
            await connection.execute_fetchall(f"PRAGMA user_version = {migration.number}")


def _split_statements(script: str) -> Iterable[str]:
    """Give one statement after the other; `executescript` would commit before it runs."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@asynccontextmanager
async def transaction(connection: aiosqlite.Connection, kind: str = "IMMEDIATE") -> AsyncIterator[None]:
    """Commit at the end, roll back on any error and on cancellation."""
    try:
        await connection.execute_fetchall(f"BEGIN {kind}")
        yield
        await connection.execute_fetchall("COMMIT")
    except BaseException as error:
        # The connection's thread runs calls in order, so this follows whatever call was cancelled.
        await asyncio.shield(connection.rollback())
        if isinstance(error, sqlite3.Error):
            raise failure(error) from error
        raise


async def fetched(
    connection: aiosqlite.Connection, query: str, parameters: Sequence[Scalar]
) -> list[sqlite3.Row]:
    """Run one statement by itself and give its rows.

    Raises:
        MetastoreError: it failed; nothing of it is kept.
    """
    try:
        return list(await connection.execute_fetchall(query, tuple(parameters)))
    except sqlite3.Error as error:
        raise failure(error) from error


def failure(error: sqlite3.Error) -> MetastoreError:
    """Keep SQLite's own words, which name tables and the cause, never values."""
    return MetastoreError(f"the metastore failed: {error}")
