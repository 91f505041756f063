"""Catalogs as the engine attaches them."""

from pathlib import Path

from execnode.engine import DuckEngine, EngineLimits
from execnode.statement import CatalogDefinition, CatalogGeneration

from .conftest import rows_of, write


async def test_a_lake_whose_data_lies_beside_its_file_takes_tables_of_queries(tmp_path: Path) -> None:
    engine = DuckEngine(EngineLimits(tmp_path, 512 << 20, 2), max_threads=4)
    lake = CatalogDefinition("lake", "ducklake", str(tmp_path / "lake.ducklake"), is_read_only=False)
    try:
        await engine.attach(CatalogGeneration(1, (lake,)))
        made = "CREATE TABLE lake.main.made AS SELECT i FROM range(100000) r(i)"
        assert await write(engine, made) == 100_000
        assert b"4999950000" in await rows_of(engine, "SELECT sum(i) FROM lake.main.made")
    finally:
        await engine.close()
