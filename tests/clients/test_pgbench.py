"""pgbench: a custom script over each protocol; any error ends it with another status than 0."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.gateway import RunningGateway
from tests.postgres import find_binary

PGBENCH = find_binary("pgbench")
SCRIPT = r"""
\set id random(1, 2000)
\set low random(1, 250)
SELECT id, amount, placed FROM sales.orders WHERE id = :id;
SELECT count(*), max(name) FROM sales.customers WHERE id BETWEEN :low AND :low + 30 \gset
SELECT :count + 1;
BEGIN;
SELECT sum(amount) FROM sales.orders WHERE customer_id = :low;
END;
"""

pytestmark = [
    pytest.mark.client("pgbench"),
    pytest.mark.skipif(PGBENCH is None, reason="pgbench is not installed"),
]


@pytest.mark.feature("prepared")
@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
def test_every_transaction_of_four_clients_is_processed(
    gateway: RunningGateway, protocol: str, tmp_path: Path
) -> None:
    script = tmp_path / "script.sql"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [str(PGBENCH), "-n", "-M", protocol, "-c", "4", "-t", "10", "-f", str(script), "-h", "127.0.0.1",
         "-p", str(gateway.port), "-U", "analyst", "test"],
        env={**os.environ, "PGPASSWORD": "analyst-secret"},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "number of transactions actually processed: 40/40" in done.stdout
    assert "number of failed transactions: 0 (0.000%)" in done.stdout
