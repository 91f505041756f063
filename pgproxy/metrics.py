"""What the gateway counts, by name. Labels come from closed lists and endpoint names, never from clients."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class GatewayMetrics:
    """One set of the gateway's metrics in one registry.

    connections: open now. statements: labels kind (command tag), route (endpoint or `local`), reason
    (RouteReason), outcome (`ok` or a SQLSTATE). first_row_seconds and total_seconds: from the start of
    execution, by route. rows, bytes_sent: given to clients, by route. fallbacks: failures of an engine, by
    endpoint and FallbackReason. shadowed: by endpoint and ShadowOutcome. denied: statements that policy
    refused, by SQLSTATE.
    audit_dropped, audit_failures: records lost, and failed attempts to write them. authentications: by
    method and outcome.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.connections = Gauge("pgproxy_connections", "Open client connections.", registry=registry)
        self.authentications = Counter(
            "pgproxy_authentications", "Finished authentications.", ("method", "outcome"), registry=registry
        )
        self.statements = Counter(
            "pgproxy_statements",
            "Finished statements.",
            ("kind", "route", "reason", "outcome"),
            registry=registry,
        )
        self.first_row_seconds = Histogram(
            "pgproxy_statement_first_row_seconds",
            "Time to the first rows, or to the end where there are none.",
            ("route",),
            buckets=_LATENCY_BUCKETS_S,
            registry=registry,
        )
        self.total_seconds = Histogram(
            "pgproxy_statement_seconds",
            "Time to the end of the statement.",
            ("route",),
            buckets=_LATENCY_BUCKETS_S,
            registry=registry,
        )
        self.rows = Counter("pgproxy_rows", "Rows given to clients.", ("route",), registry=registry)
        self.bytes_sent = Counter(
            "pgproxy_result_bytes", "Bytes of encoded rows given to clients.", ("route",), registry=registry
        )
        self.fallbacks = Counter(
            "pgproxy_engine_failures",
            "Infrastructure failures of an engine; a statement may have been answered elsewhere.",
            ("endpoint", "reason"),
            registry=registry,
        )
        self.audit_dropped = Counter(
            "pgproxy_audit_dropped", "Audit records dropped because too many waited.", registry=registry
        )
        self.audit_failures = Counter(
            "pgproxy_audit_failures", "Failed attempts to write the audit log.", registry=registry
        )
        self.shadowed = Counter(
            "pgproxy_shadowed",
            "Statements that were served here and offered to an endpoint as well, by what came of it.",
            ("endpoint", "outcome"),
            registry=registry,
        )
        self.denied = Counter(
            "pgproxy_denied", "Statements refused by policy.", ("sqlstate",), registry=registry
        )

    def observe_engine_failure(self, endpoint: str, reason: str) -> None:
        """Count one failure; the shape of the router's `FailureObserver`."""
        self.fallbacks.labels(endpoint, reason).inc()
