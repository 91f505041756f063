"""What the gateway counts, by name. Labels come from closed lists and endpoint names, never from clients.

docs/metrics.md describes each of them; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pgproxy.tally import StatementTally

GAUGES: Mapping[str, str] = {
    "connections": "Open client connections.",
    "active_queries": "Statements that run now, those of the queue included.",
    "queued_jobs": "Async queries that wait, of all gateways.",
    "running_jobs": "Async queries that run, of all gateways.",
    "stored_jobs": "Async queries whose result is held, of all gateways.",
    "oldest_queued_seconds": "Age of the async query that has waited longest.",
    "memory_used_bytes": "What the embedded engine's buffer manager holds.",
    "memory_cap_bytes": "The embedded engine's cap, 0 for its own default.",
    "spool_bytes": "Rows of open cursors on disk.",
    "audit_waiting": "Audit records that wait to be written.",
    "catalogs_left_out": "Catalogs of the control plane that cannot be attached here.",
    "policy_epoch": "The epoch of the policy that holds here; -1 while nobody may do anything.",
    "policy_epoch_lag": "Epochs that the metastore has and this gateway does not follow yet.",
    "metastore_up": "1 while the metastore can be read.",
    "draining": "1 while the gateway shuts down.",
    "tasks": "Tasks of the event loop: about two a connection, and a few that always run.",
    "uptime_seconds": "Since the start.",
}
"""Numbers of the whole gateway, read when they are asked for; the names are those of GET /health."""

_WAIT_BUCKETS_S = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


@dataclass(frozen=True, slots=True)
class EndpointNumbers:
    """What is believed of one endpoint, as gauges. A skew is of its clock against ours."""

    health: str
    load: int
    capacity: int
    queued: int = 0
    memory_used_bytes: int = 0
    memory_limit_bytes: int = 0
    spool_bytes: int = 0
    clock_skew_s: float | None = None


@dataclass(frozen=True, slots=True)
class GatewayNumbers:
    """One reading of everything that is a gauge. rollouts: name to (status, percent)."""

    gauges: Mapping[str, float]
    endpoints: Mapping[str, EndpointNumbers] = field(default_factory=dict)
    rollouts: Mapping[str, tuple[str, float]] = field(default_factory=dict)


class QueueMetrics:
    """What the async queue counts: see `pgproxy.queue.running.QueueObserver`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waits = Histogram(
            "pgproxy_async_wait_seconds",
            "From the submission of an async query to its start.",
            buckets=_WAIT_BUCKETS_S,
            registry=registry,
        )
        self._ends = Counter(
            "pgproxy_async_queries", "Async queries that have ended.", ("state",), registry=registry
        )
        self._retries = Counter(
            "pgproxy_async_retries", "Async queries that are tried again.", ("reason",), registry=registry
        )

    def started(self, waited_s: float) -> None:
        """One has begun, so long after its submission."""
        self._waits.observe(waited_s)

    def ended(self, state: StrEnum) -> None:
        """One has ended."""
        self._ends.labels(state.value).inc()

    def retried(self, reason: str) -> None:
        """One will be tried again."""
        self._retries.labels(reason).inc()


class GatewayMetrics:
    """One set of the gateway's metrics in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._gauges = {
            name: Gauge(f"pgproxy_{name}", text, registry=registry) for name, text in GAUGES.items()
        }
        self._statement_metrics(registry)
        self._failure_metrics(registry)
        self._fleet_metrics(registry)
        self.queue = QueueMetrics(registry)

    def _statement_metrics(self, registry: CollectorRegistry) -> None:
        self.statements = StatementTally()
        registry.register(self.statements)
        self.fallbacks = Counter(
            "pgproxy_fallbacks",
            "Statements that ran on `route` because their own endpoint failed or could not be used.",
            ("route", "reason"),
            registry=registry,
        )
        self.denied = Counter("pgproxy_denied", "Statements refused by policy.", ("rule",), registry=registry)

    def _failure_metrics(self, registry: CollectorRegistry) -> None:
        self.failures = Counter(
            "pgproxy_engine_failures",
            "Infrastructure failures of an engine; a statement may have been answered elsewhere.",
            ("endpoint", "reason"),
            registry=registry,
        )
        self.sheds = Counter(
            "pgproxy_sheds",
            "Statements that a full endpoint refused to queue.",
            ("endpoint",),
            registry=registry,
        )
        self.authentications = Counter(
            "pgproxy_authentications", "Finished authentications.", ("method", "outcome"), registry=registry
        )
        self.audit_dropped = Counter(
            "pgproxy_audit_dropped", "Audit records dropped because too many waited.", registry=registry
        )
        self.audit_failures = Counter(
            "pgproxy_audit_failures", "Failed attempts to write the audit log.", registry=registry
        )

    def _fleet_metrics(self, registry: CollectorRegistry) -> None:
        self.shadowed = Counter(
            "pgproxy_shadowed",
            "Statements that were served here and offered to an endpoint as well, by what came of it.",
            ("endpoint", "outcome"),
            registry=registry,
        )
        self.rollout_moves = Counter(
            "pgproxy_rollout_moves",
            "Moves that this gateway's controller made, by what decided.",
            ("rollout", "status", "cause"),
            registry=registry,
        )
        self._rollout_percent = Gauge(
            "pgproxy_rollout_percent",
            "The share that is moved now.",
            ("rollout", "status"),
            registry=registry,
        )
        self._endpoint_health = Gauge(
            "pgproxy_endpoint_health", "1 at what is believed now.", ("endpoint", "health"), registry=registry
        )
        self._endpoint_gauges = {
            name: Gauge(f"pgproxy_endpoint_{name}", text, ("endpoint",), registry=registry)
            for name, text in (
                ("load", "Statements that run or wait there."),
                ("capacity", "Statements that it runs well at once."),
                ("queued", "Statements that wait there."),
                ("memory_used_bytes", "What its engine's buffer manager holds."),
                ("memory_limit_bytes", "Its engine's cap, 0 for its own default."),
                ("spool_bytes", "Results that wait to be fetched there."),
                ("clock_skew_seconds", "Its clock against the gateway's."),
            )
        }

    def show(self, numbers: GatewayNumbers) -> None:
        """Set every gauge; what is gone leaves no series behind."""
        for name, value in numbers.gauges.items():
            self._gauges[name].set(value)
        for gauge in (self._endpoint_health, self._rollout_percent, *self._endpoint_gauges.values()):
            gauge.clear()
        for name, endpoint in numbers.endpoints.items():
            self._show_endpoint(name, endpoint)
        for name, (status, percent) in numbers.rollouts.items():
            self._rollout_percent.labels(name, status).set(percent)

    def _show_endpoint(self, name: str, endpoint: EndpointNumbers) -> None:
        self._endpoint_health.labels(name, endpoint.health).set(1)
        for fact in ("load", "capacity", "queued", "memory_used_bytes", "memory_limit_bytes", "spool_bytes"):
            self._endpoint_gauges[fact].labels(name).set(getattr(endpoint, fact))
        if endpoint.clock_skew_s is not None:
            self._endpoint_gauges["clock_skew_seconds"].labels(name).set(endpoint.clock_skew_s)

    def observe_engine_failure(self, endpoint: str, reason: str) -> None:
        """Count one failure; the shape of the router's `FailureObserver`."""
        self.failures.labels(endpoint, reason).inc()
        if reason == _SHED:
            self.sheds.labels(endpoint).inc()


_SHED = "queue_full"
