"""The queue of async queries across kill -9 of the gateway and of nodes: nothing lost, nothing twice."""

import signal
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from tests.faults.proxied_fleet import wait_for
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, start_gateway
from tests.query_api import QueryApiClient

SLOW_READ = "SELECT count(*) FROM numbers a, numbers b WHERE b.n < 4000 AND (a.n * b.n) % 7 = 1"
SLOW_WRITE = "INSERT INTO public.written SELECT a.n FROM numbers a, numbers b WHERE (a.n * b.n) % 100003 = 1"
MANY_ROWS = "SELECT a.n AS n, b.n AS m FROM numbers a, numbers b WHERE b.n < 30"


def kill_gateway(gateway: RunningGateway) -> None:
    gateway.process.send_signal(signal.SIGKILL)
    gateway.process.wait()


def test_a_killed_gateway_loses_no_query_and_writes_nothing_twice(tmp_path: Path) -> None:
    settings = {"FEATURE_ASYNC_QUEUE": "true"}
    with start_gateway(tmp_path, **settings) as gateway:
        analyst = QueryApiClient(gateway.http_port)
        admin = QueryApiClient(gateway.http_port, ADMIN, ADMIN_PASSWORD)
        admin.run("CREATE TABLE public.written (n int)")
        done = analyst.run("SELECT 42 AS answer")
        expected = analyst.results(analyst.run(SLOW_READ)).json()["rows"]
        read, second = analyst.submit(SLOW_READ), analyst.submit(SLOW_READ)
        waiting = analyst.submit("SELECT 7 AS seven")
        write = admin.submit(SLOW_WRITE)
        for client, query_id in ((analyst, read), (analyst, second), (admin, write)):
            assert client.wait(query_id, "RUNNING")["state"] == "RUNNING"
        assert analyst.status(waiting)["state"] == "QUEUED"
        kill_gateway(gateway)
    with start_gateway(tmp_path, **settings) as gateway:
        analyst = QueryApiClient(gateway.http_port)
        admin = QueryApiClient(gateway.http_port, ADMIN, ADMIN_PASSWORD)
        lost = admin.status(write)
        assert (lost["state"], lost["error"]["sqlstate"]) == ("FAILED", "08007")
        assert "unknown outcome" in lost["error"]["message"]
        assert analyst.results(done).json()["rows"] == [[42]], "what was stored is still there"
        for query_id in (read, second):
            found = analyst.wait(query_id)
            assert (found["state"], found["retry_reasons"]) == ("SUCCEEDED", ["gateway_lost"])
            assert analyst.results(query_id).json()["rows"] == expected
        assert analyst.wait(waiting)["retry_reasons"] == []
        assert analyst.results(waiting).json()["rows"] == [[7]]
        assert admin.results(admin.run("SELECT count(*) FROM public.written")).json()["rows"] == [[0]]
        counted = gateway.metrics()
        assert 'pgproxy_async_retries_total{reason="gateway_lost"} 2.0' in counted
        assert 'pgproxy_async_queries_total{state="FAILED"} 1.0' in counted
        assert 'pgproxy_async_queries_total{state="SUCCEEDED"} 4.0' in counted
        assert "pgproxy_async_wait_seconds_count 4.0" in counted
        names = {path.suffix for path in (tmp_path / "metastore.sqlite.results").iterdir()}
        assert ".part" not in names, "what the killed one had begun is gone"


def test_a_killed_node_costs_a_read_nothing_and_its_rows_come_once(tmp_path: Path) -> None:
    with start_gateway(tmp_path, nodes=2, FEATURE_ASYNC_QUEUE="true") as gateway:
        analyst = QueryApiClient(gateway.http_port)
        expected = analyst.results(analyst.run(SLOW_READ)).json()["rows"]
        before_rows = analyst.submit(SLOW_READ)
        analyst.wait(before_rows, "RUNNING")
        running = wait_for_active(gateway)
        gateway.nodes[running].kill()
        found = analyst.wait(before_rows)
        assert found["state"] == "SUCCEEDED"
        assert analyst.results(before_rows).json()["rows"] == expected
        survivor = gateway.nodes[1 - running]
        gateway.wait_for_endpoints(**{gateway.nodes[running].name: "unhealthy", survivor.name: "active"})
        amid_rows = analyst.submit(MANY_ROWS)
        folder = tmp_path / "metastore.sqlite.results"
        while not any(path.stat().st_size > 100_000 for path in folder.glob(f"{amid_rows}.*.part")):
            assert analyst.status(amid_rows)["state"] in ("QUEUED", "RUNNING")
        survivor.kill()
        found = analyst.wait(amid_rows)
        assert (found["state"], found["retry_reasons"]) == ("SUCCEEDED", ["node_lost"])
        assert (found["rows"], found["route"]) == (3_000_000, "local")
        with psycopg.connect(gateway.dsn()) as connection:
            summed = connection.execute(f"SELECT count(*), sum(n * 31 + m) FROM ({MANY_ROWS}) q").fetchone()
        table = analyst.results(amid_rows, "?format=arrow")
        assert summed == (3_000_000, _checksum(table.body))


def wait_for_active(gateway: RunningGateway) -> int:
    """Wait until one of the nodes runs something; gives which."""
    while True:
        for place, node in enumerate(gateway.nodes):
            if node.health()["active_queries"]:
                return place


def _checksum(body: bytes) -> int:
    table = pa.ipc.open_stream(body).read_all()
    n, m = (int(pc.sum(table.column(name).cast("int64")).as_py()) for name in ("n", "m"))
    return n * 31 + m


def test_limits_of_the_queue_hold(tmp_path: Path) -> None:
    settings = {
        "FEATURE_ASYNC_QUEUE": "true",
        "ASYNC_MAX_RUNNING_PER_PRINCIPAL": "1",
        "ASYNC_MAX_QUEUED_PER_PRINCIPAL": "2",
        "ASYNC_MAX_RESULT_BYTES": "100000",
        "ASYNC_MAX_RESULT_TTL": "1h",
        "QUERY_RESULT_TTL": "2s",
        "QUERY_CLEANUP_INTERVAL": "100ms",
        "SPOOL_DIR": str(tmp_path / "spool"),
    }
    results = tmp_path / "spool" / "results"
    with start_gateway(tmp_path, **settings) as gateway:
        analyst = QueryApiClient(gateway.http_port)
        too_large = analyst.wait(analyst.submit("SELECT n, label FROM numbers"))
        assert (too_large["state"], too_large["error"]["sqlstate"]) == ("FAILED", "53400")
        blocker = analyst.submit("SELECT sum(a.n * b.n) FROM numbers a, numbers b")
        analyst.wait(blocker, "RUNNING")
        waiting = [analyst.submit(f"SELECT {n}", ttl="30m") for n in range(2)]
        assert [analyst.status(query_id)["state"] for query_id in waiting] == ["QUEUED", "QUEUED"]
        refused = analyst.call("POST", "/queries", {"sql": "SELECT 2"})
        assert (refused.status, refused.json()["error"]["sqlstate"]) == (429, "53400")
        other = QueryApiClient(gateway.http_port, "intern")
        short = other.run("SELECT 7 AS seven")
        assert list(results.glob(f"{short}.*.arrow")), "limits are a role's own, and so is a place to run in"
        wait_for(lambda: other.call("GET", f"/queries/{short}").status, lambda status: status == 404)
        wait_for(lambda: list(results.glob(f"{short}.*")), lambda left: not left)
        analyst.call("DELETE", f"/queries/{blocker}")
        for number, query_id in enumerate(waiting):
            analyst.wait(query_id)
            assert analyst.results(query_id).json()["rows"] == [[number]]
        too_long = analyst.call("POST", "/queries", {"sql": "SELECT 1", "ttl": "61m"})
        assert (too_long.status, too_long.json()["error"]["sqlstate"]) == (400, "22023")


def test_a_policy_change_between_submit_and_run_is_honoured(tmp_path: Path) -> None:
    settings = {"FEATURE_ASYNC_QUEUE": "true", "ASYNC_MAX_RUNNING": "1"}
    with start_gateway(tmp_path, **settings) as gateway:
        admin = QueryApiClient(gateway.http_port, ADMIN, ADMIN_PASSWORD)
        analyst = QueryApiClient(gateway.http_port)
        blocker = admin.submit("SELECT sum(a.n * b.n) FROM numbers a, numbers b")
        admin.wait(blocker, "RUNNING")
        narrowed = analyst.submit("SELECT DISTINCT region FROM sales.customers")
        denied = analyst.submit("SELECT count(*) FROM sales.orders")
        locked = QueryApiClient(gateway.http_port, "intern").submit("SELECT 1")
        with psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as connection:
            connection.execute("REVOKE SELECT ON sales.orders FROM eu_team")
            connection.execute("ALTER POLICY eu_customers ON sales.customers USING (region = 'US')")
        gateway.cli("user", "lock", "intern")
        admin.call("DELETE", f"/queries/{blocker}")
        analyst.wait(narrowed)
        assert analyst.results(narrowed).json()["rows"] == [["US"]]
        assert analyst.wait(denied)["error"]["sqlstate"] in ("42501", "42P01")
        assert admin.wait(locked)["error"]["sqlstate"] == "28P01"
