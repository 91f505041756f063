"""The metrics of both programs: what docs/metrics.md says of them, and what they count."""

import re
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from execnode.admission import QueueFull
from execnode.call_context import ARM_KEY, note_call
from execnode.http import health_collector
from execnode.metrics import Mode, NodeMetrics
from execnode.rpc.execnode.v1 import HealthReply
from execnode.statement import RowChunk
from pgproxy.audit.options import AuditOptions
from pgproxy.audit.recorder import StatementRecorder
from pgproxy.audit.writer import AuditWriter
from pgproxy.control.audit import AuditStore
from pgproxy.metrics import EndpointNumbers, GatewayMetrics, GatewayNumbers
from pgproxy.routing.resolve import Arm, RouteReason
from pgproxy.session.telemetry import Outcome, StatementRecord

DOCS = Path(__file__).parents[2] / "docs"
_ROW = re.compile(r"^\| `((?:pgproxy|execnode)_\w+)` \| (\w+) \| ([\w, ]*)\|", re.M)


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    rows = _ROW.findall((DOCS / "metrics.md").read_text())
    return {name: (kind, frozenset(re.findall(r"\w+", labels))) for name, kind, labels in rows}


def registered() -> dict[str, tuple[str, frozenset[str]]]:
    """Name, type and labels of everything that both programs expose."""
    node, gateway = NodeMetrics(CollectorRegistry()), GatewayMetrics(CollectorRegistry())
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for registry in (node.registry, gateway.registry):
        for collector in registry._collector_to_names:
            for metric in collector.describe():
                of_labels = collector if isinstance(collector, MetricWrapperBase) else metric
                labels = frozenset(getattr(of_labels, "_labelnames"))  # noqa: B009  # either kind's own
                suffix = "_total" if metric.type == "counter" else ""
                found[metric.name + suffix] = (metric.type, labels)
    for metric in health_collector(HealthReply(), tasks=0).collect():
        found[metric.name] = (metric.type, frozenset())
    return found


def test_the_documentation_names_every_metric_with_its_type_and_labels() -> None:
    assert documented() == registered()


def test_every_reason_of_a_route_is_on_one_side_of_the_comparison() -> None:
    sides = {arm: {reason for reason in RouteReason if reason.arm is arm} for arm in Arm}
    assert RouteReason.ROLLOUT in sides[Arm.CANARY]
    assert sides[Arm.CONTROL] == {RouteReason.NOT_CANARY, RouteReason.SHADOW}
    assert set().union(*sides.values()) == set(RouteReason)


def test_a_statement_is_counted_by_route_arm_and_outcome() -> None:
    metrics = GatewayMetrics(CollectorRegistry())
    recorder = StatementRecorder(AuditWriter(cast("AuditStore", None), AuditOptions("g"), metrics), metrics)
    served = StatementRecord(
        "analyst", 1, kind="SELECT", route="node1", route_reason="rollout", arm="canary",
        fallback_reason="node_lost", rows=3, bytes=60, queue_ms=2.0, first_row_ms=3.0, total_ms=4.0,
    )  # fmt: skip
    recorder.statement_ended(served)
    refused = replace(
        served, outcome=Outcome.DENIED, sqlstate="42501", denied_by="statement", fallback_reason=""
    )
    recorder.statement_ended(refused)

    def sample(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    where = {"kind": "SELECT", "route": "node1", "reason": "rollout", "arm": "canary"}
    assert sample("pgproxy_statements_total", **where, outcome="ok", sqlstate="00000") == 1
    assert sample("pgproxy_statements_total", **where, outcome="denied", sqlstate="42501") == 1
    assert sample("pgproxy_statement_queue_seconds_count", route="node1", arm="canary") == 2
    assert sample("pgproxy_statement_completion_seconds_sum", route="node1", arm="canary") == 0.008
    assert sample("pgproxy_fallbacks_total", route="node1", reason="node_lost") == 1
    assert sample("pgproxy_denied_total", rule="statement") == 1
    assert sample("pgproxy_rows_total", route="node1") == 6


def test_a_full_endpoint_is_a_failure_and_a_shed() -> None:
    metrics = GatewayMetrics(CollectorRegistry())
    metrics.observe_engine_failure("a", "queue_full")
    metrics.observe_engine_failure("a", "connect")
    assert metrics.registry.get_sample_value("pgproxy_sheds_total", {"endpoint": "a"}) == 1


def test_an_endpoint_that_is_gone_leaves_no_series() -> None:
    metrics = GatewayMetrics(CollectorRegistry())
    metrics.show(GatewayNumbers({"connections": 2}, {"a": EndpointNumbers("active", 1, 4, clock_skew_s=0.5)}))
    skew = ("pgproxy_endpoint_clock_skew_seconds", {"endpoint": "a"})
    assert metrics.registry.get_sample_value(*skew) == 0.5
    metrics.show(GatewayNumbers({"connections": 0}))
    assert metrics.registry.get_sample_value(*skew) is None


def test_a_node_counts_by_mode_and_by_its_callers_arm() -> None:
    metrics = NodeMetrics(CollectorRegistry())
    note_call({ARM_KEY: "canary", "authorization": "Bearer secret"})
    with metrics.statement(Mode.DIRECT) as counted:
        counted.started()
        counted.add(RowChunk(b"abc", 2))
    with pytest.raises(QueueFull), metrics.statement(Mode.CURSOR):
        raise QueueFull("full")
    note_call({ARM_KEY: "made up"})
    with pytest.raises(KeyError), metrics.statement(Mode.DIRECT):
        raise KeyError

    def sample(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    ended = "execnode_statements_total"
    assert sample(ended, mode="direct", arm="canary", outcome="ok", sqlstate="00000") == 1
    assert sample(ended, mode="cursor", arm="canary", outcome="error", sqlstate="53300") == 1
    assert sample(ended, mode="direct", arm="none", outcome="canceled", sqlstate="08006") == 1
    assert sample("execnode_failures_total", reason="queue_full") == sample("execnode_sheds_total") == 1
    assert sample("execnode_rows_total", mode="direct") == 2
    assert sample("execnode_statement_first_row_seconds_count", mode="direct", arm="canary") == 1
