"""A real gateway under broken conversations: it answers or closes in time, and nobody else notices."""

import contextlib
import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgwire.frontend import (
    Bind,
    Close,
    CopyData,
    CopyDone,
    CopyFail,
    Describe,
    Execute,
    Flush,
    FrontendMessage,
    FunctionCall,
    Parse,
    Query,
    Sync,
)
from tests.faults.fuzzing import LOGIN, OPENINGS, SESSIONS, mutate_body, mutate_bytes, mutate_order
from tests.faults.patience import Patience
from tests.faults.raw_client import RawClient
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, start_gateway
from tests.unit.pgwire.frontend_bytes import encode_frontend

HANG_S = 5.0
"""Of the server's own time; what other processes take of the cores does not count."""
WORKERS = 3
RSS_GROWTH_BYTES = 300 * 1024 * 1024
"""What caches may take while they warm up; in the soak, a leak of 2 kB a message is above it."""

MARKER = "still-here"
TAIL = b"".join(
    encode_frontend(message)
    for message in (CopyFail("over"), Sync(), Query(f"ROLLBACK; SELECT '{MARKER}' AS m"))
)


@dataclass
class Witness:
    """A session that works all the while, and remembers its longest wait."""

    gateway: RunningGateway
    stop: threading.Event = field(default_factory=threading.Event)
    queries: int = 0
    longest_s: float = 0.0

    def run(self) -> None:
        """Ask and check until told to stop."""
        with psycopg.connect(self.gateway.dsn(), autocommit=True) as connection:
            while not self.stop.wait(0.02):
                wait = Patience(self.gateway.process.pid, HANG_S).begin()
                n = self.queries % 1000
                row = connection.execute("SELECT doubled FROM numbers WHERE n = %s", (n,)).fetchone()
                assert row == (2 * n,)
                self.longest_s = max(self.longest_s, wait.own_seconds())
                self.queries += 1


@dataclass
class FuzzedGateway:
    """A gateway, its log and its witness."""

    gateway: RunningGateway
    log: Path

    @property
    def rss_bytes(self) -> int:
        """Resident memory of the gateway process now."""
        return int(psutil.Process(self.gateway.process.pid).memory_info().rss)

    def bugs(self) -> list[str]:
        """What the log calls a bug, and every traceback of somebody else's making."""
        lines = self.log.read_text().splitlines()
        return [
            line
            for line in lines
            if '"connection.' in line or "Traceback" in line or "Task exception" in line
        ]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzedGateway]:
    folder = tmp_path_factory.mktemp("fuzz")
    log = folder / "gateway.log"
    limits = {"STATEMENT_TIMEOUT": "2s", "MAX_MESSAGE_BYTES": "1000000", "MAX_MEMORY_GB": "0.5"}
    with start_gateway(folder, log=log, **limits) as gateway:
        with psycopg.connect(gateway.dsn(ADMIN), autocommit=True) as admin:
            admin.execute("CREATE TABLE public.fuzzed (id int, note text)")
        yield FuzzedGateway(gateway, log)


def patient_client(gateway: RunningGateway) -> RawClient:
    """A client that gives up after HANG_S of the gateway's own time, and looks every second."""
    return RawClient(gateway.port, 1.0, patience=Patience(gateway.process.pid, HANG_S))


def log_in(gateway: RunningGateway, user: str) -> RawClient:
    client = patient_client(gateway)
    client.log_in(user, ADMIN_PASSWORD if user == ADMIN else f"{user}-secret")
    return client


def expect_marker_or_close(client: RawClient) -> bool:
    """Read to the marker (True) or to the end of the stream (False); a hang raises TimeoutError."""
    while (message := client.receive()) is not None:
        if message[0] == b"D" and MARKER.encode() in message[1]:
            client.receive_until(b"Z")
            return True
    return False


class Fuzzer:
    """One worker: sends `budget` broken messages, then stops."""

    def __init__(self, gateway: RunningGateway, seed: int, budget: int) -> None:
        self._gateway = gateway
        self._chance = random.Random(seed)
        self._left = budget
        self._client: RawClient | None = None
        self.outcomes = {"survived": 0, "closed": 0}

    def run(self) -> None:
        while self._left > 0:
            roll = self._chance.random()
            if roll < 0.75:
                self._break_bodies()
            elif roll < 0.9:
                self._break_frames()
            else:
                self._break_login()
        self._drop_client()

    def _break_bodies(self) -> None:
        """Frames stay honest, so the server must answer the marker or say a FATAL word."""
        chance = self._chance
        session = list(SESSIONS[chance.choice(tuple(SESSIONS))])
        if chance.random() < 0.3:
            session = list(mutate_order(tuple(session), chance))
            self._left -= 1
        for place in range(len(session)):
            if chance.random() < 0.4:
                session[place] = mutate_body(session[place], chance)
                self._left -= 1
        client = self._logged_in()
        data = b"".join(session) + TAIL
        cut = chance.randrange(len(data))
        client.send(data[:cut])
        client.send(data[cut:])
        if expect_marker_or_close(client):
            self.outcomes["survived"] += 1
        else:
            self.outcomes["closed"] += 1
            self._drop_client()

    def _break_frames(self) -> None:
        """Lengths lie, so the server may wait for more; when the client leaves, it must close."""
        chance = self._chance
        session = list(SESSIONS[chance.choice(tuple(SESSIONS))])
        place = chance.randrange(len(session))
        session[place] = mutate_bytes(session[place], chance)
        self._left -= 1
        client = self._logged_in()
        client.send(b"".join(session))
        self._leave(client)
        self._client = None

    def _break_login(self) -> None:
        chance = self._chance
        messages = list(LOGIN)
        if chance.random() < 0.5:
            messages.insert(0, chance.choice(OPENINGS))
        place = chance.randrange(len(messages))
        messages[place] = mutate_bytes(messages[place], chance)
        self._left -= 1
        client = patient_client(self._gateway)
        client.send(b"".join(messages[: place + 1]))
        self._leave(client)

    def _leave(self, client: RawClient) -> None:
        """Say that nothing more comes; the server must close within HANG_S."""
        with contextlib.suppress(OSError):  # the server was faster
            client.socket.shutdown(1)
        client.drain()
        client.close()
        self.outcomes["closed"] += 1

    def _logged_in(self) -> RawClient:
        if self._client is None:
            self._client = log_in(self._gateway, self._chance.choice(("analyst", ADMIN)))
        return self._client

    def _drop_client(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def fuzz(fuzzed: FuzzedGateway, seed: int, messages: int) -> Witness:
    """Send so many broken messages from several workers beside a witness."""
    witness = Witness(fuzzed.gateway)
    workers = [Fuzzer(fuzzed.gateway, seed + number, messages // WORKERS) for number in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS + 1) as pool:
        watching = pool.submit(witness.run)
        try:
            running = [pool.submit(worker.run) for worker in workers]
            for future in running:
                future.result()
        finally:
            witness.stop.set()
        watching.result()
    assert all(worker.outcomes["survived"] for worker in workers), "some conversations must survive"
    return witness


def check(fuzzed: FuzzedGateway, witness: Witness, rss_before: int) -> None:
    assert fuzzed.gateway.process.poll() is None, "the gateway lives"
    assert witness.queries > 10
    assert witness.longest_s < HANG_S
    bugs = [
        json.loads(line).get("exception", line) if line.startswith("{") else line for line in fuzzed.bugs()
    ]
    assert not bugs, "\n".join(bugs[:3])
    assert fuzzed.rss_bytes - rss_before < RSS_GROWTH_BYTES


def test_random_damage_to_recorded_sessions(fuzzed: FuzzedGateway) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rss_before = fuzzed.rss_bytes
    check(fuzzed, fuzz(fuzzed, seed, messages=3000), rss_before)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_random_damage_for_long(fuzzed: FuzzedGateway) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    fuzz(fuzzed, seed, messages=10_000)  # caches are warm after this
    rss_before = fuzzed.rss_bytes
    check(fuzzed, fuzz(fuzzed, seed + 1000, messages=200_000), rss_before)


_names = st.sampled_from(("", "a", "b"))
_queries = st.sampled_from(
    (
        "SELECT 1",
        "SELECT $1::int + n FROM numbers WHERE n < 3",
        "SELECT n FROM numbers ORDER BY n LIMIT 50",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT s",
        "COPY (SELECT 1) TO STDOUT",
        "COPY public.fuzzed FROM STDIN",
        "DECLARE a CURSOR FOR SELECT n FROM numbers",
        "FETCH 2 FROM a",
        "CLOSE ALL",
        "DEALLOCATE ALL",
        "DISCARD ALL",
        "SELECT 1; SELECT 2",
        "",
    )
) | st.text(max_size=30)
_formats = st.lists(st.sampled_from((0, 1, 2, 65535)), max_size=3).map(tuple)
_values = st.lists(st.none() | st.binary(max_size=12), max_size=3).map(tuple)
_oids = st.lists(st.sampled_from((0, 23, 25, 1700, 1082, 17, 999_999)), max_size=3).map(tuple)
_messages: st.SearchStrategy[FrontendMessage] = st.one_of(
    st.builds(Query, _queries),
    st.builds(Parse, _names, _queries, _oids),
    st.builds(Bind, _names, _names, _formats, _values, _formats),
    st.builds(Describe, st.sampled_from((b"S", b"P")), _names),
    st.builds(Close, st.sampled_from((b"S", b"P")), _names),
    st.builds(Execute, _names, st.sampled_from((0, 1, 5, -1, 2**31 - 1))),
    st.builds(CopyData, st.binary(max_size=40)),
    st.builds(CopyDone),
    st.builds(CopyFail, st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)),
    st.builds(FunctionCall, st.integers(0, 2**32 - 1)),
    st.builds(Sync),
    st.builds(Flush),
)


@settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(_messages, min_size=1, max_size=12))
def test_any_sequence_of_well_formed_messages_is_answered(
    fuzzed: FuzzedGateway, messages: list[FrontendMessage]
) -> None:
    with log_in(fuzzed.gateway, ADMIN) as client:
        client.send(b"".join(map(encode_frontend, messages)) + TAIL)
        if not expect_marker_or_close(client):
            with log_in(fuzzed.gateway, ADMIN) as other:
                assert other.query("SELECT 1")[-1] == (b"Z", b"I"), "only that connection ended"
    assert not fuzzed.bugs()
