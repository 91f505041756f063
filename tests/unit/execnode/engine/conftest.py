"""A real engine over a small database file."""

from collections.abc import AsyncIterator
from pathlib import Path

import duckdb
import pytest

from execnode.engine import DuckEngine, DuckSession, EngineLimits
from execnode.statement import CatalogDefinition, CatalogGeneration, EngineStatement


def definition(path: Path, name: str = "shop", *, is_read_only: bool = False) -> CatalogDefinition:
    return CatalogDefinition(name, "duckdb", str(path), is_read_only)


async def rows_of(engine: DuckEngine, sql: str, session: DuckSession | None = None) -> bytes:
    """Run a query to its end; gives all encoded rows."""
    async with engine.execute(EngineStatement(sql), session) as stream:
        parts = []
        while (chunk := await stream.read()) is not None:
            parts.append(bytes(chunk.rows))
        return b"".join(parts)


async def write(engine: DuckEngine, sql: str, session: DuckSession | None = None) -> int:
    """Run a statement without rows; gives the affected ones."""
    async with engine.execute(EngineStatement(sql, returns_rows=False), session) as stream:
        assert await stream.read() is None
        return stream.affected_rows


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE orders AS SELECT i::INTEGER AS id, 'n' || i AS name FROM range(3) r(i)"
        )
    return path


@pytest.fixture
async def engine(tmp_path: Path, database: Path) -> AsyncIterator[DuckEngine]:
    made = DuckEngine(EngineLimits(tmp_path, 512 << 20, 2), max_threads=4)
    await made.attach(CatalogGeneration(1, (definition(database),)))
    yield made
    await made.close()
