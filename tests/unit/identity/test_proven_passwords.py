"""Passwords that were right a while ago: what is not hashed again, and what ends that."""

from dataclasses import replace

import pytest

from pgproxy.identity.proven_passwords import KEPT_S, ProvenPasswords
from pgwire.auth import verifier as scram
from pgwire.auth.verifier import ScramVerifier, make_verifier
from pgwire.errors import AuthenticationFailed
from tests.unit.identity.conftest import PASSWORD, SALT, VERIFIER, World, basic

ITERATIONS = 2
RIGHT = make_verifier(PASSWORD, SALT, ITERATIONS)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def proven(clock: Clock) -> ProvenPasswords:
    return ProvenPasswords(clock, most=2)


def test_only_what_was_right_is_remembered(proven: ProvenPasswords) -> None:
    assert not proven.has(RIGHT, PASSWORD)
    assert not proven.check(RIGHT, "wrong")
    assert not proven.has(RIGHT, "wrong")
    assert proven.check(RIGHT, PASSWORD)
    assert proven.has(RIGHT, PASSWORD)
    assert not proven.has(RIGHT, "wrong")


@pytest.mark.parametrize(
    "other",
    [make_verifier("another", SALT, ITERATIONS), make_verifier(PASSWORD, SALT[::-1], ITERATIONS)],
    ids=["another password", "another salt"],
)
def test_it_proves_nothing_to_another_verifier(proven: ProvenPasswords, other: ScramVerifier) -> None:
    proven.check(RIGHT, PASSWORD)
    assert not proven.has(other, PASSWORD)


def test_nothing_proves_a_verifier_that_stands_in(proven: ProvenPasswords) -> None:
    proven.check(RIGHT, PASSWORD)
    locked = replace(RIGHT, is_mock=True)
    assert not proven.check(locked, PASSWORD)
    assert not proven.has(locked, PASSWORD)


def test_it_is_forgotten_after_a_while(proven: ProvenPasswords, clock: Clock) -> None:
    proven.check(RIGHT, PASSWORD)
    clock.now += KEPT_S - 1
    assert proven.has(RIGHT, PASSWORD)
    clock.now += 1
    assert not proven.has(RIGHT, PASSWORD)


def test_the_oldest_makes_room(proven: ProvenPasswords) -> None:
    others = [make_verifier(name, SALT, ITERATIONS) for name in ("one", "two")]
    proven.check(RIGHT, PASSWORD)
    proven.check(others[0], "one")
    proven.check(RIGHT, PASSWORD)
    proven.check(others[1], "two")
    assert proven.has(RIGHT, PASSWORD)
    assert not proven.has(others[0], "one")
    assert proven.has(others[1], "two")


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Passwords that are hashed from now on."""
    found: list[str] = []

    def make(password: str, salt: bytes, iterations: int = ITERATIONS) -> ScramVerifier:
        found.append(password)
        return make_verifier(password, salt, iterations)

    monkeypatch.setattr(scram, "make_verifier", make)
    return found


async def come(world: World, password: str = PASSWORD) -> bool:
    try:
        await world.authenticator.authenticate_http(basic("ann", password), "127.0.0.1", is_tls=False)
    except AuthenticationFailed:
        return False
    return True


async def test_a_request_with_the_same_password_is_not_hashed_again(world: World, hashed: list[str]) -> None:
    assert [await come(world) for _ in range(3)] == [True, True, True]
    assert hashed == [PASSWORD]
    assert [await come(world, "wrong") for _ in range(2)] == [False, False]
    assert hashed == [PASSWORD, "wrong", "wrong"]
    assert [event.outcome for event in world.events] == ["ok"] * 3 + ["failed"] * 2


async def test_a_changed_password_ends_the_old_one_at_once(world: World) -> None:
    assert await come(world)
    world.state_now = replace(
        world.state_now, verifiers={"ann": make_verifier("changed", SALT, ITERATIONS).format()}
    )
    assert not await come(world)
    assert await come(world, "changed")


async def test_who_was_dropped_or_locked_meanwhile_is_refused(world: World) -> None:
    assert await come(world)
    known = world.state_now
    locked = replace(known.principals["ann"], can_login=False)
    world.state_now = replace(known, principals={**known.principals, "ann": locked})
    assert not await come(world)
    world.state_now = replace(known, principals={k: p for k, p in known.principals.items() if k != "ann"})
    assert not await come(world)
    world.state_now = replace(known, verifiers={"ann": VERIFIER})
    assert await come(world)


async def test_a_lock_by_wrong_guesses_holds_for_the_right_password_too(world: World) -> None:
    assert await come(world)
    for _ in range(3):
        assert not await come(world, "wrong")
    assert not await come(world)
