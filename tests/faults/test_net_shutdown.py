"""SIGTERM drains: idle sessions at once, statements in the grace period; locked principals leave too."""

import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.faults.patience import Patience
from tests.faults.raw_client import RawClient, error_fields, startup
from tests.gateway import RunningGateway, start_gateway
from tests.unit.pgwire.frontend_bytes import cstring, tagged

SLOW = "SELECT count(*) FROM range(1000000) a, range(1000000) b"
SECONDS = "SELECT count(*) FROM range(60000) a, range(20000) b"


def log_in(gateway: RunningGateway, user: str = "analyst") -> RawClient:
    client = RawClient(gateway.port, 30.0)
    client.log_in(user, f"{user}-secret")
    return client


def last_words(client: RawClient) -> str:
    """Read to the FATAL error, which is the last that comes."""
    fields = error_fields(client.receive_until(b"E")[-1][1])
    assert fields["S"] == "FATAL"
    assert client.receive() is None
    return fields["C"]


def until_stopped(process: "subprocess.Popen[str]", timeout_s: float) -> int:
    return process.wait(timeout_s)


def until_running(gateway: RunningGateway, client: RawClient, sql: str) -> None:
    """Send a statement, and give the gateway the time to begin it: another session's answer."""
    client.send(tagged(b"Q", cstring(sql)))
    with log_in(gateway) as other:
        other.query("SELECT 1")


def test_idle_sessions_end_at_once_and_the_exit_status_is_0(tmp_path: Path) -> None:
    with start_gateway(tmp_path) as gateway, log_in(gateway) as idle, log_in(gateway) as in_block:
        in_block.query("BEGIN; SELECT 1")
        gateway.process.send_signal(signal.SIGTERM)
        assert last_words(idle) == "57P01"
        assert last_words(in_block) == "57P01"
        assert until_stopped(gateway.process, 10) == 0


def test_a_running_statement_finishes_in_the_grace_period(tmp_path: Path) -> None:
    with start_gateway(tmp_path) as gateway, log_in(gateway) as busy, log_in(gateway) as idle:
        until_running(gateway, busy, SECONDS)
        gateway.process.send_signal(signal.SIGTERM)
        assert last_words(idle) == "57P01", "before the statement has ended"
        answer = busy.receive_until(b"Z")
        assert [tag for tag, _ in answer] == [b"T", b"D", b"C", b"Z"]
        assert last_words(busy) == "57P01"
        assert until_stopped(gateway.process, 10) == 0


def test_a_statement_longer_than_the_grace_period_is_interrupted(tmp_path: Path) -> None:
    with start_gateway(tmp_path, SHUTDOWN_GRACE_PERIOD="500ms") as gateway, log_in(gateway) as busy:
        until_running(gateway, busy, SLOW)
        gateway.process.send_signal(signal.SIGTERM)
        assert last_words(busy) == "57P01"
        assert until_stopped(gateway.process, 10) == 0


def test_a_second_sigterm_waits_for_nothing(tmp_path: Path) -> None:
    with start_gateway(tmp_path) as gateway, log_in(gateway) as busy, log_in(gateway) as idle:
        until_running(gateway, busy, SLOW)
        gateway.process.send_signal(signal.SIGTERM)
        assert last_words(idle) == "57P01"
        gateway.process.send_signal(signal.SIGTERM)
        assert last_words(busy) == "57P01"
        assert until_stopped(gateway.process, 10) == 0


def test_sigterm_during_a_login_ends_it_and_the_gateway(tmp_path: Path) -> None:
    with (
        start_gateway(tmp_path) as gateway,
        RawClient(gateway.port) as silent,
        RawClient(gateway.port) as amid,
    ):
        amid.send(startup("analyst"))
        assert amid.receive() is not None
        gateway.process.send_signal(signal.SIGTERM)
        assert last_words(amid) == "57P03"
        silent.drain()
        assert until_stopped(gateway.process, 10) == 0


def test_a_client_that_reads_nothing_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with start_gateway(tmp_path, SHUTDOWN_GRACE_PERIOD="500ms") as gateway, log_in(gateway) as stalled:
        stalled.send(tagged(b"Q", cstring("SELECT a.label, b.label FROM numbers a, numbers b")))
        assert stalled.receive_bytes(1) == b"T"
        gateway.process.send_signal(signal.SIGTERM)
        assert until_stopped(gateway.process, 15) == 0


@pytest.mark.parametrize("listens", [True, False])
def test_a_collector_of_traces_that_never_answers_does_not_hold_up_the_end(
    tmp_path: Path, listens: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as collector:
        url = f"http://127.0.0.1:{collector.getsockname()[1]}"
        with start_gateway(
            tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=url, TRACE_SAMPLE_RATIO="1", SHUTDOWN_GRACE_PERIOD="500ms"
        ) as gateway:
            with log_in(gateway) as client:
                client.query("SELECT 1")
                exporting, _ = collector.accept()
                if not listens:
                    collector.close()
                    exporting.close()
                client.query("SELECT 2")
            with exporting:
                gateway.process.send_signal(signal.SIGTERM)
                assert until_stopped(gateway.process, 10) == 0


def test_sigterm_under_load_loses_no_connection_without_a_word(tmp_path: Path) -> None:
    said: list[str] = []

    def work(gateway: RunningGateway) -> None:
        with log_in(gateway) as client:
            while True:
                answer = client.query("SELECT n FROM numbers WHERE n < 100")
                fatal = [error_fields(body) for tag, body in answer if tag == b"E"]
                if fatal:
                    said.append(fatal[0]["C"])
                    return
                if not answer or answer[-1][0] != b"Z":
                    said.append("nothing")
                    return

    with start_gateway(tmp_path) as gateway:
        threads = [threading.Thread(target=work, args=(gateway,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        with log_in(gateway) as client:
            for _ in range(20):
                client.query("SELECT 1")
        gateway.process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(10)
        assert until_stopped(gateway.process, 10) == 0
    assert said == ["57P01"] * 4


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway that the tests with it leave as it is."""
    with start_gateway(tmp_path_factory.mktemp("lasting")) as gateway:
        yield gateway


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_locked_principals_sessions_end_within_a_second(lasting: RunningGateway, is_busy: bool) -> None:
    try:
        with log_in(lasting) as locked, log_in(lasting, "intern") as other:
            if is_busy:
                until_running(lasting, locked, SLOW)
            lasting.cli("user", "lock", "analyst")
            waited = Patience(lasting.process.pid, 1.5).begin()
            assert last_words(locked) == "57P01"
            assert not waited.is_over()
            assert other.query("SELECT 1")[-1] == (b"Z", b"I")
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(lasting.dsn())
    finally:
        lasting.cli("user", "unlock", "analyst")


def test_a_user_made_by_another_process_logs_in_with_its_rights_at_once(lasting: RunningGateway) -> None:
    policy = (lasting.folder / "policy.yaml").read_text()
    for number in range(5):
        user = f"late{number}"
        policy = policy.replace(
            "  intern:", f"  {user}: {{password: {user}-secret, groups: [eu_team]}}\n  intern:"
        )
        (lasting.folder / "policy.yaml").write_text(policy)
        lasting.cli("policy", "apply", str(lasting.folder / "policy.yaml"))
        with psycopg.connect(lasting.dsn(user)) as connection:
            assert connection.execute("SELECT count(*) FROM numbers").fetchone() == (100_000,)
