"""Gateways of one metastore tell each other of locks and of the last use of keys."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pgproxy.control import Metastore, MetastoreError, open_metastore
from pgproxy.control.api_keys import Interface
from pgproxy.control.notes import Note
from pgproxy.identity.authenticator import AuthenticationEvent
from pgproxy.identity.sharing import KEY_USE_TOPIC, LoginSharing
from pgproxy.identity.throttle import LockPolicy, LoginThrottle, unlock_note

HERE = "10.0.0.1"


@pytest.fixture
async def metastore(tmp_path: Path) -> AsyncIterator[Metastore]:
    async with open_metastore(f"sqlite:///{tmp_path}/m.sqlite") as opened:
        yield opened


def gateway(metastore: Metastore) -> tuple[LoginThrottle, LoginSharing]:
    throttle = LoginThrottle(LockPolicy(lock_after=2, first_s=600), lambda: datetime.now(UTC).timestamp())
    return throttle, LoginSharing(metastore.notes, throttle)


async def test_a_lock_reaches_the_other_gateway_and_outlives_the_first(metastore: Metastore) -> None:
    (mine, my_sharing), (other, other_sharing) = gateway(metastore), gateway(metastore)
    await other_sharing.share_once()
    for _ in range(2):
        mine.failed("ann", HERE)
    await my_sharing.share_once()
    await other_sharing.share_once()
    assert other.is_locked("ann", HERE)
    later, later_sharing = gateway(metastore)
    await later_sharing.share_once()
    assert later.is_locked("ann", HERE), "a restart is no way around it"
    await metastore.notes.put([unlock_note("ann", datetime.now(UTC))])
    for sharing in (my_sharing, other_sharing, later_sharing):
        await sharing.share_once()
    assert not any(throttle.is_locked("ann", HERE) for throttle in (mine, other, later))
    assert await metastore.epoch() == 0


async def test_uses_of_keys_are_noted_in_one_write(metastore: Metastore) -> None:
    _, sharing = gateway(metastore)
    for _ in range(1000):
        sharing.observe(AuthenticationEvent("api_key", "ok", "etl", HERE, Interface.POSTGRES, "k" * 16))
    before = datetime.now(UTC)
    await sharing.share_once()
    (note,) = await metastore.notes.of(KEY_USE_TOPIC)
    assert note.key == "k" * 16
    assert note.noted_at <= before


class BrokenStore:
    """A metastore that cannot be written for a while."""

    def __init__(self, metastore: Metastore) -> None:
        self._notes = metastore.notes
        self.is_broken = True

    async def put(self, notes: list[Note]) -> None:
        if self.is_broken:
            raise MetastoreError("gone")
        await self._notes.put(notes)

    async def of(self, topic: str, since: datetime | None = None) -> tuple[Note, ...]:
        return await self._notes.of(topic, since)

    async def purge(self, topic: str, before: datetime) -> None:
        await self._notes.purge(topic, before)


async def test_what_cannot_be_told_now_is_told_later(metastore: Metastore) -> None:
    store = BrokenStore(metastore)
    throttle, _ = gateway(metastore)
    sharing = LoginSharing(store, throttle)  # type: ignore[arg-type]  # a list is a sequence
    for _ in range(2):
        throttle.failed("ann", HERE)
    with pytest.raises(MetastoreError):
        await sharing.share_once()
    assert throttle.is_locked("ann", HERE), "here it holds all the same"
    store.is_broken = False
    await sharing.share_once()
    other, other_sharing = gateway(metastore)
    await other_sharing.share_once()
    assert other.is_locked("ann", HERE)
