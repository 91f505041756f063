"""A metastore on a PostgreSQL of its own, and the fixtures for it."""

import base64
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from pgproxy.control import Metastore, open_metastore
from tests.postgres import start_postgres, stop_postgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server, without the database's name."""
    folder = tmp_path_factory.mktemp("metastore") / "cluster"
    dsn = start_postgres(folder)
    yield f"postgresql://postgres@127.0.0.1:{dsn.partition('port=')[2].split()[0]}/"
    with contextlib.suppress(Exception):
        stop_postgres(folder)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "metastore.key"
    path.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    path.chmod(0o600)
    return path


@pytest.fixture
async def url(server: str) -> str:
    """A new, empty database."""
    name = f"m{secrets.token_hex(6)}"
    connection = await asyncpg.connect(f"{server}postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return server + name


@pytest.fixture
async def metastore(url: str, key_file: Path) -> AsyncIterator[Metastore]:
    async with open_metastore(url, secret_key_file=key_file) as opened:
        yield opened
