"""Gateways on a PostgreSQL metastore: the queue's contract, taking over from a killed one, CancelRequest."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.proxied_fleet import wait_for
from tests.faults.raw_client import RawClient, cancel_request, error_fields
from tests.gateway import RunningGateway, start_gateway
from tests.postgres import find_binary
from tests.query_api import QueryApiClient
from tests.unit.queue.store_contract import StoreContract

pytestmark = pytest.mark.skipif(find_binary("initdb") is None, reason="PostgreSQL 15 is not installed")

SLOW_READ = "SELECT count(*) FROM numbers a, numbers b WHERE b.n < 4000 AND (a.n * b.n) % 7 = 1"


class TestContract(StoreContract):
    """The contract, on PostgreSQL."""


def cancel_through_the_other_gateway(first: RunningGateway, second: RunningGateway) -> None:
    """A CancelRequest that reaches another gateway ends the statement; one that began later goes on."""
    with RawClient(first.port, 30.0) as client, ThreadPoolExecutor(1) as pool:
        client.log_in("analyst", "analyst-secret")
        running = pool.submit(client.query, SLOW_READ.replace("4000", "90000"))
        wait_for(first.health, lambda health: health["active_queries"])
        with RawClient(second.port) as other:
            other.send(cancel_request(client.process_id, client.secret_key))
            assert other.receive_bytes(1) == b""
        assert [error_fields(body)["C"] for tag, body in running.result(30) if tag == b"E"] == ["57014"]
        assert client.query("SELECT 1")[-1] == (b"Z", b"I")


def test_another_gateway_takes_over_from_a_killed_one_and_gives_its_results(
    url: str, key_file: Path, tmp_path: Path
) -> None:
    settings = {
        "METASTORE_URL": url, "SECRET_KEY_FILE": str(key_file), "FEATURE_ASYNC_QUEUE": "true",
        "DATABASE_MODE": "read_only", "SPOOL_DIR": str(tmp_path / "spool"), "ASYNC_LEASE": "1s",
    }  # fmt: skip
    (tmp_path / "spool").mkdir()
    with start_gateway(tmp_path, **settings) as first, start_gateway(tmp_path, **settings) as second:
        cancel_through_the_other_gateway(first, second)
        one, other = QueryApiClient(first.http_port), QueryApiClient(second.http_port)
        done = one.run("SELECT 42 AS answer")
        assert other.results(done).json()["rows"] == [[42]]
        lost = [one.submit(SLOW_READ) for _ in range(2)]
        for query_id in lost:
            one.wait(query_id, "RUNNING")
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        answers, reasons = [], list[str]()
        for query_id in lost:
            found = other.wait(query_id)
            assert found["state"] == "SUCCEEDED"
            reasons += found["retry_reasons"]
            answers.append(other.results(query_id).json()["rows"])
        assert answers[0] == answers[1]
        assert set(reasons) == {"gateway_lost"}
        assert other.run("SELECT 1")
