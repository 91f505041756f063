"""pg_cancel_backend and pg_terminate_backend: from the engine's thread to the sessions' event loop."""

import asyncio

from pgproxy.catalog.functions.signals import NOT_THERE, SENT, TERMINATE
from pgproxy.session.live_sessions import LiveSessions, Refusal, send_signal
from pgproxy.session.services import Policies

_TIMEOUT_S = 10.0


class EngineSignals:
    """A `BackendSignal`: called in an engine's thread, for as long as the loop runs."""

    def __init__(self, sessions: LiveSessions, policies: Policies, loop: asyncio.AbstractEventLoop) -> None:
        self._sessions = sessions
        self._policies = policies
        self._loop = loop

    def __call__(self, action: str, pid: int, principal: str, asker: int) -> str:
        """Send a signal on behalf of a principal. asker: its session, which is warned if nobody is there."""
        sent = asyncio.run_coroutine_threadsafe(self._send(action, pid, principal, asker), self._loop)
        return sent.result(_TIMEOUT_S)

    async def _send(self, action: str, pid: int, principal: str, asker: int) -> str:
        answer = send_signal(self._sessions, self._policies, pid, principal, is_end=action == TERMINATE)
        if isinstance(answer, Refusal):
            return answer.message
        if not answer and asker in self._sessions.by_pid:
            self._sessions.by_pid[asker].sql.warn(f"PID {pid} is not a PostgreSQL backend process")
        return SENT if answer else NOT_THERE
