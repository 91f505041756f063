"""Names that do not exist, cannot log in or are locked cost the same hashing as those that can."""

import sys
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import BuiltinFunctionType, FrameType

import pytest

from pgproxy.control.api_keys import Interface
from pgproxy.control.hba import SECRET_KINDS
from pgproxy.identity.proven_passwords import ProvenPasswords
from pgproxy.identity.subjects import MockSource, SecretCheck, Subject
from pgwire.errors import AuthenticationFailed
from tests.unit.identity.conftest import ITERATIONS, World
from tests.unit.identity.test_login import scram

NAMES = ("ann", "nobody_at_all", "late", "gone", "team", "etl", "ann+aaaaaaaaaaaaaaaa")
HASHES = frozenset({"pbkdf2_hmac", "hmac_digest", "compare_digest", "_compare_digest"})
"""Not SHA-256 alone: names are hashed so to be counted, once more while no lock holds."""


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Which hash functions of C this thread calls, and how often."""
    found: Counter[str] = Counter()

    def observe(_: FrameType, event: str, function: object) -> None:
        if event == "c_call" and isinstance(function, BuiltinFunctionType) and function.__name__ in HASHES:
            found[function.__name__] += 1

    before = sys.getprofile()
    sys.setprofile(observe)
    try:
        yield found
    finally:
        sys.setprofile(before)


async def failing(attempt: Awaitable[object]) -> Counter[str]:
    with counted() as found, pytest.raises(AuthenticationFailed):
        await attempt
    return found


async def test_scram_hashes_as_often_for_every_name(world: World) -> None:
    work = {name: await failing(scram(world, name, "wrong")) for name in NAMES}
    for _ in range(3):
        await failing(scram(world, "root", "wrong"))
    work["locked"] = await failing(scram(world, "root", "wrong"))
    assert work["ann"]["hmac_digest"] > 0
    assert [name for name, hashes in work.items() if hashes != work["ann"]] == []


def test_a_password_in_the_clear_is_hashed_for_every_name(world: World) -> None:
    mocks, proven = MockSource(b"s" * 32, ITERATIONS), ProvenPasswords()

    def work(name: str, *, is_locked: bool = False) -> Counter[str]:
        subject = Subject.of(world.state_now, name)
        check = SecretCheck(
            subject,
            SECRET_KINDS,
            Interface.HTTP,
            datetime.now(UTC),
            mocks,
            proven,
            is_password_locked=is_locked,
        )
        with counted() as found:
            assert check.quick_identity("wrong") is None
            assert check.identity("wrong") is None
        return found

    expected = work("ann")
    assert expected["pbkdf2_hmac"] == 1
    assert [name for name in NAMES if work(name) != expected] == []
    assert work("ann", is_locked=True) == expected
