"""LISTEN and NOTIFY: who hears what, and when."""

import pytest

from pgproxy.session.notification_hub import NotificationHub
from pgproxy.session.notifications import MAX_PAYLOAD_BYTES, Notifications
from pgproxy.sql.utility import statements as u
from pgwire.errors import StatementError


def session(hub: NotificationHub, process_id: int, *channels: str, database: str = "lake") -> Notifications:
    """A session that listens."""
    made = Notifications(hub, process_id, database)
    for channel in channels:
        made.run(u.Listen(channel))
    made.end_transaction(is_commit=True)
    return made


def heard(listener: Notifications) -> list[tuple[int, str, str]]:
    """Take what waits."""
    return [(n.process_id, n.channel, n.payload) for n in listener.take()]


def test_a_commit_tells_every_listener_and_wakes_each_once() -> None:
    hub = NotificationHub()
    says, hears, deaf = session(hub, 1, "a"), session(hub, 2, "a", "b"), session(hub, 3, "c")
    woken: list[int] = []
    hears.wake = lambda: woken.append(2)
    deaf.wake = lambda: woken.append(3)
    says.run(u.Notify("a", "x"))
    says.run(u.Notify("b", "y"))
    assert heard(hears) == []
    says.end_transaction(is_commit=True)
    assert heard(hears) == [(1, "a", "x"), (1, "b", "y")]
    assert heard(says) == [(1, "a", "x")]
    assert heard(deaf) == []
    assert woken == [2]


def test_the_same_notification_twice_in_a_transaction_is_one() -> None:
    hub = NotificationHub()
    one = session(hub, 1, "a")
    for payload in ("x", "y", "x"):
        one.run(u.Notify("a", payload))
    one.end_transaction(is_commit=True)
    assert heard(one) == [(1, "a", "x"), (1, "a", "y")]


def test_a_rollback_forgets_all_three() -> None:
    hub = NotificationHub()
    one = session(hub, 1, "a")
    one.run(u.Listen("b"))
    one.run(u.Unlisten("a"))
    one.run(u.Notify("a", "never"))
    one.end_transaction(is_commit=False)
    session(hub, 2).run(u.Notify("b"))
    other = session(hub, 2)
    other.run(u.Notify("a", "still"))
    other.run(u.Notify("b", "no"))
    other.end_transaction(is_commit=True)
    assert heard(one) == [(2, "a", "still")]


@pytest.mark.parametrize("statement", [u.Unlisten("a"), u.Unlisten(None)])
def test_unlisten_counts_from_the_commit(statement: u.Unlisten) -> None:
    hub = NotificationHub()
    one = session(hub, 1, "a")
    one.run(statement)
    one.end_transaction(is_commit=True)
    one.run(u.Notify("a"))
    one.end_transaction(is_commit=True)
    assert heard(one) == []


def test_a_payload_of_8000_bytes_is_too_long() -> None:
    one = session(NotificationHub(), 1)
    one.run(u.Notify("a", "é" * 3999))
    with pytest.raises(StatementError, match="payload string too long"):
        one.run(u.Notify("a", "x" * MAX_PAYLOAD_BYTES))


def test_nothing_passes_from_one_database_to_another() -> None:
    hub = NotificationHub()
    says, same, other = (session(hub, 1), session(hub, 2, "a"), session(hub, 3, "a", database="hr"))
    says.run(u.Notify("a", "secret"))
    says.end_transaction(is_commit=True)
    assert heard(same) == [(1, "a", "secret")]
    assert heard(other) == []
