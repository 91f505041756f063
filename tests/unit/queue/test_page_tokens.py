"""Signed page tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgproxy.queue.page_tokens import make_page_token, read_page_token
from pgwire.errors import StatementError

KEY = bytes(range(32))


@given(st.text(), st.text(st.characters(codec="utf-8")))
def test_a_token_gives_its_place_back(subject: str, place: str) -> None:
    subject = subject.encode(errors="replace").decode()
    assert read_page_token(KEY, subject, make_page_token(KEY, subject, place)) == place


@given(st.integers(0, 10**9), st.text(alphabet="abcdefghijklmnopqrstuvwxyzABC019-_=%é", max_size=60))
def test_what_was_not_made_here_is_refused(place: int, other: str) -> None:
    token = make_page_token(KEY, "results of x", str(place))
    for key, subject, given_token in (
        (KEY, "results of y", token),
        (bytes(32), "results of x", token),
        (KEY, "results of x", other),
        (KEY, "results of x", token[:-1]),
    ):
        with pytest.raises(StatementError):
            read_page_token(key, subject, given_token)
