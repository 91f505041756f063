"""Three nodes and a gateway on one DuckLake whose catalog is a real PostgreSQL, another with its files in S3.

The first lake is the gateway's own DATABASE. Every principal is bound to one node, so that who conflicts with
whom is known.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.faults.lakes import postgres_lake
from tests.faults.moto_bucket import Bucket, is_installed, moto_bucket
from tests.faults.proxied_fleet import wait_for
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, RunningNode, start_gateway, start_node
from tests.postgres import find_binary

pytestmark = pytest.mark.skipif(find_binary("initdb") is None, reason="PostgreSQL 15 is not installed")

Session = psycopg.Connection[tuple[object, ...]]
USERS = ("ann", "bob", "cid")
ACCOUNTS, TOTAL = 3, 300
TRANSFERS = 3
KEY_ID, SECRET = "AKIAKEYOFTHETESTS01", "s3-secret-of-the-tests-9921"
POLICY = """
groups: {team: {}}
users:
  ann: {password: ann-secret, groups: [team]}
  bob: {password: bob-secret, groups: [team]}
  cid: {password: cid-secret, groups: [team]}
  eve: {password: eve-secret}
grants:
  - {to: eve, privileges: [CREATE], on: test.public}
  - {to: team, privileges: [SELECT, INSERT, UPDATE], on: test.public.*}
  - {to: team, privileges: [SELECT, INSERT], on: bucket.public.*}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="module")
def catalog_dsn(folder: Path) -> Iterator[str]:
    """The PostgreSQL with one lake in it."""
    with postgres_lake(
        folder,
        "CREATE TABLE lake.accounts (id integer, balance integer)",
        f"INSERT INTO lake.accounts SELECT i, {TOTAL // ACCOUNTS} FROM range({ACCOUNTS}) r(i)",
        "CREATE TABLE lake.transfers (who text, n integer)",
    ) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def fleet(folder: Path, catalog_dsn: str) -> Iterator[RunningGateway]:
    settings = {
        "DATABASE": f"ducklake:postgres:{catalog_dsn}",
        "DATABASE_NAME": "test",
        "FEATURE_REMOTE_ROUTING": "true",
        "LOG_LEVEL": "debug",
    }
    log = folder / "gateway.log"
    with ExitStack() as stack, start_gateway(folder, policy=POLICY, log=log, **settings) as gateway:
        for place, user in enumerate(USERS, 1):
            logged = ["sh", "-c", f'exec "$@" 2>{folder}/node{place}.log', "sh"]
            start_node(stack, gateway.environment, f"node{place}", prefix=logged)
            gateway.cli("assign", "--user", user, "--endpoint", f"node{place}", "--fallback", "disabled")
        gateway.wait_for_endpoints(node1="active", node2="active", node3="active")
        yield gateway


def connect(gateway: RunningGateway, user: str, *, is_autocommit: bool = True) -> Session:
    return psycopg.connect(gateway.dsn(user), autocommit=is_autocommit)


def one(session: Session, query: str) -> object:
    row = session.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_readers_on_other_nodes_see_only_committed_snapshots(fleet: RunningGateway) -> None:
    count = "SELECT count(*) FROM transfers WHERE who = 'snapshot'"
    with (
        connect(fleet, "ann", is_autocommit=False) as writer,
        connect(fleet, "bob") as reader,
        connect(fleet, "cid", is_autocommit=False) as in_transaction,
    ):
        in_transaction.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert one(in_transaction, count) == 0
        for n in range(2):
            writer.execute("INSERT INTO transfers VALUES ('snapshot', %s)", (n,))
            assert (one(writer, count), one(reader, count)) == (n + 1, 0)
        writer.commit()
        assert one(reader, count) == 2
        assert one(in_transaction, count) == 0, "its snapshot is older"
        in_transaction.commit()
        assert one(in_transaction, count) == 2
        routes = [str(one(session, "SHOW pgproxy.last_route")) for session in (writer, reader)]
        assert [route.split()[0] for route in routes] == ["node1", "node2"]


def test_the_second_of_two_writers_of_one_row_gets_40001(fleet: RunningGateway) -> None:
    first, second = (connect(fleet, user, is_autocommit=False) for user in ("ann", "bob"))
    with first, second:
        for session in (first, second):
            session.execute("UPDATE accounts SET balance = balance + 0 WHERE id = 0")
        first.commit()
        with pytest.raises(psycopg.errors.SerializationFailure) as caught:
            second.commit()
        assert "accounts" not in str(caught.value), "the engine's own words stay here"
        second.rollback()
        assert one(second, "SELECT sum(balance) FROM accounts") == TOTAL


def test_rows_are_copied_through_a_node(fleet: RunningGateway) -> None:
    """Alone and in a block; more than one batch; and a bad line leaves nothing behind."""
    lines = "".join(f"copied\t{n}\n" for n in range(100_000))
    count = "SELECT count(*), sum(n) FROM transfers WHERE who = 'copied'"
    with connect(fleet, "ann") as session, session.cursor() as cursor:
        with cursor.copy("COPY transfers FROM STDIN") as copy:
            copy.write(lines)
        assert cursor.rowcount == 100_000
        assert str(one(session, "SHOW pgproxy.last_route")).split()[0] == "node1"
        with (
            pytest.raises(psycopg.errors.InvalidTextRepresentation) as caught,
            cursor.copy("COPY transfers FROM STDIN") as copy,
        ):
            copy.write(lines + "copied\tbad\n")
        assert str(caught.value.diag.context).startswith("COPY transfers, line 100001, column n")
        with session.transaction(force_rollback=True):
            with cursor.copy("COPY transfers (n, who) FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(["int4", "text"])
                copy.write_row((7, "copied"))
            assert one(session, "SELECT count(*) FROM transfers WHERE who = 'copied'") == 100_001
        assert session.execute(count).fetchone() == (100_000, sum(range(100_000)))


def transfer_often(fleet: RunningGateway, user: str, seen: Counter[str]) -> None:
    """Move one unit from account to account; a lost race is run again, as a client would."""
    with connect(fleet, user, is_autocommit=False) as session:
        n = 0
        while n < TRANSFERS:
            try:
                session.execute("UPDATE accounts SET balance = balance - 1 WHERE id = 1")
                session.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 2")
                session.execute("INSERT INTO transfers VALUES (%s, %s)", (user, n))
                session.commit()
            except psycopg.Error as error:
                seen[str(error.sqlstate)] += 1
                session.rollback()
            else:
                n += 1


def read_until(stop: threading.Event, fleet: RunningGateway, user: str, seen: Counter[str]) -> None:
    """The sum of all accounts is the same in every snapshot."""
    with connect(fleet, user) as session:
        while not stop.is_set():
            seen[f"sum {one(session, 'SELECT sum(balance) FROM accounts')}"] += 1


def test_writers_and_readers_on_every_node_at_once(fleet: RunningGateway) -> None:
    seen, stop = Counter[str](), threading.Event()
    writers = [threading.Thread(target=transfer_often, args=(fleet, user, seen)) for user in USERS]
    readers = [threading.Thread(target=read_until, args=(stop, fleet, user, seen)) for user in USERS]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join(60)
    stop.set()
    for thread in readers:
        thread.join(10)
    assert set(seen) <= {f"sum {TOTAL}", "40001"}, seen
    assert seen[f"sum {TOTAL}"] > 0
    with connect(fleet, "ann") as session:
        done = session.execute(
            "SELECT who, count(*), count(DISTINCT n) FROM transfers WHERE who NOT IN ('snapshot', 'copied')"
            " GROUP BY who ORDER BY who"
        ).fetchall()
        assert done == [(user, TRANSFERS, TRANSFERS) for user in USERS], "each once, none twice"
        moved = TRANSFERS * len(USERS)
        balances = session.execute("SELECT balance FROM accounts ORDER BY id").fetchall()
        assert balances == [(100,), (100 - moved,), (100 + moved,)], "no update is lost"


@pytest.fixture(scope="module")
def narrow_node(fleet: RunningGateway) -> Iterator[RunningNode]:
    """A node that runs one statement at a time; eve's run there."""
    with ExitStack() as stack:
        node = start_node(stack, fleet.environment, "narrow", MAX_CONCURRENT_QUERIES="1")
        fleet.cli("assign", "--user", "eve", "--endpoint", "narrow", "--fallback", "disabled")
        wait_for(lambda: fleet.health()["endpoints"].get("narrow"), lambda state: state == "active")
        yield node
        fleet.cli("endpoint", "remove", "narrow")


@pytest.mark.parametrize("mode", ["true", "false"])
def test_a_plan_that_waited_in_a_nodes_queue_reads_no_table_that_took_the_name_meanwhile(
    fleet: RunningGateway, narrow_node: RunningNode, mode: str
) -> None:
    """It was planned for a table of eve's own; what has the name by now is an administrator's."""
    fleet.cli("flags", "set", f"FEATURE_CURSOR_MODE={mode}")
    with (
        connect(fleet, "eve") as eve,
        psycopg.connect(fleet.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin,
        ThreadPoolExecutor(2) as threads,
        occupied(fleet, narrow_node, threads),
    ):
        eve.execute("CREATE TABLE mine (id integer, secret text)")
        assert refused(eve, "INSERT INTO mine VALUES (1, 'a')") == "INSERT 0 1", "in a transaction of its own"
        waiting = threads.submit(refused, eve, "SELECT * FROM mine")
        wait_for(narrow_node.health, lambda health: health["queued_queries"] == 1)
        admin.execute("DROP TABLE mine; CREATE TABLE mine (id integer, secret text)")
        admin.execute("INSERT INTO mine VALUES (1, 'hidden-marker-4417')")
    assert waiting.result(30) in ("42P01", "40001")
    assert attempt(fleet, "DROP TABLE mine")


def test_a_read_whose_policy_changed_in_a_nodes_queue_is_answered_under_the_new_one(
    fleet: RunningGateway, narrow_node: RunningNode
) -> None:
    with (
        connect(fleet, "eve") as eve,
        psycopg.connect(fleet.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin,
        ThreadPoolExecutor(2) as threads,
    ):
        admin.execute("CREATE TABLE common AS SELECT i AS id FROM generate_series(1, 10) g(i)")
        admin.execute("GRANT SELECT ON common TO eve")
        with occupied(fleet, narrow_node, threads):
            waiting = threads.submit(refused, eve, "SELECT count(*) FROM common")
            wait_for(narrow_node.health, lambda health: health["queued_queries"] == 1)
            admin.execute("CREATE POLICY few ON common FOR SELECT TO eve USING (id <= 3)")
        assert waiting.result(30) == "SELECT 1[(3,)]"
        admin.execute("DROP TABLE common")


@pytest.mark.parametrize("mode", ["true", "false"])
def test_a_read_that_begins_anew_while_its_node_drains_leaves_nothing_there(
    fleet: RunningGateway, mode: str
) -> None:
    """It waits in the node's queue, the drain begins, its policy changes; then it gets the slot."""
    fleet.cli("flags", "set", f"FEATURE_CURSOR_MODE={mode}")
    name, table = f"leaver-{mode}", f"common_{mode}"
    count = f"SELECT count(*) FROM {table}"
    with (
        connect(fleet, "eve") as eve,
        psycopg.connect(fleet.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin,
        ThreadPoolExecutor(3) as threads,
        ExitStack() as stack,
    ):
        node = start_node(stack, fleet.environment, name, MAX_CONCURRENT_QUERIES="1")
        for place, weight in ((name, "1000"), ("node3", "1")):
            fleet.cli("assign", "--user", "eve", "--endpoint", place, "--priority", "1", "--weight", weight)
            stack.callback(fleet.cli, "unassign", "--user", "eve", "--endpoint", place)
        wait_for(lambda: fleet.health()["endpoints"].get(name), lambda state: state == "active")
        admin.execute(f"CREATE TABLE {table} AS SELECT i AS id FROM generate_series(1, 10) g(i)")
        stack.callback(admin.execute, f"DROP TABLE {table}")
        admin.execute(f"GRANT SELECT ON {table} TO eve")
        wait_for(lambda: one(eve, count), lambda seen: seen == 10)
        assert str(one(eve, "SHOW pgproxy.last_route")).startswith(name)
        with occupied(fleet, node, threads):
            waiting = threads.submit(refused, eve, count)
            wait_for(node.health, lambda health: health["queued_queries"] == 1)
            draining = threads.submit(fleet.cli, "endpoint", "drain", name)
            wait_for(node.health, lambda health: health["draining"])
            admin.execute(f"CREATE POLICY few ON {table} FOR SELECT TO eve USING (id <= 3)")
        assert waiting.result(30) == "SELECT 1[(3,)]"
        assert "nothing is left on it" in draining.result(60)
        assert str(one(eve, "SHOW pgproxy.last_route")).startswith("node3")


@pytest.mark.parametrize(
    "start", ["BEGIN; INSERT INTO kept VALUES (1)", "BEGIN ISOLATION LEVEL REPEATABLE READ"]
)
def test_an_old_snapshot_on_a_node_shows_nothing_under_a_name_that_means_another_table_now(
    fleet: RunningGateway, narrow_node: RunningNode, start: str
) -> None:
    """The node's transaction still has the dropped table; the privileges are those on the new one."""
    with (
        connect(fleet, "eve") as eve,
        connect(fleet, "eve") as again,
        psycopg.connect(fleet.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin,
    ):
        admin.execute("CREATE TABLE gone (id integer, secret text)")
        admin.execute("INSERT INTO gone VALUES (1, 'hidden-marker-4417')")
        eve.execute("CREATE TABLE kept (id integer)")
        eve.execute(f"{start}; SELECT * FROM kept")
        assert str(one(eve, "SHOW pgproxy.last_route")).startswith("narrow")
        admin.execute("DROP TABLE gone")
        again.execute("CREATE TABLE gone (id integer, secret text)")
        assert refused(eve, "SELECT * FROM gone") == "40001"
        eve.execute("ROLLBACK")
        assert refused(eve, "SELECT * FROM gone") == "SELECT 0[]"
        eve.execute("DROP TABLE gone; DROP TABLE kept")


@contextmanager
def occupied(fleet: RunningGateway, node: RunningNode, threads: ThreadPoolExecutor) -> Iterator[None]:
    """The node's one slot is taken."""
    with connect(fleet, "eve") as busy:
        long = threads.submit(refused, busy, "SELECT count(*) FROM generate_series(1, 1000000000000) s(i)")
        try:
            wait_for(node.health, lambda health: health["active_queries"] == 1)
            yield
        finally:
            busy.cancel()
            assert long.result(30) == "57014"


def refused(session: Session, statement: str) -> str:
    """The SQLSTATE of a statement that fails, or all that it gave."""
    try:
        cursor = session.execute(statement)
    except psycopg.Error as error:
        return str(error.sqlstate)
    return f"{cursor.statusmessage}{cursor.fetchall()}" if cursor.description else str(cursor.statusmessage)


@pytest.fixture
def bucket(fleet: RunningGateway, catalog_dsn: str) -> Iterator[Bucket]:
    """A store in which a lake's files are; the lake is a catalog of the control plane."""
    with moto_bucket("lakes") as made:
        place = ("--location", f"postgres:{catalog_dsn}", "--option", "metadata_schema=in_s3")
        data = ("--option", "data_path=s3://lakes/first/", *made.options())
        keys = ("--credential", f"s3_key_id={KEY_ID}", "--credential", f"s3_secret={SECRET}")
        fleet.cli("catalog", "add", "bucket", "--kind", "ducklake", *place, *data, *keys, "--writable")
        wait_for(lambda: attempt(fleet, "CREATE TABLE bucket.public.t (i integer, s text)"), bool)
        yield made
        fleet.cli("catalog", "remove", "bucket")


def attempt(gateway: RunningGateway, statement: str) -> bool:
    """Run a statement as the administrator; False while its catalog is not attached."""
    with psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as connection:
        try:
            connection.execute(statement)
        except psycopg.Error:
            return False
    return True


@pytest.mark.skipif(not is_installed(), reason="moto's server is not installed: pip install -e '.[test]'")
def test_a_lake_in_s3_is_one_for_all_nodes_and_its_keys_stay_secret(
    fleet: RunningGateway, bucket: Bucket, folder: Path
) -> None:
    with connect(fleet, "ann") as writer, connect(fleet, "cid") as reader:
        writer.execute("INSERT INTO bucket.public.t SELECT n, 'row ' || n FROM generate_series(1, 500) s(n)")
        assert one(writer, "SHOW pgproxy.last_route") != one(reader, "SHOW pgproxy.last_route")
        query = "SELECT count(*), sum(i), max(s) FROM bucket.public.t"
        assert reader.execute(query).fetchall() == [(500, 125250, "row 99")]
        assert str(one(reader, "SHOW pgproxy.last_route")).startswith("node3")
        assert [key for key in bucket.objects() if key.endswith(".parquet")]
        with pytest.raises(psycopg.Error) as caught:
            reader.execute(f"SELECT * FROM read_parquet('s3://lakes/{bucket.objects()[0]}')")
        assert caught.value.sqlstate in ("42501", "42883", "0A000")
    bucket.stop()
    with connect(fleet, "bob") as stranger, pytest.raises(psycopg.Error) as broken:
        stranger.execute("SELECT min(s) FROM bucket.public.t WHERE i > 3")
    assert broken.value.sqlstate is not None
    assert "bucket" in fleet.cli("catalog", "list")
    told = [str(broken.value), fleet.cli("catalog", "list")]
    told += [path.read_text() for path in folder.glob("*.log")]
    stored = b"".join(path.read_bytes() for path in folder.glob("metastore.sqlite*"))
    assert len(told) == 2 + 4
    for secret in (KEY_ID, SECRET):
        assert not any(secret in text for text in told)
        assert secret.encode() not in stored, "encrypted at rest"
