"""What holds for every test: which files are given out first, and no deadline for examples."""

import pytest
from hypothesis import settings

# How long an example takes tells how busy the machine is; pytest's own timeout sees one that hangs.
settings.register_profile("pgproxy", deadline=None)
settings.load_profile("pgproxy")

_SLOWEST_FIRST = ("faults", "clients", "policy", "wire", "properties", "unit")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders whose files take longest first, each in its random order.

    pytest-xdist hands out whole files in this order (`--no-loadscope-reorder`). By its own order, most tests
    first, the last ones are files of one or two long tests, and one process waits for the others' end.
    """
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    parts = item.path.relative_to(item.config.rootpath).parts
    return _SLOWEST_FIRST.index(parts[1]) if parts[1] in _SLOWEST_FIRST else 0
