"""From an empty directory: everything by psql alone, as the expected output says; the same by one file."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gateway import ADMIN, ADMIN_PASSWORD, pgproxy, start_gateway

FOLDER = Path(__file__).parent / "governance"
SETTINGS = ("-v", "VERBOSITY=terse", "-a", "-f", str(FOLDER / "setup.sql"))


def exported(text: str) -> dict[str, Any]:
    """A policy without the administrator, whom the environment makes."""
    found: dict[str, Any] = yaml.safe_load(text)
    found["users"].pop(ADMIN, None)
    return found


def run_setup(arguments: tuple[str, ...], gateway: Any) -> str:
    """What psql prints, errors among it where they happen."""
    dsn = gateway.dsn(ADMIN, ADMIN_PASSWORD)
    done = subprocess.run(
        ["psql", "-X", "-q", "-d", dsn, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.stdout.replace(str(FOLDER / "setup.sql"), "setup.sql")


@pytest.mark.timeout(600)
def test_psql_alone_sets_up_what_one_file_does(tmp_path: Path) -> None:
    with start_gateway(tmp_path, policy="{}") as gateway:
        assert run_setup(SETTINGS, gateway) == (FOLDER / "setup.out").read_text()
        by_psql = gateway.cli("policy", "export", "-")
        file = FOLDER / "policy.yaml"
        elsewhere = {**gateway.environment, "METASTORE_URL": f"sqlite:///{tmp_path}/other.sqlite"}
        pgproxy(elsewhere, "policy", "apply", str(file))
        by_file = pgproxy(elsewhere, "policy", "export", "-")
        assert exported(by_psql) == exported(by_file)
        # The export of one, applied to the other, changes nothing but the administrator.
        (tmp_path / "back.yaml").write_text(by_psql)
        assert "1 changes" in pgproxy(elsewhere, "policy", "diff", str(tmp_path / "back.yaml"))
        assert "no change" in gateway.cli("policy", "diff", str(tmp_path / "back.yaml"))
