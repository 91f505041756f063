"""The metastore on a real PostgreSQL: the same contract, two gateways on one truth, and its loss."""

import asyncio
import contextlib
import select
import time
from pathlib import Path

import psycopg
import pytest

from pgproxy.control import Metastore, MetastoreError, open_metastore
from tests.gateway import ADMIN, ADMIN_PASSWORD, RunningGateway, start_gateway
from tests.postgres import find_binary, kill_postgres, restart_postgres, start_postgres, stop_postgres
from tests.unit.control.metastore_contract import (
    MetastoreContract,
    check_rows_of_the_old_table_are_carried_over,
    drain,
    write,
)
from tests.unit.control.states import sample_state

PATIENCE_S = 30.0
"""Half a second at the most where a machine does nothing else."""

pytestmark = pytest.mark.skipif(find_binary("initdb") is None, reason="PostgreSQL 15 is not installed")


async def test_audit_rows_of_before_batches_are_carried_over(
    url: str, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await check_rows_of_the_old_table_are_carried_over(
        lambda: open_metastore(url, secret_key_file=key_file), "postgres", monkeypatch
    )


class TestContract(MetastoreContract):
    """The contract, on PostgreSQL."""


async def test_what_was_written_is_there_for_another_gateway_that_hears_of_every_change(
    url: str, key_file: Path, metastore: Metastore
) -> None:
    await write(metastore, sample_state())
    async with open_metastore(url, secret_key_file=key_file) as other:
        assert await other.state() == sample_state()
        assert other.server_secret == metastore.server_secret
        epochs = metastore.watch(since=1)
        await drain(other)
        async with asyncio.timeout(PATIENCE_S):
            assert await anext(epochs) == 2
        await epochs.aclose()


async def test_without_its_key_it_does_not_open(url: str, tmp_path: Path, metastore: Metastore) -> None:
    await write(metastore, sample_state())
    with pytest.raises(MetastoreError, match="SECRET_KEY_FILE"):
        async with open_metastore(url):
            pytest.fail("opened")


def wait_until_ended(session: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Wait until the server says something to an idle session: that it is over, with 57P01.

    A statement that is just being sent when the server closes may find the connection gone, without the word.
    """
    assert select.select([session.fileno()], [], [], PATIENCE_S)[0], "the session goes on"
    with pytest.raises(psycopg.errors.AdminShutdown):
        session.execute("SELECT 1")


def test_what_one_gateway_takes_away_is_gone_on_the_other(
    server: str, url: str, key_file: Path, tmp_path: Path
) -> None:
    settings = {"METASTORE_URL": url, "SECRET_KEY_FILE": str(key_file)}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with (
        start_gateway(tmp_path / "one", **settings) as one,
        start_gateway(tmp_path / "two", **settings) as two,
        psycopg.connect(one.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin,
        psycopg.connect(two.dsn("analyst"), autocommit=True) as analyst,
    ):
        query = "SELECT count(*) FROM sales.orders WHERE id > %s"
        assert analyst.execute(query, (0,), prepare=True).fetchone() == (2000,)
        admin.execute("REVOKE SELECT ON sales.orders FROM eu_team")
        revoked = time.monotonic()
        is_denied = False
        while not is_denied and time.monotonic() < revoked + PATIENCE_S:
            try:
                analyst.execute(query, (0,), prepare=True)
            except psycopg.errors.UndefinedTable:
                is_denied = True
        assert is_denied
        key = one.cli("key", "create", "analyst").strip()
        key_id = key.split("_")[1]
        with psycopg.connect(two.dsn(f"analyst+{key_id}", key), autocommit=True) as by_key:
            admin.execute(f"DROP API KEY '{key_id}'")
            wait_until_ended(by_key)
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(two.dsn(f"analyst+{key_id}", key))
        admin.execute("ALTER ROLE analyst NOLOGIN")
        wait_until_ended(analyst)
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(two.dsn("analyst"))


def test_without_its_metastore_sessions_go_on_for_the_grace_period_and_then_fail_closed(
    key_file: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cluster = tmp_path_factory.mktemp("doomed") / "cluster"
    port = start_postgres(cluster).partition("port=")[2].split()[0]
    settings = {
        "METASTORE_URL": f"postgresql://postgres@127.0.0.1:{port}/postgres",
        "SECRET_KEY_FILE": str(key_file),
        "METASTORE_GRACE": "3s",
    }
    (tmp_path / "one").mkdir()
    with (
        start_gateway(tmp_path / "one", **settings) as gateway,
        psycopg.connect(gateway.dsn("analyst"), autocommit=True) as analyst,
    ):
        query = "SELECT count(*) FROM sales.orders"
        assert analyst.execute(query).fetchone() == (2000,)
        stop_postgres(cluster)
        stopped = time.monotonic()
        assert analyst.execute(query).fetchone() == (2000,)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(gateway.dsn("analyst"))
        while not analyst.closed and time.monotonic() < stopped + 15:
            with contextlib.suppress(psycopg.Error):
                assert analyst.execute(query).fetchone() == (2000,)
        assert analyst.closed
        assert time.monotonic() > stopped + 2.5


def test_a_metastore_killed_and_restarted_is_followed_again_before_the_grace_ends(
    key_file: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cluster = tmp_path_factory.mktemp("restarted") / "cluster"
    port = start_postgres(cluster).partition("port=")[2].split()[0]
    settings = {
        "METASTORE_URL": f"postgresql://postgres@127.0.0.1:{port}/postgres",
        "SECRET_KEY_FILE": str(key_file),
        "METASTORE_GRACE": "5m",
        "FEATURE_ASYNC_QUEUE": "true",
        "SPOOL_DIR": str(tmp_path / "spool"),
    }
    log = tmp_path / "gateway.log"
    (tmp_path / "one").mkdir()
    query = "SELECT count(*) FROM sales.orders WHERE id > %s"
    try:
        with (
            start_gateway(tmp_path / "one", log=log, **settings) as gateway,
            psycopg.connect(gateway.dsn("analyst"), autocommit=True) as analyst,
        ):
            assert analyst.execute(query, (0,), prepare=True).fetchone() == (2000,)
            kill_postgres(cluster)
            wait_for_metastore(gateway, "unavailable")
            assert analyst.execute(query, (0,), prepare=True).fetchone() == (2000,)
            restart_postgres(cluster)
            wait_for_metastore(gateway, "current")
            with psycopg.connect(gateway.dsn(ADMIN, ADMIN_PASSWORD), autocommit=True) as admin:
                admin.execute("REVOKE SELECT ON sales.orders FROM eu_team")
            with pytest.raises(psycopg.errors.UndefinedTable):
                analyst.execute(query, (0,), prepare=True)
            assert "metastore.lost" in log.read_text()
            assert "Traceback" not in log.read_text(), "an outage is told, in lines, and is no bug"
    finally:
        stop_postgres(cluster)


def wait_for_metastore(gateway: RunningGateway, wanted: str) -> None:
    """Wait until the gateway says this of its metastore."""
    deadline = time.monotonic() + 120
    while gateway.health()["metastore"] != wanted:
        assert time.monotonic() < deadline, f"the metastore is not {wanted}"
        time.sleep(0.05)
