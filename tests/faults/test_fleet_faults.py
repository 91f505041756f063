"""Every fault at every phase of a statement on a node: the right answer, or one clean error; nothing left."""

import signal
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest

from execnode.engine.chunks import TARGET_CHUNK_BYTES
from tests.faults.proxied_fleet import ROUTING_ON, ProxiedFleet, proxied_fleet, wait_for
from tests.gateway import NODE_TOKEN

PAD = "x" * 150
SMALL = "SELECT n, label FROM numbers WHERE n < 1000 ORDER BY n"
SMALL_ROWS = "".join(f"{n}\ttext {n}\n" for n in range(1000)).encode()
BIG = f"SELECT n, label, '{PAD}' AS pad FROM numbers ORDER BY n"
BIG_ROWS = "".join(f"{n}\ttext {n}\t{PAD}\n" for n in range(100_000)).encode()
SLOW = "SELECT count(*) FROM numbers a, numbers b WHERE b.n < 300 AND (a.n * b.n) % 7 >= 0"
SLOW_ROWS = b"30000000\n"
ENDLESS = "SELECT sum((a.n * b.n) % 7) FROM numbers a, numbers b"

Session = psycopg.Connection[tuple[object, ...]]
Fault = Callable[[ProxiedFleet], None]
Phase = Callable[[ProxiedFleet, Session, Fault], bool]
"""Lets the fault happen in its phase; gives whether the answer was right. The error passes through."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedFleet]:
    queue = {"FEATURE_ASYNC_QUEUE": "true"}
    folder = tmp_path_factory.mktemp("fleet")
    with proxied_fleet(folder, gateway_settings=queue, MAX_CONCURRENT_QUERIES="1") as made:
        for user in ("analyst", "intern"):
            with made.connect(user) as session:
                copied(session, SMALL)
        made.remember_handles()
        made.check_nothing_is_left()
        yield made


@pytest.fixture
def fleet(shared: ProxiedFleet) -> Iterator[ProxiedFleet]:
    """A well fleet, on which nothing is left after the test."""
    shared.wait_well()
    yield shared
    shared.mend()
    shared.wait_well()
    shared.check_nothing_is_left()


def copied(session: Session, query: str, amid: Callable[[], None] | None = None) -> bytes:
    """Read a whole result as COPY's text. amid: called when its first block is there."""
    blocks = []
    with session.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
        for block in copy:
            blocks.append(bytes(block))
            if amid is not None:
                amid()
                amid = None
    return b"".join(blocks)


class InBackground:
    """One statement in a thread; `result` gives its answer or raises its error."""

    def __init__(self, session: Session, query: str) -> None:
        self._session, self._query = session, query
        self._answer = b""
        self._error: psycopg.Error | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answer = copied(self._session, self._query)
        except psycopg.Error as error:
            self._error = error

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> bytes:
        self._thread.join(30)
        assert not self._thread.is_alive(), "the client waits for ever"
        if self._error is not None:
            raise self._error
        return self._answer


def node_says(fleet: ProxiedFleet, name: str) -> None:
    """Wait until the node's own health says that there is one."""
    wait_for(fleet.node.health, lambda health: health[name] >= 1)


def before_submit(fleet: ProxiedFleet, session: Session, fault: Fault) -> bool:
    fault(fleet)
    return copied(session, SMALL) == SMALL_ROWS


def submitted(fleet: ProxiedFleet, session: Session, fault: Fault) -> bool:
    """After the node has taken the statement, before its reply is there."""
    fleet.proxy.do(lambda proxy: proxy.hold_replies())
    running = InBackground(session, SMALL)
    wait_for(lambda: fleet.node.health()["stored_jobs"] >= 1 or running.has_ended, bool)
    if running.has_ended:  # on a busy machine a probe without a reply came first, and it ran elsewhere
        assert running.result() == SMALL_ROWS
        fleet.proxy.do(lambda proxy: proxy.resume())
        fleet.wait_well()
        return submitted(fleet, session, fault)
    fault(fleet)
    fleet.proxy.do(lambda proxy: proxy.resume())
    return running.result() == SMALL_ROWS


def queued(fleet: ProxiedFleet, session: Session, fault: Fault) -> bool:
    with fleet.connect("intern") as other:
        blocker = InBackground(other, ENDLESS)
        node_says(fleet, "active_queries")
        running = InBackground(session, SMALL)
        node_says(fleet, "queued_queries")
        fault(fleet)
        other.cancel()
        with pytest.raises(psycopg.Error):
            blocker.result()
        return running.result() == SMALL_ROWS


def running(fleet: ProxiedFleet, session: Session, fault: Fault) -> bool:
    statement = InBackground(session, SLOW)
    node_says(fleet, "active_queries")
    fault(fleet)
    return statement.result() == SLOW_ROWS


def mid_stream(fleet: ProxiedFleet, session: Session, fault: Fault) -> bool:
    return copied(session, BIG, amid=lambda: fault(fleet)) == BIG_ROWS


def between_fetches(fleet: ProxiedFleet, session: Session, fault: Fault) -> bool:
    with session.transaction():
        session.execute(f"DECLARE c CURSOR FOR {BIG}")
        first = session.execute("FETCH 100 FROM c").fetchall()
        fault(fleet)
        session.execute("MOVE 89900 FROM c")
        rest = session.execute("FETCH ALL FROM c").fetchall()
    return first + rest == [(n, f"text {n}", PAD) for n in (*range(100), *range(90_000, 100_000))]


def at_close(fleet: ProxiedFleet, session: Session, fault: Fault) -> bool:
    with session.transaction():
        session.execute(f"DECLARE c CURSOR FOR {BIG}")
        first = session.execute("FETCH 100 FROM c").fetchall()
        fault(fleet)
        session.execute("CLOSE c")
    return first == [(n, f"text {n}", PAD) for n in range(100)]


def kill(fleet: ProxiedFleet) -> None:
    """kill -9."""
    fleet.node.kill()


def freeze(fleet: ProxiedFleet) -> None:
    """SIGSTOP."""
    fleet.freeze()


def cut(fleet: ProxiedFleet) -> None:
    """Reset every connection between gateway and node."""
    fleet.proxy.do(lambda proxy: proxy.cut())


def slow_down(fleet: ProxiedFleet) -> None:
    """200 ms each way."""
    fleet.proxy.do(lambda proxy: setattr(proxy, "latency_s", 0.2))


PHASES: tuple[Phase, ...] = (
    before_submit, submitted, queued, running, mid_stream, between_fetches, at_close
)  # fmt: skip
NO_ROW_IS_OUT = (before_submit, submitted, queued, running)
IN_THE_SUITE: dict[Fault, tuple[Phase, ...]] = {
    kill: (between_fetches,),
    freeze: (mid_stream,),
    cut: PHASES,
    slow_down: (submitted,),
}
"""The others are of the same kind and take longer: `make soak`."""
DIRECT_PHASES = tuple(phase for phase in PHASES if phase is not submitted)
"""There is no reply of its own to a statement's submission: its first chunk is the reply."""
DIRECT_IN_THE_SUITE: dict[Fault, tuple[Phase, ...]] = {
    kill: (),
    freeze: (),
    cut: (queued, mid_stream, between_fetches),
    slow_down: (),
}


def matrix(phases: tuple[Phase, ...], in_the_suite: dict[Fault, tuple[Phase, ...]]) -> list[object]:
    """Every fault at every phase."""
    cases = []
    for fault, quick in in_the_suite.items():
        for phase in phases:
            marks = () if phase in quick else (pytest.mark.soak,)
            name = f"{fault.__name__}-{phase.__name__}"
            cases.append(pytest.param(fault, phase, marks=marks, id=name))
    return cases


@pytest.mark.parametrize(("fault", "phase"), matrix(PHASES, IN_THE_SUITE))
def test_a_fault_costs_the_right_answer_or_one_clean_error(
    fleet: ProxiedFleet, fault: Fault, phase: Phase
) -> None:
    is_survived = fault in (cut, slow_down) or phase is at_close
    check_fault(fleet, fault, phase, is_survived=is_survived)


@pytest.fixture
def direct(fleet: ProxiedFleet) -> Iterator[ProxiedFleet]:
    """The fleet without cursors: each statement is one stream."""
    fleet.gateway.cli("flags", "set", "FEATURE_CURSOR_MODE=off")
    wait_for(fleet.gateway.health, lambda health: not health["policy_epoch_lag"])
    yield fleet
    fleet.gateway.cli("flags", "unset", "FEATURE_CURSOR_MODE")
    with fleet.connect("intern") as session:
        wait_for(lambda: goes_by_cursor(fleet, session), bool)


@pytest.mark.parametrize(("fault", "phase"), matrix(DIRECT_PHASES, DIRECT_IN_THE_SUITE))
def test_a_fault_in_direct_mode_costs_the_right_answer_or_one_clean_error(
    direct: ProxiedFleet, fault: Fault, phase: Phase
) -> None:
    """A stream that is cut has no other end: only what has sent no row may run elsewhere."""
    is_survived = fault is slow_down or phase is at_close or (fault is cut and phase is before_submit)
    check_fault(direct, fault, phase, is_survived=is_survived)
    assert in_direct_mode(direct)


def check_fault(fleet: ProxiedFleet, fault: Fault, phase: Phase, *, is_survived: bool) -> None:
    """Let it happen to one who may run elsewhere, and to one who may not."""
    for user, may_run_elsewhere in (("analyst", True), ("intern", False)):
        with fleet.connect(user) as session:
            if is_survived or (may_run_elsewhere and phase in NO_ROW_IS_OUT):
                assert phase(fleet, session, fault)
            else:
                with pytest.raises(psycopg.OperationalError) as caught:
                    phase(fleet, session, fault)
                assert caught.value.sqlstate == "08006"
                assert "exec node" in str(caught.value) or "endpoint" in str(caught.value)
            fleet.mend()
            fleet.wait_well()
            assert session.execute("SELECT 1").fetchone() == (1,), "the session goes on"


def test_a_drain_whose_time_is_over_ends_what_is_left(fleet: ProxiedFleet) -> None:
    with fleet.connect("intern") as one, fleet.connect("intern") as other:
        one.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        one.execute(f"DECLARE c CURSOR FOR {BIG}")
        assert len(one.execute("FETCH 100 FROM c").fetchall()) == 100
        running = InBackground(other, ENDLESS)
        wait_for(fleet.node.health, lambda health: health["active_queries"] and health["open_cursors"] == 2)
        assert fleet.node.health()["open_sessions"] == 1
        assert "what is left on it is ended" in fleet.gateway.cli(
            "endpoint", "drain", "node1", "--timeout", "1s"
        )
        try:
            for statement in (running.result, lambda: one.execute("MOVE ALL FROM c")):
                with pytest.raises(psycopg.OperationalError) as caught:
                    statement()
                assert (caught.value.sqlstate, str(caught.value)) == ("08006", "the exec node was lost")
            one.execute("ROLLBACK")
            fleet.check_nothing_is_left()
        finally:
            url = f"grpc://127.0.0.1:{fleet.proxy.proxy.port}"
            fleet.gateway.cli("endpoint", "add", "node1", url, "--token", NODE_TOKEN)


def cut_often(fleet: ProxiedFleet, session: Session, rows: int, cuts: int) -> None:
    """Read so many rows while the connection is cut so often; each row must come once, in order."""
    query = (
        f"SELECT a.n::bigint * {rows // 100_000} + b.n AS i, '{PAD[:40]}' AS pad FROM numbers a, numbers b "
        f"WHERE b.n < {rows // 100_000} ORDER BY i"
    )
    done = -1
    proxy = fleet.proxy.proxy
    step = rows * 40 // (cuts + 1)
    assert step > 2 * TARGET_CHUNK_BYTES, (
        "between two cuts a whole chunk comes through, or the node counts as lost"
    )
    began = proxy.cuts
    fleet.proxy.do(lambda proxy: proxy.cut_after(step, times=cuts))
    rest = b""
    with session.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
        for block in copy:
            *lines, rest = (rest + bytes(block)).split(b"\n")
            if lines:
                numbers = [int(line.partition(b"\t")[0]) for line in lines]
                assert numbers == list(range(done + 1, done + 1 + len(numbers)))
                done = numbers[-1]
    assert (done, rest) == (rows - 1, b"")
    assert proxy.cuts - began == cuts


def test_six_hundred_thousand_rows_survive_twenty_cuts(fleet: ProxiedFleet) -> None:
    with fleet.connect("intern") as session:
        cut_often(fleet, session, rows=600_000, cuts=20)


@pytest.mark.soak
def test_five_million_rows_survive_twenty_cuts(fleet: ProxiedFleet) -> None:
    with fleet.connect("intern") as session:
        cut_often(fleet, session, rows=5_000_000, cuts=20)


def in_direct_mode(fleet: ProxiedFleet) -> bool:
    """Whether the node has run a statement of this test in direct mode: cursors are the fleet's default."""
    return any(
        line.startswith('execnode_statements_total{arm="canary",mode="direct"')
        for line in fleet.node.metrics().splitlines()
    )


def goes_by_cursor(fleet: ProxiedFleet, session: Session) -> bool:
    """Run a statement; gives whether the node has run one more in cursor mode meanwhile."""

    def count() -> float:
        counted = [line for line in fleet.node.metrics().splitlines() if 'mode="cursor"' in line]
        return sum(
            float(line.split()[-1]) for line in counted if line.startswith("execnode_statements_total")
        )

    before = count()
    return copied(session, SMALL) == SMALL_ROWS and count() > before


def submission(session: Session) -> str:
    """Submit a statement; gives how it is refused, or nothing."""
    try:
        session.execute("SELECT pgproxy.submit('SELECT 1')")
    except psycopg.Error as error:
        return str(error.sqlstate)
    return ""


def test_flags_take_effect_and_no_session_is_dropped(fleet: ProxiedFleet) -> None:
    with fleet.connect("analyst") as session:
        backend = session.info.backend_pid
        session.execute("PREPARE p AS SELECT 1")

        def route() -> str:
            session.execute("SELECT count(*) FROM numbers")
            return str(session.execute("SHOW pgproxy.last_route").fetchone())

        for setting, where in (
            ("FEATURE_REMOTE_ROUTING=off", "local"),
            ("FEATURE_REMOTE_ROUTING=on", "node1"),
            ("REMOTE_CANARY_USERS=intern", "local"),
            ("REMOTE_CANARY_USERS=intern,analyst", "node1"),
            ("REMOTE_CANARY_USERS=nobody", "local"),
            ("REMOTE_CANARY_GROUPS=eu_team", "node1"),
            ("REMOTE_CANARY_GROUPS=others", "local"),
            ("REMOTE_CANARY_PERCENT=100", "node1"),
            ("REMOTE_CANARY_PERCENT=0", "local"),
            ("REMOTE_CANARY_USERS=analyst", "node1"),
            ("FEATURE_INTERNAL_GRPC=off", "local"),
            ("FEATURE_INTERNAL_GRPC=on", "node1"),
        ):
            fleet.gateway.cli("flags", "set", setting)
            wait_for(route, lambda found, where=where: where in found)  # type: ignore[misc]
        fleet.gateway.cli("flags", "set", "FEATURE_CURSOR_MODE=off")
        wait_for(lambda: (route(), in_direct_mode(fleet))[1], bool)
        fleet.gateway.cli("flags", "set", "FEATURE_ASYNC_QUEUE=off")
        wait_for(lambda: submission(session), lambda said: said == "0A000")
        for name in (
            "FEATURE_REMOTE_ROUTING", "FEATURE_INTERNAL_GRPC", "FEATURE_CURSOR_MODE", "FEATURE_ASYNC_QUEUE",
            "REMOTE_CANARY_USERS", "REMOTE_CANARY_GROUPS", "REMOTE_CANARY_PERCENT",
        ):  # fmt: skip
            fleet.gateway.cli("flags", "unset", name)
        wait_for(lambda: submission(session), lambda said: said == "")
        config = fleet.gateway.folder / "pgproxy.env"
        for text, where in ((ROUTING_ON.replace("true", "false"), "local"), (ROUTING_ON, "node1")):
            config.write_text(text)
            fleet.gateway.process.send_signal(signal.SIGHUP)
            wait_for(route, lambda found, where=where: where in found)  # type: ignore[misc]
        assert session.execute("EXECUTE p").fetchone() == (1,)
        assert session.info.backend_pid == backend
