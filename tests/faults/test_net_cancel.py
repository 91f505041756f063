"""CancelRequest and statement_timeout: what runs is stopped, what comes next is not."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.faults.raw_client import PROTOCOL_3_0, PROTOCOL_3_2, RawClient, cancel_request, error_fields
from tests.gateway import RunningGateway, start_gateway
from tests.unit.pgwire.frontend_bytes import cstring, tagged

SLOW = "SELECT count(*) FROM range(1000000) a, range(1000000) b"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with start_gateway(tmp_path_factory.mktemp("cancel")) as found:
        yield found


def cancel(gateway: RunningGateway, process_id: int, key: bytes) -> None:
    """Send one CancelRequest; the gateway answers nothing and closes."""
    with RawClient(gateway.port) as other:
        other.send(cancel_request(process_id, key))
        assert other.receive_bytes(1) == b""


def errors(messages: list[tuple[bytes, bytes]]) -> list[str]:
    return [error_fields(body)["C"] for tag, body in messages if tag == b"E"]


@pytest.mark.parametrize("version", [PROTOCOL_3_0, PROTOCOL_3_2])
def test_a_cancelrequest_stops_what_runs(gateway: RunningGateway, version: int) -> None:
    with RawClient(gateway.port, 20.0) as client:
        client.log_in("analyst", "analyst-secret", version=version)
        stop = threading.Event()

        def cancel_until_stopped() -> None:
            while not stop.wait(0.05):
                cancel(gateway, client.process_id, client.secret_key)

        thread = threading.Thread(target=cancel_until_stopped)
        thread.start()
        try:
            assert errors(client.query(SLOW)) == ["57014"]
        finally:
            stop.set()
            thread.join()
        assert client.query("SELECT 1")[-1] == (b"Z", b"I")


def test_a_wrong_key_stops_nothing(gateway: RunningGateway) -> None:
    with RawClient(gateway.port, 20.0) as client:
        client.log_in("analyst", "analyst-secret")
        client.send(tagged(b"Q", cstring("SELECT count(*) FROM range(30000) a, range(10000) b")))
        right = client.secret_key
        for wrong in (bytes(4), right + b"\0", right[:3] + bytes([right[3] ^ 1]), right * 8):
            cancel(gateway, client.process_id, wrong)
        cancel(gateway, client.process_id ^ 1, right)
        assert errors(client.receive_until(b"Z")) == []


def test_a_cancelrequest_while_idle_never_stops_the_next_statement(gateway: RunningGateway) -> None:
    with RawClient(gateway.port) as client:
        client.log_in("analyst", "analyst-secret")
        for _ in range(100):
            cancel(gateway, client.process_id, client.secret_key)
            assert errors(client.query("SELECT 1")) == []


def test_a_storm_of_cancelrequests_leaves_a_session_that_works(gateway: RunningGateway) -> None:
    with RawClient(gateway.port, 20.0) as client:
        client.log_in("analyst", "analyst-secret")
        stop = threading.Event()

        def storm() -> None:
            while not stop.is_set():
                cancel(gateway, client.process_id, client.secret_key)

        threads = [threading.Thread(target=storm) for _ in range(3)]
        for thread in threads:
            thread.start()
        seen: set[str] = set()
        try:
            until = time.monotonic() + 4
            while time.monotonic() < until:
                answer = client.query("BEGIN; SELECT count(*) FROM numbers a, range(200); COMMIT")
                seen.update(errors(answer) or ["done"])
                assert answer[-1][0] == b"Z"
                client.query("ROLLBACK")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert seen <= {"57014", "done"}
        assert "57014" in seen
        client.query("ROLLBACK")
        assert client.query("SELECT 1")[-1] == (b"Z", b"I"), "idle, in no transaction"


def test_a_cancelled_statement_fails_its_transaction_and_not_the_session(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn()) as connection:
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute(SLOW)
        timer.join()
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT 1")
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_statement_timeout_is_57014_and_the_session_goes_on(gateway: RunningGateway) -> None:
    with psycopg.connect(gateway.dsn(), autocommit=True) as connection:
        connection.execute("SET statement_timeout = '200ms'")
        began = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled, match="due to statement timeout"):
            connection.execute(SLOW)
        assert time.monotonic() - began < 60
        assert connection.execute("SELECT 1").fetchone() == (1,)
        connection.execute("RESET statement_timeout")
        assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (100_000,)


def test_a_client_that_vanishes_stops_its_statement(gateway: RunningGateway) -> None:
    with RawClient(gateway.port) as client:
        client.log_in("analyst", "analyst-secret")
        client.send(tagged(b"Q", cstring(SLOW)))
        with RawClient(gateway.port) as other:
            other.log_in("analyst", "analyst-secret")  # by now the statement has begun, or will not
    deadline = time.monotonic() + 10
    while gateway.health()["connections"]:
        assert time.monotonic() < deadline, "the statement runs on for nobody"
        time.sleep(0.02)
