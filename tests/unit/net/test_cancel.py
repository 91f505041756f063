"""CancelRegistry: the right key cancels, any other does nothing."""

import pytest

from pgproxy.net.cancel import CancelRegistry


@pytest.mark.parametrize("size", [4, 32])
def test_the_right_key_cancels_and_no_other_does(size: int) -> None:
    registry = CancelRegistry()
    calls: list[str] = []
    key = registry.register(lambda: calls.append("mine"), secret_key_bytes=size)
    other = registry.register(lambda: calls.append("other"), secret_key_bytes=size)
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
    key = registry.register(lambda: calls.append("mine"), secret_key_bytes=4)
    registry.forget(key)
    registry.forget(key)
    assert not registry.cancel(key.process_id, key.secret_key)
    assert calls == []


def test_a_key_does_not_show_in_its_repr() -> None:
    key = CancelRegistry().register(lambda: None, secret_key_bytes=4)
    assert "secret" not in repr(key)
