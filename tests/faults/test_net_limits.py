"""Slots, silence and size: one gateway with small limits, and clients that want more."""

import contextlib
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from pgwire.frontend import Bind, Execute, Parse, Query, Sync
from tests.faults.patience import Patience
from tests.faults.raw_client import PROTOCOL_3_2, SSL_REQUEST, RawClient, Refused, error_fields, startup
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, start_gateway
from tests.unit.pgwire.frontend_bytes import cstring, encode_frontend, int32, tagged

PGPROXY = Path(sys.executable).parent / "pgproxy"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with start_gateway(
        tmp_path_factory.mktemp("limits"),
        MAX_CONNECTIONS="6",
        SUPERUSER_RESERVED_CONNECTIONS="2",
        MAX_CONNECTIONS_PER_PRINCIPAL="3",
        AUTHENTICATION_TIMEOUT="1s",
        MAX_MESSAGE_BYTES="100000",
        MAX_CONNECTION_MEMORY_BYTES="1048576",
    ) as gateway:
        yield gateway


def log_in(gateway: RunningGateway, user: str, **more: str) -> RawClient:
    client = RawClient(gateway.port, 20.0)
    try:
        client.log_in(user, ADMIN_PASSWORD if user == ADMIN else f"{user}-secret", **more)
    except Refused:
        client.close()
        raise
    return client


def until_empty(gateway: RunningGateway) -> None:
    """Wait until the gateway has noticed that its clients left."""
    deadline = time.monotonic() + 60
    while gateway.health()["connections"]:
        assert time.monotonic() < deadline, "connections stay"
        time.sleep(0.02)


def test_a_principal_has_a_limit_of_its_own(small: RunningGateway) -> None:
    until_empty(small)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(log_in(small, "analyst"))
        with pytest.raises(Refused) as caught:
            log_in(small, "analyst")
        assert (caught.value.sqlstate, caught.value.fields["S"]) == ("53300", "FATAL")
        assert caught.value.fields["M"] == 'too many connections for role "analyst"'
        stack.enter_context(log_in(small, "intern"))


def test_the_last_slots_are_for_admins_and_then_there_are_none(small: RunningGateway) -> None:
    until_empty(small)
    with contextlib.ExitStack() as stack:
        for user in ("analyst", "analyst", "intern", "intern"):
            stack.enter_context(log_in(small, user))
        with pytest.raises(Refused) as caught:
            log_in(small, "intern")
        assert caught.value.sqlstate == "53300"
        assert caught.value.fields["M"].startswith("remaining connection slots are reserved")
        stack.enter_context(log_in(small, ADMIN))
        stack.enter_context(log_in(small, ADMIN))
        with pytest.raises(Refused) as caught:
            log_in(small, ADMIN)
        assert caught.value.sqlstate == "53300"
        assert caught.value.fields["M"] == "sorry, too many clients already"


def test_a_slot_comes_back_when_its_client_leaves_without_a_word(small: RunningGateway) -> None:
    for _ in range(12):
        until_empty(small)
        log_in(small, "analyst").close()


def test_a_folder_or_an_address_that_cannot_be_used_stops_the_start_by_name(small: RunningGateway) -> None:
    wrong = {
        "SPOOL_DIR": "/dev/null/spool",
        "PG_WIRE_LISTEN_ADDR": f"127.0.0.1:{small.port}",
        "HTTP_LISTEN_ADDR": f"127.0.0.1:{small.http_port}",
    }
    usual = {**small.environment, "PG_WIRE_LISTEN_ADDR": "127.0.0.1:0", "HTTP_LISTEN_ADDR": "127.0.0.1:0"}
    for name, value in wrong.items():
        done = subprocess.run(
            [PGPROXY, "serve"],
            env={**usual, "DATABASE": str(small.folder / "other.duckdb"), name: value},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].startswith(f"pgproxy: {name}: cannot ")
        assert "Traceback" not in done.stderr


def test_failed_logins_take_no_slot(small: RunningGateway) -> None:
    until_empty(small)
    for _ in range(12):
        with RawClient(small.port) as client, pytest.raises(Refused, match="28P01"):
            client.log_in("nobody", "wrong")
    log_in(small, "analyst").close()


@pytest.mark.parametrize(
    "beginning", [b"", b"\0\0", SSL_REQUEST, startup("analyst"), startup("analyst") + b"p\0\0"]
)
def test_who_does_not_finish_to_log_in_is_cut_off_without_a_word(
    small: RunningGateway, beginning: bytes
) -> None:
    with RawClient(small.port, 10.0) as client:
        client.send(beginning)
        began = time.monotonic()
        received = client.receive_bytes(262_144)
        assert 0.5 < time.monotonic() - began < 5.0
    assert b"FATAL" not in received


def test_a_startup_packet_above_10_000_bytes_is_refused_before_it_is_read(small: RunningGateway) -> None:
    with RawClient(small.port) as client:
        client.send(int32(10_001))
        message = client.receive()
        assert message is not None
        assert error_fields(message[1])["C"] == "08P01"
        assert client.receive() is None
    longest = startup("analyst", application_name="x" * 9_000)
    with RawClient(small.port) as client:
        client.send(longest)
        assert client.receive_bytes(1) == b"R"


def test_a_message_above_the_limit_is_refused_before_it_is_read(small: RunningGateway) -> None:
    until_empty(small)
    with log_in(small, "analyst") as client:
        client.send(b"Q" + int32(100_005) + b"SELECT")
        message = client.receive()
        assert message is not None
        fields = error_fields(message[1])
        assert (fields["S"], fields["C"]) == ("FATAL", "08P01")
        assert client.receive() is None
    with log_in(small, "analyst") as client:
        text = "SELECT 1 --" + "x" * (100_000 - 12)
        assert client.query(text)[-1] == (b"Z", b"I")


def test_prepared_statements_have_a_budget_and_closing_them_gives_it_back(small: RunningGateway) -> None:
    until_empty(small)
    with log_in(small, "analyst") as client:
        padding = "x" * 90_000
        answers = []
        for number in range(20):
            parse = Parse(f"s{number}", f"SELECT {number} --{padding}", ())
            client.send(encode_frontend(parse) + encode_frontend(Sync()))
            answers.append(client.receive_until(b"Z"))
        refused = [error_fields(body)["C"] for answer in answers for tag, body in answer if tag == b"E"]
        assert refused
        assert set(refused) == {"53200"}
        assert all(answer[-1] == (b"Z", b"I") for answer in answers), "the session goes on"
        assert client.query("DEALLOCATE ALL")[-1] == (b"Z", b"I")
        client.send(encode_frontend(Parse("again", f"SELECT 1 --{padding}", ())) + encode_frontend(Sync()))
        assert [tag for tag, _ in client.receive_until(b"Z")] == [b"1", b"Z"]


def test_bound_parameters_count_too(small: RunningGateway) -> None:
    until_empty(small)
    with log_in(small, "analyst") as client:
        client.query("BEGIN")
        client.send(encode_frontend(Parse("s", "SELECT $1::text", (25,))))
        bound = [encode_frontend(Bind(f"p{n}", "s", (), (b"v" * 90_000,), ())) for n in range(20)]
        client.send(b"".join(bound) + encode_frontend(Sync()))
        answer = client.receive_until(b"Z")
        assert [error_fields(body)["C"] for tag, body in answer if tag == b"E"] == ["53200"]
        assert client.query("ROLLBACK")[-1] == (b"Z", b"I")
        client.send(
            encode_frontend(Bind("p", "s", (), (b"v" * 90_000,), ())) + encode_frontend(Execute("p", 0))
        )
        client.send(encode_frontend(Sync()))
        assert [tag for tag, _ in client.receive_until(b"Z")] == [b"2", b"D", b"C", b"Z"]


def test_a_thousand_silent_connections_hurt_nobody(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        start_gateway(tmp_path_factory.mktemp("silent"), MAX_CONNECTIONS="10") as gateway,
        contextlib.ExitStack() as stack,
    ):
        process = psutil.Process(gateway.process.pid)
        before = process.memory_info().rss
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port))) for _ in range(1000)
        ]
        with psycopg.connect(gateway.dsn(), autocommit=True) as connection:
            waited = Patience(gateway.process.pid).begin()
            for n in range(20):
                row = connection.execute("SELECT doubled FROM numbers WHERE n = %s", (n,)).fetchone()
                assert row == (2 * n,)
            assert not waited.is_over()
            assert process.memory_info().rss - before < 100 * 1024 * 1024
            silent += [
                stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port))) for _ in range(5)
            ]
            silent[0].settimeout(5)
            assert silent[0].recv(1) == b"", "the oldest stranger gave way"
            silent[-1].sendall(SSL_REQUEST)
            assert silent[-1].recv(1) == b"N", "the newest one is served"
            assert connection.execute("SELECT 1").fetchone() == (1,), "who has logged in stays"


def test_a_client_that_takes_nothing_holds_little_memory_and_nobody_else(small: RunningGateway) -> None:
    until_empty(small)
    process = psutil.Process(small.process.pid)
    with log_in(small, "analyst") as stalled, log_in(small, "intern") as other:
        stalled.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        before = process.memory_info().rss
        stalled.send(tagged(b"Q", cstring("SELECT a.n, a.label, b.label FROM numbers a, numbers b")))
        assert stalled.receive_bytes(5)[:1] == b"T"
        for _ in range(50):
            assert other.query("SELECT 1")[-1] == (b"Z", b"I")
        assert process.memory_info().rss - before < 300 * 1024 * 1024


def test_many_small_messages_of_one_client_leave_room_for_others(small: RunningGateway) -> None:
    until_empty(small)
    with log_in(small, "analyst") as busy, log_in(small, "intern") as other, ThreadPoolExecutor(1) as pool:
        syncs = encode_frontend(Sync()) * 200_000
        sending = pool.submit(busy.send, syncs)
        reading = 0
        while reading < 200_000 * 6:
            waited = Patience(small.process.pid, 3.0).begin()
            assert other.query("SELECT 1")[-1] == (b"Z", b"I")
            assert not waited.is_over()
            reading += len(
                busy.receive_bytes(60_000 if reading + 60_000 <= 200_000 * 6 else 200_000 * 6 - reading)
            )
        sending.result()


def test_protocol_3_2_gets_a_key_of_32_bytes_and_3_0_one_of_4(small: RunningGateway) -> None:
    until_empty(small)
    with RawClient(small.port) as client:
        client.log_in("analyst", "analyst-secret")
        assert len(client.secret_key) == 4
    with RawClient(small.port) as client:
        client.log_in("analyst", "analyst-secret", version=PROTOCOL_3_2)
        assert len(client.secret_key) == 32
    with RawClient(small.port) as client:
        client.send(startup("analyst", version=3 << 16 | 9, **{"_pq_.magic": "on"}))
        message = client.receive()
        assert message is not None
        tag, body = message
        assert (tag, struct.unpack_from("!ii", body)) == (b"v", (PROTOCOL_3_2, 1))
        assert body[8:] == b"_pq_.magic\0"


def test_no_password_is_ever_asked_for_in_the_clear(small: RunningGateway) -> None:
    with RawClient(small.port) as client:
        client.send(startup("analyst"))
        message = client.receive()
    assert message is not None
    assert message[1] == int32(10) + b"SCRAM-SHA-256\0\0", "no -PLUS without TLS, no cleartext, no MD5"


def test_an_unknown_user_gets_the_same_salt_each_time_and_at_every_start(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("mock")
    salts = set()
    first = b"n,,n=,r=rOprNGfwEbeRWgbNEkqO"
    for _ in range(2):
        with start_gateway(folder) as gateway:
            for _ in range(2):
                with RawClient(gateway.port) as client:
                    client.send(startup("nobody"))
                    client.receive()
                    client.send(tagged(b"p", cstring("SCRAM-SHA-256") + int32(len(first)) + first))
                    message = client.receive()
                    assert message is not None
                    salts.add(message[1].split(b",s=")[1])
    assert len(salts) == 1


def test_a_query_that_is_sent_in_single_bytes_is_answered(small: RunningGateway) -> None:
    until_empty(small)
    with log_in(small, "analyst") as client:
        for byte in encode_frontend(Query("SELECT 7")):
            client.send(bytes([byte]))
        assert (b"D", struct.pack("!hi", 1, 1) + b"7") in client.receive_until(b"Z")
