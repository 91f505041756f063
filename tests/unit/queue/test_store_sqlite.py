"""The queue in an SQLite metastore."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pgproxy.control import Metastore, open_metastore
from tests.unit.queue.store_contract import StoreContract


@pytest.fixture
async def metastore(tmp_path: Path) -> AsyncIterator[Metastore]:
    async with open_metastore(f"sqlite:///{tmp_path / 'metastore.sqlite'}") as opened:
        yield opened


class TestContract(StoreContract):
    """The contract on this database."""
