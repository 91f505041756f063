"""node-postgres with pg-cursor, and postgres.js: the same program on the gateway and on PostgreSQL."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients import values
from tests.clients.matrix import ROOT
from tests.clients.servers import Pair, Server

NODE = shutil.which("node")
MODULES = ROOT / "var" / "node"
PROGRAM = Path(__file__).parent / "node" / "drivers.mjs"
SCENARIOS = ("rows", "parameters", "prepared", "cursors", "transactions", "errors")

pytestmark = pytest.mark.skipif(
    NODE is None or not (MODULES / "node_modules").exists(), reason="node or its drivers are not installed"
)


def run(server: Server, driver: str, scenario: str) -> Any:
    """Run one scenario and give what it printed."""
    command = [str(NODE), str(PROGRAM), str(MODULES), driver, scenario, json.dumps(server.keywords)]
    done = subprocess.run(
        command,
        env={**os.environ, "TYPED": ", ".join(values.SAME), "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def scenarios(client: str) -> list[Any]:
    """Give a test per feature."""
    return [
        pytest.param(name, marks=[pytest.mark.client(client), pytest.mark.feature(name)], id=name)
        for name in SCENARIOS
    ]


@pytest.mark.parametrize("scenario", scenarios("node-postgres"))
def test_node_postgres_gives_the_same(pair: Pair, scenario: str) -> None:
    assert pair.same(lambda server: run(server, "pg", scenario))


@pytest.mark.parametrize("scenario", scenarios("postgres.js"))
def test_postgres_js_gives_the_same(embedded_pair: Pair, scenario: str) -> None:
    assert embedded_pair.same(lambda server: run(server, "postgres", scenario))
