"""One sandboxed DuckDB instance with one generation of catalogs attached, and the count of who uses it."""

import asyncio
import importlib.util
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import duckdb

from execnode.engine.attaching import attach_catalog, literal, needs_of
from execnode.engine.cursor import EngineCursor
from execnode.engine.functions import install_functions
from execnode.engine.kept_plans import MAX_IDLE, KeptPlans
from execnode.engine.sandbox import EngineLimits, connect_sandboxed, lock_down
from execnode.statement import CatalogDefinition, CatalogGeneration

_MOST_SPARE = 16
"""Idle cursors that are kept: as many as statements may be inside DuckDB at once."""

PrepareInstance = Callable[[duckdb.DuckDBPyConnection], None]
"""Runs on a fresh instance after the catalogs are attached and before it is locked."""


class EngineInstance:
    """A DuckDB instance that lives until its last user is gone.

    Blocking methods run in an executor; `lease` and `release` belong to the event loop's thread.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, catalogs: tuple[CatalogDefinition, ...]
    ) -> None:
        self._connection = connection
        self.catalogs = catalogs
        self._fixed = frozenset(c.name for c in catalogs if c.kind == "duckdb" and c.is_read_only)
        self._leases = 0
        self._spare: list[EngineCursor] = []
        self._kept: list[EngineCursor] = []
        self._takes_back = True
        self._retired_to: Executor | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def lease(self) -> duckdb.DuckDBPyConnection:
        """Give a fresh cursor: a connection of its own with no state (43 µs); the caller releases it."""
        cursor = self._connection.cursor()
        self._note_lease()
        return cursor

    def _note_lease(self) -> None:
        self._leases += 1
        self._idle.clear()

    def take(self, *, keeps_plans: bool) -> EngineCursor:
        """Give a connection for one statement; `give_back` takes it. keeps_plans: one that does."""
        waiting = self._kept if keeps_plans else self._spare
        if not waiting:
            return EngineCursor(self.lease(), plans=KeptPlans() if keeps_plans else None)
        self._note_lease()
        return waiting.pop()

    def are_fixed(self, catalogs: frozenset[str]) -> bool:
        """Whether no table in these can change as long as they are attached.

        DuckDB 1.5.5 plans a prepared statement by the least and greatest value that a column has then, and
        keeps to it: it finds nothing beyond them, or fails, once rows were added. A file that is open to read
        only has no other rows; a lake and files of Parquet may get them from elsewhere.
        """
        return catalogs <= self._fixed

    def give_back(self, cursor: EngineCursor, *, is_idle: bool) -> None:
        """Keep it for another statement, if nothing of those that ran on it can be left; else close it.

        A fresh connection costs a tenth of a short statement. is_idle: its statement ended well, and nothing
        of it runs.
        """
        waiting, most = (self._spare, _MOST_SPARE) if cursor.plans is None else (self._kept, MAX_IDLE)
        if is_idle and cursor.is_clean and self._takes_back and len(waiting) < most:
            waiting.append(cursor)
        else:
            cursor.connection.close()
        self.release()

    def release(self) -> None:
        """One lease less; the cursor is closed by whoever held it."""
        self._leases -= 1
        if self._leases > 0:
            return
        self._idle.set()
        if self._retired_to is not None:
            self._retired_to.submit(self.close)

    def retire(self, executor: Executor) -> None:
        """No new lease will be asked for: close as soon as the last one is back."""
        self._retired_to = executor
        self._takes_back = False
        if self._leases == 0:
            executor.submit(self.close)

    async def wait_idle(self) -> None:
        """Return once no lease is out."""
        await self._idle.wait()

    def conflicts_with(self, catalogs: tuple[CatalogDefinition, ...]) -> bool:
        """Whether these cannot be attached while this instance lives: DuckDB opens a file once to write."""
        mine = {c.location: c.is_read_only for c in self.catalogs if c.kind == "duckdb"}
        files = [c for c in catalogs if c.kind == "duckdb"]
        return any(c.location in mine and not (c.is_read_only and mine[c.location]) for c in files)

    def close(self) -> None:
        """Close the instance: checkpoints and unlocks what it has attached. Blocking."""
        self._takes_back = False
        for waiting in (self._spare, self._kept):
            while waiting:
                waiting.pop().connection.close()
        self._connection.close()


def build_instance(
    generation: CatalogGeneration,
    limits: EngineLimits,
    extensions: tuple[str, ...] = (),
    prepare: PrepareInstance | None = None,
) -> EngineInstance:
    """Make, fill and lock an instance. Blocking.

    extensions: names of offline wheels (`tpch` is `duckdb-extension-tpch`) to load.

    Raises:
        GatewayError: a catalog cannot be attached; nothing stays open.
        duckdb.Error: DuckDB refused.
    """
    needs = needs_of(generation.catalogs)
    connection = connect_sandboxed(limits, keeps_secrets=needs.keeps_secrets)
    try:
        for extension in (*extensions, *needs.extensions):
            connection.execute(f"LOAD {literal(extension_path(extension))}")
        install_functions(connection)
        directories: list[str] = []
        for catalog in generation.catalogs:
            directories += attach_catalog(connection, catalog, limits.temp_directory)
        if prepare is not None:
            prepare(connection)
        lock_down(connection, directories)
    except BaseException:
        connection.close()
        raise
    return EngineInstance(connection, generation.catalogs)


def extension_path(name: str) -> str:
    """Where the offline wheel of an extension keeps its library, for exactly this DuckDB version.

    Raises:
        FileNotFoundError: the wheel is not installed, or is one for another version.
    """
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    for folder in folders:
        path = Path(folder) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if path.exists():
            return str(path)
    raise FileNotFoundError(f"no wheel duckdb-extension-{name} for DuckDB {duckdb.__version__}")
