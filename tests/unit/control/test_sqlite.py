"""The SQLite metastore: whole changes, epochs, history, watching, audit, and files that do not fit."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from pgproxy.control import Metastore, MetastoreError, open_metastore
from pgproxy.control.fleet import EndpointState
from pgproxy.control.migration import Migration, load_migrations, pending_migrations
from pgproxy.control.state import ControlState
from tests.unit.control.metastore_contract import (
    MetastoreContract,
    check_rows_of_the_old_table_are_carried_over,
    drain,
    write,
)
from tests.unit.control.states import control_states, sample_state, user


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metastore.sqlite"


@pytest.fixture
async def metastore(path: Path) -> AsyncIterator[Metastore]:
    async with open_metastore(f"sqlite:///{path}") as opened:
        yield opened


async def test_what_was_written_is_there_after_reopening(path: Path) -> None:
    async with open_metastore(f"sqlite:///{path}") as metastore:
        await write(metastore, sample_state())
        secret = metastore.server_secret
    async with open_metastore(f"sqlite:///{path}") as metastore:
        assert await metastore.state() == sample_state()
        assert metastore.server_secret == secret
        assert [e.name for e in await metastore.endpoints()] == ["node"]
        assert [a.principal for a in await metastore.assignments()] == ["team"]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=control_states(), other=control_states())
async def test_any_state_can_follow_any_other(
    tmp_path_factory: pytest.TempPathFactory, one: ControlState, other: ControlState
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('any')}/m.sqlite"
    async with open_metastore(url) as metastore:
        for state in (one, other, one):
            await write(metastore, state)
            async with open_metastore(url) as reader:
                assert await reader.state() == state


def files_in(folder: Path) -> list[tuple[bytes, int]]:
    return [(file.read_bytes(), file.stat().st_mode & 0o077) for file in folder.iterdir()]


async def test_secrets_are_not_in_the_file_and_the_file_is_private(path: Path) -> None:
    state = sample_state()
    token = "a-token-to-look-for"
    endpoint = replace(state.endpoints["node"], token=token)
    async with open_metastore(f"sqlite:///{path}") as metastore:
        await write(metastore, replace(state, endpoints={"node": endpoint}))
        for content, open_to_others in files_in(path.parent):
            assert token.encode() not in content
            assert open_to_others == 0


async def test_a_key_that_does_not_fit_stops_the_opening(path: Path) -> None:
    async with open_metastore(f"sqlite:///{path}") as metastore:
        await write(metastore, sample_state())
    path.with_name(f"{path.name}.key").unlink()
    with pytest.raises(MetastoreError, match="SECRET_KEY_FILE"):
        async with open_metastore(f"sqlite:///{path}"):
            pytest.fail("opened")


async def test_a_key_file_can_lie_elsewhere(path: Path, tmp_path: Path) -> None:
    async with open_metastore(f"sqlite:///{path}"):
        pass
    moved = path.with_name(f"{path.name}.key").rename(tmp_path / "elsewhere")
    async with open_metastore(f"sqlite:///{path}", secret_key_file=moved) as metastore:
        assert await metastore.epoch() == 0
    assert not path.with_name(f"{path.name}.key").exists()


@pytest.mark.parametrize("url", ["", "sqlite:", "sqlite://x", "sqlite:///", "mysql:///x", "/tmp/x.sqlite"])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(MetastoreError, match="METASTORE_URL"):
        open_metastore(url)


async def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MetastoreError, match="No such file"):
        async with open_metastore(f"sqlite:///{tmp_path}/none/m.sqlite"):
            pytest.fail("opened")


@pytest.fixture
def no_database(path: Path) -> Path:
    path.write_bytes(b"not a database at all" * 100)
    return path


async def test_a_file_that_is_no_database_is_refused(no_database: Path) -> None:
    with pytest.raises(MetastoreError, match="not a database"):
        async with open_metastore(f"sqlite:///{no_database}"):
            pytest.fail("opened")


async def test_a_newer_schema_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    with pytest.raises(MetastoreError, match="newer"):
        async with open_metastore(f"sqlite:///{path}"):
            pytest.fail("opened")


def test_migrations_are_numbered_from_one_and_applied_once() -> None:
    found = load_migrations("sqlite")
    assert [m.number for m in found] == list(range(1, len(found) + 1))
    steps = (Migration(1, "a"), Migration(2, "b"))
    assert pending_migrations(steps, 0) == steps
    assert pending_migrations(steps, 1) == steps[1:]
    assert pending_migrations(steps, 2) == ()


async def test_audit_rows_of_before_batches_are_carried_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await check_rows_of_the_old_table_are_carried_over(
        lambda: open_metastore(f"sqlite:///{path}"), "sqlite", monkeypatch
    )


async def test_two_that_open_a_new_file_at_once_both_succeed(path: Path) -> None:
    async def open_and_write(name: str) -> None:
        async with open_metastore(f"sqlite:///{path}") as metastore:
            await metastore.change(name, lambda s: replace(s, principals={**s.principals, name: user(name)}))

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(open_and_write(f"user{number}"))
    async with open_metastore(f"sqlite:///{path}") as metastore:
        assert await metastore.epoch() == 4
        assert len((await metastore.state()).principals) == 4


async def test_a_watcher_sees_changes_of_this_process_and_of_others(path: Path, metastore: Metastore) -> None:
    epochs = metastore.watch(since=0)
    async with asyncio.timeout(5):
        await write(metastore, sample_state())
        assert await anext(epochs) == 1
        async with open_metastore(f"sqlite:///{path}") as other:
            await drain(other)
            assert await anext(epochs) == 2
            assert (await metastore.endpoints())[0].state is EndpointState.DRAINING
    await epochs.aclose()


class TestContract(MetastoreContract):
    """The contract, on SQLite."""
