"""dbt-postgres 1.9 in a virtualenv of its own: debug, seed, run, run again, test, docs generate."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.clients.matrix import ROOT
from tests.clients.servers import Pair, Server

PYTHON = ROOT / "var" / "dbt" / "bin" / "python"
FOLDER = Path(__file__).parent

pytestmark = [
    pytest.mark.client("dbt-postgres"),
    pytest.mark.skipif(not (PYTHON.parent / "dbt").exists(), reason="dbt is not installed under var/dbt"),
]


@pytest.mark.feature("bulk")
def test_a_project_is_built_tested_and_documented(admin_pair: Pair, tmp_path: Path) -> None:
    def run(server: Server) -> list[Any]:
        target = tmp_path / str(server.port)
        login = {
            "HOST": server.host,
            "PORT": str(server.port),
            "USER": server.user,
            "SECRET": server.password,
        }
        variables = {f"DBT_{name}": value for name, value in login.items()}
        done = subprocess.run(
            [PYTHON, FOLDER / "programs" / "dbt_driver.py", FOLDER / "dbt_project", target],
            env={**os.environ, **variables, "DBT_DATABASE": server.database, "DBT_TARGET_PATH": str(target)},
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
        found, tables = json.loads(done.stdout.splitlines()[-1])
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            rows = [
                connection.execute(f"SELECT * FROM dbt_shop.{name} ORDER BY 1".encode()).fetchall()
                for name in ("rates", "customers_by_region", "priced", "growing")
            ]
            connection.execute("DROP SCHEMA dbt_shop CASCADE")
        return [found, {name.replace(server.database, "test"): table for name, table in tables.items()}, rows]

    found = admin_pair.same(run)[0]
    assert [succeeded for _, succeeded, _ in found] == [True] * 6
