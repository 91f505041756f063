"""Rollouts as rows of a table and back. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from pgproxy.control.rollouts import Rollout, RolloutLimits, RolloutStatus, RolloutUnit
from pgproxy.control.table import Row, RowSet, Table, as_number, as_text

ROLLOUT_TABLES = (
    Table(
        "rollouts",
        ("name",),
        ("target", "stages", "hold_s", "limits", "unit", "stage", "status", "since", "reason"),
    ),
)

FIGURES_UPSERT = (
    "INSERT INTO rollout_figures (rollout, since, gateway, figures) VALUES ({}, {}, {}, {}) "
    "ON CONFLICT (rollout, since, gateway) DO UPDATE SET figures = excluded.figures"
)
FIGURES_QUERY = "SELECT figures FROM rollout_figures WHERE rollout = {} AND since = {}"


def rollouts_to_rows(rows: Mapping[str, dict[Row, Row]], rollouts: Mapping[str, Rollout]) -> None:
    """Add every rollout to `rows`."""
    for r in rollouts.values():
        rows["rollouts"][r.name,] = (
            r.target,
            json.dumps(r.stages),
            repr(r.hold_s),
            json.dumps(asdict(r.limits), sort_keys=True),
            r.unit.value,
            r.stage,
            r.status.value,
            repr(r.since),
            r.reason,
        )


def rollouts_of(rows: RowSet) -> dict[str, Rollout]:
    """Rebuild the rollouts. Raises: ValueError, TypeError, a row makes no sense."""
    return {as_text(name): _rollout(as_text(name), row) for (name,), row in rows["rollouts"].items()}


def _rollout(name: str, row: Row) -> Rollout:
    target, stages, hold_s, limits, unit, stage, status, since, reason = row
    return Rollout(
        name,
        as_text(target),
        tuple(json.loads(as_text(stages))),
        float(as_text(hold_s)),
        RolloutLimits(**json.loads(as_text(limits))),
        RolloutUnit(as_text(unit)),
        as_number(stage),
        RolloutStatus(as_text(status)),
        float(as_text(since)),
        as_text(reason),
    )
