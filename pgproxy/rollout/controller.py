"""Watching a rollout in one gateway: it counts, shares its counts, and lets `decide` move the rollout.

Every gateway does this. A move is a change of the metastore that names the rollout as it was, so that of
several gateways one makes it, and each counts anew for the next stage.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping

import structlog

from pgproxy.audit.records import event_record
from pgproxy.control.fleet import Endpoint
from pgproxy.control.metastore import Metastore, MetastoreError
from pgproxy.control.rollout_changes import replace_rollout
from pgproxy.control.rollouts import Rollout, RolloutStatus, effective_rollout
from pgproxy.rollout.decide import broken_limit, decide
from pgproxy.rollout.figures import Figures, is_failure, sum_figures
from pgproxy.routing.resolve import RouteReason
from pgproxy.session.telemetry import Outcome, StatementRecord

log = structlog.get_logger(__name__)

ACTOR = "rollout controller"
_WATCHED = frozenset({RolloutStatus.RUNNING, RolloutStatus.PAUSED, RolloutStatus.HALTED})
_INTERVAL_S = 1.0


MoveObserver = Callable[[str, str, str], None]
"""Told of a move: the rollout's name, its new status, and the `Limit` that broke, `lost_target` or `kept`."""


def _ignore_move(_rollout: str, _status: str, _cause: str) -> None:
    """Observe nothing."""


class RolloutController:
    """Follows the rollout that decides routes.

    gateway: a name of this process that no other has. now: Unix time.
    """

    def __init__(
        self,
        metastore: Metastore,
        gateway: str,
        now: Callable[[], float] = time.time,
        observe_move: MoveObserver = _ignore_move,
    ) -> None:
        """observe_move: told of each move that this controller makes."""
        self._observe_move = observe_move
        self._metastore = metastore
        self._gateway = gateway
        self._now = now
        self._rollout: Rollout | None = None
        self._figures = Figures()
        self._endpoints: tuple[Endpoint, ...] = ()

    def apply(self, rollouts: Mapping[str, Rollout], endpoints: Iterable[Endpoint]) -> None:
        """Take what the metastore has; a stage that has moved is counted from nothing."""
        self._endpoints = tuple(endpoints)
        known, watched = self._rollout, effective_rollout(rollouts.values())
        if watched is None or known is None or (watched.name, watched.since) != (known.name, known.since):
            self._figures = Figures()
        self._rollout = watched

    @property
    def rollout(self) -> Rollout | None:
        """The one that decides routes now."""
        return self._rollout

    @property
    def figures(self) -> Figures:
        """What this gateway has counted of the present stage."""
        return self._figures

    def statements_ended(self, records: Iterable[StatementRecord]) -> None:
        """Count reads: for the canary where the rollout routed them, for the control where they stayed."""
        if self._rollout is not None:
            for record in records:
                self._count(record)

    def _count(self, record: StatementRecord) -> None:
        if record.kind != "SELECT" or record.outcome is Outcome.DENIED:
            return
        if record.route_reason == RouteReason.ROLLOUT.value:
            arm = self._figures.canary
        elif record.route_reason == RouteReason.NOT_CANARY.value:
            arm = self._figures.control
        else:
            return
        arm.add(record.total_ms, failed=is_failure(record.sqlstate, record.fallback_reason))

    def shadow_compared(self, endpoint: str, labels: Mapping[str, str], *, is_same: bool) -> None:
        """Count one comparison of shadowed results, where the rollout's target gave the other answer.

        Other endpoints may be shadowed meanwhile, or have statements queued from before; they prove nothing
        about the target. labels: the endpoint's.
        """
        if self._rollout is None or not self._rollout.is_target(endpoint, labels):
            return
        self._figures.compared += 1
        self._figures.mismatched += not is_same

    async def run(self) -> None:
        """Share and decide for as long as the gateway runs; without its metastore nothing moves."""
        while True:
            await asyncio.sleep(_INTERVAL_S)
            try:
                await self.step()
            except MetastoreError:
                log.warning("rollout.metastore_unavailable")
            except Exception:  # the task guard: what cannot be read or moved is looked at again
                log.exception("rollout.step_failed")

    async def step(self) -> None:
        """Share what was counted, sum what all gateways counted, and move where that decides so."""
        rollout = self._rollout
        if rollout is None or rollout.status not in _WATCHED:
            return
        counted = json.dumps(self._figures.as_json())
        await self._metastore.record_figures(rollout.name, rollout.since, self._gateway, counted)
        if rollout.status is not RolloutStatus.RUNNING:
            return
        figures = await shared_figures(self._metastore, rollout)
        lost_target = rollout.lost_target(self._endpoints)
        moved = decide(rollout, figures, self._now(), lost_target)
        if moved is not rollout:
            made = await self._metastore.change(ACTOR, lambda state: replace_rollout(state, rollout, moved))
            if not made.differences:
                return  # another gateway or an operator was first, and tells of it
            broken = broken_limit(rollout, figures)
            cause = "lost_target" if lost_target else broken.limit.value if broken is not None else "kept"
            self._observe_move(moved.name, moved.status.value, cause)
            await self._audit(moved, figures, cause)
            log.info(
                "rollout.moved",
                rollout=moved.name,
                status=moved.status.value,
                percent=moved.percent,
                cause=cause,
                reason=moved.reason,
                canary_statements=figures.canary.statements,
                canary_failures=figures.canary.failures,
                p95_ratio=figures.p95_ratio,
                shadow_compared=figures.compared,
                shadow_mismatched=figures.mismatched,
            )

    async def _audit(self, moved: Rollout, figures: Figures, cause: str) -> None:
        """Write the step with its figures to the audit log."""
        facts = {
            "rollout": moved.name,
            "target": moved.target,
            "percent": moved.percent,
            "cause": cause,
            "reason": moved.reason,
            "canary_statements": figures.canary.statements,
            "canary_failures": figures.canary.failures,
            "canary_p95_ms": figures.canary.p95_ms,
            "control_statements": figures.control.statements,
            "control_p95_ms": figures.control.p95_ms,
            "shadow_compared": figures.compared,
            "shadow_mismatched": figures.mismatched,
        }
        kind = f"ROLLOUT {moved.status.value}"
        record = event_record("rollout", self._gateway, ACTOR, kind, json.dumps([facts]))
        await self._metastore.audit.write([record.to_write()])


async def shared_figures(metastore: Metastore, rollout: Rollout) -> Figures:
    """Sum what every gateway has seen of the present stage."""
    parts = await metastore.figures(rollout.name, rollout.since)
    return sum_figures(Figures.from_json(json.loads(part)) for part in parts)
