"""Apache Superset from PyPI: test-connection, schemas, tables, a dataset, a chart's query; on both servers.

It wants versions of its own, so it lives in a virtualenv apart (`SUPERSET_VENV`, else made here: minutes).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.servers import Pair, Server

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(2400),
    pytest.mark.client("Superset"),
    pytest.mark.feature("metadata"),
]

PROGRAM = Path(__file__).parent / "programs" / "superset_driver.py"
PACKAGES = ("apache-superset", "psycopg2-binary", "flask-caching<2.4", "cachetools", "rich")
"""Superset 6.1 names neither of the last two, and does not start with a newer flask-caching."""
CONFIGURATION = """
SECRET_KEY = "a-key-of-no-value-that-is-long-enough-for-a-test"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
WTF_CSRF_ENABLED = TALISMAN_ENABLED = PREVENT_UNSAFE_DB_CONNECTIONS = False
FILTER_STATE_CACHE_CONFIG = EXPLORE_FORM_DATA_CACHE_CONFIG = {{"CACHE_TYPE": "NullCache"}}
"""


@pytest.fixture(scope="module")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Superset's programs."""
    folder = Path(os.environ.get("SUPERSET_VENV") or tmp_path_factory.mktemp("superset") / "venv")
    if not (folder / "bin" / "superset").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        installed = subprocess.run(
            [folder / "bin" / "pip", "install", "-q", *PACKAGES], capture_output=True, text=True, check=False
        )
        if installed.returncode:
            pytest.skip(f"Superset cannot be installed: {installed.stderr[-200:]}")
    return folder / "bin"


def driven(superset: Path, folder: Path, server: Server) -> dict[str, Any]:
    """What Superset gave: a metadata database of its own for each server."""
    folder.mkdir()
    (folder / "superset_config.py").write_text(CONFIGURATION.format(folder=folder))
    environment = os.environ | {
        "SUPERSET_CONFIG_PATH": str(folder / "superset_config.py"),
        "FLASK_APP": "superset",
    }
    for command in (
        [superset / "superset", "db", "upgrade"],
        [superset / "python", PROGRAM, f"postgresql+psycopg2://{server.location}"],
    ):
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_superset_draws_the_same_chart(superset: Path, embedded_pair: Pair, tmp_path: Path) -> None:
    found = embedded_pair.same(lambda server: driven(superset, tmp_path / str(server.port), server))
    assert found["test_connection"] == {"message": "OK"}
    assert ["table", "orders"] in found["tables"]
    assert len(found["chart"][3]) == 2
