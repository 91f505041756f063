"""Checks of a deployment before remote workers are widened: each is fine, or says what to do. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from pgproxy.control.fleet import Endpoint, EndpointState, Fallback
from pgproxy.control.rollouts import RolloutStatus
from pgproxy.control.state import ControlState
from pgproxy.settings import GatewaySettings

_LEAST_TOKEN = 16
_WELL_KNOWN = frozenset({"token", "secret", "password", "changeme", "demo", "test", "admin"})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ADDRESSES = ("pg_wire_listen_addr", "http_listen_addr")
_MOST_SKEW_S = 5.0


class Level(StrEnum):
    """ok; look: a decision to make or to know of; act: do not widen before this is mended."""

    OK = "ok"
    LOOK = "look"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. advice: what to do; empty where nothing is."""

    topic: str
    level: Level
    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node said of itself. clock_skew_s: its clock against ours; None: it did not tell."""

    engine_version: str
    contract_version: int
    memory_limit_bytes: int
    clock_skew_s: float | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is looked at.

    given: names of the settings that were set, in lower case. nodes: by endpoint; None: it did not answer.
    engine_version, contract_version: this program's own.
    """

    settings: GatewaySettings
    given: frozenset[str]
    state: ControlState
    nodes: Mapping[str, NodeFacts | None]
    engine_version: str
    contract_version: int


def examine(deployment: Deployment) -> tuple[Finding, ...]:
    """Look at everything, in the order of the runbook."""
    checks = (
        _flags, _canaries, _tokens, _addresses, _client_tls, _node_tls,
        _fallback, _retention, _nodes, _rollouts,
    )  # fmt: skip
    return tuple(finding for check in checks for finding in check(deployment))


def _endpoints(state: ControlState) -> Iterable[Endpoint]:
    return (e for _, e in sorted(state.endpoints.items()) if e.state is not EndpointState.RETIRED)


def _flags(deployment: Deployment) -> Iterator[Finding]:
    is_on = deployment.settings.feature_remote_routing
    names = [endpoint.name for endpoint in _endpoints(deployment.state)]
    if is_on and not names:
        yield Finding(
            "flags", Level.ACT, "remote routing is on, and there is no endpoint", "pgproxy endpoint add"
        )
    elif names and not is_on:
        yield Finding(
            "flags",
            Level.LOOK,
            "remote routing is off: every statement runs here",
            "set FEATURE_REMOTE_ROUTING=true",
        )
    else:
        yield Finding(
            "flags", Level.OK, f"remote routing is {'on' if is_on else 'off'}, endpoints: {len(names)}"
        )


def _canaries(deployment: Deployment) -> Iterator[Finding]:
    settings, principals = deployment.settings, deployment.state.principals
    missing = sorted((settings.remote_canary_users | settings.remote_canary_groups) - principals.keys())
    if missing:
        yield Finding(
            "canary",
            Level.ACT,
            f"no such principal: {', '.join(missing)}",
            "correct REMOTE_CANARY_USERS or _GROUPS",
        )
    elif settings.feature_remote_routing and not (
        settings.remote_canary_users or settings.remote_canary_groups or deployment.state.rollouts
    ):
        yield Finding(
            "canary",
            Level.LOOK,
            "everybody is routed remotely",
            "name canaries, or start a rollout at a small stage",
        )
    else:
        yield Finding("canary", Level.OK, "canaries are principals that exist")


def _tokens(deployment: Deployment) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for endpoint in _endpoints(deployment.state):
        token = endpoint.token
        is_weak = len(token) < _LEAST_TOKEN or any(word in token.lower() for word in _WELL_KNOWN)
        if is_weak:
            text, advice = "its token is short or a demo's", f"pgproxy endpoint token {endpoint.name}"
            yield Finding(f"token of {endpoint.name}", Level.ACT, text, advice)
        elif token in seen:
            text, advice = f"shares its token with {seen[token]}", "give each node its own AGENT_TOKEN"
            yield Finding(f"token of {endpoint.name}", Level.LOOK, text, advice)
        else:
            yield Finding(f"token of {endpoint.name}", Level.OK, "set, and not a demo's")
        seen.setdefault(token, endpoint.name)


def _addresses(deployment: Deployment) -> Iterator[Finding]:
    for name in _ADDRESSES:
        address = getattr(deployment.settings, name)
        if name in deployment.given:
            yield Finding(name.upper(), Level.OK, f"set to {address}")
        else:
            yield Finding(name.upper(), Level.LOOK, f"left at its default, {address}", "set it explicitly")


def _client_tls(deployment: Deployment) -> Iterator[Finding]:
    settings = deployment.settings
    is_local = settings.pg_wire_listen_addr.host in _LOOPBACK
    if settings.tls_cert_file is None:
        level = Level.LOOK if is_local else Level.ACT
        yield Finding("TLS for clients", level, "off", "set TLS_CERT_FILE and TLS_KEY_FILE")
    elif not settings.require_tls and not is_local:
        yield Finding("TLS for clients", Level.LOOK, "offered, not required", "set REQUIRE_TLS=true")
    else:
        yield Finding("TLS for clients", Level.OK, "required" if settings.require_tls else "offered")


def _node_tls(deployment: Deployment) -> Iterator[Finding]:
    for endpoint in _endpoints(deployment.state):
        parts = urlsplit(endpoint.url)
        if parts.scheme == "grpcs":
            yield Finding(f"TLS to {endpoint.name}", Level.OK, "on")
        elif parts.hostname in _LOOPBACK:
            yield Finding(f"TLS to {endpoint.name}", Level.OK, "off, on this machine only")
        else:
            text, advice = "off: rows and the token cross the network in the clear", "use a grpcs:// URL"
            yield Finding(f"TLS to {endpoint.name}", Level.ACT, text, advice)


def _fallback(deployment: Deployment) -> Iterator[Finding]:
    for assignment in sorted(deployment.state.assignments.values(), key=lambda a: (a.principal, a.endpoint)):
        topic = f"fallback of {assignment.principal} on {assignment.endpoint}"
        if assignment.fallback is Fallback.AUTOMATIC:
            yield Finding(topic, Level.OK, "automatic: reads are answered elsewhere")
        else:
            advice = "start a rollout with --fallback automatic; disable it only by decision"
            yield Finding(topic, Level.LOOK, "disabled: an ill endpoint is an error to its users", advice)


def _retention(deployment: Deployment) -> Iterator[Finding]:
    settings = deployment.settings
    hours = settings.query_result_ttl / 3600
    if hours > 24:
        advice = "shorten QUERY_RESULT_TTL, or give SPOOL_DIR the room"
        yield Finding("retention", Level.LOOK, f"results stay for {hours:.0f} hours", advice)
    else:
        yield Finding("retention", Level.OK, f"results stay for {settings.query_result_ttl / 60:.0f} minutes")


def _nodes(deployment: Deployment) -> Iterator[Finding]:
    for endpoint in _endpoints(deployment.state):
        topic, facts = f"node {endpoint.name}", deployment.nodes.get(endpoint.name)
        if facts is None:
            yield Finding(topic, Level.ACT, "does not answer", "see its log and GET /health")
        elif facts.contract_version != deployment.contract_version:
            text = f"speaks contract {facts.contract_version}, not {deployment.contract_version}"
            yield Finding(topic, Level.LOOK, text, "install the gateway's version")
        elif facts.engine_version != deployment.engine_version:
            text = f"runs DuckDB {facts.engine_version}, the gateway {deployment.engine_version}"
            yield Finding(topic, Level.ACT, text, "install the gateway's version")
        elif not facts.memory_limit_bytes:
            yield Finding(topic, Level.LOOK, "has no memory limit", "set MAX_MEMORY_GB")
        elif facts.clock_skew_s is not None and abs(facts.clock_skew_s) > _MOST_SKEW_S:
            text = f"its clock is {facts.clock_skew_s:+.0f} s off"
            yield Finding(topic, Level.LOOK, text, "run a time service on both machines")
        else:
            memory = facts.memory_limit_bytes / (1 << 30)
            yield Finding(topic, Level.OK, f"DuckDB {facts.engine_version}, {memory:.1f} GiB")


def _rollouts(deployment: Deployment) -> Iterator[Finding]:
    for rollout in (deployment.state.rollouts[name] for name in sorted(deployment.state.rollouts)):
        topic = f"rollout {rollout.name}"
        if rollout.status is RolloutStatus.HALTED:
            yield Finding(topic, Level.ACT, rollout.reason, f"pgproxy rollout status {rollout.name}")
        else:
            yield Finding(topic, Level.OK, f"{rollout.status.value} at {rollout.percent:g}%")
