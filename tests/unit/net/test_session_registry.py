"""SessionRegistry: slots are given, refused and returned; sessions of a principal are found."""

from contextlib import ExitStack

import pytest

from pgproxy.net.session_registry import SessionLimits, SessionRegistry
from pgwire.errors import TooManyConnections


def nothing() -> None:
    """Ends no session."""


def registry(**limits: int) -> SessionRegistry:
    return SessionRegistry(SessionLimits(**limits), lambda principal: principal == "root")


def test_reserved_slots_are_for_admins_and_full_is_full() -> None:
    sessions = registry(max_sessions=3, reserved=1)
    with ExitStack() as stack:
        stack.enter_context(sessions.place("ann", nothing))
        stack.enter_context(sessions.place("ben", nothing))
        with pytest.raises(TooManyConnections, match="reserved"), sessions.place("ann", nothing):
            pass
        stack.enter_context(sessions.place("root", nothing))
        with pytest.raises(TooManyConnections, match="sorry"), sessions.place("root", nothing):
            pass
        assert sessions.session_count == 3
    assert sessions.session_count == 0


def test_the_limit_of_one_principal_binds_no_admin_and_nobody_else() -> None:
    sessions = registry(max_sessions=10, reserved=0, max_per_principal=1)
    with sessions.place("ann", nothing), sessions.place("root", nothing), sessions.place("root", nothing):
        with pytest.raises(TooManyConnections, match='role "ann"'), sessions.place("ann", nothing):
            pass
        with sessions.place("ben", nothing):
            assert sessions.session_count == 4


def test_who_may_not_stay_is_ended_once_for_each_session() -> None:
    sessions = registry()
    ended: list[str] = []
    with (
        sessions.place("ann", lambda: ended.append("ann 1")),
        sessions.place("ann", lambda: ended.append("ann 2")),
        sessions.place("ben", lambda: ended.append("ben")),
    ):
        assert sessions.end_unless(lambda principal, _: principal != "ann") == 2
    assert ended == ["ann 1", "ann 2"]
    assert sessions.end_unless(lambda principal, _: False) == 0
