"""Django: inspectdb and introspection, the ORM's reads, savepoints, server-side cursors and writes."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.clients.servers import Pair, Server

pytest.importorskip("django")
PROGRAM = Path(__file__).parent / "programs" / "django_driver.py"
pytestmark = pytest.mark.client("Django")


@cache
def output(server: Server, *options: str) -> dict[str, Any]:
    """What Django gave, by feature; a process of its own, for its settings are the process's."""
    where = (server.host, str(server.port), server.user, server.password, server.database)
    done = subprocess.run(
        [sys.executable, PROGRAM, *where, *options], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "feature",
    [
        pytest.param(name, marks=pytest.mark.feature(name), id=name)
        for name in ("metadata", "rows", "transactions", "cursors")
    ],
)
def test_reads_are_the_same(embedded_pair: Pair, feature: str) -> None:
    assert embedded_pair.same(lambda server: output(server)[feature])


@pytest.mark.feature("bulk")
def test_a_model_is_created_written_and_dropped(admin_pair: Pair) -> None:
    assert admin_pair.same(lambda server: output(server, "write"))
