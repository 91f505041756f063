"""What an administrator does from the console: moves of a rollout, cancelling. Each is audited."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from pgproxy.audit.records import event_record
from pgproxy.control.audit import AuditStore
from pgproxy.control.metastore import MetastoreError, Transform
from pgproxy.control.rollout_changes import move_rollout, resume_rollout, widen_rollout
from pgproxy.control.rollouts import RolloutStatus
from pgproxy.control_plane import GatewayControlPlane
from pgproxy.policy.current import CurrentPolicies
from pgproxy.session.live_sessions import LiveSessions, Refusal, send_signal
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

log = structlog.get_logger(__name__)


def _pause(name: str, now: float, reason: str) -> Transform:
    return lambda state: move_rollout(state, name, RolloutStatus.PAUSED, now, reason)


def _abort(name: str, now: float, reason: str) -> Transform:
    return lambda state: move_rollout(state, name, RolloutStatus.ABORTED, now, reason)


def _resume(name: str, now: float, reason: str) -> Transform:
    return lambda state: resume_rollout(state, name, now, reason)


def _widen(name: str, now: float, reason: str) -> Transform:
    return lambda state: widen_rollout(state, name, now, reason)


_MOVES: dict[str, Callable[[str, float, str], Transform]] = {
    "pause": _pause,
    "resume": _resume,
    "widen": _widen,
    "abort": _abort,
}


@dataclass(frozen=True, slots=True)
class Actions:
    """Acts on behalf of a principal, whose right is checked once more by what is acted on."""

    control: GatewayControlPlane
    audit: AuditStore
    policies: CurrentPolicies
    live: LiveSessions
    gateway: str

    async def move_rollout(self, principal: str, name: str, move: str) -> str:
        """Pause, resume, widen or abort; gives what to say of it.

        Raises:
            StatementError: there is no such move or rollout, or not now.
            AccessDenied: the principal is no administrator.
            ControlPlaneUnavailable: 57P03.
        """
        make = _MOVES.get(move)
        if make is None:
            raise StatementError("there is no such move", sqlstate=SqlState.INVALID_PARAMETER_VALUE)
        await self.control.make(principal, make(name, time.time(), f"{move} by {principal}"), None)
        await self._note(principal, f"ROLLOUT {move.upper()}", {"rollout": name})
        return f"Rollout {name}: {move} is done."

    async def cancel(self, principal: str, pid: int) -> str:
        """Cancel what a session runs; gives what to say of it."""
        answer = send_signal(self.live, self.policies, pid, principal, is_end=False)
        if isinstance(answer, Refusal):
            return answer.message
        if not answer:
            return f"There is no session {pid} any more."
        await self._note(principal, "CANCEL", {"pid": str(pid)})
        return f"The statement of session {pid} was asked to stop."

    async def _note(self, principal: str, kind: str, facts: dict[str, str]) -> None:
        log.info("console.acted", principal=principal, kind=kind, **facts)
        record = event_record("console", self.gateway, principal, kind, json.dumps([facts]))
        try:
            await self.audit.write([record.to_write()])
        except MetastoreError:
            log.error("console.not_audited", principal=principal, kind=kind)  # noqa: TRY400  # may name the file
