import asyncio
from collections.abc import Iterator

import pytest

from tests.unit.catalog.shop import Shop, open_shop


@pytest.fixture(scope="package")
def shop() -> Iterator[Shop]:
    """One shop for all tests that only read: installing the catalog costs about a second."""
    with asyncio.Runner() as runner:
        opened = open_shop()
        yield runner.run(opened.__aenter__())
        runner.run(opened.__aexit__(None, None, None))
