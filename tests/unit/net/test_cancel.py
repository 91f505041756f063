"""CancelRegistry: the right key cancels, any other does nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pgproxy.control import Metastore, open_metastore
from pgproxy.control.notes import Note
from pgproxy.net.cancel import CancelRegistry
from pgproxy.net.cancel_sharing import TOPIC, CancelSharing


@pytest.mark.parametrize("size", [4, 32])
def test_the_right_key_cancels_and_no_other_does(size: int) -> None:
    registry = CancelRegistry()
    calls: list[str] = []
    key = registry.register(lambda _: calls.append("mine"), secret_key_bytes=size)
    other = registry.register(lambda _: calls.append("other"), secret_key_bytes=size)
    assert len(key.secret_key) == size
    assert key.process_id != other.process_id
    for wrong in (b"", bytes(size), key.secret_key + b"\0", key.secret_key[:-1], other.secret_key):
        assert not registry.cancel(key.process_id, wrong)
    assert calls == []
    assert registry.cancel(key.process_id, key.secret_key)
    assert calls == ["mine"]


def test_a_key_ends_with_its_connection() -> None:
    registry = CancelRegistry()
    calls: list[str] = []
    key = registry.register(lambda _: calls.append("mine"), secret_key_bytes=4)
    registry.forget(key)
    registry.forget(key)
    assert not registry.cancel(key.process_id, key.secret_key)
    assert calls == []


def test_a_key_does_not_show_in_its_repr() -> None:
    key = CancelRegistry().register(lambda _: None, secret_key_bytes=4)
    assert "secret" not in repr(key)


@pytest.fixture
async def metastore(tmp_path: Path) -> AsyncIterator[Metastore]:
    async with open_metastore(f"sqlite:///{tmp_path}/m.sqlite") as opened:
        yield opened


def gateway(metastore: Metastore) -> tuple[CancelRegistry, CancelSharing]:
    registry = CancelRegistry(b"k" * 32)
    return registry, CancelSharing(metastore.notes, registry)


async def test_a_key_of_another_gateway_reaches_it_once_for_each_request(metastore: Metastore) -> None:
    (mine, my_sharing), (other, other_sharing) = gateway(metastore), gateway(metastore)
    asked: list[float | None] = []
    key = other.register(asked.append, secret_key_bytes=4)
    before = datetime.now(UTC).timestamp()
    for requests in (1, 2):
        assert not mine.cancel(key.process_id, key.secret_key)
        for _ in range(3):
            await my_sharing.share_once()
            await other_sharing.share_once()
        assert len(asked) == requests
    assert asked[0] is not None
    assert before <= asked[0] <= datetime.now(UTC).timestamp()
    (note,) = await metastore.notes.of(TOPIC)
    assert key.secret_key.hex() not in note.key


async def test_wrong_keys_stop_nothing_and_are_few_in_the_metastore(metastore: Metastore) -> None:
    (mine, my_sharing), (other, other_sharing) = gateway(metastore), gateway(metastore)
    asked: list[float | None] = []
    key = other.register(asked.append, secret_key_bytes=32)
    for number in range(500):
        mine.cancel(key.process_id, number.to_bytes(32, "big"))
    await my_sharing.share_once()
    await metastore.notes.put([Note(TOPIC, "no key at all", "", datetime.now(UTC))])
    await other_sharing.share_once()
    assert asked == []
    assert len(await metastore.notes.of(TOPIC)) == 50 + 1


async def test_an_old_request_is_not_obeyed_and_goes(metastore: Metastore) -> None:
    registry, sharing = gateway(metastore)
    asked: list[float | None] = []
    key = registry.register(asked.append, secret_key_bytes=4)
    other, other_sharing = gateway(metastore)
    other.cancel(key.process_id, key.secret_key)
    await other_sharing.share_once()
    (note,) = await metastore.notes.of(TOPIC)
    await metastore.notes.purge(TOPIC, datetime.now(UTC) + timedelta(seconds=1))
    await metastore.notes.put([Note(TOPIC, note.key, "", datetime.now(UTC) - timedelta(minutes=2))])
    await sharing.share_once()
    assert asked == []
    assert await metastore.notes.of(TOPIC) == ()
