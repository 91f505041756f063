"""Async queries that wait by the thousand: listed, kept in little memory, there after a stop and a start."""

import signal
from pathlib import Path

import psutil
import pytest

from tests.gateway import RunningGateway, start_gateway
from tests.query_api import QueryApiClient

ENDLESS = "SELECT pg_sleep(36000)"
DEEP = pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])
GROWTH_BYTES = 64 << 20
"""What a gateway may take for them all; its caches fill meanwhile."""


def ids_of(client: QueryApiClient) -> list[str]:
    """Every query of the list, by its pages."""
    found: list[str] = []
    token = ""
    while True:
        page = client.call("GET", f"/queries?limit=1000{token}").json()
        found += [query["id"] for query in page["queries"]]
        if page["next_page_token"] is None:
            return found
        token = f"&page_token={page['next_page_token']}"


def rss_bytes(gateway: RunningGateway) -> int:
    return int(psutil.Process(gateway.process.pid).memory_info().rss)


@pytest.mark.parametrize("depth", [200, DEEP])
def test_a_deep_queue_is_listed_outlives_its_gateway_and_delays_nobody(tmp_path: Path, depth: int) -> None:
    settings = {
        "FEATURE_ASYNC_QUEUE": "true",
        "ASYNC_MAX_QUEUED_PER_PRINCIPAL": str(depth),
        "ASYNC_MAX_RUNNING_PER_PRINCIPAL": "1",
        "QUERY_RESULT_TTL": "1h",
    }
    with start_gateway(tmp_path, **settings) as gateway:
        analyst = QueryApiClient(gateway.http_port)
        blocker = analyst.submit(ENDLESS)
        waiting = [analyst.submit("SELECT 'once the caches are full'") for _ in range(50)]
        before = rss_bytes(gateway)
        waiting += [analyst.submit(f"SELECT {number}") for number in range(50, depth)]
        assert rss_bytes(gateway) - before < GROWTH_BYTES
        assert ids_of(analyst) == [*reversed(waiting), blocker]
        assert analyst.call("POST", "/queries", {"sql": "SELECT 1"}).status == 429
        QueryApiClient(gateway.http_port, "intern").run("SELECT 'beside them'")
        assert gateway.health()["queued_jobs"] == depth
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(60) == 0
    with start_gateway(tmp_path, **settings) as gateway:
        analyst = QueryApiClient(gateway.http_port)
        assert ids_of(analyst) == [*reversed(waiting), blocker]
        assert analyst.call("DELETE", f"/queries/{blocker}").status == 204
        for number, query_id in enumerate(waiting):
            assert analyst.wait(query_id, timeout_s=300)["state"] == "SUCCEEDED"
            if number >= 50 and number % 10 == 0:
                assert analyst.results(query_id).json()["rows"] == [[number]]
        assert gateway.health()["queued_jobs"] == 0
