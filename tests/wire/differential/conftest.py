"""A real PostgreSQL 15 for a whole run."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.postgres import find_binary, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[psycopg.Connection]:
    """An autocommit connection to a throwaway server."""
    if find_binary("initdb") is None:
        pytest.skip("PostgreSQL is not installed")
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as directory,
        running_postgres(Path(directory) / "pg") as dsn,
        psycopg.connect(dsn, autocommit=True) as connection,
    ):
        yield connection
