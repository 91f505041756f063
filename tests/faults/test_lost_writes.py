"""Writes to a shared lake whose node, or the way to it, is lost: kept once or not at all, never run twice.

What the client is told: success, an error that is sure that nothing was kept, or 08007, unknown outcome. The
writer's assignment falls back automatically, which must never send a write a second time.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import psycopg
import pytest

from tests.faults.lakes import postgres_lake
from tests.faults.proxied_fleet import ProxiedFleet, proxied_fleet, wait_for
from tests.gateway import ADMIN, ADMIN_PASSWORD
from tests.postgres import find_binary
from tests.query_api import QueryApiClient

pytestmark = pytest.mark.skipif(find_binary("initdb") is None, reason="PostgreSQL 15 is not installed")

Session = psycopg.Connection[tuple[object, ...]]
Fault = Callable[[ProxiedFleet], None]
POLICY = """
users:
  analyst: {password: analyst-secret}
  intern: {password: intern-secret}
grants:
  - {to: analyst, privileges: [SELECT, INSERT], on: test.public.*}
"""
ROWS = 500
COPIED = 200_000
"""Several batches to a node."""
SURELY_NOT, UNKNOWN = "08006", "08007"
KEPT = f"INSERT 0 {ROWS}"
_numbers = count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedFleet]:
    folder = tmp_path_factory.mktemp("writes")
    with postgres_lake(folder, "CREATE TABLE lake.written (run integer, n integer)") as dsn:
        settings = {
            "DATABASE": f"ducklake:postgres:{dsn}",
            "DATABASE_NAME": "test",
            "DATABASE_MODE": "read_write",
            "FEATURE_ASYNC_QUEUE": "true",
            "NODE_LOST_AFTER": "10s",
            "REMOTE_CANARY_USERS": "analyst",  # so that the administrator asks the embedded engine
        }
        with proxied_fleet(folder, POLICY, settings, QUERY_RESULT_TTL="1h") as made:
            yield made


@pytest.fixture
def fleet(shared: ProxiedFleet) -> Iterator[ProxiedFleet]:
    shared.wait_well()
    yield shared
    shared.mend()
    shared.wait_well()


@pytest.fixture
def run() -> int:
    """The number of this test's rows."""
    return next(_numbers)


@pytest.fixture
def session(fleet: ProxiedFleet) -> Iterator[Session]:
    """The writer's, on the node."""
    with fleet.connect("analyst") as session:
        session.execute("SELECT count(*) FROM written")
        assert str(session.execute("SHOW pgproxy.last_route").fetchone()).startswith("('node1")
        yield session


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


def quick(run: int) -> str:
    return f"INSERT INTO written SELECT {run}, n FROM generate_series(1, {ROWS}) s(n)"


def slow(run: int) -> str:
    """The same rows after some work."""
    many = "SELECT a.i AS n FROM generate_series(1, 8000) a(i), generate_series(1, 100000) b(i)"
    found = f"{many} WHERE (a.i * b.i) % 7 >= 0"
    return f"INSERT INTO written SELECT {run}, n FROM ({found}) q GROUP BY n HAVING n <= {ROWS}"


def kept(fleet: ProxiedFleet, run: int) -> tuple[object, ...]:
    """How many rows are there, and how many different ones; asked on the gateway's own engine."""
    with psycopg.connect(fleet.gateway.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as local:
        query = f"SELECT count(*), count(DISTINCT n) FROM written WHERE run = {run}"
        return local.execute(query).fetchone() or ()


def told(session: Session, statement: str) -> str:
    """What the client is told: the command tag or the SQLSTATE."""
    try:
        return str(session.execute(statement).statusmessage)
    except psycopg.errors.TransactionResolutionUnknown as error:
        return UNKNOWN if "unknown outcome" in str(error) else str(error)
    except psycopg.Error as error:
        return str(error.sqlstate)


def kill(fleet: ProxiedFleet) -> None:
    """A host that is lost takes what it has sent and nobody has got with it."""
    fleet.node.kill()
    cut(fleet)


def cut(fleet: ProxiedFleet) -> None:
    fleet.proxy.do(lambda proxy: proxy.cut())


def freeze(fleet: ProxiedFleet) -> None:
    """SIGSTOP: it may go on where it stood, long after everybody has given it up."""
    fleet.freeze()


def use_cursors(fleet: ProxiedFleet, *, is_on: bool) -> None:
    fleet.gateway.cli("flags", "set", f"FEATURE_CURSOR_MODE={'on' if is_on else 'off'}")
    wait_for(fleet.gateway.health, lambda health: not health["policy_epoch_lag"])


def hold_until_kept(fleet: ProxiedFleet, run: int, writing: Callable[[], Future[str]]) -> Future[str]:
    """Let a write happen of which no reply arrives."""
    fleet.proxy.do(lambda proxy: proxy.hold_replies())
    begun = writing()
    wait_for(lambda: kept(fleet, run), lambda found: found == (ROWS, ROWS))
    return begun


CASES = [
    pytest.param(cut, True, KEPT, id="cut-cursor"),
    pytest.param(cut, False, UNKNOWN, id="cut-direct"),
    pytest.param(kill, True, UNKNOWN, id="kill-cursor"),
    pytest.param(kill, False, UNKNOWN, id="kill-direct", marks=pytest.mark.soak),
]
FROZEN = [
    pytest.param(freeze, True, UNKNOWN, id="freeze-cursor", marks=pytest.mark.soak),
    pytest.param(freeze, False, UNKNOWN, id="freeze-direct", marks=pytest.mark.soak),
]
"""A reply that was sent before arrives all the same: this is for what runs."""


@pytest.mark.parametrize(("fault", "uses_cursors", "expected"), CASES)
def test_a_write_whose_reply_is_lost_is_kept_once_and_never_told_as_undone(
    fleet: ProxiedFleet,
    session: Session,
    pool: ThreadPoolExecutor,
    run: int,
    fault: Fault,
    uses_cursors: bool,
    expected: str,
) -> None:
    use_cursors(fleet, is_on=uses_cursors)
    writing = hold_until_kept(fleet, run, lambda: pool.submit(told, session, quick(run)))
    fault(fleet)
    fleet.proxy.do(lambda proxy: proxy.resume())
    assert writing.result(60) == expected
    fleet.mend()
    fleet.wait_well()
    assert session.execute("SELECT count(*) FROM written WHERE run = %s", (run,)).fetchone() == (ROWS,)
    assert kept(fleet, run) == (ROWS, ROWS)


@pytest.mark.parametrize(("fault", "uses_cursors", "expected"), CASES + FROZEN)
def test_a_write_that_is_struck_while_it_runs_is_whole_or_not_there(
    fleet: ProxiedFleet,
    session: Session,
    pool: ThreadPoolExecutor,
    run: int,
    fault: Fault,
    uses_cursors: bool,
    expected: str,
) -> None:
    use_cursors(fleet, is_on=uses_cursors)
    writing = pool.submit(told, session, slow(run))
    wait_for(fleet.node.health, lambda health: health["active_queries"])
    fault(fleet)
    assert writing.result(60) == expected
    fleet.mend()
    fleet.wait_well()
    wait_for(fleet.node.health, lambda health: not health["active_queries"])
    assert kept(fleet, run) in ([(ROWS, ROWS)] if expected == KEPT else [(0, 0), (ROWS, ROWS)])


@pytest.mark.parametrize("fault", [cut, pytest.param(kill, marks=pytest.mark.soak)])
def test_a_copy_that_is_struck_amid_its_rows_is_whole_or_not_there(
    fleet: ProxiedFleet, session: Session, run: int, fault: Fault
) -> None:
    line, half = "".join(f"{run}\t{n}\n" for n in range(1000)), COPIED // 2000
    try:
        cursor = session.cursor()
        with cursor.copy("COPY written FROM STDIN") as copy:
            for part in range(COPIED // 1000):
                if part == half:
                    wait_for(fleet.node.health, lambda health: health["open_sessions"])
                    fault(fleet)
                copy.write(line)
        said = str(cursor.statusmessage)
    except psycopg.Error as error:
        said = str(error.sqlstate)
    fleet.mend()
    fleet.wait_well()
    possible = {SURELY_NOT: [0], UNKNOWN: [0, COPIED], f"COPY {COPIED}": [COPIED]}
    assert (said, kept(fleet, run)[0]) in [(s, k) for s, ks in possible.items() for k in ks]
    wait_for(fleet.node.health, lambda health: not health["active_queries"])


def test_a_commit_whose_reply_is_lost_is_of_unknown_outcome(
    fleet: ProxiedFleet, session: Session, pool: ThreadPoolExecutor, run: int
) -> None:
    session.execute("BEGIN")
    assert told(session, quick(run)) == KEPT
    writing = hold_until_kept(fleet, run, lambda: pool.submit(told, session, "COMMIT"))
    cut(fleet)
    fleet.proxy.do(lambda proxy: proxy.resume())
    assert writing.result(60) == UNKNOWN
    fleet.wait_well()
    assert session.execute("SELECT count(*) FROM written WHERE run = %s", (run,)).fetchone() == (ROWS,)
    assert kept(fleet, run) == (ROWS, ROWS)


def test_a_block_whose_node_is_lost_before_the_commit_has_surely_done_nothing(
    fleet: ProxiedFleet, session: Session, run: int
) -> None:
    with fleet.connect("analyst") as other:
        for one in (session, other):
            one.execute("BEGIN")
            assert told(one, quick(run)) == KEPT
        kill(fleet)
        assert told(session, quick(run)) == SURELY_NOT
        assert told(session, "COMMIT") == "ROLLBACK"
        fleet.mend()
        fleet.wait_well()
        assert told(other, "COMMIT") == SURELY_NOT, "the node's new process never heard of it"
    assert kept(fleet, run) == (0, 0)


def test_what_runs_on_a_node_that_was_given_up_is_stopped_once_it_answers_again(
    fleet: ProxiedFleet, session: Session, pool: ThreadPoolExecutor, run: int
) -> None:
    use_cursors(fleet, is_on=True)
    writing = pool.submit(told, session, slow(run).replace("100000)", "100000000)"))
    wait_for(fleet.node.health, lambda health: health["active_queries"])
    fleet.proxy.do(lambda proxy: proxy.refuse())
    assert writing.result(60) == UNKNOWN
    assert fleet.node.health()["active_queries"] == 1, "nobody could tell it"
    fleet.proxy.do(lambda proxy: proxy.accept())
    wait_for(fleet.node.health, lambda health: not (health["active_queries"] or health["stored_jobs"]))
    assert kept(fleet, run) == (0, 0)


@pytest.mark.parametrize(("fault", "uses_cursors", "expected"), CASES)
def test_a_submitted_write_whose_reply_is_lost_is_kept_once_and_not_tried_again(
    fleet: ProxiedFleet, run: int, fault: Fault, uses_cursors: bool, expected: str
) -> None:
    use_cursors(fleet, is_on=uses_cursors)
    client = QueryApiClient(fleet.gateway.http_port)
    fleet.proxy.do(lambda proxy: proxy.hold_replies())
    query_id = client.submit(quick(run))
    wait_for(lambda: kept(fleet, run), lambda found: found == (ROWS, ROWS))
    fault(fleet)
    fleet.proxy.do(lambda proxy: proxy.resume())
    found = client.wait(query_id)
    if expected == KEPT:
        assert (found["state"], found["rows"], found["retry_reasons"]) == ("SUCCEEDED", ROWS, [])
    else:
        assert (found["state"], found["error"]["sqlstate"]) == ("FAILED", UNKNOWN)
        assert "unknown outcome" in found["error"]["message"]
    fleet.mend()
    fleet.wait_well()
    assert kept(fleet, run) == (ROWS, ROWS)
