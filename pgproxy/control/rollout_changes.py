"""Changes of rollouts as pure functions from one `ControlState` to the next."""

from dataclasses import replace

from pgproxy.control.changes import undefined
from pgproxy.control.fleet_changes import check_name, check_target
from pgproxy.control.rollouts import Rollout, RolloutStatus
from pgproxy.control.state import ControlState
from pgwire.errors import StatementError
from pgwire.sqlstate import SqlState

_MOST = 10**9
_ENDED = frozenset({RolloutStatus.COMPLETED, RolloutStatus.ABORTED})


def start_rollout(state: ControlState, rollout: Rollout) -> ControlState:
    """Start a rollout; one that has ended makes room for another of its name.

    Raises: 42710, it has not ended; 55000, another one runs, or no endpoint of the target takes new work;
        42704, no such target; 22023, a bad limit.
    """
    known = state.rollouts.get(rollout.name)
    if known is not None and known.status not in _ENDED:
        raise StatementError(f'rollout "{rollout.name}" already exists', sqlstate=SqlState.DUPLICATE_OBJECT)
    others = (r for r in state.rollouts.values() if r.name != rollout.name)
    other = next((r for r in others if r.status is not RolloutStatus.ABORTED), None)
    if other is not None:
        raise StatementError(
            f'rollout "{other.name}" is {other.status.value}',
            sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
            hint="One rollout moves principals at a time. Abort it, or remove it once it has completed.",
        )
    check_name(rollout.name, "a rollout")
    check_target(state, rollout.target)
    _check_has_endpoint(state, rollout)
    _check_limits(rollout)
    return replace(state, rollouts={**state.rollouts, rollout.name: rollout})


def move_rollout(  # noqa: PLR0913, PLR0917 - the move, its moment and its reason
    state: ControlState, name: str, to: RolloutStatus, now: float, reason: str, stage: int | None = None
) -> ControlState:
    """Pause, resume, abort or widen. Raises: 42704; 55000, the table of moves has no such move."""
    known = rollout_named(state, name)
    try:
        moved = known.moved(to, now, reason, stage)
    except ValueError as error:
        raise StatementError(str(error), sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE) from None
    return replace(state, rollouts={**state.rollouts, name: moved})


def resume_rollout(state: ControlState, name: str, now: float, reason: str) -> ControlState:
    """Go on from the present stage; one that went back to nobody begins its first stage again.

    Raises: 42704; 55000, the table of moves has no such move, or no endpoint of the target takes new work.
    """
    known = rollout_named(state, name)
    _check_has_endpoint(state, known)
    stage = max(0, known.stage)
    return move_rollout(state, name, RolloutStatus.RUNNING, now, reason, stage)


def widen_rollout(state: ControlState, name: str, now: float, reason: str) -> ControlState:
    """Begin the next stage now. Raises: see `resume_rollout`."""
    known = rollout_named(state, name)
    _check_has_endpoint(state, known)
    stage = min(known.stage + 1, len(known.stages) - 1)
    return move_rollout(state, name, RolloutStatus.RUNNING, now, reason, stage)


def replace_rollout(state: ControlState, before: Rollout, after: Rollout) -> ControlState:
    """Put `after` in the place of `before`; another gateway or operator was first: no change."""
    if state.rollouts.get(before.name) != before:
        return state
    return replace(state, rollouts={**state.rollouts, after.name: after})


def drop_rollout(state: ControlState, name: str) -> ControlState:
    """Forget a rollout that has ended: the flags alone decide again. Raises: 42704; 55000."""
    if rollout_named(state, name).status not in _ENDED:
        raise StatementError(
            f'rollout "{name}" has not ended', sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE
        )
    return replace(state, rollouts={other: r for other, r in state.rollouts.items() if other != name})


def rollout_named(state: ControlState, name: str) -> Rollout:
    """Find a rollout. Raises: 42704."""
    if name not in state.rollouts:
        raise undefined(f'rollout "{name}" does not exist')
    return state.rollouts[name]


def _check_has_endpoint(state: ControlState, rollout: Rollout) -> None:
    lost = rollout.lost_target(state.endpoints.values())
    if lost:
        raise StatementError(
            lost,
            sqlstate=SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
            hint="Add or activate one first.",
        )


def _check_limits(rollout: Rollout) -> None:
    limits = rollout.limits
    is_sound = (
        rollout.stages
        and rollout.hold_s >= 0
        and 1 <= limits.min_queries <= _MOST
        and 0 <= limits.max_error_rate <= 1
        and 0 < limits.max_p95_ratio <= _MOST
        and 0 <= limits.max_shadow_mismatches <= _MOST
    )
    if not is_sound:
        raise StatementError(
            "a rollout has stages, at least one query a stage, an error rate from 0 to 1, a ratio above 0, "
            "and no number of more than a billion",
            sqlstate=SqlState.INVALID_PARAMETER_VALUE,
        )
