"""Pinned sessions of gateways: used, forgotten, and never heard of again."""

from pathlib import Path

import pytest

from execnode.engine import DuckEngine, EngineLimits
from execnode.sessions import SESSION_IDLE_S, UNUSED_S, SessionRegistry
from execnode.statement import CatalogGeneration


@pytest.mark.parametrize(("is_used", "lives_s"), [(False, UNUSED_S), (True, SESSION_IDLE_S)])
async def test_a_session_that_no_call_has_named_since_it_was_opened_ends_soon(
    tmp_path: Path, is_used: bool, lives_s: float
) -> None:
    """The reply that named it was lost, so no gateway knows of it."""
    engine = DuckEngine(EngineLimits(tmp_path, 512 << 20, 2), max_threads=2)
    await engine.attach(CatalogGeneration(1, ()))
    sessions = SessionRegistry()
    session_id = sessions.add(await engine.open_session(), 0.0)
    if is_used:
        assert sessions.get(session_id, 0.0) is not None
    assert await sessions.close_idle(lives_s) == 0
    assert await sessions.close_idle(lives_s + 1) == 1
    assert not len(sessions)
    await engine.close()
