"""Every entry of the sandbox's tables, by the attack that it stops."""

import os
from pathlib import Path

import duckdb
import pytest

from execnode.engine.instance import EngineInstance, build_instance
from execnode.engine.sandbox import CREATION_SETTINGS, LOCK_SETTINGS, EngineLimits, connect_sandboxed
from execnode.statement import CatalogGeneration

from .conftest import definition


@pytest.fixture
def sandboxed(tmp_path: Path, database: Path):
    instance = build_instance(
        CatalogGeneration(1, (definition(database),)), EngineLimits(tmp_path, 256 << 20, 1)
    )
    yield instance
    instance.close()


ATTACKS = {
    "enable_external_access": (
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/stolen.csv'",
        "EXPORT DATABASE '/tmp/stolen'",
        "ATTACH '/tmp/other.duckdb' AS other",
        "SET enable_external_access = true",
    ),
    "allow_community_extensions": ("INSTALL x FROM community", "SET allow_community_extensions = true"),
    "allow_unsigned_extensions": ("LOAD '/tmp/x.duckdb_extension'", "SET allow_unsigned_extensions = true"),
    "autoinstall_known_extensions": ("INSTALL httpfs", "SET autoinstall_known_extensions = true"),
    "autoload_known_extensions": ("LOAD httpfs", "SELECT * FROM 's3://bucket/x.parquet'"),
    "allow_persistent_secrets": ("CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')",),
    "allow_unredacted_secrets": ("SET allow_unredacted_secrets = true",),
    "python_enable_replacements": ("SELECT * FROM victims", "SET python_enable_replacements = true"),
    "errors_as_json": ("SET errors_as_json = false",),
    "allowed_configs": ("SET allowed_configs = ['threads']",),
    "lock_configuration": (
        "SET threads = 64",
        "SET memory_limit = '64GB'",
        "SET temp_directory = '/tmp'",
        "SET default_collation = 'nocase'",
        "SET lock_configuration = false",
    ),
}


def test_every_setting_has_an_attack() -> None:
    assert set(ATTACKS) == {s.name for s in (*CREATION_SETTINGS, *LOCK_SETTINGS)}


@pytest.mark.parametrize("attack", [sql for attacks in ATTACKS.values() for sql in attacks])
def test_the_attack_is_refused(sandboxed: EngineInstance, attack: str) -> None:
    victims = [{"a": 1}]
    cursor = sandboxed.lease()
    with pytest.raises(duckdb.Error):
        cursor.execute(attack).fetchall()
    assert victims
    cursor.close()
    sandboxed.release()


def test_the_lock_is_the_last_setting_so_that_it_seals_the_others() -> None:
    assert LOCK_SETTINGS[-1].name == "lock_configuration"


def test_the_time_zone_of_a_session_can_still_be_set(sandboxed: EngineInstance) -> None:
    cursor, other = sandboxed.lease(), sandboxed.lease()
    cursor.execute("SET TimeZone = 'Asia/Tokyo'")
    assert cursor.execute("SELECT current_setting('TimeZone')").fetchall() == [("Asia/Tokyo",)]
    assert other.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_an_attached_file_can_still_be_written_checkpointed_and_read_again(
    sandboxed: EngineInstance, database: Path
) -> None:
    cursor = sandboxed.lease()
    cursor.execute("INSERT INTO shop.orders SELECT i, 'x' FROM range(100000) r(i)")
    cursor.execute("CHECKPOINT shop")
    cursor.execute("INSERT INTO shop.orders VALUES (7, 'in the log')")
    cursor.close()
    sandboxed.release()
    sandboxed.close()
    with duckdb.connect(str(database)) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchall() == [(100004,)]


def test_a_sort_larger_than_memory_still_spills(sandboxed: EngineInstance) -> None:
    cursor = sandboxed.lease()
    sql = (
        "SELECT count(*) FROM (SELECT hash(i)::VARCHAR || repeat('y', 100) s FROM range(3000000) r(i)"
        " ORDER BY s OFFSET 1)"
    )
    assert cursor.execute(sql).fetchall() == [(2999999,)]


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="the system has no such policy")
def test_duckdbs_own_threads_take_no_core_from_one_that_runs(tmp_path: Path) -> None:
    folder = Path("/proc/self/task")
    before = {path.name for path in folder.iterdir()}
    mine = os.sched_getscheduler(0)
    with connect_sandboxed(EngineLimits(tmp_path, 256 << 20, 5)) as connection:
        begun = {path.name for path in folder.iterdir()} - before
        policies = [os.sched_getscheduler(int(name)) for name in begun]
        assert connection.execute("SELECT count(*) FROM range(1000000)").fetchone() == (1_000_000,)
    assert os.sched_getscheduler(0) == mine
    if mine == os.SCHED_OTHER:
        assert policies.count(os.SCHED_BATCH) >= 4
