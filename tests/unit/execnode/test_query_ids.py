"""Ids of queries."""

from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from execnode.query_ids import new_query_id, uuid7


@given(st.integers(0, (1 << 48) - 1), st.integers(0, (1 << 76) - 1))
def test_an_id_is_a_uuid_of_version_seven_that_holds_its_moment(unix_ms: int, random_bits: int) -> None:
    made = uuid7(unix_ms, random_bits)
    assert (made.version, made.variant, made.int >> 80) == (7, RFC_4122, unix_ms)


@given(st.integers(0, (1 << 48) - 2), st.integers(0, (1 << 76) - 1), st.integers(0, (1 << 76) - 1))
def test_ids_sort_by_their_moment(unix_ms: int, one: int, other: int) -> None:
    assert str(uuid7(unix_ms, one)) < str(uuid7(unix_ms + 1, other))


def test_ids_differ() -> None:
    assert len({new_query_id() for _ in range(1000)}) == 1000
