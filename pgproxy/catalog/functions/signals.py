"""pg_cancel_backend and pg_terminate_backend. PostgreSQL docs, "Server Signaling Functions".

Sessions are the gateway's: the engine calls back, from its own thread, once for each row.
"""

from collections.abc import Callable

from pgproxy.catalog.functions.macro import BOOL, Macro
from pgproxy.catalog.snapshot import SystemValue

SIGNAL = "pgproxy_signal"
"""The engine's function behind both; no client can name it."""

CANCEL, TERMINATE = "cancel", "terminate"
SENT, NOT_THERE = "sent", "not there"

BackendSignal = Callable[[str, int, str, int], str]
"""(CANCEL or TERMINATE, process id, who asks, from which) → SENT, NOT_THERE, or else why not; may block."""


def nobody_is_there(action: str, pid: int, principal: str, asker: int) -> str:
    """Signal nobody: where there are no sessions."""
    return NOT_THERE


def _send(action: str) -> str:
    """Through a list: the call with its effect is evaluated once, however often its answer is read."""
    call = f"{SIGNAL}('{action}', CAST(p_pid AS INTEGER), p_session_user, p_backend_pid)"
    answer = (
        f"CASE WHEN m_x = '{SENT}' THEN true WHEN m_x = '{NOT_THERE}' THEN false "
        "ELSE error(chr(2) || 'pgproxy:42501:' || m_x) END"
    )
    return f"CASE WHEN p_pid IS NULL THEN NULL ELSE list_transform([{call}], lambda m_x: {answer})[1] END"


_ASKER = (SystemValue.SESSION_USER, SystemValue.BACKEND_PID)

SIGNAL_MACROS: tuple[Macro, ...] = (
    Macro("pg_cancel_backend", BOOL, {"p_pid": _send(CANCEL)}, _ASKER),
    Macro(
        "pg_terminate_backend",
        BOOL,
        {"p_pid": _send(TERMINATE), "p_pid, p_timeout": _send(TERMINATE)},
        _ASKER,
    ),
)
