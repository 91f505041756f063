"""What the pages show, read from the running gateway. Never a token, a secret or a literal of a statement."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pgproxy.audit.redaction import redact
from pgproxy.control.audit import AuditRecord, AuditStore
from pgproxy.control.flags import CurrentFlags
from pgproxy.control.metastore import Metastore, MetastoreError
from pgproxy.control.rollouts import Rollout, RolloutStatus
from pgproxy.execution import Execution
from pgproxy.http.app import Reader
from pgproxy.http.console.history import History
from pgproxy.metrics import EndpointNumbers
from pgproxy.policy.current import CurrentPolicies
from pgproxy.rollout.controller import shared_figures
from pgproxy.rollout.decide import missing_evidence
from pgproxy.routing.explain import explain_route
from pgproxy.routing.resolve import EndpointHealth, RoutingFlags
from pgproxy.session.live_sessions import LiveSessions

_PAGE = 100
_CHUNK = 1000
_MOST_SCANNED = 20_000
_SEARCHED = ("principal", "kind", "outcome", "sqlstate", "route_reason", "endpoint", "fallback_reason")

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """What the console looks at."""

    reader: Reader
    history: History
    execution: Execution
    flags: CurrentFlags
    policies: CurrentPolicies
    live: LiveSessions
    metastore: Metastore


class Views:
    """Reads facts for pages."""

    def __init__(self, parts: ConsoleParts) -> None:
        self._parts = parts

    async def overview(self) -> Facts:
        """The gateway, its endpoints, the rollout, shadowing and what runs now."""
        report, numbers = await self._parts.reader.health(), await self._parts.reader.numbers()
        return {
            "health": {**report.facts, "is_healthy": report.is_healthy},
            "endpoints": [
                {"name": name, **asdict(endpoint)} for name, endpoint in ill_first(numbers.endpoints)
            ],
            "rollout": await self.rollout(),
            "shadow": self.shadow(),
            "running": self.running(),
        }

    async def live(self) -> Facts:
        """What the page's script asks for again and again."""
        return {**await self.overview(), "charts": self._parts.history.charts()}

    async def rollout(self) -> Facts | None:
        """The rollout that decides routes, its figures and its limits; None: there is none."""
        rollout = self._parts.execution.rollouts.rollout
        if rollout is None:
            return None
        try:
            figures = await shared_figures(self._parts.metastore, rollout)
        except MetastoreError:  # what happens here can still be watched
            figures = self._parts.execution.rollouts.figures
        running = rollout.status is RolloutStatus.RUNNING
        canary, control, limits = figures.canary, figures.control, rollout.limits
        ratio = figures.p95_ratio
        return {
            "name": rollout.name, "target": rollout.target, "status": rollout.status.value,
            "percent": rollout.percent, "unit": rollout.unit.value, "stages": list(rollout.stages),
            "stage": rollout.stage, "reason": rollout.reason, "since": rollout.since,
            "waits": missing_evidence(rollout, figures, time.time()) if running else "",
            "actions": rollout_actions(rollout),
            "rows": [
                ["statements", canary.statements, control.statements, f"≥ {limits.min_queries}"],
                ["failed", canary.failures, control.failures, f"≤ {limits.max_error_rate:.2%}"],
                ["p95", _ms(canary.p95_ms), _ms(control.p95_ms), ""],
                ["ratio of p95", "–" if ratio is None else f"{ratio:.2f} ×", "",
                 f"≤ {limits.max_p95_ratio:g} ×"],
                ["shadow mismatches", f"{figures.mismatched} of {figures.compared}", "",
                 f"≤ {limits.max_shadow_mismatches}"],
            ],
        }  # fmt: skip

    def shadow(self) -> Facts:
        """What shadowing has found lately."""
        shadow = self._parts.execution.shadow
        return {
            "counts": {endpoint: dict(counts) for endpoint, counts in sorted(shadow.counts.items())},
            "mismatches": [
                {
                    "endpoint": seen.result.endpoint, "fingerprint": seen.result.fingerprint,
                    "difference": seen.result.difference, "at": seen.at,
                    "local_ms": round(seen.result.local_ms, 1), "remote_ms": round(seen.result.remote_ms, 1),
                }
                for seen in reversed(shadow.mismatches)
            ],
        }  # fmt: skip

    def running(self) -> list[Facts]:
        """Statements that run now, the longest first. Their texts are without literals."""
        now = time.time()
        found = [
            {
                "pid": pid, "principal": session.principal, "kind": record.kind,
                "route": record.route or "–", "seconds": round(now - record.started_at, 1),
                "query": redact(record.text)[:300], "request_id": record.request_id,
            }
            for pid, session in self._parts.live.by_pid.items()
            for record in session.sql.log.running()
        ]  # fmt: skip
        return sorted(found, key=lambda row: -row["seconds"])

    def principals(self) -> list[str]:
        """Every name that a policy can be shown of."""
        return sorted(self._parts.policies.policy_set.principals)

    def policy(self, name: str) -> Facts | None:
        """What a principal may do, as it is enforced now; None: there is no such one."""
        policies, execution = self._parts.policies, self._parts.execution
        if name not in policies.policy_set.principals:
            return None
        policy = policies.effective(name)
        flags = RoutingFlags.of(self._parts.flags.value, execution.rollouts.rollout)
        registry = execution.registry
        lines = explain_route(flags, name, policy.groups, registry.assignments, registry.statuses())
        duties = [
            word
            for word, held in (
                ("administrator", policy.is_admin), ("security officer", policy.may_administer),
                ("auditor", policy.is_auditor),
            )
            if held
        ]  # fmt: skip
        return {
            "name": name, "epoch": policy.epoch, "groups": sorted(policy.groups), "duties": duties,
            "attributes": sorted(policy.attributes.items()),
            "grants": [
                {
                    "to": grant.principal, "privilege": grant.privilege.value,
                    "on": ".".join(part for part in (grant.catalog, grant.schema, grant.table) if part),
                    "columns": sorted(grant.columns or ()),
                }
                for grant in policy.grants
            ],
            "filters": [
                {"table": ".".join(one.table), "name": one.name, "using": one.using,
                 "kind": "restrictive" if one.is_restrictive else "permissive"}
                for _, filters in sorted(policy.row_filters.items()) for one in filters
            ],
            "masks": [
                {"table": ".".join(one.table), "name": one.name, "column": one.column,
                 "expression": one.expression}
                for _, masks in sorted(policy.column_masks.items()) for one in masks
            ],
            "route": list(lines),
        }  # fmt: skip

    async def audit(self, wanted: Mapping[str, str], before_id: int | None) -> Facts:
        """Search the audit log backwards, within a bounded number of rows."""
        found, next_id = await search_audit(self._parts.metastore.audit, wanted, before_id)
        return {"records": [_audit_facts(record) for record in found], "next": next_id}


def ill_first(endpoints: Mapping[str, EndpointNumbers]) -> list[tuple[str, EndpointNumbers]]:
    """Those that are not active before the others, which may be hundreds; each by name."""
    return sorted(
        endpoints.items(), key=lambda item: (item[1].health == EndpointHealth.ACTIVE.value, item[0])
    )


def rollout_actions(rollout: Rollout) -> list[str]:
    """The moves that an operator may make now, in the order of the buttons."""
    match rollout.status:
        case RolloutStatus.RUNNING:
            is_last = rollout.stage + 1 >= len(rollout.stages)
            return ["pause", *(() if is_last else ("widen",)), "abort"]
        case RolloutStatus.PAUSED | RolloutStatus.HALTED:
            return ["resume", "abort"]
        case RolloutStatus.COMPLETED:
            return ["abort"]
        case RolloutStatus.ABORTED:
            return []


async def search_audit(
    store: AuditStore, wanted: Mapping[str, str], before_id: int | None
) -> tuple[list[AuditRecord], int | None]:
    """Give a page of the newest records that match, and before which id to go on; None: there are no more."""
    low, high = await store.bounds()
    end = high + 1 if before_id is None else min(before_id, high + 1)
    stop = max(low, end - _MOST_SCANNED)
    found: list[AuditRecord] = []
    while end > stop:
        begin = max(end - _CHUNK, stop)
        page = await store.page(begin - 1, _CHUNK)
        for number, record in reversed(list(zip(page.ids, page.records, strict=True))):
            if number < end and _matches(record, wanted):
                found.append(record)
                if len(found) == _PAGE:
                    return found, number
        end = begin
    return found, end if end > low else None


def _matches(record: AuditRecord, wanted: Mapping[str, str]) -> bool:
    return all(value.lower() in _searched(record, name).lower() for name, value in wanted.items() if value)


def _searched(record: AuditRecord, name: str) -> str:
    if name == "text":
        return f"{record.request_id} {record.fingerprint} {record.objects} {record.query or ''}"
    return str(getattr(record, name)) if name in _SEARCHED else ""


def _audit_facts(record: AuditRecord) -> Facts:
    return {
        "at": record.started_at[:19].replace("T", " "), "event": record.event, "principal": record.principal,
        "kind": record.kind, "route": record.endpoint or record.route or "–", "reason": record.route_reason,
        "fallback": record.fallback_reason, "outcome": record.outcome, "sqlstate": record.sqlstate,
        "rows": record.rows, "total_ms": record.total_ms, "request_id": record.request_id,
        "fingerprint": record.fingerprint, "query": record.query or "", "objects": record.objects,
        "client": record.client_addr, "policies": record.policies,
    }  # fmt: skip


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"
