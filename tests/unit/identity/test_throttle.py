"""Guesses are slowed down by name and address, and nobody is locked out of where they work."""

from dataclasses import replace

from pgproxy.identity.throttle import TOPIC, LockPolicy, LoginThrottle, unlock_note

HERE, THERE = "10.0.0.1", "10.0.0.2"


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def throttle(clock: Clock, **more: float) -> LoginThrottle:
    return LoginThrottle(replace(LockPolicy(lock_after=3, first_s=1, longest_s=60), **more), clock)


def fail(guesses: LoginThrottle, name: str, address: str, times: int) -> None:
    for _ in range(times):
        guesses.failed(name, address)


def test_a_pair_locks_after_its_free_failures_and_each_further_one_doubles_it() -> None:
    clock = Clock()
    guesses = throttle(clock)
    fail(guesses, "ann", HERE, 2)
    assert not guesses.is_locked("ann", HERE)
    for lock_s in (1, 2, 4, 8, 16, 32, 60, 60):
        guesses.failed("ann", HERE)
        clock.now += lock_s - 0.01
        assert guesses.is_locked("ann", HERE), lock_s
        clock.now += 0.02
        assert not guesses.is_locked("ann", HERE), lock_s


def test_other_addresses_and_other_names_are_not_touched() -> None:
    guesses = throttle(Clock())
    fail(guesses, "ann", HERE, 10)
    assert guesses.is_locked("ann", HERE)
    assert not guesses.is_locked("ann", THERE)
    assert not guesses.is_locked("bob", HERE)


def test_success_forgets_the_pairs_failures() -> None:
    guesses = throttle(Clock())
    fail(guesses, "ann", HERE, 2)
    guesses.succeeded("ann", HERE)
    fail(guesses, "ann", HERE, 2)
    assert not guesses.is_locked("ann", HERE)


def test_silence_forgets_failures() -> None:
    clock = Clock()
    guesses = throttle(clock, forget_s=100)
    fail(guesses, "ann", HERE, 2)
    clock.now += 101
    fail(guesses, "ann", HERE, 2)
    assert not guesses.is_locked("ann", HERE)


def test_an_address_that_tries_many_names_is_locked_but_not_for_who_is_known_there() -> None:
    guesses = throttle(Clock(), address_factor=2)
    guesses.succeeded("ann", HERE)
    for name in ("a", "b", "c", "d", "e", "f"):
        guesses.failed(name, HERE)
    assert guesses.is_locked("never seen", HERE)
    assert not guesses.is_locked("ann", HERE)
    assert not guesses.is_locked("never seen", THERE)


def test_a_name_tried_from_everywhere_stays_open_where_its_owner_is_known() -> None:
    guesses = throttle(Clock(), name_factor=2)
    guesses.succeeded("admin", HERE)
    for number in range(1000):
        guesses.failed("admin", f"192.168.{number // 250}.{number % 250}")
    assert guesses.is_locked("admin", "203.0.113.9"), "a new address has to wait"
    assert not guesses.is_locked("admin", HERE), "the administrator is never locked out by others"


def test_ipv6_counts_by_its_network() -> None:
    guesses = throttle(Clock())
    for number in range(3):
        guesses.failed("ann", f"2001:db8::{number}")
    assert guesses.is_locked("ann", "2001:db8::ffff")
    assert not guesses.is_locked("ann", "2001:db8:0:1::1")


def test_zero_switches_it_off() -> None:
    guesses = throttle(Clock(), lock_after=0)
    fail(guesses, "ann", HERE, 100)
    assert not guesses.is_locked("ann", HERE)
    assert guesses.take_changes() == ()


def test_another_gateway_learns_of_locks_of_their_end_and_of_who_is_known() -> None:
    clock = Clock()
    mine, other = throttle(clock), throttle(clock)
    fail(mine, "ann", HERE, 2)
    assert mine.take_changes() == (), "what locks nothing is told to nobody"
    mine.failed("ann", HERE)
    notes = mine.take_changes()
    assert [note.topic for note in notes] == [TOPIC]
    assert "ann" not in notes[0].key, "a name may be a password that was typed in the wrong place"
    other.merge(notes)
    assert other.is_locked("ann", HERE)
    clock.now += 5
    assert not other.is_locked("ann", HERE)
    other.failed("ann", HERE)
    mine.merge(other.take_changes())
    clock.now += 1.5
    assert mine.is_locked("ann", HERE), "it goes on where the other was"
    clock.now += 1
    mine.succeeded("ann", HERE)
    other.merge(mine.take_changes())
    fail(other, "ann", HERE, 2)
    assert not other.is_locked("ann", HERE)


def test_an_older_note_does_not_undo_what_is_known_better() -> None:
    clock = Clock()
    mine, other = throttle(clock), throttle(clock)
    fail(other, "ann", HERE, 3)
    old = other.take_changes()
    clock.now += 1
    mine.succeeded("ann", HERE)
    mine.merge(old)
    assert not mine.is_locked("ann", HERE)


def test_unlocking_reaches_every_gateway_and_old_notes_do_not_come_back() -> None:
    from datetime import UTC, datetime

    clock = Clock()
    mine, other = throttle(clock, longest_s=900, first_s=900), throttle(clock)
    fail(mine, "ann", HERE, 3)
    old = mine.take_changes()
    clock.now += 1
    unlock = unlock_note("ann", datetime.fromtimestamp(clock.now, UTC))
    mine.merge([unlock])
    other.merge([unlock, *old])
    assert not mine.is_locked("ann", HERE)
    assert not other.is_locked("ann", HERE)
    clock.now += 1
    fail(mine, "ann", HERE, 3)
    assert mine.is_locked("ann", HERE), "later failures count again"
