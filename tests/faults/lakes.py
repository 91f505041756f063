"""A DuckLake whose catalog is a PostgreSQL of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from execnode.engine.instance import extension_path
from tests.postgres import running_postgres


@contextmanager
def postgres_lake(folder: Path, *statements: str) -> Iterator[str]:
    """Make a lake, `lake` in these statements, with its files below the folder; gives the catalog's DSN."""
    (folder / "data").mkdir()
    with running_postgres(folder / "pg") as dsn:
        with duckdb.connect() as connection:
            for extension in ("postgres_scanner", "ducklake"):
                connection.execute(f"LOAD '{extension_path(extension)}'")
            connection.execute(f"ATTACH 'ducklake:postgres:{dsn}' AS lake (DATA_PATH '{folder / 'data'}/')")
            for statement in statements:
                connection.execute(statement)
        yield dsn
